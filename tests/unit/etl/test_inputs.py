"""What the arguments of a load stand for."""

from pathlib import Path

import pytest

from etl.errors import UsageError
from etl.inputs import find_inputs, known_stem
from etl.tables import TABLES
from tests.support.legacy_files import PRODUCT_1, STYLE_1, clean_files, write_files


def _names(*arguments: Path | str) -> list[tuple[str, str]]:
    found = find_inputs([str(one) for one in arguments])
    return [(one.table.name, one.name) for one in found.inputs]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("product.csv", "product"),
        ("product.csv.gz", "product"),
        ("product.CSV.ZST", "product"),
        ("product.parquet", "product"),
        ("skus-00.csv.gz", "skus"),
        ("skus_2024-01-31.csv", "skus"),
        ("skus.part-3.parquet", "skus"),
        ("skus.7.csv.zstd", "skus"),
        ("reviews-1.csv", "reviews"),
        ("reviews_photos.csv", "reviews_photos"),
        ("reviews_photos-1.csv", "reviews_photos"),
        ("product-old.csv", None),
        ("product2.csv", None),
        ("products.csv", None),
        ("my_product.csv", None),
        ("product.csv.bak", None),
        ("product", None),
        ("reviews_stars.csv", None),
    ],
)
def test_name_when_it_begins_with_a_table_then_only_a_numbered_part_may_follow(
    name: str, stem: str | None
) -> None:
    """A copy that someone kept aside is not loaded by accident."""
    assert known_stem(name) == stem


def test_inputs_when_given_in_any_way_then_by_table_and_name(tmp_path: Path) -> None:
    """Directories, patterns, names and TABLE=PATH; parents before children, then by name."""
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    write_files(first, {"styles": STYLE_1, "product": PRODUCT_1})
    for name in ("skus-01.csv", "skus-00.csv", "skus-old.csv", "export"):
        (second / name).touch()
    assert _names(first) == [("product", "product.csv"), ("styles", "styles.csv")]
    assert _names(first, second / "skus-*.csv", f"features={second}/export", "related=-") == [
        ("product", f"{first}/product.csv"),
        ("features", f"{second}/export"),
        ("styles", f"{first}/styles.csv"),
        ("skus", f"{second}/skus-00.csv"),
        ("skus", f"{second}/skus-01.csv"),
        ("related", "-"),
    ]
    found = find_inputs([str(second)])
    assert found.not_read == ("skus-old.csv",)
    assert [table.name for table in found.missing] == [
        table.name for table in TABLES if table.name != "skus"
    ]


def test_inputs_when_one_file_is_named_twice_then_it_counts_once(tmp_path: Path) -> None:
    """Patterns overlap; rows must not be counted as duplicates of themselves for it."""
    write_files(tmp_path, {"product": PRODUCT_1})
    (tmp_path / "product-1.csv").symlink_to(tmp_path / "product.csv")
    file = tmp_path / "product.csv"
    assert _names(file, tmp_path, tmp_path / "prod*") == [("product", str(file))]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-"], "say of which table"),
        (["product=-", "skus=-"], "once only"),
        (["stars=-"], "no such file"),
        (["skus*.gz"], "no such file"),
        (["notes.csv"], "say TABLE=notes.csv"),
        (["product=."], "is a directory"),
        (["product=skus.csv", "skus.csv"], "given for product and skus"),
        ([".", "product.csv.gz"], "one file twice"),
    ],
)
def test_inputs_when_they_make_no_sense_then_told(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of these are mistakes of the command line, found before any file is opened."""
    monkeypatch.chdir(tmp_path)
    for name in ("product.csv", "product.csv.gz", "skus.csv", "notes.csv", "reviews.csv"):
        Path(name).touch()
    with pytest.raises(UsageError, match=message):
        find_inputs(arguments)


def test_path_when_it_looks_like_a_pattern_or_a_table_then_taken_as_it_is(tmp_path: Path) -> None:
    """What exists by this very name is meant."""
    directory = tmp_path / "product=[1]*"
    directory.mkdir()
    write_files(directory, {"product": PRODUCT_1})
    assert sorted(clean_files(directory).rows) == [1]
    assert sorted(clean_files(directory / "product.csv").rows) == [1]
