"""A file that is changed, replaced or removed at any moment of its reading stops the load."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import etl.extract
import etl.preparation
import etl.scan
from etl.__main__ import main
from etl.identity import HashedReader
from tests.support.legacy_files import PRODUCT_1, write_files
from tests.support.packed_files import pack_file
from tests.unit.etl.test_identity import CHANGES

Change = Callable[[], None]
_ROWS = "".join(f'{number},1,"a","b"\n' for number in range(1, 500))


def _once(change: Callable[[Path], None], file: Path) -> Change:
    left = [file]

    def act() -> None:
        if left:
            change(left.pop())

    return act


def _before(patch: pytest.MonkeyPatch, owner: Any, name: str, change: Change) -> None:
    """Have something happen right before a function of the load is called."""
    original = getattr(owner, name)

    def call(*arguments: Any, **more: Any) -> Any:
        change()
        return original(*arguments, **more)

    patch.setattr(owner, name, call)


def _when_found(patch: pytest.MonkeyPatch, change: Change) -> None:
    _before(patch, etl.preparation, "open_sources", change)


def _when_opened(patch: pytest.MonkeyPatch, change: Change) -> None:
    _before(patch, etl.preparation, "extract_all", change)


def _when_half_scanned(patch: pytest.MonkeyPatch, change: Change) -> None:
    class Changing(HashedReader):
        """Meets the change between two blocks."""

        def read(self, size: int, /) -> bytes:
            if self.bytes_read:
                change()
            return super().read(size)

    patch.setattr(etl.scan, "_BLOCK_BYTES", 64)
    patch.setattr(etl.scan, "HashedReader", Changing)


def _when_encoded(patch: pytest.MonkeyPatch, change: Change) -> None:
    _before(patch, etl.scan, "_encode_copy", change)


def _when_scanned(patch: pytest.MonkeyPatch, change: Change) -> None:
    _before(patch, etl.extract, "extract", change)


def _when_read(patch: pytest.MonkeyPatch, change: Change) -> None:
    _before(patch, etl.extract, "read_rows_in", change)


def _plain(file: Path) -> Path:
    return file


def _with_returns(file: Path) -> Path:
    """So that it is read from an encoded copy."""
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    return file


def _packed(file: Path) -> Path:
    """So that it is read from an unpacked copy."""
    return pack_file("zstd", file)


@pytest.mark.parametrize(
    ("moment", "shape"),
    [
        *((moment, _plain) for moment in (_when_found, _when_opened, _when_half_scanned)),
        *((moment, _plain) for moment in (_when_scanned, _when_read)),
        (_when_encoded, _with_returns),
        (_when_half_scanned, _packed),
    ],
)
@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_command_when_a_file_changes_at_any_moment_then_status_4_and_its_name(
    moment: Callable[[pytest.MonkeyPatch, Change], None],
    shape: Callable[[Path], Path],
    change: Callable[[Path], None],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing of such a load is accounted for, and what is said names file and fault."""
    write_files(tmp_path, {"product": PRODUCT_1, "features": _ROWS})
    file = shape(tmp_path / "features.csv")
    moment(monkeypatch, _once(change, file))
    monkeypatch.chdir(tmp_path)
    assert main(["load", ".", "--dry-run", "--report", "report.json"]) == 4
    told = capsys.readouterr()
    assert re.search(message.replace(r"features\.csv", re.escape(file.name)), told.err), told.err
    assert "nothing was written" in told.err
    assert "Traceback" not in told.err
    assert not told.out
    assert json.loads(Path("report.json").read_text())["files"] == {}
