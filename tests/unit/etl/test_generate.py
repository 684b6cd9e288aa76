import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from etl.generate import make_set
from etl.generation.catalog import Request
from etl.generation.plants import plants_of
from etl.generation.shapes import SHAPES
from etl.generation.spread import SPREAD, mean_children
from etl.kinds import Note, Reject, Repair
from tests.support.reference_reader import ReferenceAccount, read_set

KINDS = {"repaired": Repair, "rejected": Reject, "notes": Note}


def manifest_of(directory: Path) -> dict[str, Any]:
    """Return the manifest of a made set."""
    manifest: dict[str, Any] = json.loads((directory / "manifest.json").read_text())
    return manifest


def digests(directory: Path) -> dict[str, str]:
    """Return a digest of each file."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.iterdir())
    }


def ids_of(path: Path) -> list[int]:
    """Return the ids of a clean file in its order."""
    return [int(line.split(b",", 1)[0]) for line in path.read_bytes().splitlines()[1:]]


def as_manifest(account: ReferenceAccount) -> dict[str, Any]:
    """Return what the reference reader counted as a manifest has it: without zeros."""
    return {
        "rows": account.rows,
        "loaded": account.loaded,
        "stored": len(account.stored),
        "repaired": dict(+account.repaired),
        "rejected": dict(+account.rejected),
        "notes": dict(+account.notes),
    }


def command(directory: Path, *options: str) -> list[str]:
    """Return the command line of `catalog-etl generate`."""
    return [sys.executable, "-m", "etl", "generate", str(directory), *options]


@pytest.fixture(scope="module")
def dirty_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a dirty set of 1,200 products."""
    directory = tmp_path_factory.mktemp("sets") / "dirty"
    make_set(directory, Request(1200, seed=5, plants_per_million=10_000, gap_every=67))
    return directory


@pytest.mark.parametrize(("seed", "plants_per_million"), [(1, 0), (5, 10_000), (6, 250_000)])
def test_a_reader_of_its_own_counts_what_the_manifest_says(
    tmp_path: Path, seed: int, plants_per_million: int
) -> None:
    """Kind by kind, for every file, the manifest is what an independent reading comes to."""
    make_set(tmp_path / "set", Request(1200, seed, plants_per_million, gap_every=67))
    files = manifest_of(tmp_path / "set")["files"]
    for table, account in read_set(tmp_path / "set").items():
        counted = as_manifest(account)
        assert {key: files[f"{table}.csv"][key] for key in counted} == counted, table


def test_a_dirty_set_of_1000_products_has_every_plant_of_every_file(tmp_path: Path) -> None:
    """Even the smallest rate plants each kind once in each file where it can occur."""
    make_set(tmp_path / "set", Request(1000, seed=11, plants_per_million=1, gap_every=0))
    files = manifest_of(tmp_path / "set")["files"]
    for shape in SHAPES:
        names = {plant.name for plant in plants_of(shape)}
        assert set(files[shape.file]["planted"]) == names, shape.file


def test_a_dirty_set_shows_every_kind_there_is(dirty_set: Path) -> None:
    """No kind of `etl/kinds.py` is left out of a dirty set."""
    files = manifest_of(dirty_set)["files"].values()
    for section, kinds in KINDS.items():
        found = {kind for file in files for kind in file[section]}
        assert found == {str(kind) for kind in kinds}


def test_the_rate_is_the_share_of_dirty_rows(tmp_path: Path) -> None:
    """Of the rows whose parents are loaded, the given share is planted."""
    make_set(tmp_path / "set", Request(3000, seed=2, plants_per_million=50_000, gap_every=67))
    file = manifest_of(tmp_path / "set")["files"]["characteristic_reviews.csv"]
    free = file["rows"] - file["orphaned_by_rejected_parents"]
    assert sum(file["planted"].values()) / free == pytest.approx(0.05, rel=0.05)


def test_a_clean_set_has_nothing_to_repair_or_reject(tmp_path: Path) -> None:
    """Rate 0 plants nothing: all rows are loaded, and ids up to 1,000 are all there."""
    make_set(tmp_path / "set", Request(1000, seed=1, plants_per_million=0, gap_every=67))
    manifest = manifest_of(tmp_path / "set")
    for file in manifest["files"].values():
        assert file["rows"] == file["loaded"] == file["stored"]
        assert [file[key] for key in ("repaired", "rejected", "planted")] == [{}, {}, {}]
    assert manifest["last_product_id"] == 1000
    assert read_set(tmp_path / "set")["product"].stored.keys() == set(range(1, 1001))


def test_the_same_request_makes_the_same_bytes_with_any_number_of_threads(tmp_path: Path) -> None:
    """Order and bytes come from the seed alone; the largest files span several row groups."""
    for plants_per_million in (0, 10_000):
        request = Request(9000, 4, plants_per_million, gap_every=67)
        made = []
        for threads in (1, 4):
            directory = tmp_path / f"{plants_per_million}-{threads}"
            make_set(directory, request, threads=threads)
            made.append(digests(directory))
        assert made[0] == made[1]


def test_another_seed_makes_another_set(tmp_path: Path) -> None:
    """Every file differs between two seeds."""
    for seed in (1, 2):
        make_set(tmp_path / str(seed), Request(300, seed, 0, gap_every=0))
    one, other = digests(tmp_path / "1"), digests(tmp_path / "2")
    assert not one.items() & other.items()


