"""A record of a load that did a little of everything, on a clock that stands still."""

import io

from etl.account import Account, FileAccount, Outcome
from etl.progress import Progress
from etl.record import LoadRecord, Work
from etl.settings import EtlSettings
from tests.support.hand_clock import HandClock

EVIL = "</style><script>alert(1)</script>&\"'\x1b"


def sample_record() -> LoadRecord:
    """Return a load of eight seconds: 1,000 product rows, 10 of them refused."""
    clock = HandClock()
    record = LoadRecord(clock=clock, options={"inputs": [f"data {EVIL}"], "dry_run": False})
    record.settings = EtlSettings()
    progress = Progress(io.StringIO(), record)
    with progress.stage("read product.csv", work=Work.READ, file="product.csv") as reading:
        clock.go(4)
        reading.add(rows=1000, bytes=50_000)
    with (
        progress.stage("render", work=Work.RENDER) as rendering,
        progress.stage(f"write {EVIL}", work=Work.WRITE) as writing,
    ):
        with rendering.busy():
            clock.go(1)
        rendering.add(rows=990)
        clock.go(3)
        writing.add(rows=990)
    one = FileAccount(
        "product",
        rows_in=1000,
        loaded=990,
        repaired_rows=5,
        repaired={"formatted_price": 5},
        notes={"childless": 7},
        rejected={"invalid_price": 9, "orphan": 1},
    )
    record.rejected = {("product.csv", "invalid_price"): 9, ("product.csv", "orphan"): 1}
    record.account = Account(
        1_600_000_000_000_000,
        {"product.csv": one, "skus.csv": FileAccount("skus", missing=True)},
        (f"cart {EVIL}.csv",),
        rows_written=990,
        outcome=Outcome.WRITTEN,
    )
    record.writer = lambda: {
        "via": "driver",
        "in_flight": 3,
        "in_flight_limit": 12,
        "in_flight_decreases": 2,
        "retries": {"timeout": 5, "overload": 6},
        "rows_waiting": 70,
        "nested": {"name": EVIL},
    }
    return record
