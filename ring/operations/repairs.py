"""When whose primary ranges were last repaired: a row for each node and keyspace, in the ring."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Final

from ring.client import RingClient
from ring.statements import Consistency, Statement

_RING: Final = "ring"
_TIMEOUT_SECONDS: Final = 10.0

_WRITE: Final = Statement(
    "write_ring_repair",
    "INSERT INTO ring_repairs (name, host_id, keyspace_name, address, began, seconds)"
    " VALUES (?, ?, ?, ?, ?, ?)",
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)
_SELECT: Final = Statement(
    "select_ring_repairs",
    "SELECT host_id, keyspace_name, address, began, seconds FROM ring_repairs WHERE name = ?",
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)
REPAIR_STATEMENTS: Final = (_WRITE, _SELECT)
"""What a client that reads or writes this table must be opened with."""
REPAIR_TABLE: Final = "ring_repairs"


@dataclass(frozen=True, slots=True)
class Repaired:
    """A repair that succeeded: all replicas hold what was written before it began.

    Attributes:
        host_id, keyspace: whose primary ranges.
        address: of the node, then.
        began: UTC.
        seconds: that it took.
    """

    host_id: str
    keyspace: str
    address: str
    began: dt.datetime
    seconds: float


async def fetch_repairs(ring: RingClient) -> tuple[Repaired, ...]:
    """Return the last repair of each node and keyspace. Consistency: LOCAL_QUORUM.

    Raises:
        RingError: too few nodes answered.
    """
    rows = await ring.execute(_SELECT.name, (_RING,), timeout_seconds=_TIMEOUT_SECONDS)
    return tuple(
        Repaired(str(host_id), keyspace, address, began.replace(tzinfo=dt.UTC), seconds)
        for host_id, keyspace, address, began, seconds in rows
    )


async def write_repair(ring: RingClient, repaired: Repaired) -> None:
    """Note a repair. Consistency: LOCAL_QUORUM.

    Raises:
        RingError: too few nodes answered.
    """
    values = (
        _RING,
        uuid.UUID(repaired.host_id),
        repaired.keyspace,
        repaired.address,
        round(repaired.began.timestamp() * 1000),
        repaired.seconds,
    )
    await ring.execute(_WRITE.name, values, timeout_seconds=_TIMEOUT_SECONDS)
