"""What the load on a ring concludes from its record, without a ring."""

from collections.abc import Sequence

import pytest

from benchmarks.ring_load.changes import Changes
from benchmarks.ring_load.check import check, holder
from benchmarks.ring_load.documents import document, version_of
from benchmarks.ring_load.figures import figures_between, longest_gap
from benchmarks.ring_load.ledger import Ledger, Outcome, Table, Verdict, Write
from benchmarks.ring_load.record import Read, ReadKind, ReadOutcome
from benchmarks.ring_load.rows import payload
from benchmarks.ring_load.stored import QUORUM, Stored
from schema.documents import Product, render_product

DONE, REFUSED, UNKNOWN = Outcome.ACKNOWLEDGED, Outcome.REFUSED, Outcome.UNKNOWN
WHOLE = [(-(2**63), 2**63 - 1)]


def writes(*steps: tuple[int | None, Outcome]) -> list[Write]:
    """Return writes of key 1, a second each."""
    return [
        Write(Table.ROWS, 1, version, moment, moment + 1.0, outcome)
        for moment, (version, outcome) in enumerate(steps)
    ]


@pytest.mark.parametrize(
    ("steps", "seen", "verdict"),
    [
        ([(7, DONE)], 7, None),
        ([(7, DONE)], None, Verdict.LOST),
        ([(7, DONE), (8, DONE)], 7, Verdict.LOST),
        ([(7, DONE), (8, UNKNOWN)], 7, None),
        ([(7, DONE), (8, UNKNOWN)], 8, None),
        ([(7, DONE), (8, UNKNOWN)], None, Verdict.LOST),
        ([(7, DONE), (8, UNKNOWN), (9, DONE)], 8, Verdict.LOST),
        ([(7, DONE), (8, REFUSED)], 8, Verdict.LOST),
        ([(7, DONE), (None, DONE)], None, None),
        ([(7, DONE), (None, DONE)], 7, Verdict.RESURRECTED),
        ([(7, DONE), (None, UNKNOWN)], None, None),
        ([(7, DONE), (None, UNKNOWN)], 7, None),
        ([(7, DONE), (None, DONE), (8, UNKNOWN)], 8, None),
        ([(7, DONE), (None, DONE), (8, UNKNOWN)], 7, Verdict.RESURRECTED),
        ([(7, UNKNOWN)], None, None),
        ([(7, UNKNOWN)], 7, None),
    ],
)
def test_ledger_when_a_key_is_seen_then_judged_by_what_was_acknowledged(
    steps: Sequence[tuple[int | None, Outcome]], seen: int | None, verdict: Verdict | None
) -> None:
    """Acknowledged writes must stand, later ones of unknown outcome may, all others must not."""
    ledger = Ledger.of(writes(*steps), Table.ROWS)
    assert ledger.judge(1, seen) == verdict


def test_ledger_when_a_write_ended_after_the_firm_time_then_it_may_be_there_or_not() -> None:
    """A backup that began between two writes may hold either, but not what was before both."""
    steps = writes((6, DONE), (7, DONE), (8, DONE))
    ledger = Ledger.of(steps, Table.ROWS, firm_until=2.5)
    assert [ledger.judge(1, seen) for seen in (7, 8)] == [None, None]
    assert ledger.judge(1, 6) is Verdict.LOST


def test_ledger_when_a_key_was_never_written_then_alien() -> None:
    """A row that nobody wrote is noticed."""
    assert Ledger().judge(5, 1) is Verdict.ALIEN
    assert Ledger().judge(5, None) is None


