"""A second reading of the legacy files, by hand and one row at a time: slow, small, independent.

It shares with the product only the names of kinds. What it counts of a generated set must be what
the set's manifest says.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

Row = dict[str, str | None]
"""Fields by column; an unquoted null, or nothing, is None."""

COLUMNS: dict[str, str] = {
    "product": "id name slogan description category default_price",
    "features": "id product_id feature value",
    "styles": "id productId name sale_price original_price default_style",
    "photos": "id styleId url thumbnail_url",
    "skus": "id styleId size quantity",
    "related": "id current_product_id related_product_id",
    "cart": "id user_session product_id active",
    "reviews": "id product_id rating date summary body recommend reported reviewer_name"
    " reviewer_email response helpfulness",
    "reviews_photos": "id review_id url",
    "characteristics": "id product_id name",
    "characteristic_reviews": "id characteristic_id review_id value",
    "questions": "id product_id body date_written asker_name asker_email reported helpful",
    "answers": "id question_id body date_written answerer_name answerer_email reported helpful",
    "answers_photos": "id answer_id url",
}
PARENTS = {
    "product_id": "product",
    "productId": "product",
    "styleId": "styles",
    "current_product_id": "product",
    "related_product_id": "product",
    "review_id": "reviews",
    "characteristic_id": "characteristics",
    "question_id": "questions",
    "answer_id": "answers",
}
INTEGERS = {"id", "user_session", "quantity", "helpfulness", "helpful", *PARENTS}
PRICES = {"default_price", "sale_price", "original_price"}
NULLABLE = {"sale_price", "url", "thumbnail_url", "response"}
BOOLEANS = {"active", "default_style", "recommend", "reported"}
DATES = {"date", "date_written"}


class RejectedError(Exception):
    """The row is refused; the first argument is the kind."""


@dataclass
class Line:
    """One row as it was found: its fields, and what was noticed on the way."""

    fields: list[tuple[str, bool]]
    kinds: Counter[str] = field(default_factory=Counter)


@dataclass
class ReferenceAccount:
    """What one file comes to, and the rows that stay."""

    rows: int = 0
    loaded: int = 0
    repaired: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    stored: dict[int, Row] = field(default_factory=dict)


REPAIRS = {"unclosed_quote", "joined_rows", "rounded_date", "null_date", "formatted_price"}


def read_set(directory: Path) -> dict[str, ReferenceAccount]:
    """Read all files, parents first; by the file's stem."""
    accounts: dict[str, ReferenceAccount] = {}
    for table in COLUMNS:
        accounts[table] = _read_file(directory / f"{table}.csv", table, accounts)
    _count_childless(accounts)
    return accounts


def _read_file(path: Path, table: str, accounts: dict[str, ReferenceAccount]) -> ReferenceAccount:
    account = ReferenceAccount()
    content = path.read_bytes()
    if content.startswith(b"\xef\xbb\xbf"):
        account.notes["byte_order_mark"] = 1
        content = content[3:]
    if not content.endswith(b"\n"):
        account.notes["no_final_newline"] = 1
    lines = content.removesuffix(b"\n").split(b"\n")
    account.notes["carriage_return"] = sum(line.endswith(b"\r") for line in lines[:-1])
    account.notes["carriage_return"] += content.endswith(b"\r\n")
    bare = [line.removesuffix(b"\r") for line in lines]
    header = _read_header(bare[0].decode(), COLUMNS[table].split(), account)
    id_before = -1
    for found in _rows(bare[1:], table, len(header), account):
        account.rows += 1
        kinds = found.kinds if found is not None else Counter()
        try:
            row = _read_row(found, table, header)
            _require_parents(row, accounts)
        except RejectedError as rejection:
            account.rejected[str(rejection)] += 1
            continue
        account.loaded += 1
        for kind, times in kinds.items():
            (account.repaired if kind in REPAIRS else account.notes)[kind] += min(times, 1)
        key = int(row["id"] or "")
        account.notes["out_of_order"] += key < id_before
        id_before = key
        if account.stored.pop(key, None) is not None:
            account.repaired["duplicate_key"] += 1
        account.stored[key] = row
    _count_relations(table, account)
    return account


def _read_header(line: str, known: list[str], account: ReferenceAccount) -> list[str]:
    padded = line.split(",")
    names = [name.strip(" ") for name in padded]
    account.notes["padded_header"] = sum(name != name.strip(" ") for name in padded)
    account.notes["extra_column"] = sum(name not in known for name in names)
    account.notes["reordered_header"] = int([name for name in names if name in known] != known)
    assert set(known) <= set(names)
    return names


