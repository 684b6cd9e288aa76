"""A lock for operations that must not run side by side: loads, and changes of the ring's nodes.

The lock is a row with a lease, changed by lightweight transactions only, so that of two that ask at
once one gets it. Its owner renews it; when the owner dies it expires by itself.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ring.client import RingClient
from ring.errors import RingError, RingUnavailableError
from ring.statements import Consistency, Statement

RING_LOCK: Final = "ring"
"""What every load and every change of the ring's nodes must hold."""
_RENEWALS_PER_LEASE: Final = 4
_TIMEOUT_SECONDS: Final = 10.0

_TAKE: Final = Statement(
    "take_operation_lock",
    "INSERT INTO operation_locks (name, owner, purpose, since) VALUES (?, ?, ?, ?) IF NOT EXISTS"
    " USING TTL ?",
    Consistency.QUORUM,
    idempotent=False,
    serial_consistency=Consistency.SERIAL,
)
_RENEW: Final = Statement(
    "renew_operation_lock",
    "UPDATE operation_locks USING TTL ? SET owner = ?, purpose = ?, since = ? WHERE name = ?"
    " IF owner = ?",
    Consistency.QUORUM,
    idempotent=True,
    serial_consistency=Consistency.SERIAL,
)
_RELEASE: Final = Statement(
    "release_operation_lock",
    "DELETE FROM operation_locks WHERE name = ? IF owner = ?",
    Consistency.QUORUM,
    idempotent=True,
    serial_consistency=Consistency.SERIAL,
)
_READ: Final = Statement(
    "read_operation_lock",
    "SELECT owner, purpose, since, TTL(owner) FROM operation_locks WHERE name = ?",
    # Also finishes a transaction whose outcome nobody was told.
    Consistency.SERIAL,
    idempotent=True,
)
LOCK_STATEMENTS: Final = (_TAKE, _RENEW, _RELEASE, _READ)
"""What a client that holds locks must be opened with."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a lock: a name unique to the process, for what, and since when (UTC).

    Attributes:
        lease_seconds: what is left of the lease, unless the owner renews it.
    """

    owner: str
    purpose: str
    since: datetime
    lease_seconds: int = 0

    def __str__(self) -> str:
        return f"{self.purpose} ({self.owner}, since {self.since:%Y-%m-%d %H:%M:%S} UTC)"


class OperationLockedError(RingError):
    """Another operation has the lock; `holder` tells which."""

    def __init__(self, name: str, holder: Holder) -> None:
        super().__init__(f"{name} is locked by {holder}")
        self.holder = holder


class OperationLockLostError(RingError):
    """The lease could not be renewed in time, so another operation may have begun."""


async def fetch_holder(ring: RingClient, name: str) -> Holder | None:
    """Return who has a lock; None when nobody has. Consistency: SERIAL.

    Raises:
        RingError: too few nodes answered.
    """
    rows = await ring.execute(_READ.name, (name,), timeout_seconds=_TIMEOUT_SECONDS)
    return Holder(*rows[0]) if rows and rows[0][0] else None


async def take_away(ring: RingClient, name: str, holder: Holder) -> bool:
    """Free a lock from this very holder, and from no other; return whether it had it.

    Its operation stops at the next renewal, which may be a while: take a lock away only from an
    owner that is known to be dead. Consistency: SERIAL, QUORUM.

    Raises:
        RingError: too few nodes answered; it may have been freed.
    """
    rows = await ring.execute(_RELEASE.name, (name, holder.owner), timeout_seconds=_TIMEOUT_SECONDS)
    return bool(rows[0][0])