def test_rows_of_a_clean_set_stand_in_the_order_of_their_ids(tmp_path: Path) -> None:
    """Also in files that span many row groups of the database."""
    make_set(tmp_path / "set", Request(9000, 1, 0, gap_every=67), threads=4)
    for shape in SHAPES:
        ids = ids_of(tmp_path / "set" / shape.file)
        assert all(one < next_one for one, next_one in pairwise(ids)), shape.file


def test_gaps_are_as_many_as_asked_for(tmp_path: Path) -> None:
    """Above 1,000, one id of every `gap_every` is missing, and no related row names it."""
    make_set(tmp_path / "set", Request(6000, 8, 0, gap_every=50))
    products = ids_of(tmp_path / "set" / "product.csv")
    assert len(products) == 6000
    assert 1 - 5000 / (max(products) - 1000) == pytest.approx(0.02, rel=0.05)
    related = (tmp_path / "set" / "related.csv").read_text().splitlines()[1:]
    assert {int(line.rsplit(",", 1)[1]) for line in related} <= set(products)


def test_the_spread_is_that_of_the_legacy_set() -> None:
    """Rows per parent, as in the table of the full legacy set."""
    expected = {
        "features": 2.2,
        "styles": 1.96,
        "related": 4.5,
        "reviews": 5.8,
        "characteristics": 3.35,
        "questions": 3.5,
        "photos": 2.9,
        "skus": 5.8,
        "reviews_photos": 0.475,
        "answers": 1.955,
        "answers_photos": 0.3,
    }
    for table, mean in expected.items():
        assert mean_children(table) == pytest.approx(mean, rel=0.04), table
        assert sum(SPREAD[table].values()) == 100


def test_texts_are_as_long_as_those_of_a_shop(tmp_path: Path) -> None:
    """A description has 150 to 480 characters, a product with its features about 650 bytes."""
    make_set(tmp_path / "set", Request(1000, 1, 0, gap_every=0))
    tables = read_set(tmp_path / "set")
    lengths = [len(row["description"] or "") for row in tables["product"].stored.values()]
    assert min(lengths) >= 150
    assert max(lengths) <= 480
    fields = sum(len(json.dumps(row)) for row in tables["product"].stored.values())
    pairs = sum(
        len(json.dumps({"feature": row["feature"], "value": row["value"]}))
        for row in tables["features"].stored.values()
    )
    assert (fields + pairs) / 1000 == pytest.approx(650, rel=0.1)


def test_a_directory_in_use_is_refused_without_force(dirty_set: Path) -> None:
    """Exit 2 and an unchanged directory; with --force the set is replaced."""
    before = digests(dirty_set)
    refused = subprocess.run(
        command(dirty_set, "--products", "10"), capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "not empty" in refused.stderr
    assert digests(dirty_set) == before


def test_force_replaces_a_set_and_nothing_else(tmp_path: Path) -> None:
    """What is not of the set stays."""
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "manifest.json").write_text("{}")
    make_set(tmp_path, Request(10, 1, 0, gap_every=0), force=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert manifest_of(tmp_path)["request"]["products"] == 10


@pytest.mark.parametrize(
    "options",
    [
        ("--products", "0"),
        ("--products", "-5"),
        ("--products", "many"),
        ("--seed", "-1"),
        ("--dirty", "1"),
        ("--dirty", "nan"),
        ("--gaps", "0.9"),
    ],
)
def test_a_bad_number_is_refused_before_anything_is_made(
    tmp_path: Path, options: tuple[str, str]
) -> None:
    """Exit 2, the option is named, no directory."""
    done = subprocess.run(
        command(tmp_path / "set", *options), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert options[0] in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "set").exists()


def test_a_set_larger_than_the_disk_is_refused_at_once(tmp_path: Path) -> None:
    """Exit 4; both sizes are told."""
    free_bytes = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    products = free_bytes // 4000
    if products > 100_000_000:
        pytest.skip("the disk has room for the largest set that can be asked for")
    done = subprocess.run(
        command(tmp_path / "set", "--products", str(products)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "free" in done.stderr
    assert not (tmp_path / "set").exists()


def test_a_full_disk_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    """Exit 4; the kernel refuses to let a file grow, as it does when the disk is full."""
    limit_bytes = 2_000_000

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    done = subprocess.run(
        command(tmp_path / "set", "--products", "5000"),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    assert done.returncode == 4
    assert "disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_that_looks_whole(
    tmp_path: Path, signal_number: signal.Signals
) -> None:
    """Exit 5, no file of the set, no manifest."""
    directory = tmp_path / "set"
    with subprocess.Popen(
        command(directory, "--products", "2000000"), stderr=subprocess.PIPE, text=True
    ) as process:
        first_file = directory / ".generating" / "features.csv"
        deadline_seconds = time.monotonic() + 60
        while not (first_file.exists() and first_file.stat().st_size > 1000):
            assert time.monotonic() < deadline_seconds
            time.sleep(0.05)
        process.send_signal(signal_number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "interrupted" in told
    assert not directory.exists()


def test_what_a_killed_run_left_is_no_obstacle(tmp_path: Path) -> None:
    """Its unfinished files are removed by the next run, without --force."""
    unfinished = tmp_path / "set" / ".generating"
    unfinished.mkdir(parents=True)
    (unfinished / "product.csv").write_text("id")
    make_set(tmp_path / "set", Request(10, 1, 0, gap_every=0))
    assert not unfinished.exists()
    assert len(list((tmp_path / "set").iterdir())) == len(SHAPES) + 1
