"""Reads that wait together go together.

Every node has an outbox. Calls that come in one turn of the loop leave in one write. Reads by key
have `slots`: while fewer frames than that are outstanding, a key leaves at once, in a frame of its
own. While all slots are taken, keys wait, and the next free slot takes all of them (to a bound) as
one `IN` read. So a batch is as large as the node is busy, and at low load nothing ever waits. Equal
keys that wait are read once; a key never joins a frame that was already sent, so that whatever was
written before a read is seen by it.
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from ring.bound import Bound
from ring.call import RETRY, Attempt, Destination
from ring.policies import Verdict, decide_after_error, spoils_batch
from ring.transport import (
    CqlConnection,
    Page,
    Prepared,
    ServerError,
    TransportError,
    read_page,
)
from ring.transport.connection import EXECUTE_OPCODE, RESULT_OPCODE
from ring.transport.session import page_of_message, prepare

_PREPARE_TIMEOUT_SECONDS: Final = 5.0
_NO_ROWS: Final = Page([], None)

# Attempts that wait for the same rows, by partition key (or by body, for reads of another kind).
Waiting = dict[bytes, list[Attempt]]


class Frame:
    """One request and the attempts that its reply answers; what the transport calls back."""

    __slots__ = ("bound", "entries", "is_many", "outbox", "prepared_again", "sent_at", "takes_slot")

    def __init__(
        self, outbox: "Outbox", bound: Bound, entries: Waiting, sent_at: float, *, takes_slot: bool
    ) -> None:
        self.outbox = outbox
        self.bound = bound
        self.entries = entries
        self.sent_at = sent_at
        self.is_many = len(entries) > 1
        self.takes_slot = takes_slot
        self.prepared_again = False

    def attempts(self) -> Iterator[Attempt]:
        """Every attempt that waits for this frame."""
        for waiting in self.entries.values():
            yield from waiting

    def request(self) -> tuple[int, bytes]:
        """The frame's opcode and body: one call as it is, several keys as an IN read."""
        calls = [waiting[0].call for waiting in self.entries.values()]
        if self.is_many:
            return EXECUTE_OPCODE, self.bound.many_body([call.cells for call in calls])
        return calls[0].opcode, calls[0].body

    def on_reply(
        self,
        connection: CqlConnection,
        flags: int,
        opcode: int,
        data: bytes,
        start: int,
        stop: int,
    ) -> None:
        """The transport's call for a frame: rows, or an error to decide on."""
        many = self.bound.many if self.is_many else None
        prepared = many or self.bound.prepared
        try:
            page = None
            if opcode == RESULT_OPCODE and not flags:
                page = read_page(prepared, data, start, stop)
            if page is None:
                page = page_of_message(connection.decode(flags, opcode, data, start, stop))
        except TransportError as error:
            self._on_error(error)
        else:
            self.outbox.on_answered(self, connection.received_at)
            if many is None:
                for attempt in self.attempts():
                    attempt.succeed(page)
            else:
                self._share_out(page)
        self.outbox.frame_ended(self)

    def _share_out(self, page: Page) -> None:
        by_key: dict[bytes, list[tuple[Any, ...]]] = {}
        for row in page.rows:
            rows = by_key.get(row[0])
            if rows is None:
                by_key[row[0]] = [row[1:]]
            else:
                rows.append(row[1:])
        for key, waiting in self.entries.items():
            found = by_key.get(key)
            one = _NO_ROWS if found is None else Page(found, None)
            for attempt in waiting:
                attempt.succeed(one)

    def _on_error(self, error: TransportError) -> None:
        outcome = error.code_name if isinstance(error, ServerError) else "unreadable"
        for attempt in self.attempts():
            attempt.node.telemetry.count_failure(attempt.kind, outcome)
        idempotent = self.bound.statement.idempotent
        code = error.code if isinstance(error, ServerError) else None
        verdict = None if code is None else decide_after_error(code, idempotent=idempotent)
        if verdict is Verdict.PREPARE_AGAIN and not self.prepared_again:
            self.prepared_again = True
            self.outbox.prepare_again(self)
        elif self.is_many and (code is None or spoils_batch(code)):
            self._part(error)
        elif verdict is None:
            self._fail_all(error, may_retry=idempotent)
        else:
            self._fail_all(error, may_retry=verdict is not Verdict.FAIL)

    def _part(self, error: TransportError) -> None:
        """One key may have spoilt it for all: each goes on by itself, here or elsewhere."""
        for attempt in tuple(self.attempts()):
            attempt.withdraw()
            attempt.call.alone = True
            attempt.call.last_error = error
            if not attempt.call.future.done():
                attempt.call.dispatch(attempt.call, RETRY)

    def on_lost(self, connection: CqlConnection, error: TransportError) -> None:  # noqa: ARG002
        """The transport's call for a connection that ended before the reply."""
        for attempt in self.attempts():
            attempt.node.telemetry.count_failure(attempt.kind, "lost")
        self.outbox.frame_ended(self)
        self._fail_all(error, may_retry=self.bound.statement.idempotent)

    def _fail_all(self, error: TransportError, *, may_retry: bool) -> None:
        for attempt in tuple(self.attempts()):
            attempt.fail(error, may_retry=may_retry)