@asynccontextmanager
async def hold_operation_lock(
    ring: RingClient, name: str, *, owner: str, purpose: str, lease_seconds: float = 60.0
) -> AsyncIterator["HeldLock"]:
    """Hold a lock while the body runs. Consistency: SERIAL, QUORUM.

    What it yields tells whether the lease still lasts, for bodies that must not go on without it.

    Args:
        ring: opened with `LOCK_STATEMENTS` among its statements.
        name: which lock.
        owner: a name that no other running process has. The lock of an owner that died is taken
            over at once by a process that gives the same name.
        purpose: what others are told.
        lease_seconds: how long the lock outlives a process that dies; it is renewed four times as
            often.

    Raises:
        OperationLockedError: somebody else has it.
        OperationLockLostError: it could not be renewed in time; the body was cancelled.
        RingError: too few nodes answered.
    """
    lock = HeldLock(ring, name, owner, purpose, lease_seconds)
    await lock.take()
    try:
        async with asyncio.TaskGroup() as group:
            renewing = group.create_task(lock.keep())
            yield lock
            renewing.cancel()
    except BaseExceptionGroup as failures:
        # The first is the body's own error, or the loss that cancelled the body.
        raise failures.exceptions[0] from failures.exceptions[0].__cause__
    finally:
        # Whoever comes next waits for the lease where this fails.
        with contextlib.suppress(RingError):
            await lock.release()


class HeldLock:
    """A lock that this process holds, as far as it knows."""

    def __init__(
        self, ring: RingClient, name: str, owner: str, purpose: str, lease_seconds: float
    ) -> None:
        self._ring = ring
        self._name = name
        self._owner = owner
        self._purpose = purpose
        self._lease_seconds = lease_seconds
        self._since_milliseconds = time.time_ns() // 1_000_000
        self._renewed_at = 0.0

    def __repr__(self) -> str:
        left_seconds = self._renewed_at + self._lease_seconds - time.monotonic()
        return f"<HeldLock {self._name} {self._owner} for {left_seconds:.0f} s>"

    def require(self) -> None:
        """See that the lease has not run out, as it does while a process stands still.

        Raises:
            OperationLockLostError: another operation may have begun.
        """
        if time.monotonic() > self._renewed_at + self._lease_seconds:
            raise OperationLockLostError(f"the lock {self._name} was not renewed in time")

    async def take(self) -> None:
        """Take it, or raise OperationLockedError."""
        values = (
            self._name,
            self._owner,
            self._purpose,
            self._since_milliseconds,
            round(self._lease_seconds),
        )
        # An outcome that nobody told is read back below.
        with contextlib.suppress(RingUnavailableError):
            await self._ring.execute(_TAKE.name, values, timeout_seconds=_TIMEOUT_SECONDS)
        holder = await fetch_holder(self._ring, self._name)
        if holder is None:
            raise RingUnavailableError(f"the lock {self._name} could not be taken")
        if holder.owner != self._owner:
            raise OperationLockedError(self._name, holder)
        # An owner that was killed and came back has what is left of its lease: too little, maybe.
        before = time.monotonic()
        await self._renew()
        self._renewed_at = before

    async def keep(self) -> None:
        """Renew it for ever; raises OperationLockLostError when that fails for too long."""
        while True:
            await asyncio.sleep(self._lease_seconds / _RENEWALS_PER_LEASE)
            before = time.monotonic()
            try:
                await self._renew()
            except RingUnavailableError as error:
                # What is left of the lease must last until another renewal could fail.
                if before + self._lease_seconds / _RENEWALS_PER_LEASE > (
                    self._renewed_at + self._lease_seconds
                ):
                    raise OperationLockLostError(
                        f"the lock {self._name} could not be renewed"
                    ) from error
            else:
                self._renewed_at = before

    async def _renew(self) -> None:
        rows = await self._ring.execute(
            _RENEW.name,
            (
                round(self._lease_seconds),
                self._owner,
                self._purpose,
                self._since_milliseconds,
                self._name,
                self._owner,
            ),
            timeout_seconds=min(_TIMEOUT_SECONDS, self._lease_seconds / _RENEWALS_PER_LEASE),
        )
        if not rows[0][0]:
            raise OperationLockLostError(f"the lock {self._name} has gone to somebody else")

    async def release(self) -> None:
        """Free it, if it is ours."""
        await self._ring.execute(
            _RELEASE.name, (self._name, self._owner), timeout_seconds=_TIMEOUT_SECONDS
        )