def _rows(
    lines: list[bytes], table: str, columns: int, account: ReferenceAccount
) -> Iterator[Line | None]:
    """Yield each row's line; None for one that cannot be split into as many fields."""
    place = 0
    while place < len(lines):
        line = lines[place]
        place += 1
        if not line:
            account.notes["blank_line"] += 1
            continue
        try:
            text = line.decode()
        except UnicodeDecodeError:
            yield Line([], Counter({"invalid_utf8": 1}))
            continue
        fields, is_open = split(text)
        if table == "photos":
            yield from _photo_rows(text, columns)
            continue
        if is_open and not _is_row(lines[place] if place < len(lines) else b"", columns):
            # The text goes on, unless what follows stands as a row by itself.
            longer, taken = _longer(lines, place, text, columns)
            if longer:
                place += taken
                yield Line(longer, _text_kinds(longer) + Counter({"multiline_row": 1}))
                continue
        yield _as_line(fields, columns, prices=table in {"product", "styles"})


def _longer(
    lines: list[bytes], place: int, text: str, columns: int
) -> tuple[list[tuple[str, bool]] | None, int]:
    for taken, line in enumerate(lines[place : place + 3], start=1):
        # An undecodable line is never the rest of a text; a replaced byte lets no row come of it.
        text += "\n" + line.decode(errors="replace")
        fields, is_open = split(text)
        if fields is not None and not is_open and len(fields) == columns:
            return (None, 0) if "\ufffd" in text else (fields, taken)
    return None, 0


def _is_row(line: bytes, columns: int) -> bool:
    fields, is_open = split(line.decode(errors="replace"))
    return fields is not None and not is_open and len(fields) == columns


def _photo_rows(text: str, columns: int) -> Iterator[Line | None]:
    fields, is_open = split(text)
    kinds: Counter[str] = Counter()
    if is_open and text.count('",') < text.count(',"'):
        fields, is_open = split(text + '"')
        kinds["unclosed_quote"] = 1
    if fields is not None and len(fields) == 2 * columns and fields[columns][0].isdigit():
        yield Line(fields[:columns], kinds + Counter({"joined_rows": 1}))
        yield Line(fields[columns:], kinds + Counter({"joined_rows": 1}))
    elif fields is None or len(fields) != columns:
        yield None
    else:
        yield Line(fields, kinds + _text_kinds(fields))


def _as_line(fields: list[tuple[str, bool]] | None, columns: int, *, prices: bool) -> Line | None:
    if fields is not None and prices and len(fields) == columns + 1:
        for place in range(columns):
            price = f"{fields[place][0]},{fields[place + 1][0]}"
            if re.fullmatch(r"[$€£]?[1-9]\d{0,2},\d{3}\.\d\d", price):
                fields = [*fields[:place], (price, True), *fields[place + 2 :]]
                break
    if fields is None or len(fields) != columns:
        return None
    return Line(fields, _text_kinds(fields))


def _text_kinds(fields: list[tuple[str, bool]]) -> Counter[str]:
    return Counter({"escaped_text": 1} if any('"' in text for text, _ in fields) else {})


def split(text: str) -> tuple[list[tuple[str, bool]] | None, bool]:
    """Return the fields of a line, each with whether it was quoted, and whether one stays open.

    No fields: a quote stands where none may.
    """
    fields: list[tuple[str, bool]] = []
    place = 0
    while True:
        if text.startswith('"', place):
            value, place, closed = _quoted(text, place + 1)
            if not closed:
                return None, True
            fields.append((value, True))
        else:
            end = text.find(",", place)
            end = len(text) if end < 0 else end
            if '"' in text[place:end]:
                return None, False
            fields.append((text[place:end], False))
            place = end
        if place == len(text):
            return fields, False
        if text[place] != ",":
            return None, False
        place += 1


def _quoted(text: str, place: int) -> tuple[str, int, bool]:
    value = ""
    while place < len(text):
        if text.startswith('""', place):
            value, place = value + '"', place + 2
        elif text[place] == '"':
            return value, place + 1, True
        else:
            value, place = value + text[place], place + 1
    return value, place, False


def _read_row(found: Line | None, table: str, header: list[str]) -> Row:
    if found is None:
        raise RejectedError("malformed_row")
    if found.kinds["invalid_utf8"]:
        raise RejectedError("invalid_utf8")
    by_name = dict(zip(header, found.fields, strict=True))
    row: Row = {}
    for name in COLUMNS[table].split():
        text, quoted = by_name[name]
        nullable = name in NULLABLE and not table.endswith("_photos")
        nullable = nullable or (table, name) == ("features", "value")
        if nullable and not quoted and text in {"null", ""}:
            found.kinds["null_word" if text else "empty_null"] += 1
            row[name] = None
            continue
        row[name] = _read_field(name, table, text, quoted=quoted, kinds=found.kinds)
    return row


