"""`catalog-ring unlock`: frees the lock of an operation that died."""

import asyncio
from typing import Final

from ring.operation_lock import RING_LOCK, Holder, fetch_holder, take_away
from ring.operations.context import Context
from ring.operations.errors import OperationError
from ring.operations.owner import describe, has_ended

_WATCH_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 1.0


async def unlock(context: Context, *, owner: str = "", force: bool = False) -> None:
    """Take the lock from an owner that has died; show who has it, and remove that one's row only.

    An owner that lives renews its lease every 15 s, and that is watched for; one on this machine is
    looked up.

    Args:
        context: of the ring.
        owner: refuse when another one has it by now; empty: whoever has it.
        force: do not ask whether it lives.

    Raises:
        OperationError: the owner lives, or another one has it.
        RingError: too few nodes answered.
    """
    holder = await fetch_holder(context.ring, RING_LOCK)
    if holder is None:
        context.say("The ring is not locked.")
        return
    context.say(
        f"Locked by {holder.purpose}: {describe(holder.owner)} (owner {holder.owner}), since "
        f"{holder.since:%Y-%m-%d %H:%M:%S} UTC, lease {holder.lease_seconds} s."
    )
    if owner and owner != holder.owner:
        raise OperationError(
            f"{owner} does not have the lock", advice="Nothing was changed; see who has it above."
        )
    if not force and not has_ended(holder.owner):
        await _require_silence(context, holder)
    freed = await take_away(context.ring, RING_LOCK, holder)
    context.say("Freed." if freed else "It had gone already.")


async def _require_silence(context: Context, holder: Holder) -> None:
    """Watch for a renewal.

    Raises:
        OperationError: there was one: the owner lives.
    """
    context.say(f"Watching for {_WATCH_SECONDS:.0f} s whether its owner lives.")
    left_seconds = holder.lease_seconds
    for _ in range(round(_WATCH_SECONDS / _POLL_SECONDS)):
        await asyncio.sleep(_POLL_SECONDS)
        now = await fetch_holder(context.ring, RING_LOCK)
        if now is None or now.owner != holder.owner:
            return
        if now.lease_seconds > left_seconds:
            raise OperationError(
                f"{describe(holder.owner)} lives: it has just renewed the lock",
                advice="Let it end, or stop it. `--force` frees the lock all the same: then two "
                "operations may change the ring side by side.",
            )
        left_seconds = now.lease_seconds
