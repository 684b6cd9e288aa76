"""What a killed load leaves, and when the next run may go on with it."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest

from etl import work_directory
from etl.errors import SourceError, UsageError
from etl.identity import Identity
from etl.inputs import Inputs, find_inputs
from etl.preparation import prepare
from etl.progress import Progress
from etl.settings import EtlSettings
from etl.work_directory import WorkDirectory, open_work
from ring import RingSettings
from tests.support.legacy_files import write_files

RING = RingSettings(contact_points=("127.0.0.1",), keyspace="shop")
AS_OF = 1_700_000_000_000_000


class KilledError(Exception):
    """Stands for the end of the process: nothing of the load handles it."""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Three files of a few rows."""
    directory = tmp_path / "files"
    directory.mkdir()
    write_files(
        directory,
        {
            "product": '1,"a","b","c","d",10\n2,"a","b","c","d",x\n',
            "features": '1,1,"f","v"\n2,9,"f","v"\n',
            "related": "1,1,2\n2,1,1\n",
        },
    )
    return directory


class Load:
    """The part of a load that needs no ring, run as often as is asked for."""

    def __init__(self, files: Path, tmp_path: Path) -> None:
        self._files = files
        self._settings = EtlSettings(load_temp_directory=str(tmp_path))
        self.said: list[str] = []
        self.stages: list[str] = []
        self.resumed = False

    def run(self, *, killed_at: str = "", as_of: int = AS_OF) -> dict[str, tuple[int, int]]:
        """Return rows in and loaded by file; raise KilledError after the stage `killed_at`."""
        return asyncio.run(self._run(killed_at, as_of))

    async def _run(self, killed_at: str, as_of: int) -> dict[str, tuple[int, int]]:
        self.said, out = [], StringIO()
        progress = _Killing(out, killed_at)
        inputs = find_inputs([str(self._files)])
        try:
            with open_work(inputs, RING, self._settings, self.said.append) as work:
                async with prepare(work, inputs, as_of, self._settings, progress, None) as prepared:
                    self.resumed = work.is_resumed
                    return {
                        name: (one.rows_in, one.loaded)
                        for name, one in prepared.account.files.items()
                        if not one.missing
                    }
        finally:
            self.stages = [stage.name for stage in progress.record.stages]
            self.said += out.getvalue().splitlines()


class _Killing(Progress):
    def __init__(self, stream: StringIO, killed_at: str) -> None:
        super().__init__(stream)
        self._killed_at = killed_at

    def say(self, text: str) -> None:
        super().say(text)
        if self._killed_at and text.startswith(f"{self._killed_at}:"):
            raise KilledError


WANTED = {"product.csv": (2, 1), "features.csv": (2, 1), "related.csv": (2, 1)}


@pytest.mark.parametrize(
    "killed_at", ["read product.csv", "clean product.csv", "read related.csv", "relate and merge"]
)
def test_load_when_killed_then_the_next_run_does_only_what_is_left(
    killed_at: str, files: Path, tmp_path: Path
) -> None:
    """The account is that of one whole run, and no file or table is read twice."""
    load = Load(files, tmp_path)
    with pytest.raises(KilledError):
        load.run(killed_at=killed_at)
    before = load.stages
    assert load.run() == WANTED
    assert load.resumed
    again = [name for name in load.stages if name in before and name != "relate and merge"]
    assert not again
    assert not list(tmp_path.glob("catalog-load-*"))


def test_load_when_a_file_changed_then_said_and_begun_anew(files: Path, tmp_path: Path) -> None:
    """Another row in one file: nothing of the earlier run is used."""
    load = Load(files, tmp_path)
    with pytest.raises(KilledError):
        load.run(killed_at="read related.csv")
    with (files / "product.csv").open("a") as file:
        file.write('3,"a","b","c","d",10\n')
    assert load.run() == WANTED | {"product.csv": (3, 2)}
    assert not load.resumed
    assert any("product.csv has changed since: begun anew" in line for line in load.said)
    assert "read product.csv" in load.stages


@pytest.mark.parametrize(
    ("content", "is_same"), [(b"1,1,2\n2,1,1\n", True), (b"1,1,2\n2,1,3\n", False)]
)
def test_load_when_a_file_was_written_again_then_its_content_decides(
    content: bytes, files: Path, tmp_path: Path, *, is_same: bool
) -> None:
    """Same size, another time: the hash tells whether it is the same file."""
    load = Load(files, tmp_path)
    with pytest.raises(KilledError):
        load.run(killed_at="relate and merge")
    path = files / "related.csv"
    header = path.read_bytes().partition(b"\n")[0]
    path.write_bytes(header + b"\n" + content)
    os.utime(path, ns=(1, 1))
    load.run()
    assert load.resumed is is_same


