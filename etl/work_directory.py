"""The directory in which a load works, and what a killed load leaves there for the next run.

One directory a load, named by what makes two runs the same load: its files and its keyspace. It
holds the load's database, copies of packed files and staged SSTables; `load.json` says what all of
that was made of. The run that finds it goes on with it or, where a file has changed or the program
has, says so and begins anew.
"""

import fcntl
import hashlib
import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import duckdb
import orjson

from etl.errors import SourceError, UsageError
from etl.identity import Identity, Stamp, identify
from etl.inputs import Input, Inputs
from etl.report import write_whole
from etl.settings import EtlSettings
from ring import RingSettings

LOCK: Final = "lock"
STANDARD_INPUT_COPY: Final = "standard_input"
_RECORD: Final = "load.json"
_STAGING: Final = "sstables"
_PREFIX: Final = "catalog-load-"
_PACKAGE: Final = Path(__file__).parent


class WorkDirectory:
    """One load's directory, held by this process alone.

    Attributes:
        path: where it is.
        staging: where SSTables are staged, perhaps on the file system of the nodes.
        owner: who works here, for the lock of the ring: the same in every run of the load, so that
            the run after a killed one need not wait for the lease to end.
        is_resumed: whether an earlier run's work stands here; known once it is settled.
    """

    def __init__(self, path: Path, owner: str, staging_parent: str = "") -> None:
        self.path = path
        self.staging = Path(staging_parent or path) / (path.name if staging_parent else _STAGING)
        self.owner = owner
        self.is_resumed = False
        self._record: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<WorkDirectory {self.path} is_resumed={self.is_resumed}>"

    @property
    def standard_input(self) -> Path:
        """Where what comes from standard input is copied to."""
        return self.path / STANDARD_INPUT_COPY

    def settle(
        self,
        inputs: Inputs,
        as_of_microseconds: int,
        standard_input: Identity | None,
        say: Callable[[str], None],
    ) -> None:
        """Go on with what an earlier run left if it is of the same content; else begin anew.

        Raises:
            OSError: a file cannot be read, or the record not be written.
        """
        before = self._read()
        if before is not None:
            difference = _difference(before, inputs, as_of_microseconds, standard_input)
            self.is_resumed = difference is None
            if difference is not None:
                say(f"an earlier run of this load was not finished, but {difference}: begun anew")
                self.clear()
        self._record = {
            "program": _program(),
            "as_of_microseconds": as_of_microseconds,
            "inputs": [
                _described(one, standard_input, before if self.is_resumed else None)
                for one in inputs.inputs
            ],
        }
        self._write()

    def keep_identities(self, identities: Mapping[str, Identity]) -> None:
        """Remember by name what was read of every file."""
        for one in self._record["inputs"]:
            one["identity"] = asdict(identities[one["name"]])
        self._write()

    def clear(self) -> None:
        """Remove everything but the lock and what was just copied from standard input."""
        self.is_resumed = False
        shutil.rmtree(self.staging, ignore_errors=True)
        for one in self.path.iterdir():
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one)
            elif one.name not in {LOCK, STANDARD_INPUT_COPY}:
                one.unlink()

    def begin_anew(self) -> None:
        """Remove what an earlier run left, and what is known of the files."""
        self.clear()
        self._write()

    def remove(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.staging, ignore_errors=True)
        shutil.rmtree(self.path, ignore_errors=True)

    def _read(self) -> dict[str, Any] | None:
        try:
            record: dict[str, Any] = orjson.loads((self.path / _RECORD).read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return None
        return record

    def _write(self) -> None:
        write_whole(self.path / _RECORD, orjson.dumps(self._record, option=orjson.OPT_INDENT_2))


@contextmanager
def open_work(
    inputs: Inputs,
    ring_settings: RingSettings,
    settings: EtlSettings,
    say: Callable[[str], None],
) -> Iterator[WorkDirectory]:
    """Open the directory of this load, which stays when the load fails or is interrupted.

    It goes when the load ends well, and when the load ends for what the person gave it.

    Raises:
        UsageError: another run of this load is at work, or the directory is somebody else's.
        OSError: it cannot be made.
    """
    parent = Path(settings.load_temp_directory or tempfile.gettempdir())
    path = parent / f"{_PREFIX}{_key(inputs, ring_settings)}"
    with _locked(path) as owner:
        work = WorkDirectory(path, owner, settings.load_staging_directory)
        try:
            yield work
        except (SourceError, UsageError):
            work.remove()
            raise
        except BaseException:
            if (path / _RECORD).exists():
                say(f"what is done is kept in {path}: run the load again to go on there")
            else:
                work.remove()
            raise
        work.remove()


@contextmanager
def open_scratch(settings: EtlSettings) -> Iterator[WorkDirectory]:
    """Open a directory that goes in any case, for what writes nothing into Cassandra."""
    with tempfile.TemporaryDirectory(
        prefix=_PREFIX, dir=settings.load_temp_directory or None
    ) as name:
        yield WorkDirectory(Path(name), "")


def _key(inputs: Inputs, ring_settings: RingSettings) -> str:
    digest = hashlib.sha256(ring_settings.keyspace.encode())
    for point in sorted(ring_settings.contact_points):
        digest.update(f"\0{point}".encode())
    for one in inputs.inputs:
        path = one.path.resolve() if one.path else "-"
        digest.update(f"\n{one.table.name}\0{one.name}\0{path}".encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


@contextmanager
def _locked(path: Path) -> Iterator[str]:
    """Hold the directory; yield the name of its owner, which the first run has chosen.

    The kernel lets go when the process ends, however it ends.
    """
    while True:
        path.mkdir(mode=0o700, exist_ok=True)
        if path.is_symlink() or path.stat().st_uid != os.geteuid():
            raise UsageError(f"{path}: is not ours; say where else: CATALOG_LOAD_TEMP_DIRECTORY")
        with (path / LOCK).open("a+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(f"another run of this load is at work in {path}") from error
            if not _is_linked(file.fileno(), path / LOCK):
                # A run that ended well has removed it since.
                continue
            file.seek(0)
            owner = file.read().decode() or f"{socket.gethostname()} {uuid.uuid4().hex[:12]}"
            file.truncate(0)
            file.write(owner.encode())
            file.flush()
            yield owner
            return


def _is_linked(descriptor: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _described(
    one: Input, standard_input: Identity | None, before: dict[str, Any] | None
) -> dict[str, Any]:
    """Return what the record says of an input."""
    identity = None if standard_input is None else asdict(standard_input)
    if one.stamp is not None:
        identity = before and _of(before, one)["identity"]
    return {
        "table": one.table.name,
        "name": one.name,
        "path": str(one.path) if one.path else None,
        "stamp": asdict(one.stamp) if one.stamp else None,
        "identity": identity,
    }


def _of(record: dict[str, Any], one: Input) -> dict[str, Any]:
    found: dict[str, Any] = next(told for told in record["inputs"] if told["name"] == one.name)
    return found


def _difference(
    before: dict[str, Any],
    inputs: Inputs,
    as_of_microseconds: int,
    standard_input: Identity | None,
) -> str | None:
    """Return why an earlier run's work is of no use, or None."""
    if before["program"] != _program():
        return "by another version of this program"
    for one in inputs.inputs:
        told = _of(before, one)
        if one.stamp is None or one.path is None:
            if told["identity"] != (standard_input and asdict(standard_input)):
                return f"{one.name} brings something else now"
        elif not _is_same(one.path, one.stamp, told):
            return f"{one.name} has changed since"
    if before["as_of_microseconds"] != as_of_microseconds:
        return "as of another time"
    return None


def _is_same(path: Path, stamp: Stamp, told: dict[str, Any]) -> bool:
    """Whether a file is what it was: by its stamp, or by its content where only that differs."""
    if told["stamp"] == asdict(stamp):
        return True
    identity = told["identity"]
    if identity is None or identity["size_bytes"] != stamp.size_bytes:
        return False
    digest: str = identity["digest"]
    return identify(path, stamp).digest == digest


@cache
def _program() -> str:
    """What stages leave depends on all of this package and on the format of DuckDB's files."""
    digest = hashlib.sha256(f"{version('catalog')} {duckdb.__version__}".encode())
    for file in sorted(_PACKAGE.rglob("*")):
        if file.suffix in {".py", ".sql"}:
            digest.update(file.read_bytes())
    return digest.hexdigest()
