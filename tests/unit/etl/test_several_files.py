"""Several files of one table: one table to the catalog, an account for each file."""

from base64 import b64decode
from pathlib import Path

import duckdb
import pytest

from etl.stages import Stages
from tests.support.legacy_files import (
    HEADERS,
    PRODUCT_1,
    STYLE_1,
    Cleaned,
    clean_files,
    write_files,
)

_PHOTOS = (
    '1,1,"a","b"',
    '2,1,"c","d',
    '3,1,"e",null,4,1,"f","g"',
    '9,1,"x","y","z"',
    '5,1,"h","i"',
    '1,1,"again","b"',
    '6,7,"lost","style"',
)


def _write_part(directory: Path, name: str, table: str, lines: tuple[str, ...]) -> None:
    (directory / name).write_text("\n".join((HEADERS[table], *lines)) + "\n")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Cleaned:
    """All photos in one file."""
    directory = tmp_path_factory.mktemp("whole")
    write_files(directory, {"product": PRODUCT_1, "styles": STYLE_1})
    _write_part(directory, "photos.csv", "photos", _PHOTOS)
    return clean_files(directory)


@pytest.mark.parametrize("cut", range(len(_PHOTOS) + 1))
def test_table_when_cut_into_two_files_then_as_in_one(
    tmp_path: Path, whole: Cleaned, cut: int
) -> None:
    """Rows, their order, and the sums of the account are those of the joined file."""
    write_files(tmp_path, {"product": PRODUCT_1, "styles": STYLE_1})
    _write_part(tmp_path, "photos-0.csv", "photos", _PHOTOS[:cut])
    _write_part(tmp_path, "photos-1.csv", "photos", _PHOTOS[cut:])
    parts = clean_files(tmp_path)
    assert parts.rows == whole.rows
    first, second, file = (
        parts.file("photos-0"), parts.file("photos-1"), whole.file("photos"),
    )  # fmt: skip
    assert first.rows_in + second.rows_in == file.rows_in
    assert first.loaded + second.loaded == file.loaded
    assert first.repaired_rows + second.repaired_rows == file.repaired_rows
    assert first.rejected_rows + second.rejected_rows == file.rejected_rows == 2
    assert [one["bytes_base64"] for one in parts.rejects] == [
        one["bytes_base64"] for one in whole.rejects
    ]


def test_key_when_in_two_files_then_the_later_name_wins_and_the_earlier_is_counted(
    tmp_path: Path,
) -> None:
    """Last is the later line, then the later file name, whatever order was asked for."""
    _write_part(tmp_path, "product-10.csv", "product", ('1,"ten","b","c","d",1',) * 2)
    _write_part(tmp_path, "product-09.csv", "product", ('1,"nine","b","c","d",1', '2,"x",,,,3'))
    cleaned = clean_files(tmp_path / "product-10.csv", tmp_path / "product-09.csv")
    assert cleaned.product(1)["name"] == "ten"
    nine, ten = (one for one in cleaned.account.files.values() if not one.missing)
    assert (nine.rows_in, nine.loaded, nine.repaired) == (2, 2, {"duplicate_key": 1})
    assert (ten.rows_in, ten.loaded, ten.repaired) == (2, 2, {"duplicate_key": 1})
    assert (nine.table, ten.table) == ("product", "product")


def test_files_when_their_columns_stand_in_another_order_then_each_by_its_own_header(
    tmp_path: Path,
) -> None:
    """Every file is read by its own header, and its notes are its own."""
    (tmp_path / "features-1.csv").write_text("value,feature,product_id,id,more\nb,a,1,1,x\n")
    (tmp_path / "features-2.csv").write_text('id,product_id,feature,value\r\n2,1,"c","d"\r\n')
    cleaned = clean_files(write_files(tmp_path, {"product": PRODUCT_1}))
    assert cleaned.product(1)["features"] == [
        {"feature": "a", "value": "b"},
        {"feature": "c", "value": "d"},
    ]
    assert cleaned.file("features-1").notes == {"extra_column": 1, "reordered_header": 1}
    assert cleaned.file("features-2").notes == {"carriage_return": 2}


def test_rejects_when_from_several_files_then_file_line_and_bytes_are_exact(
    tmp_path: Path,
) -> None:
    """Of every stage: bytes, form, fields, orphans."""
    bad = (b"1,caf\xe9", b"2,1,x", b'x,1,"a","b"', b'4,5,"a","b"')
    for number in (1, 2):
        lines = (b"id,product_id,feature,value", *bad[:number], b'7,1,"ok","ok"', *bad[number:])
        (tmp_path / f"features-{number}.csv").write_bytes(b"\n".join(lines))
    cleaned = clean_files(write_files(tmp_path, {"product": PRODUCT_1}))
    assert [(one["file"], one["line"], one["kind"]) for one in cleaned.rejects] == [
        ("features-1.csv", 2, "invalid_utf8"),
        ("features-1.csv", 4, "malformed_row"),
        ("features-1.csv", 5, "invalid_integer"),
        ("features-1.csv", 6, "orphan"),
        ("features-2.csv", 2, "invalid_utf8"),
        ("features-2.csv", 3, "malformed_row"),
        ("features-2.csv", 5, "invalid_integer"),
        ("features-2.csv", 6, "orphan"),
    ]
    assert [b64decode(one["bytes_base64"]) for one in cleaned.rejects] == [*bad, *bad]


def test_pos_when_taken_apart_then_file_line_and_part_and_stored_rows_come_first() -> None:
    """Files come before lines, lines before parts; lines may be more than a billion."""
    with duckdb.connect() as database:
        Stages(database).prepare()
        cases = [(1, 2, 0), (1, 2, 1), (1, 2**40, 1), (2, 1, 0), (2_000_000, 2**41 - 1, 1)]
        find = "SELECT pos_of($1, $2, $3) AS pos, file_of(pos), line_of(pos), part_of(pos)"
        found = [row for case in cases for row in database.execute(find, case).fetchall()]
    assert [row[1:] for row in found] == cases
    assert sorted(row[0] for row in found) == [row[0] for row in found]
    assert found[0][0] > 0
