"""Parquet files are read as the CSV files of the same rows."""

from base64 import b64decode
from pathlib import Path

import pytest

from etl.errors import SourceDamagedError, SourceError
from tests.support.legacy_files import PRODUCT_1, STYLE_1, clean_files, open_files, write_files
from tests.support.packed_files import write_parquet

_CSV = {
    "product": '7,"a ""b"", c","two\nlines",null,"",140\n1,"Camo","é😀","x","y",49.90\n',
    "features": '1,1,"Fabric",null\n2,7,"Fit","null and void"\n3,9,"x","orphan"\n',
    "styles": '1,1,"Green",null,140,1\n2,7,"Tan",49.99,140.50,0\n',
    "photos": '1,1,"u1",null\n2,2,"u2","t2"\n',
    "skus": '1,1,"XS",8\n2,1,"XS",-1\n3,2,null,4\n',
    "related": "1,1,7\n2,7,7\n3,7,0\n",
}
_TYPED = {
    "product": "SELECT id, name, slogan, description, category, default_price::DOUBLE"
    " AS default_price FROM rows",
    "features": "SELECT id::DOUBLE AS id, product_id::INTEGER AS product_id, feature, value"
    " FROM rows",
    "styles": "SELECT id, productId, name, sale_price::FLOAT AS sale_price,"
    " original_price::DECIMAL(18, 4) AS original_price, default_style::INTEGER::BOOLEAN"
    " AS default_style FROM rows",
    "photos": "SELECT id, styleId, encode(url) AS url, thumbnail_url FROM rows",
    "skus": "SELECT quantity::SMALLINT AS quantity, size, styleId, id::HUGEINT AS id, 5 AS extra"
    " FROM rows",
    "related": "SELECT id::UINTEGER AS id, current_product_id, related_product_id FROM rows",
}


def _rows(file: Path) -> str:
    """The file's rows as a table, all of them texts or NULL."""
    options = "all_varchar = true, header = true, nullstr = 'null', allow_quoted_nulls = false"
    return f"read_csv('{file}', {options}) AS rows"


@pytest.mark.parametrize("typed", [False, True])
def test_rows_when_in_parquet_then_as_in_csv(tmp_path: Path, *, typed: bool) -> None:
    """Bodies, rejects and the account, of text columns and of typed ones in another order."""
    lines, columns = tmp_path / "lines", tmp_path / "columns"
    lines.mkdir()
    columns.mkdir()
    write_files(lines, _CSV)
    for name in _CSV:
        select = _TYPED[name] if typed else "SELECT * FROM rows"
        rows = _rows(lines / f"{name}.csv")
        write_parquet(columns / f"{name}.parquet", select.replace("rows", rows))
    wanted, found = clean_files(lines), clean_files(columns)
    assert found.rows == wanted.rows
    for name in _CSV:
        one, other = found.file(f"{name}.parquet"), wanted.file(name)
        assert (one.rows_in, one.loaded, one.rejected) == (
            other.rows_in, other.loaded, other.rejected,
        )  # fmt: skip
        assert one.repaired == other.repaired == {}
    assert [(one["file"], one["line"], one["kind"], one["text"]) for one in found.rejects] == [
        ("features.parquet", 3, "orphan", '3,9,"x","orphan"'),
        ("related.parquet", 3, "orphan", "3,7,0"),
    ]
    assert found.file("skus.parquet").notes.get("extra_column", 0) == typed


@pytest.mark.parametrize(
    ("price", "served"),
    [
        ("49.9::DOUBLE", "49.90"),
        ("49.99::FLOAT", "49.99"),
        ("140.0::DOUBLE", "140.00"),
        ("'$1,299.50'", "1299.50"),
        ("'140'", "140.00"),
        ("49.999::DOUBLE", None),
        ("-1::INTEGER", None),
        ("'NaN'::DOUBLE", None),
        ("NULL", None),
        ("'\"57'", None),
    ],
)
def test_price_when_of_any_type_then_exact_or_rejected(
    price: str, served: str | None, tmp_path: Path
) -> None:
    """A fraction is a price when two decimals are all of it; nothing is rounded."""
    texts = "'a' AS name, 'b' AS slogan, 'c' AS description, 'd' AS category"
    write_parquet(
        tmp_path / "product.parquet", f"SELECT 1 AS id, {texts}, {price} AS default_price"
    )
    cleaned = clean_files(tmp_path)
    if served is None:
        assert cleaned.rejects[0]["kind"] == "invalid_price"
        assert cleaned.rejects[0]["reason"]
    else:
        assert cleaned.product(1)["default_price"] == served