def _read_field(name: str, table: str, text: str, *, quoted: bool, kinds: Counter[str]) -> str:
    if name in INTEGERS:
        return _read_integer(text, lowest=1 if name == "id" else 0)
    if name == "rating":
        return _read_between(text, "rating_out_of_range")
    if (table, name) == ("characteristic_reviews", "value"):
        return _read_between(text, "value_out_of_range")
    readers: list[tuple[set[str], Callable[[], str]]] = [
        (PRICES, lambda: _read_price(text, kinds)),
        (BOOLEANS, lambda: _read_boolean(text, kinds, words=table == "reviews")),
        (DATES, lambda: _read_date(text, kinds, quoted=quoted)),
    ]
    for names, reader in readers:
        if name in names:
            value = reader()
            if name in PRICES and float(value) >= 5_000_000:
                kinds["extreme_value"] += 1
            return value
    return text


def _read_integer(text: str, lowest: int) -> str:
    if not re.fullmatch(r"-?\d+", text) or not lowest <= int(text) < 2**53:
        raise RejectedError("invalid_integer")
    return text


def _read_between(text: str, kind: str) -> str:
    if not re.fullmatch(r"-?\d+", text):
        raise RejectedError("invalid_integer")
    if not 1 <= int(text) <= 5:
        raise RejectedError(kind)
    return text


def _read_price(text: str, kinds: Counter[str]) -> str:
    if re.fullmatch(r"\d+(\.\d\d?)?", text):
        return text
    if re.fullmatch(r"[$€£]?(\d+|\d{1,3}(,\d{3})+)(\.\d\d?)?", text):
        kinds["formatted_price"] += 1
        return text.lstrip("$€£").replace(",", "")
    raise RejectedError("invalid_price")


def _read_boolean(text: str, kinds: Counter[str], *, words: bool) -> str:
    if text not in ({"true", "false"} if words else {"1", "0"}):
        kinds["boolean_word"] += 1
    if text.lower() in {"true", "t", "1"}:
        return "true"
    if text.lower() in {"false", "f", "0"}:
        return "false"
    raise RejectedError("invalid_boolean")


def _read_date(text: str, kinds: Counter[str], *, quoted: bool) -> str:
    if re.fullmatch(r"\d{13}", text):
        return text
    if text == "null" and not quoted:
        kinds["null_date"] += 1
        return "0"
    if re.fullmatch(r"\d(\.\d+)?E\+\d+", text):
        kinds["rounded_date"] += 1
        return str(int(float(text)))
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise RejectedError("invalid_date") from None
    kinds["text_date"] += 1
    return text


def _require_parents(row: Row, accounts: dict[str, ReferenceAccount]) -> None:
    for name, value in row.items():
        if name in PARENTS and int(value or "0") not in accounts[PARENTS[name]].stored:
            raise RejectedError("orphan")


def _repeats(account: ReferenceAccount, *names: str) -> int:
    pairs = Counter(tuple(row[name] for name in names) for row in account.stored.values())
    return sum(times - 1 for times in pairs.values())


def _count_relations(table: str, account: ReferenceAccount) -> None:
    rows = list(account.stored.values())
    if table == "related":
        account.notes["self_relation"] = sum(
            row["current_product_id"] == row["related_product_id"] for row in rows
        )
        account.notes["duplicate_relation"] = _repeats(
            account, "current_product_id", "related_product_id"
        )
    if table == "skus":
        account.notes["same_size"] = _repeats(account, "styleId", "size")
        # Superseded rows never have quantity 0: they are planted with one more than the last.
        account.notes["extreme_value"] = sum(row["quantity"] == "0" for row in rows)
    if table == "styles":
        account.notes["same_style_name"] = _repeats(account, "productId", "name")
        having = {row["productId"] for row in rows if row["default_style"] == "true"}
        account.notes["no_default_style"] = len({row["productId"] for row in rows} - having)


def _count_childless(accounts: dict[str, ReferenceAccount]) -> None:
    def with_children(*references: tuple[str, str]) -> set[int]:
        return {
            int(row[name] or "")
            for table, name in references
            for row in accounts[table].stored.values()
        }

    products = with_children(
        ("features", "product_id"), ("styles", "productId"), ("related", "current_product_id")
    )
    accounts["product"].notes["childless"] = len(accounts["product"].stored.keys() - products)
    styles = with_children(("photos", "styleId"), ("skus", "styleId"))
    accounts["styles"].notes["childless"] = len(accounts["styles"].stored.keys() - styles)
