"""Which content was loaded at which timestamp: a second one at the same is refused.

Cassandra keeps of two values with one timestamp the larger one, cell by cell, so two loads with one
as-of would leave rows that are made of both. The same content again is what a repeated or resumed
load writes.
"""

import hashlib
import time
from datetime import UTC, datetime

from etl.errors import UsageError
from etl.sources import SourceSet
from etl.writers.patient import PatientRing
from ring import RingClient
from schema.statements.load import SELECT_ALL_LOADS, SELECT_LOAD, WRITE_LOAD


async def enter_load(ring: PatientRing, as_of_microseconds: int, found: SourceSet) -> None:
    """Note what is about to be loaded. Consistency: LOCAL_QUORUM, under the ring's lock.

    Raises:
        UsageError: other content was loaded with the same as-of.
        WriteError: no node answered in `load_give_up_seconds`.
    """
    inputs = _digest(found)
    rows = await ring.execute(SELECT_LOAD.name, (as_of_microseconds,))
    if rows and rows[0][0] != inputs:
        as_of = datetime.fromtimestamp(as_of_microseconds / 1e6, UTC)
        raise UsageError(
            f"other files were loaded as of {as_of.isoformat()} already, and rows of both would"
            " mix; load these as of another time: --as-of"
        )
    now_milliseconds = time.time_ns() // 1_000_000
    await ring.execute(WRITE_LOAD.name, (as_of_microseconds, now_milliseconds, inputs))


async def fetch_other_loads(
    ring: RingClient, as_of_microseconds: int, *, timeout_seconds: float
) -> str:
    """Return a digest of all loads but this one: it changes when another one writes.

    Consistency: LOCAL_QUORUM, under the ring's lock.

    Raises:
        RingError: too few nodes answered.
    """
    digest = hashlib.sha256()
    rows = await ring.execute(SELECT_ALL_LOADS.name, timeout_seconds=timeout_seconds)
    for row in sorted(rows):
        if row[0] != as_of_microseconds:
            digest.update(f"{row}\n".encode())
    return digest.hexdigest()


def _digest(found: SourceSet) -> str:
    """The content of all files, each with its table, whatever they are called."""
    digest = hashlib.sha256()
    for source in found.sources:
        if source.identity is not None:
            digest.update(f"{source.table.name} {source.identity.digest}\n".encode())
    return digest.hexdigest()
