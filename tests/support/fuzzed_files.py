"""Legacy files that something happened to: rows of all tables, mutated at random from a seed."""

import gzip
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.packed_files import SUFFIXES, pack
from tests.support.reference_reader import BOOLEANS, COLUMNS, DATES, NULLABLE, PARENTS, PRICES

PARENT_IDS = 20
"""Rows of the clean file of each table; most foreign keys name one of them."""

_TEXTS = (
    *("plain", "null", "NULL", "", "  two  spaces ", "naïve 漢字 \U0001f600", "it's", "a\\b", "0"),
    *(
        'say "hi"',
        "one, two",
        '"',
        '""',
        ",",
        "tab\there",
        "\x1eX",
        "\x1f\x7f\x85\u2028",
        "x" * 300,
    ),
)
_LINE_BREAKS = ("two\nlines", "two\r\nlines", "three\n\nlines", '"\n"', "a,b\n1,2,3")
_NASTY = (
    *("null", "NULL", '"null"', "", '""', " 7 ", '"7"', "0", "-1", "1.5", "1e3", "007", "x", "٣"),
    *("9007199254740991", "9007199254740992", "99999999999999999999", "0" * 40 + "7", "2147483648"),
    *("$5", "1,299.50", '"1,299.50"', "49.9", "49.99", "€ 5", "1.299,50", "5 £", "12345678901234"),
    *("TRUE", "f", "maybe", "2", "2019-01-01", "2020-02-30", "2019-01-01T10:00:00.123Z", "6"),
    *("2019-01-01 10:00 +01:30", "1.59588E+12", "1e99", "1596080481", "1969-12-31", "2020-13-45"),
)
_BAD_BYTES = (
    *(b"\0", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\n", b"\n\n", b"\xff", b"\xc3", b"\xed\xa0\x80"),
    *(b"\xc0\xaf", b"\x1e", b"\x1eX", b"\x1eB\n", b'"', b'""', b",", b" ", b"\t", b"\\", b"\x1a"),
)


@dataclass(frozen=True)
class FuzzedFile:
    """One file as it lies on disk. `text` is what it unpacks to; None: it cannot be unpacked."""

    seed: int
    table: str
    name: str
    content: bytes
    text: bytes | None
    mutations: tuple[str, ...]

    def __str__(self) -> str:
        return f"seed {self.seed}, {self.name}: {', '.join(self.mutations)}"


def clean_file(table: str) -> bytes:
    """Return the parents that fuzzed rows name: ids from 1 on."""
    source = random.Random(table)  # noqa: S311 - a seeded sequence is the point
    return _Maker(source, table, is_plain=True).file(PARENT_IDS)


def fuzzed_file(seed: int) -> FuzzedFile:
    """Return the file of a seed; the tables take turns."""
    source = random.Random(seed)  # noqa: S311 - a seeded sequence is the point
    table = list(COLUMNS)[seed % len(COLUMNS)]
    content = _Maker(source, table, is_plain=False).file(source.randrange(1, 40))
    mutations = source.choices(_MUTATIONS, k=source.choice((0, 1, 1, 1, 2, 2, 3, 5)))
    if table == "photos":
        mutations += source.choices((_last_quotes_out, _line_ends_out), k=3)
    for mutate in mutations:
        if b"\n" in content:
            content = mutate(source, content)
    told = tuple(mutate.__name__.strip("_") for mutate in mutations)
    name = f"{table}-{seed:04}.csv"
    if source.random() < 0.9:
        return FuzzedFile(seed, table, name, content, content, told)
    packing = source.choice(sorted(SUFFIXES))
    packed, fate = _hurt(source, pack(packing, content))
    is_whole = fate == "whole"
    name += SUFFIXES[packing]
    return FuzzedFile(
        seed, table, name, packed, content if is_whole else None, (*told, f"{packing} {fate}")
    )


def _hurt(source: random.Random, packed: bytes) -> tuple[bytes, str]:
    """Cut a packed file off, append to it, or leave it whole. Other harm may be undone, or none."""
    fate = source.choice(("whole", "cut off", "followed"))
    if fate == "cut off":
        return packed[: source.randrange(7, len(packed))], fate
    return packed + (b"1,2,3\n" if fate == "followed" else b""), fate


@dataclass
class _Maker:
    """Makes rows of one table; plain ones may all be loaded."""

    source: random.Random
    table: str
    is_plain: bool

    def file(self, rows: int) -> bytes:
        names = COLUMNS[self.table].split()
        header = names
        if not self.is_plain and self.table != "photos" and self.source.random() < 0.2:
            header = self.source.sample([*names, "extra"], len(names) + 1)
        lines = [",".join(header)]
        for number in range(1, rows + 1):
            fields = {name: self._field(name, number) for name in names}
            lines.append(",".join(fields.get(name, self._text()) for name in header))
        return "\n".join([*lines, ""]).encode()

    def _field(self, name: str, number: int) -> str:
        choose, below = self.source.choice, self.source.randrange
        if not self.is_plain and self.source.random() < (0.15 if name in PRICES else 0.02):
            field = choose(_NASTY)
        elif name == "id":
            field = str(number)
        elif name in PARENTS:
            field = str(below(1, PARENT_IDS + 1))
        elif name == "rating" or (self.table, name) == ("characteristic_reviews", "value"):
            field = choose("12345")
        elif name in PRICES:
            field = choose(("827", "49.99", "0", "null" if name in NULLABLE else "5000000"))
        elif name in BOOLEANS:
            field = choose(("0", "1", "true", "false"))
        elif name in DATES:
            field = choose(("1596080481467", '"2019-01-01"', "0"))
        elif name in {"quantity", "user_session", "helpful", "helpfulness"}:
            field = str(below(100))
        else:
            field = self._text()
        return field

    def _text(self) -> str:
        if self.is_plain:
            return '"plain"'
        texts = _TEXTS if self.table == "photos" else (*_TEXTS, *_LINE_BREAKS)
        text = self.source.choice(texts)
        if not re.search(r'[",\r\n]', text) and self.source.random() < 0.3:
            return text
        return '"' + text.replace('"', '""') + '"'


def _place(source: random.Random, content: bytes) -> int:
    """Return a place in the content; one in the header is rare, as it ends the whole file."""
    rows = content.find(b"\n") + 1
    return source.randrange(0 if source.random() < 0.02 else rows, len(content) + 1)


def _random_bytes(source: random.Random, content: bytes) -> bytes:
    for _ in range(source.randrange(1, 12)):
        at = _place(source, content)
        content = content[:at] + source.randbytes(1) + content[at + 1 :]
    return content


def _cut_off(source: random.Random, content: bytes) -> bytes:
    return content[: _place(source, content)]


def _cut_out(source: random.Random, content: bytes) -> bytes:
    at = _place(source, content)
    return content[:at] + content[at + source.randrange(1, 80) :]


def _quotes_in(source: random.Random, content: bytes) -> bytes:
    for _ in range(source.randrange(1, 6)):
        at = _place(source, content)
        content = content[:at] + b'"' + content[at:]
    return content


def _quotes_out(source: random.Random, content: bytes) -> bytes:
    quotes = [at for at, byte in enumerate(content) if byte == ord('"')]
    for at in sorted(source.sample(quotes, min(len(quotes), 3)), reverse=True):
        content = content[:at] + content[at + 1 :]
    return content


def _bad_bytes(source: random.Random, content: bytes) -> bytes:
    for _ in range(source.randrange(1, 6)):
        at = _place(source, content)
        content = content[:at] + source.choice(_BAD_BYTES) + content[at:]
    return content


def _lines_twice(source: random.Random, content: bytes) -> bytes:
    header, *lines = content.split(b"\n")
    return b"\n".join([header, *(line for line in lines for _ in range(source.choice((1, 1, 3))))])


def _lines_shuffled(source: random.Random, content: bytes) -> bytes:
    header, *lines = content.split(b"\n")
    source.shuffle(lines)
    return b"\n".join([header, *lines])


def _line_ends_out(source: random.Random, content: bytes) -> bytes:
    """Two lines on one, with a comma or without."""
    header, *lines = content.split(b"\n")
    for at in range(0, len(lines), source.randrange(3, 30)):
        lines[at : at + 2] = [source.choice((b"", b",")).join(lines[at : at + 2])]
    return b"\n".join([header, *lines])


def _returns(_source: random.Random, content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


def _blanks(source: random.Random, content: bytes) -> bytes:
    """Lines of nothing, also within texts of several lines."""
    header, *lines = content.split(b"\n")
    blanks = (b"", b" ", b"\t ", b"\r")
    for _ in range(5):
        lines.insert(source.randrange(len(lines) + 1), source.choice(blanks))
    return b"\n".join([header, *lines])


def _last_quotes_out(source: random.Random, content: bytes) -> bytes:
    """The quote at the end of some lines is lost, as in photos.csv."""
    return b"\n".join(
        line.removesuffix(b'"') if source.random() < 0.4 else line for line in content.split(b"\n")
    )


def _splice(source: random.Random, content: bytes) -> bytes:
    """Bytes of one place again at another: they fit, now and then."""
    at, of = _place(source, content), _place(source, content)
    return content[:at] + content[of : of + source.randrange(1, 120)] + content[at:]


def _long_line(source: random.Random, content: bytes) -> bytes:
    """A text of up to somewhat more than a line may have."""
    at = _place(source, content)
    size = source.choice((5_000, 70_000, 2**20 - 40, 2**20 + 40))
    return content[:at] + source.choice((b"x", b"x y", b"\xc3\xa9")) * (size // 2) + content[at:]


def _long_text(source: random.Random, content: bytes) -> bytes:
    """A quoted text of about as many lines as are joined."""
    ends = [one.start() for one in re.finditer(rb'",', content)]
    at = source.choice(ends or [len(content)])
    return content[:at] + b"\nand" * source.choice((3, 998, 999, 1_000, 1_001)) + content[at:]


def _wide(_source: random.Random, content: bytes) -> bytes:
    return content.decode(errors="replace").encode("utf-16")


def _nothing(_source: random.Random, _content: bytes) -> bytes:
    return b""


def _packed_within(_source: random.Random, content: bytes) -> bytes:
    """A packed file amid the rows."""
    return content + gzip.compress(content)


_OFTEN: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(_random_bytes, _cut_off, _cut_out, _quotes_in, _quotes_out, _bad_bytes, _lines_twice),
    *(_lines_shuffled, _line_ends_out, _returns, _blanks, _last_quotes_out, _splice),
)
_MUTATIONS = (*_OFTEN * 3, _long_line, _long_text, _long_text, _packed_within, _wide, _nothing)
