"""How a field is read, by what its column holds: SQL made of the macros of `sql/macros.sql`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from etl.kinds import Reject
from etl.tables import Holds, Table


@dataclass(frozen=True, slots=True)
class Reader:
    """The SQL of one kind of column; `{0}` stands for the field, quotes included.

    Attributes:
        value: the value, NULL where the field is refused (or means null).
        sql_type: the type of `value`.
        faults: when the field is refused, and as what; the first that holds counts.
        flags: bits of `etl.stages.FLAGS` that the field gives its row.
    """

    value: str
    sql_type: str
    faults: tuple[tuple[str, Reject], ...] = ()
    flags: str = ""


def _integer(value: str, flags: str = "") -> Reader:
    return Reader(value, "BIGINT", ((f"{value} IS NULL", Reject.INVALID_INTEGER),), flags)


def _digit(out_of_range: Reject) -> Reader:
    return Reader(
        "read_integer({0})",
        "BIGINT",
        (
            ("read_integer({0}) IS NULL", Reject.INVALID_INTEGER),
            ("read_integer({0}) NOT BETWEEN 1 AND 5", out_of_range),
        ),
    )


def _boolean(flags: str) -> Reader:
    return Reader(
        "read_boolean({0})",
        "BOOLEAN",
        (("read_boolean({0}) IS NULL", Reject.INVALID_BOOLEAN),),
        flags,
    )


READERS: Final[Mapping[Holds, Reader]] = MappingProxyType(
    {
        Holds.KEY: _integer("read_key({0})"),
        Holds.PARENT: _integer("read_parent({0})"),
        Holds.SESSION: _integer("read_parent({0})"),
        Holds.COUNT: _integer("read_count({0})"),
        Holds.QUANTITY: _integer("read_quantity({0})", "quantity_flags({0})"),
        Holds.TEXT: Reader("read_text({0})", "VARCHAR", flags="text_flags({0})"),
        Holds.NULLABLE_TEXT: Reader(
            "read_nullable_text({0})", "VARCHAR", flags="nullable_text_flags({0})"
        ),
        Holds.PRICE: Reader(
            "read_cents({0})",
            "BIGINT",
            (("read_cents({0}) IS NULL", Reject.INVALID_PRICE),),
            "price_flags({0})",
        ),
        Holds.NULLABLE_PRICE: Reader(
            "read_cents({0})",
            "BIGINT",
            (("read_cents({0}) IS NULL AND NOT means_null({0})", Reject.INVALID_PRICE),),
            "nullable_price_flags({0})",
        ),
        Holds.BOOLEAN: _boolean("boolean_flags({0}, ['0', '1'])"),
        Holds.WORD_BOOLEAN: _boolean("boolean_flags({0}, ['false', 'true'])"),
        Holds.DATE: Reader(
            "read_date({0})",
            "BIGINT",
            (("read_date({0}) IS NULL", Reject.INVALID_DATE),),
            "date_flags({0})",
        ),
        Holds.RATING: _digit(Reject.RATING_OUT_OF_RANGE),
        Holds.VALUE: _digit(Reject.VALUE_OUT_OF_RANGE),
    }
)


def values_of(table: Table) -> str:
    """The columns of `<table>_clean`, read from the fields of the same names."""
    return ",\n    ".join(
        f"{READERS[column.holds].value.format(column.name)} AS {column.name}"
        for column in table.columns
    )


def flags_of(table: Table) -> str:
    """The bits that the fields of a row give it."""
    flags = (
        READERS[column.holds].flags.format(column.name)
        for column in table.columns
        if READERS[column.holds].flags
    )
    return " | ".join(["flags", *flags])


def fault_of(table: Table) -> str:
    """NULL, or the kind, the column and the field of what is wrong with a row first."""
    return f"CASE {' '.join(_whens(table))} END"


def _whens(table: Table) -> Iterator[str]:
    for column in table.columns:
        for condition, kind in READERS[column.holds].faults:
            yield (
                f"WHEN {condition.format(column.name)}"
                f" THEN ['{kind}', '{column.header}', {column.name}]"
            )


def readable(table: Table, fields: Mapping[str, str]) -> str:
    """An SQL condition: every field can be read. `fields` are their expressions by our names."""
    return " AND ".join(
        f"NOT coalesce({condition.format(fields[column.name])}, false)"
        for column in table.columns
        for condition, _kind in READERS[column.holds].faults
    )


def declared_columns(table: Table) -> str:
    """Name and type of every column of `<table>_clean`, for an empty table of the same shape."""
    return ", ".join(f"{one.name} {READERS[one.holds].sql_type}" for one in table.columns)
