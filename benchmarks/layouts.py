"""The tables and node options that `bench_table_layout` compares."""

import re
from dataclasses import dataclass
from typing import Final

from benchmarks.paths import REPOSITORY

SCHEMA_FILE: Final = REPOSITORY / "schema" / "tables" / "products_by_id.cql"
NO_COMPRESSION: Final = "{'enabled': false}"
LZ4_4_KIB: Final = "{'class': 'LZ4Compressor', 'chunk_length_in_kb': 4}"
LZ4_16_KIB: Final = "{'class': 'LZ4Compressor', 'chunk_length_in_kb': 16}"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a layout: some columns of the committed products_by_id, its options changed.

    Attributes:
        layout: what the report calls the layout.
        name: of the table.
        columns: besides product_id.
        compression: the option's map, as CQL.
        sstable_format: what the node writes while it is loaded.
    """

    layout: str
    name: str
    columns: tuple[str, ...]
    compression: str = NO_COMPRESSION
    sstable_format: str = "bti"

    @property
    def binds(self) -> tuple[str, ...]:
        """How `loadgen cql-write` fills the columns."""
        return ("id", *(_bind(column) for column in self.columns))

    def create_statement(self, keyspace: str) -> str:
        """Return the committed table under this name, with these columns and options."""
        lines = (line.partition("--")[0] for line in SCHEMA_FILE.read_text().splitlines())
        committed = re.sub(r"\s+", " ", " ".join(lines)).strip().rstrip(";")
        options = committed.partition(") WITH ")[2]
        options = re.sub(r"compression = \{[^}]*\}", f"compression = {self.compression}", options)
        kinds = dict(re.findall(r"(\w+) (blob|ascii)", committed))
        columns = "".join(f", {column} {kinds[column]}" for column in self.columns)
        return (
            f"CREATE TABLE IF NOT EXISTS {keyspace}.{self.name} "
            f"(product_id bigint PRIMARY KEY{columns}) WITH {options}"
        )

    def insert_statement(self) -> str:
        """Return the statement that writes one row."""
        marks = ", ?" * len(self.columns)
        columns = ", ".join(self.columns)
        return f"INSERT INTO {self.name} (product_id, {columns}) VALUES (?{marks})"  # noqa: S608 -- names of our own tables

    def select_statement(self, column: str) -> str:
        """Return the statement that one request runs."""
        return f"SELECT {column}, {column}_etag FROM {self.name} WHERE product_id = ?"  # noqa: S608 -- as above


def _bind(column: str) -> str:
    return f"etag:{column.removesuffix('_etag')}" if column.endswith("_etag") else column


ALL_COLUMNS: Final = (
    "product",
    "product_etag",
    "related",
    "related_etag",
    "source_rows",
    "styles",
    "styles_etag",
)

ONE_ROW: Final = Table("one row (as committed)", "one_row", ALL_COLUMNS)
THREE_TABLES: Final = (
    Table("three tables", "three_product", ("product", "product_etag", "source_rows")),
    Table("three tables", "three_styles", ("styles", "styles_etag")),
    Table("three tables", "three_related", ("related", "related_etag")),
)
# Every layout is a sequence of tables; those of one table differ in their options only.
TABLES: Final[tuple[tuple[Table, ...], ...]] = (
    (ONE_ROW,),
    THREE_TABLES,
    (Table("one row, LZ4 in 4 KiB", "one_row_lz4_4", ALL_COLUMNS, LZ4_4_KIB),),
    (Table("one row, LZ4 in 16 KiB", "one_row_lz4_16", ALL_COLUMNS, LZ4_16_KIB),),
    (Table("one row, BIG format", "one_row_big", ALL_COLUMNS, NO_COMPRESSION, "big"),),
    (Table("one row, BIG, LZ4 in 16 KiB", "one_row_big_lz4", ALL_COLUMNS, LZ4_16_KIB, "big"),),
)

# What changes in the shipped node: options of cassandra.yaml, and flags of the JVM.
OPTIONS: Final[dict[str, tuple[dict[str, str], tuple[str, ...]]]] = {
    "as shipped": ({}, ()),
    "data files by pread": ({"disk_access_mode": "mmap_index_only"}, ()),
    "threads of the server's default": (
        {"native_transport_max_threads": "128", "concurrent_reads": "32"},
        (),
    ),
    "2 request threads, 2 readers": (
        {"native_transport_max_threads": "2", "concurrent_reads": "2"},
        (),
    ),
    "8 request threads, 8 readers": (
        {"native_transport_max_threads": "8", "concurrent_reads": "8"},
        (),
    ),
    "dynamic snitch": ({"dynamic_snitch": "true"}, ()),
    "ParallelGC": ({}, ("-XX:-UseG1GC", "-XX:+UseParallelGC")),
    "heap touched at start, huge pages": (
        {},
        ("-XX:+AlwaysPreTouch", "-XX:+UseTransparentHugePages"),
    ),
    "as shipped, again": ({}, ()),
}
