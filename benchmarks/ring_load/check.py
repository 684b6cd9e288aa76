"""Whether the ring holds what it acknowledged: every row, at QUORUM and on each replica alone."""

import math
import struct
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.ring_load.documents import version_of
from benchmarks.ring_load.ledger import Ledger, Table, Verdict, Write
from benchmarks.ring_load.rows import payload
from benchmarks.ring_load.stored import QUORUM, Stored, TokenRange
from ring.token_ring import token_of_key

_KEY: Final = struct.Struct(">q")
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One key that is not what it must be.

    Attributes:
        where: "QUORUM", or the replica that was asked alone.
        table: "rows" and "products" of the load, "catalog" for the products that nobody changes.
    """

    where: str
    table: str
    key: int
    verdict: Verdict
    seen: str
    expected: str

    def __str__(self) -> str:
        """In a line."""
        return (
            f"{self.where}: {self.table} {self.key} is {self.seen}, expected {self.expected}"
            f" ({self.verdict})"
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check came to.

    Attributes:
        keys: how many answers were compared, by where they came from.
        findings: what was wrong.
    """

    keys: Mapping[str, int]
    findings: Sequence[Finding]

    def count(self, *verdicts: Verdict) -> int:
        """Return how many keys had one of these verdicts; one that several replicas show is one."""
        wrong = {(one.table, one.key) for one in self.findings if one.verdict in verdicts}
        return len(wrong)

    @property
    def lost(self) -> int:
        """Keys of which an acknowledged write is gone, or is not what was written."""
        return self.count(Verdict.LOST, Verdict.MANGLED, Verdict.ALIEN)

    @property
    def resurrected(self) -> int:
        """Deleted keys that are back."""
        return self.count(Verdict.RESURRECTED)

    def text(self) -> str:
        """Say it in a few lines."""
        keys = ", ".join(f"{count:,} at {where}" for where, count in self.keys.items())
        if not self.findings:
            return f"all as acknowledged ({keys})"
        kinds = Counter(f"{one.where} {one.table}: {one.verdict}" for one in self.findings)
        lines = [f"{len(self.findings)} findings ({keys})"]
        lines += [f"  {count} x {kind}" for kind, count in kinds.items()]
        lines += [f"  {one}" for one in self.findings[:_SHOWN]]
        return "\n".join(lines)


def check(
    stored: Iterable[Stored],
    writes: Sequence[Write],
    catalog: Mapping[int, bytes],
    *,
    firm_until: float = math.inf,
) -> Checked:
    """Compare what was read with what was acknowledged.

    Args:
        stored: what a quorum answered, what each replica did.
        writes: of the whole load, in the order of their ends.
        catalog: bodies of products that nobody changed.
        firm_until: Unix seconds; what was acknowledged later may be there or not, because it came
            while the tables were read, or after the backup that they were restored from.
    """
    ledgers = {table: Ledger.of(writes, table, firm_until=firm_until) for table in Table}
    keys: dict[str, int] = {}
    findings: list[Finding] = []
    for one in stored:
        for name, judged in (
            ("rows", _judge_rows(one, ledgers[Table.ROWS])),
            ("products", _judge_products(one, ledgers[Table.PRODUCTS])),
            ("catalog", _judge_catalog(one, catalog)),
        ):
            for key, verdict, seen, expected in judged:
                keys[one.where] = keys.get(one.where, 0) + 1
                if verdict is not None:
                    findings.append(Finding(one.where, name, key, verdict, seen, expected))
    return Checked(keys, findings)


_Judged = Iterator[tuple[int, Verdict | None, str, str]]


def _judge_rows(stored: Stored, ledger: Ledger) -> _Judged:
    for key in _keys(stored, ledger, stored.rows):
        version, body = stored.rows.get(key, (None, b""))
        verdict = ledger.judge(key, version)
        if verdict is None and version is not None and body != payload(key, version):
            verdict = Verdict.MANGLED
        yield key, verdict, _text(version), ledger.expected(key)


def _judge_products(stored: Stored, ledger: Ledger) -> _Judged:
    for key in _keys(stored, ledger, stored.products):
        try:
            version = version_of(stored.products.get(key, b""))
        except ValueError as error:
            yield key, Verdict.MANGLED, str(error), ledger.expected(key)
        else:
            yield key, ledger.judge(key, version), _text(version), ledger.expected(key)


def _judge_catalog(stored: Stored, catalog: Mapping[int, bytes]) -> _Judged:
    held = holder(stored)
    for key, body in catalog.items():
        if not held(key):
            continue
        seen = stored.products.get(key, b"")
        verdict = None if seen == body else Verdict.MANGLED if seen else Verdict.LOST
        yield key, verdict, repr(seen[:80]), repr(body[:80])


def _keys(stored: Stored, ledger: Ledger, seen: Iterable[int]) -> Iterator[int]:
    """Iterate over what must be judged: all keys written, and any that nobody wrote."""
    held = holder(stored)
    yield from (key for key in ledger if held(key))
    first = min(ledger, default=math.inf)
    # Smaller ones are of earlier loads.
    yield from (key for key in seen if key >= first and key not in ledger)


def holder(stored: Stored) -> Callable[[int], bool]:
    """Return a function that says whether a key is of the ranges that were read."""
    if stored.where == QUORUM:
        return lambda _key: True
    ordered: list[TokenRange] = sorted(stored.ranges)
    ends = [end for _, end in ordered]

    def held(key: int) -> bool:
        token = token_of_key(_KEY.pack(key))
        place = bisect_left(ends, token)
        return place < len(ends) and ordered[place][0] < token

    return held


def _text(version: int | None) -> str:
    return "nothing" if version is None else str(version)
