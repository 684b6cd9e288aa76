"""What an export is asked for: a format, a table, a part of the catalog."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from catalog_api.domain.errors import InvalidExportError, InvalidIdError
from catalog_api.domain.item_id import read_query_id

FORMATS: Final = ("ndjson", "csv")
TABLES: Final = ("product", "features", "styles", "photos", "skus", "related")
MOST_PARTS: Final = 1_024
_NAMES: Final = frozenset({"format", "table", "after", "part", "parts"})
_NUMBER: Final = re.compile(r"0*([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """An export.

    Attributes:
        table: the file of CSV whose lines are wanted; None for whole products as NDJSON.
        after: the last product that the caller has in full; None from the beginning.
        part: which of `parts` equal shares of the tokens, from 1.
    """

    table: str | None = None
    after: int | None = None
    part: int = 1
    parts: int = 1


def read_export(query: Iterable[tuple[str, str]]) -> ExportRequest:
    """Return the export that the parameters of a query describe.

    Raises:
        InvalidExportError: an unknown or repeated parameter, or a value that cannot be.
    """
    values: dict[str, str] = {}
    for name, value in query:
        if name not in _NAMES:
            raise InvalidExportError(f"there is no parameter {name[:32]!r} here")
        if name in values:
            raise InvalidExportError(f"{name} is given twice")
        values[name] = value
    kind = values.get("format", FORMATS[0])
    if kind not in FORMATS:
        raise InvalidExportError("format must be ndjson or csv")
    table = values.get("table", TABLES[0])
    if table not in TABLES or ("table" in values and kind != "csv"):
        raise InvalidExportError(f"table must be one of {', '.join(TABLES)}, and format csv")
    parts = _read_number(values, "parts")
    part = _read_number(values, "part")
    if part > parts:
        raise InvalidExportError("part must not be above parts")
    return ExportRequest(table if kind == "csv" else None, _read_after(values), part, parts)


def _read_number(values: dict[str, str], name: str) -> int:
    match = _NUMBER.fullmatch(values.get(name, "1"))
    if match is None or not 1 <= int(match[1]) <= MOST_PARTS:
        raise InvalidExportError(f"{name} must be a whole number from 1 to {MOST_PARTS}")
    return int(match[1])


def _read_after(values: dict[str, str]) -> int | None:
    text = values.get("after")
    if text is None:
        return None
    try:
        return read_query_id(text)
    except InvalidIdError as error:
        raise InvalidExportError("after must be the id of a product") from error