def test_words_when_text_then_only_where_null_is_meant_is_null_one(tmp_path: Path) -> None:
    """Free text keeps the word; a nullable column of a careless export does not leak it."""
    select = "SELECT unnest([1, 2, 3]) AS id, 1 AS product_id, unnest(['null', 'b', 'c']) AS"
    write_parquet(
        tmp_path / "features.parquet", f"{select} feature, unnest(['null', '', NULL]) AS value"
    )
    cleaned = clean_files(write_files(tmp_path, {"product": PRODUCT_1}))
    assert cleaned.product(1)["features"] == [
        {"feature": "null", "value": None},
        {"feature": "b", "value": ""},
        {"feature": "c", "value": None},
    ]


def test_rows_when_rejected_then_numbered_and_told_as_a_line(tmp_path: Path) -> None:
    """A row has no bytes of its own; its number is its place in the file, from 1."""
    write_parquet(
        tmp_path / "skus.parquet",
        "SELECT 'S, \"M\"' AS size, 1 AS styleId, n AS id, CASE WHEN n % 1000 = 0 THEN NULL ELSE n"
        " END AS quantity FROM range(1, 200001) AS numbers(n)",
    )
    cleaned = clean_files(write_files(tmp_path, {"product": PRODUCT_1, "styles": STYLE_1}))
    assert cleaned.file("skus.parquet").rejected == {"invalid_integer": 200}
    assert [one["line"] for one in cleaned.rejects] == list(range(1000, 200_001, 1000))
    assert b64decode(cleaned.rejects[0]["bytes_base64"]) == b'"S, ""M""",1,1000,null'


@pytest.mark.parametrize("kept", [4, 0.5, 0.95, -4, -1])
def test_file_when_cut_off_then_refused_by_name(kept: float, tmp_path: Path) -> None:
    """Its end holds where the columns are: without it nothing can be read."""
    whole = write_parquet(tmp_path / "x", "SELECT n AS id, n AS a FROM range(1000) AS t(n)")
    content = whole.read_bytes()
    cut = int(kept) if kept < 0 or kept >= 1 else int(kept * len(content))
    (tmp_path / "skus.parquet").write_bytes(content[:cut])
    with pytest.raises(SourceDamagedError, match=r"skus\.parquet: is no whole Parquet file"):
        open_files(tmp_path, scratch=tmp_path)


def test_file_when_corrupt_then_refused_by_name(tmp_path: Path) -> None:
    """Pages that cannot be read stop the load before anything is written."""
    file = write_parquet(
        tmp_path / "related.parquet",
        "SELECT n AS id, hash(n) % 100 AS current_product_id, hash(n + 1) % 100"
        " AS related_product_id FROM range(100000) AS t(n)",
    )
    content = bytearray(file.read_bytes())
    content[100 : len(content) // 2] = bytes(len(content) // 2 - 100)
    file.write_bytes(content)
    with pytest.raises(SourceDamagedError, match=r"related\.parquet: has rows that cannot be read"):
        clean_files(tmp_path)


def test_text_when_no_utf8_then_the_file_is_refused_by_name(tmp_path: Path) -> None:
    """Parquet promises UTF-8, so such a file was written by nobody who knows."""
    write_parquet(
        tmp_path / "features.parquet",
        "SELECT 1 AS id, 1 AS product_id, 'a' AS feature, '\\xFF'::BLOB AS value",
    )
    with pytest.raises(
        SourceDamagedError, match=r"features\.parquet: has rows that cannot be read"
    ):
        clean_files(tmp_path)


@pytest.mark.parametrize(
    ("select", "fault"),
    [
        ("SELECT 1 AS id, 2 AS a", "no column current_product_id"),
        ("SELECT [1] AS id, 1 AS current_product_id, 1 AS related_product_id", r"id of type"),
    ],
)
def test_header_when_unusable_then_named(select: str, fault: str, tmp_path: Path) -> None:
    """Told before any row is read."""
    write_parquet(tmp_path / "related.parquet", select)
    with pytest.raises(SourceError, match=rf"related\.parquet: .*{fault}"):
        open_files(tmp_path, scratch=tmp_path)