def test_load_when_as_of_is_another_then_begun_anew(files: Path, tmp_path: Path) -> None:
    """Every row would bear another timestamp."""
    load = Load(files, tmp_path)
    with pytest.raises(KilledError):
        load.run(killed_at="read related.csv")
    load.run(as_of=AS_OF + 1)
    assert not load.resumed
    assert any("as of another time" in line for line in load.said)


def test_load_when_the_program_is_another_then_begun_anew(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version's tables may have other columns."""
    load = Load(files, tmp_path)
    with pytest.raises(KilledError):
        load.run(killed_at="read related.csv")
    monkeypatch.setattr(work_directory, "_program", lambda: "another")
    assert load.run() == WANTED
    assert not load.resumed


def test_load_when_its_directory_is_damaged_then_begun_anew(files: Path, tmp_path: Path) -> None:
    """A record that is cut off says nothing."""
    load = Load(files, tmp_path)
    with pytest.raises(KilledError):
        load.run(killed_at="read related.csv")
    (record,) = tmp_path.glob("catalog-load-*/load.json")
    record.write_bytes(record.read_bytes()[:20])
    assert load.run() == WANTED
    assert not load.resumed


def test_load_when_a_file_cannot_be_read_then_nothing_is_kept(files: Path, tmp_path: Path) -> None:
    """The person has to mend the file, which makes it another one."""
    (files / "skus.csv").write_bytes(b"")
    with pytest.raises(SourceError):
        Load(files, tmp_path).run()
    assert not list(tmp_path.glob("catalog-load-*"))


def _opened(inputs: Inputs, tmp_path: Path) -> Callable[[], str]:
    settings = EtlSettings(load_temp_directory=str(tmp_path))

    def open_once() -> str:
        with open_work(inputs, RING, settings, lambda _line: None) as work:
            work.settle(inputs, AS_OF, None, lambda _line: None)
            return work.owner

    return open_once


def test_work_when_another_run_is_at_work_then_refused(files: Path, tmp_path: Path) -> None:
    """Two runs of one load would tear each other's database apart."""
    inputs = find_inputs([str(files)])
    settings = EtlSettings(load_temp_directory=str(tmp_path))
    with (
        open_work(inputs, RING, settings, lambda _line: None),
        pytest.raises(UsageError, match="another run of this load is at work"),
    ):
        _opened(inputs, tmp_path)()


def test_work_when_killed_then_the_next_run_has_the_same_owner(files: Path, tmp_path: Path) -> None:
    """The lock of the ring is taken over, not waited for; after a whole load it is another's."""
    inputs = find_inputs([str(files)])
    settings = EtlSettings(load_temp_directory=str(tmp_path))
    with suppress(KilledError), open_work(inputs, RING, settings, lambda _line: None) as work:
        work.settle(inputs, AS_OF, None, lambda _line: None)
        raise KilledError
    open_once = _opened(inputs, tmp_path)
    assert open_once() == work.owner
    assert open_once() != work.owner


def test_work_when_the_directory_is_anothers_then_refused(files: Path, tmp_path: Path) -> None:
    """In a folder that all may write to, another user could lay out a trap."""
    inputs = find_inputs([str(files)])
    settings = EtlSettings(load_temp_directory=str(tmp_path))
    with suppress(KilledError), open_work(inputs, RING, settings, lambda _line: None) as work:
        work.settle(inputs, AS_OF, None, lambda _line: None)
        raise KilledError
    elsewhere = tmp_path / "elsewhere"
    work.path.rename(elsewhere)
    work.path.symlink_to(elsewhere)
    with pytest.raises(UsageError, match="is not ours"):
        _opened(inputs, tmp_path)()


def test_work_when_it_ends_before_it_began_then_nothing_is_kept(
    files: Path, tmp_path: Path
) -> None:
    """No ring answers, say: there is nothing to go on with."""
    inputs = find_inputs([str(files)])
    settings = EtlSettings(load_temp_directory=str(tmp_path))
    with suppress(KilledError), open_work(inputs, RING, settings, lambda _line: None):
        raise KilledError
    assert not list(tmp_path.glob("catalog-load-*"))


def test_work_when_standard_input_brings_something_else_then_begun_anew(tmp_path: Path) -> None:
    """It has neither time nor inode: only its content can be the same."""
    inputs = find_inputs(["product=-"])
    work = WorkDirectory(tmp_path, "owner")
    said: list[str] = []
    work.settle(inputs, AS_OF, Identity(3, None, "abc"), said.append)
    again = WorkDirectory(tmp_path, "owner")
    again.settle(inputs, AS_OF, Identity(3, None, "abc"), said.append)
    assert again.is_resumed
    another = WorkDirectory(tmp_path, "owner")
    another.settle(inputs, AS_OF, Identity(3, None, "def"), said.append)
    assert not another.is_resumed
    assert len(said) == 1