class Outbox:
    """What goes to one node: assigned calls until they are in a frame.

    Args:
        node: whose outbox it is.
        slots: frames of reads by key outstanding at once.
        max_keys: keys of one such frame.
        clock: seconds, as the calls' deadlines count them.
        on_answered: told of each frame that brought rows, and when it came.
        on_renewed: told when a node, asked again, describes a statement in a new way.
    """

    def __init__(
        self,
        node: Destination,
        *,
        slots: int,
        max_keys: int,
        clock: Callable[[], float],
        on_answered: Callable[[Frame, float], None],
        on_renewed: Callable[[Bound], None],
    ) -> None:
        self.node = node
        self.on_answered = on_answered
        self.joined = 0
        self._slots = slots
        self._max_keys = max_keys
        self._clock = clock
        self._on_renewed = on_renewed
        self._slots_taken = 0
        self._by_key: dict[Bound, Waiting] = {}
        self._by_body: dict[Bound, Waiting] = {}
        self._preparing: dict[str, list[Frame]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._scheduled = False
        self._loop = asyncio.get_running_loop()

    def add(self, attempt: Attempt) -> None:
        """Take an attempt; it leaves at the end of this turn of the loop or with the next slot."""
        call = attempt.call
        bound = call.bound
        if not bound.is_read or call.whole_body is not None:
            self._submit(bound, {b"": [attempt]}, takes_slot=False)
            return
        if bound.many is not None and not call.alone and call.key is not None:
            waiting = self._by_key.setdefault(bound, {})
            key = call.key
            leaves_now = self._slots_taken < self._slots
        else:
            waiting = self._by_body.setdefault(bound, {})
            key = call.cells
            leaves_now = True
        together = waiting.get(key)
        if together is None:
            waiting[key] = [attempt]
        else:
            together.append(attempt)
            self.joined += 1
        if leaves_now and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def waiting(self) -> Iterator[Attempt]:
        """Every attempt that is not in a frame yet."""
        for by in (self._by_key, self._by_body):
            for waiting in by.values():
                for together in waiting.values():
                    yield from together
        for frames in self._preparing.values():
            for frame in frames:
                yield from frame.attempts()

    def evict(self) -> list[Attempt]:
        """Give up everything that has not been sent, for other nodes to take."""
        attempts = [
            attempt
            for by in (self._by_key, self._by_body)
            for waiting in by.values()
            for together in waiting.values()
            for attempt in together
        ]
        self._by_key.clear()
        self._by_body.clear()
        for attempt in attempts:
            attempt.withdraw()
        return attempts

    def frame_ended(self, frame: Frame) -> None:
        """A frame has its reply, or nobody waits for it any more: its slot is free."""
        if frame.takes_slot:
            frame.takes_slot = False
            self._slots_taken -= 1
            if self._by_key:
                self._flush()

    def prepare_again(self, frame: Frame) -> None:
        """The node has forgotten the statement: prepare it and send the frame once more."""
        many = frame.bound.many if frame.is_many else None
        cql = (many or frame.bound.prepared).cql
        frames = self._preparing.setdefault(cql, [])
        frames.append(frame)
        if len(frames) == 1:
            task = asyncio.create_task(self._prepare_and_send(cql))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _prepare_and_send(self, cql: str) -> None:
        """Prepare once for all frames that wait for it; each is sent or its calls go elsewhere."""
        problem = TransportError(f"{self.node.endpoint}: the statement was not prepared again")
        prepared = None
        try:
            if self.node.connection is not None:
                prepared = await prepare(
                    self.node.connection, cql, timeout_seconds=_PREPARE_TIMEOUT_SECONDS
                )
        except TransportError as error:
            problem = error
        except Exception as error:  # noqa: BLE001 - the driver's types; the calls must go on
            problem.__cause__ = error
        finally:
            for frame in self._preparing.pop(cql):
                if prepared is None:
                    self._not_sent(frame, problem)
                else:
                    self._renew(frame, prepared)
                    self._send(frame)

    def _renew(self, frame: Frame, prepared: Prepared) -> None:
        """The table may have changed since, and with it how its rows are read."""
        renewed = frame.bound.renewed(prepared)
        if not renewed.reads_as(frame.bound):
            frame.bound = renewed
            self._on_renewed(renewed)

    async def aclose(self) -> None:
        """Wait for what the end of the connection has ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _flush(self) -> None:
        self._scheduled = False
        for bound, waiting in self._by_body.items():
            for key, together in waiting.items():
                self._submit(bound, {key: together}, takes_slot=False)
        self._by_body.clear()
        by_key = self._by_key
        while by_key and self._slots_taken < self._slots:
            bound, waiting = next(iter(by_key.items()))
            free = self._slots - self._slots_taken
            # Spread over the free slots: one large frame would leave the node's other threads idle.
            keys = min(self._max_keys, -(-len(waiting) // free))
            del by_key[bound]
            if keys < len(waiting):
                taken = {key: waiting.pop(key) for key in tuple(islice(waiting, keys))}
                by_key[bound] = waiting
            else:
                taken = waiting
            self._submit(bound, taken, takes_slot=True)

    def _submit(self, bound: Bound, entries: Waiting, *, takes_slot: bool) -> None:
        frame = Frame(self, bound, entries, self._clock(), takes_slot=takes_slot)
        if takes_slot:
            self._slots_taken += 1
        self._send(frame)

    def _send(self, frame: Frame) -> None:
        connection = self.node.connection
        if connection is None:
            self._not_sent(frame, TransportError(f"{self.node.endpoint}: not connected"))
            return
        try:
            opcode, body = frame.request()
            connection.submit(opcode, body, frame)
        except TransportError as error:
            self._not_sent(frame, error)

    def _not_sent(self, frame: Frame, error: TransportError) -> None:
        """Nothing reached the node, so any other may be asked, whatever the statement."""
        if frame.takes_slot:
            frame.takes_slot = False
            self._slots_taken -= 1
        for attempt in tuple(frame.attempts()):
            attempt.fail(error, may_retry=True)
