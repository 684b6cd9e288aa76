"""Brings a data set into the ring through `catalog-etl`, unless it stands there already."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ring.nodes.dataset import Dataset, Loaded, read_dataset
from ring.nodes.errors import StageError
from ring.nodes.settings import REPOSITORY, StackSettings
from ring.nodes.stages import Stage
from ring.nodes.tables import Table, any_rows, fetch_tables, truncate_tables
from ring.settings import RingSettings

SAMPLE_SEED = 1
GENERATE_TIMEOUT_SECONDS = 600.0
# catalog-etl's exit codes: all rows loaded; finished, with rejects in a file.
CLEAN, WITH_REJECTS = 0, 1
EXIT_REASONS = {
    2: "it was called wrongly",
    3: "too many rows were rejected",
    4: "it could not go on",
    5: "it was interrupted",
}


def load_data(
    settings: StackSettings, ring_settings: RingSettings, environ: Mapping[str, str], stage: Stage
) -> None:
    """Load what DATA names, or the sample, into an empty keyspace.

    What the ring already holds stays when it is the same, and when no DATA is given. Another
    data set replaces it: the tables are emptied first, so that only its products are served. An
    existing Cassandra's own rows are never emptied, and never mixed with the sample.

    Raises:
        StageError: the load did not end well; what it wrote is replaced by the next one.
        DatasetError: DATA is no folder of CSV files.
        TablesError: Cassandra does not answer.
    """
    marker = settings.state / "loaded.json"
    tables = asyncio.run(fetch_tables(ring_settings))
    loaded = Loaded.read(marker)
    # Tables that came later, with a newer schema or somebody's own, say nothing about these.
    if loaded is not None and not set(loaded.tables) <= set(_ids(tables)):
        loaded = None
    if loaded is not None and loaded.complete and not settings.data:
        stage.done(f"{_name(loaded.dataset)} is loaded already")
        return
    foreign_rows = loaded is None and asyncio.run(any_rows(ring_settings, tables))
    if foreign_rows and settings.contact_points and not settings.data:
        stage.done("this Cassandra holds rows already: the sample is not loaded over them")
        return
    dataset = _dataset(settings, environ)
    if loaded is not None and loaded.complete and loaded.dataset == dataset:
        stage.done(f"{_name(dataset)} is loaded already")
        return
    if loaded is not None or (foreign_rows and not settings.contact_points):
        asyncio.run(truncate_tables(ring_settings, tables))
    Loaded(dataset, _ids(tables), complete=False).write(marker)
    outcome = _run_load(dataset, environ)
    if not asyncio.run(any_rows(ring_settings, tables)):
        # A program that cannot even start may end with the code that says "with rejects".
        raise StageError(
            f"catalog-etl loaded nothing from {dataset.path}", advice="Read its lines above."
        )
    outcome += _place_products(dataset, environ)
    Loaded(dataset, _ids(tables), complete=True).write(marker)
    stage.done(f"{_name(dataset)} loaded{outcome}")


def _dataset(settings: StackSettings, environ: Mapping[str, str]) -> Dataset:
    if settings.data:
        return read_dataset(Path(settings.data).expanduser())
    return read_dataset(_sample(settings, environ), sample=True)


def _sample(settings: StackSettings, environ: Mapping[str, str]) -> Path:
    """Return the folder of the sample, generated when it is not there yet."""
    directory = settings.state / "sample"
    asked = {"products": settings.sample_products, "seed": SAMPLE_SEED}
    marker = settings.state / "sample.json"
    try:
        if json.loads(marker.read_text(encoding="utf-8")) == asked and directory.is_dir():
            return directory
    except (OSError, ValueError):
        pass
    shutil.rmtree(directory, ignore_errors=True)
    arguments = ["--products", str(settings.sample_products), "--seed", str(SAMPLE_SEED)]
    command = ["generate", str(directory), *arguments, "--dirty", "0"]
    code = _run_etl(command, environ, timeout_seconds=GENERATE_TIMEOUT_SECONDS)
    if code != CLEAN:
        raise StageError(
            f"the sample could not be generated: catalog-etl ended with {code}",
            advice="Read its lines above.",
        )
    marker.write_text(json.dumps(asked), encoding="utf-8")
    return directory


def _run_load(dataset: Dataset, environ: Mapping[str, str]) -> str:
    # No deadline: it shows its own progress, and ten million products take their time.
    code = _run_etl(["load", dataset.path], environ, timeout_seconds=None)
    if code == CLEAN:
        return ""
    if code == WITH_REJECTS:
        return ", with rejects: see the account above"
    reason = EXIT_REASONS.get(code, "it ended unexpectedly")
    raise StageError(
        f"catalog-etl load ended with {code}: {reason}",
        advice="Read its lines above; the next `make up` loads again from the start.",
    )


def _place_products(dataset: Dataset, environ: Mapping[str, str]) -> str:
    """Let searches find the sample; a data set may take hours, beside which all else works."""
    if not dataset.sample:
        return "; searches find it after `make find`"
    if _run("catalog_api.find_command", ["rebuild"], environ, timeout_seconds=None):
        raise StageError(
            "the sample was loaded, but searches do not find it",
            advice="Read the lines above; `make find` goes on where it stopped.",
        )
    return ""


def _run_etl(
    arguments: list[str], environ: Mapping[str, str], *, timeout_seconds: float | None
) -> int:
    return _run("etl", arguments, environ, timeout_seconds=timeout_seconds)


def _run(
    module: str,
    arguments: list[str],
    environ: Mapping[str, str],
    *,
    timeout_seconds: float | None,
) -> int:
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(
            command,
            env=dict(environ),
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StageError(
            f"{module} {arguments[0]} did not end in {timeout_seconds:.0f} s",
            advice="Run it by hand to see why: " + " ".join(command),
        ) from error
    return done.returncode


def _ids(tables: tuple[Table, ...]) -> tuple[str, ...]:
    return tuple(table.table_id for table in tables)


def _name(dataset: Dataset) -> str:
    return "the sample" if dataset.sample else dataset.path
