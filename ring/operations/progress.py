"""How far something is: bytes done of all, how fast, how long still."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from ring.errors import RingError
from ring.hosts.host import Host
from ring.nodes.errors import NodesError
from ring.operations.context import Context
from ring.operations.preflight import megabytes
from ring.operations.view import RingView, Stream

POLL_SECONDS: Final = 2.0
_WINDOW_SECONDS: Final = 20.0
_LINE_SECONDS: Final = 10.0


class Progress:
    """Turns counts of bytes into lines, not more than one in ten seconds unless they are new."""

    def __init__(
        self, say: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque()
        self._said = ""
        self._said_at = 0.0

    def show(self, what: str, done: int, total: int) -> None:
        """Say how far it is, how fast it goes and how long it will take."""
        now = self._clock()
        if self._samples and done < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((now, done))
        while self._samples[0][0] < now - _WINDOW_SECONDS:
            self._samples.popleft()
        began, before = self._samples[0]
        rate = (done - before) / (now - began) if now > began else 0.0
        self.note(describe(what, done, total, rate))

    def note(self, line: str) -> None:
        """Say a line unless it, or one a moment ago, was said."""
        now = self._clock()
        is_new_kind = line.split(":", 1)[0] != self._said.split(":", 1)[0]
        if line != self._said and (is_new_kind or now - self._said_at >= _LINE_SECONDS):
            self._say(f"{'':>18} {line}")
            self._said, self._said_at = line, now


def describe(what: str, done: int, total: int, bytes_per_second: float) -> str:
    """Return one line: "streaming: 12.0 MB of 40.0 MB (30 %), 4.0 MB/s, 7 s left"."""
    share = f" ({done / total:.0%})" if total else ""
    line = f"{what}: {megabytes(done)} of {megabytes(total)}{share}"
    if bytes_per_second > 0:
        line += f", {megabytes(bytes_per_second)}/s, {(total - done) / bytes_per_second:.0f} s left"
    return line


def streamed(streams: Iterable[Stream], *, operation: str, address: str) -> tuple[int, int] | None:
    """Return bytes done and in all of what other nodes stream with one; None when nothing is known.

    Args:
        streams: of a view.
        operation: Cassandra's word for it: "Bootstrap", "Unbootstrap", ….
        address: of the node that joins, leaves or is rebuilt.
    """
    sessions = [
        stream
        for stream in streams
        if stream.operation.casefold() == operation.casefold()
        and (stream.node == address or address in stream.peers)
    ]
    if not sessions:
        return None
    # Each session is told by both ends; the ends of one node count once.
    own = [one for one in sessions if one.node == address]
    counted = own or sessions
    return sum(one.bytes_done for one in counted), sum(one.bytes_total for one in counted)


def moved_bytes(before: Iterable[Stream], after: Iterable[Stream]) -> int:
    """Return how many bytes went between nodes from one view's streams to another's.

    Cassandra tells of a stream for days after it ended, as long as its two nodes run.
    """
    earlier = _bytes_by_plan(before)
    return sum(
        max(0, count - earlier.get(plan, 0)) for plan, count in _bytes_by_plan(after).items()
    )


def _bytes_by_plan(streams: Iterable[Stream]) -> dict[str, int]:
    """Both ends count each byte: what more of either is known of is what went."""
    received: dict[str, int] = {}
    sent: dict[str, int] = {}
    for one in streams:
        received[one.plan_id] = received.get(one.plan_id, 0) + one.bytes_received
        sent[one.plan_id] = sent.get(one.plan_id, 0) + one.bytes_done - one.bytes_received
    return {plan: max(count, sent[plan]) for plan, count in received.items()}


async def nodetool_watched(
    context: Context,
    host: Host,
    *arguments: str,
    timeout_seconds: float,
    describe_view: Callable[[RingView], str],
) -> str:
    """Run a long nodetool command, and meanwhile say what the ring tells of it.

    Raises:
        HostError: it failed, or took longer than `timeout_seconds`.
    """
    progress = Progress(context.say)
    running = asyncio.create_task(host.nodetool(*arguments, timeout_seconds=timeout_seconds))
    try:
        while not (await asyncio.wait({running}, timeout=POLL_SECONDS))[0]:
            try:
                line = describe_view(await context.reader.read())
            except (NodesError, RingError):
                continue
            if line:
                progress.note(line)
        return running.result()
    finally:
        if not running.done():
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def describe_tasks(view: RingView, address: str, kinds: Iterable[str]) -> str:
    """Return a line about the tasks of some kinds on a node; empty when there is none."""
    wanted = {kind.casefold() for kind in kinds}
    tasks = [
        task
        for task in view.tasks
        if task.node == address and any(word in task.kind.casefold() for word in wanted)
    ]
    if not tasks:
        return ""
    tables = ", ".join(sorted({task.table for task in tasks}))
    done, total = sum(task.done for task in tasks), sum(task.total for task in tasks)
    return f"{tables}: {megabytes(done)} of {megabytes(total)}"
