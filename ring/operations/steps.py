"""The engine: an operation is a list of named steps, each of which knows whether it is done.

Whether a step is done is read from the ring just before it, so an operation that was interrupted or
killed at any moment goes on where it was when it is run again. A step that is not done may be half
done: `run` has to bear that.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from ring.errors import RingError
from ring.nodes.errors import NodesError
from ring.operation_lock import (
    RING_LOCK,
    Holder,
    OperationLockedError,
    hold_operation_lock,
)
from ring.operations.errors import OperationError, Refusal, RefusedError
from ring.operations.journal import Journal
from ring.operations.owner import describe, has_ended, own_name
from ring.operations.progress import moved_bytes
from ring.operations.view import RingView

if TYPE_CHECKING:
    from ring.operations.context import Context
    from ring.operations.observe import Outcome

FAULT_VARIABLE: Final = "CATALOG_RING_FAULT_POINT"
"""Names the point at which this process kills itself; for tests."""
LEASE_SECONDS: Final = 60.0
_LEASE_POLL_SECONDS: Final = 5.0
_LEASE_GRACE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an operation.

    Attributes:
        name: among the operation's `step_names`; several steps may share one.
        what: what it does, in words for the plan: "start Cassandra on node2".
        is_done: decides from a fresh view; a step that leaves no trace in the ring returns False.
        run: does it, and returns when it is done. May be called when it is half done.
        meanwhile: what goes on by itself when the operation is stopped in this step.
        blind: run also where the ring cannot be read, as what was not done: the node that it is
            about may be the one that would tell.
    """

    name: str
    what: str
    is_done: Callable[[RingView], bool]
    run: Callable[[], Awaitable[None]]
    meanwhile: str = ""
    blind: bool = False


class Operation(Protocol):
    """Something that is done to the ring under its lock."""

    @property
    def name(self) -> str:
        """One word: "add"."""
        ...

    @property
    def purpose(self) -> str:
        """What others are told: "add node2 (127.0.0.2)"."""
        ...

    @property
    def step_names(self) -> tuple[str, ...]:
        """Every name that a step may have. OPERATION.STEP is the fault point before such a step."""
        ...

    @property
    def lease_seconds(self) -> float:
        """How long the lock outlives this process; longer where the ring may not answer a while."""
        ...

    async def refusals(self, context: "Context", view: RingView) -> Sequence[Refusal]:
        """Return why it must not begin; asked before and after the lock was taken."""
        ...

    def steps(self, context: "Context", view: RingView) -> Sequence[Step]:
        """Return all steps, also those that are done."""
        ...


def fault_points(operation: Operation) -> tuple[str, ...]:
    """Return the points at which an operation can be killed by `CATALOG_RING_FAULT_POINT`."""
    names = ("lock", *operation.step_names, "unlock")
    return tuple(f"{operation.name}.{name}" for name in names)


def reach(point: str) -> None:
    """Kill this process at once, as the kernel would, when it is the point that a test chose."""
    if os.environ.get(FAULT_VARIABLE) == point:
        os.kill(os.getpid(), signal.SIGKILL)


async def run_operation(context: "Context", operation: Operation, *, dry_run: bool = False) -> None:
    """Preflight, lock, preflight again, all steps, unlock; or only say what would be done.

    Raises:
        RefusedError: preflight refuses, or a step that has rules of its own.
        OperationLockedError: another operation holds the lock.
        NodesError, RingError: a step failed; running the same command again goes on from there.
    """
    view = await context.read_view(strict=False)
    await _refuse(context, operation, view)
    if dry_run:
        _say_plan(context, operation.steps(context, view), view)
        return
    owner = own_name()
    began = time.monotonic()
    reach(f"{operation.name}.lock")
    async with AsyncExitStack() as stack:
        await _take_lock(stack, context, operation, owner)
        # Somebody else may have been at work until now.
        view = await context.read_view()
        await _refuse(context, operation, view)
        journal = Journal(context.ring, owner=owner, operation=operation.purpose)
        steps = operation.steps(context, view)
        await _Run(context, operation, journal).run(steps)
        await journal.write("", "done", seconds=time.monotonic() - began)
        reach(f"{operation.name}.unlock")
    context.say(f"{operation.purpose}: done after {time.monotonic() - began:.0f} s")


async def _refuse(context: "Context", operation: Operation, view: RingView) -> None:
    refusals = await operation.refusals(context, view)
    if refusals:
        raise RefusedError(refusals)