def test_check_when_replica_lacks_a_row_then_found_on_it_alone() -> None:
    """The quorum's answer and each replica's are judged by themselves, and counted once a key."""
    body = payload(1, 7)
    catalog = render_product(Product(3, "n", "s", "d", "c", 100))
    products = {3: catalog}
    stored = [
        Stored(QUORUM, WHOLE, rows={1: (7, body)}, products=products),
        Stored("a", WHOLE, rows={1: (7, body)}, products=products),
        Stored("b", WHOLE, products=products),
        Stored("c", WHOLE, rows={1: (7, b"other")}, products={3: b"{}"}),
    ]
    found = check(stored, writes((7, DONE)), {3: catalog})
    assert [(one.where, one.table, one.verdict) for one in found.findings] == [
        ("b", "rows", Verdict.LOST),
        ("c", "rows", Verdict.MANGLED),
        ("c", "catalog", Verdict.MANGLED),
    ]
    assert found.lost == 2
    assert found.resurrected == 0
    assert found.keys == {QUORUM: 2, "a": 2, "b": 2, "c": 2}


def test_check_when_a_row_is_newer_than_the_load_and_unknown_to_it_then_alien() -> None:
    """Rows of earlier loads have smaller keys and are left alone; others are not."""
    stored = Stored(QUORUM, WHOLE, rows={1: (7, payload(1, 7)), 2: (8, b""), 0: (1, b"")})
    found = check([stored], writes((7, DONE)), {})
    assert [(one.key, one.verdict) for one in found.findings] == [(2, Verdict.ALIEN)]


def test_holder_when_a_replica_has_part_of_the_ring_then_each_key_is_held_by_one() -> None:
    """Ranges are open at their start and closed at their end, and together hold every key."""
    halves = [[(-(2**63), -5), (10**18, 2**63 - 1)], [(-5, 10**18)]]
    one, other = (holder(Stored("a", ranges)) for ranges in halves)
    held = [(one(key), other(key)) for key in range(1000)]
    assert set(held) == {(True, False), (False, True)}


def test_document_when_stored_then_its_version_is_read_back() -> None:
    """The API stores the name that was sent; the body of a deleted product is empty."""
    fields = document(17)
    body = render_product(Product(1, str(fields["name"]), "s", "d", "c", 100))
    assert version_of(body) == 17
    assert version_of(b"") is None
    with pytest.raises(ValueError, match="not a product of the load"):
        version_of(b'{"name":"Onesie"}')


def test_changes_when_a_key_is_busy_then_it_is_not_given_again() -> None:
    """One write a key at a time; keys of unknown outcome are retired where that was asked."""
    changes = Changes(first_key=1, first_version=100, retires_unknown=True)
    taken = [changes.take() for _ in range(200)]
    assert len({one.key for one in taken}) == 200
    versions = [one.version for one in taken if one.version is not None]
    assert versions == sorted(set(versions))
    retired = taken[0].key
    changes.settle(taken[0], UNKNOWN)
    for one in taken[1:]:
        changes.settle(one, DONE)
    again = [changes.take() for _ in range(400)]
    assert retired not in {one.key for one in again}
    assert {one.key for one in again} & {one.key for one in taken}
    assert any(one.version is None for one in again)


def test_figures_when_reads_fail_then_counted_with_the_gap_that_they_leave() -> None:
    """Only what is due within the time counts; wrong and stale answers are told apart."""
    product = [
        Read(10.0 + number / 10, 0.02, ReadKind.PRODUCT, ReadOutcome.GOOD) for number in range(100)
    ]
    product[50:60] = [
        Read(read.due_at, 0.5, ReadKind.PRODUCT, ReadOutcome.FAILED) for read in product[50:60]
    ]
    rows = [
        Read(12.0, 0.01, ReadKind.ROW, ReadOutcome.WRONG),
        Read(12.1, 0.01, ReadKind.ROW, ReadOutcome.FAILED),
    ]
    wrong = [Read(12.2, 0.01, ReadKind.PRODUCT, ReadOutcome.WRONG)]
    seen = figures_between([*product, *rows, *wrong], writes((7, DONE)), 10.0, 20.0)
    assert (seen.reads, seen.failed, seen.wrong, seen.stale) == (101, 10, 1, 1)
    assert seen.bad_reads == 12
    assert seen.row_reads_failed == 1
    assert seen.p50 == pytest.approx(20)
    assert seen.p99 == pytest.approx(500)
    assert seen.longest_gap_seconds == pytest.approx(1.1)
    assert longest_gap([], 0.0, 3.0) == 3.0