def _say_plan(context: "Context", steps: Sequence[Step], view: RingView) -> None:
    is_done = True
    for number, step in enumerate(steps, 1):
        # Of what follows a step that is still to be done, the ring cannot tell yet.
        is_done = is_done and step.is_done(view)
        done = " (done already)" if is_done else ""
        context.say(f"{number:>3}/{len(steps)} {step.name:<10} {step.what}{done}")


async def _take_lock(
    stack: AsyncExitStack, context: "Context", operation: Operation, owner: str
) -> None:
    """Take the lock; wait for the lease of an owner that has ended, with words."""
    waiting_for: Holder | None = None
    until = 0.0
    while True:
        try:
            lock = await stack.enter_async_context(
                hold_operation_lock(
                    context.ring,
                    RING_LOCK,
                    owner=owner,
                    purpose=operation.purpose,
                    lease_seconds=operation.lease_seconds,
                )
            )
        except OperationLockedError as error:
            holder = error.holder
            if not has_ended(holder.owner):
                raise
            if waiting_for is None or waiting_for.owner != holder.owner:
                waiting_for = holder
                until = time.monotonic() + holder.lease_seconds + _LEASE_GRACE_SECONDS
                context.say(
                    f"The lock is held by {holder.purpose} ({describe(holder.owner)}), which has "
                    f"ended. Its lease runs out in {holder.lease_seconds} s; waiting. "
                    "(`catalog-ring unlock` frees it at once.)"
                )
            elif time.monotonic() > until:
                # Somebody renews it: the process lives, on another machine of the same name.
                raise
            await asyncio.sleep(min(_LEASE_POLL_SECONDS, holder.lease_seconds + 1.0))
        else:
            context.hold(lock)
            return


class _Run:
    """The steps of one run, under the lock."""

    def __init__(self, context: "Context", operation: Operation, journal: Journal) -> None:
        self._context = context
        self._operation = operation
        self._journal = journal

    async def run(self, steps: Sequence[Step]) -> None:
        """Run what is not done, one step after the other."""
        for number, step in enumerate(steps, 1):
            if step.name not in self._operation.step_names:
                raise AssertionError(f"{step.name} is no step of {self._operation.name}")
            head = f"{number:>3}/{len(steps)} {step.name:<10}"
            view = await self._read(step)
            if view is not None and step.is_done(view):
                self._context.say(f"{head} {step.what}: done already")
                self._tell(step, "skipped", 0.0)
                continue
            reach(f"{self._operation.name}.{step.name}")
            self._context.say(f"{head} {step.what}")
            # This process may have stood still: then somebody else may be at work.
            self._context.require_lock()
            await self._run_one(step, view)

    async def _read(self, step: Step) -> RingView | None:
        try:
            return await self._context.read_view()
        except (NodesError, RingError):
            if not step.blind:
                raise
            return None

    async def _run_one(self, step: Step, before: RingView | None) -> None:
        began = time.monotonic()
        await self._journal.write(step.name, "begun", detail=step.what)
        try:
            await step.run()
        except asyncio.CancelledError:
            await self._note(step, "interrupted", time.monotonic() - began)
            self._context.say(
                f"Stopped in the step {step.name} ({step.what}). {step.meanwhile}".rstrip()
            )
            raise
        except RefusedError as error:
            await self._note(step, "failed", time.monotonic() - began, detail=str(error))
            raise
        except (NodesError, RingError) as error:
            seconds = time.monotonic() - began
            moved = await self._moved_bytes(before)
            await self._note(step, "failed", seconds, moved, str(error))
            advice = getattr(error, "advice", "")
            again = "Then run the same command again: it goes on where it was."
            raise OperationError(
                f"{step.name}: {error}", advice=f"{advice} {again}".lstrip()
            ) from error
        seconds = time.monotonic() - began
        await self._note(step, "done", seconds, await self._moved_bytes(before))
        self._context.say(f"{'':>18} done ({seconds:.1f} s)")

    async def _moved_bytes(self, before: RingView | None) -> int:
        """Return what was streamed since a view was read; 0 when nobody can tell."""
        if before is None:
            return 0
        try:
            return moved_bytes(before.streams, (await self._context.reader.read()).streams)
        except (NodesError, RingError):
            return 0

    async def _note(
        self, step: Step, outcome: "Outcome", seconds: float, moved: int = 0, detail: str = ""
    ) -> None:
        self._tell(step, outcome, seconds)
        await self._journal.write(
            step.name,
            outcome,
            seconds=seconds,
            detail=detail or step.what,
            streamed_bytes=moved,
        )

    def _tell(self, step: Step, outcome: "Outcome", seconds: float) -> None:
        self._context.observer.on_step(self._operation.name, step.name, outcome, seconds)
