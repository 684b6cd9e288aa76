"""One statement on its way: attempts at nodes until one answers, the deadline, the followers.

A call is a small state machine driven by callbacks, not a task: on the way of a read that goes well
there is one future and nothing else to schedule.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from ring.errors import RingError, RingRequestError, RingTimeoutError, RingUnavailableError
from ring.policies import Verdict, decide_after_error, is_our_fault
from ring.statements import Statement
from ring.transport import (
    CqlConnection,
    Page,
    Prepared,
    ServerError,
    TransportError,
    page_of_message,
    read_page,
)
from ring.transport.connection import EXECUTE_OPCODE, RESULT_OPCODE

if TYPE_CHECKING:
    from ring.node import Node

FIRST: Final = "first"
RETRY: Final = "retry"
SPECULATIVE: Final = "speculative"

Dispatch = Callable[["Call", str], None]


class LiveRoute(NamedTuple):
    """Where the calls of one token range go: live nodes, replicas first, each in order."""

    replicas: "tuple[Node, ...]"
    others: "tuple[Node, ...]"


class Call:
    """A statement with its values, from `execute` to its answer.

    Attributes:
        future: of the caller; gets a Page or one of our errors, exactly once.
        body: of the EXECUTE frame; equal bodies are equal reads.
        deadline_at: on the clock of `time.perf_counter`.
        tried: nodes that were asked, in order. `open_attempts`: those whose reply may still come.
        followers: calls for the very same read that joined before it was sent.
    """

    __slots__ = (
        "body",
        "deadline_at",
        "dispatch",
        "followers",
        "future",
        "last_error",
        "open_attempts",
        "prepared",
        "route",
        "speculated",
        "statement",
        "tried",
    )

    def __init__(
        self,
        future: "asyncio.Future[Page]",
        statement: Statement,
        prepared: Prepared,
        body: bytes,
        route: LiveRoute,
        deadline_at: float,
        dispatch: Dispatch,
    ) -> None:
        self.future = future
        self.statement = statement
        self.prepared = prepared
        self.body = body
        self.route = route
        self.deadline_at = deadline_at
        self.dispatch = dispatch
        self.tried: tuple[Node, ...] = ()
        self.open_attempts = 0
        self.speculated = False
        self.followers: list[Call] | None = None
        self.last_error: TransportError | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still waits for the answer."""
        if not self.future.done():
            return True
        return any(not follower.future.done() for follower in self.followers or ())

    def succeed(self, page: Page) -> None:
        """Hand the rows to everybody who waits for them."""
        if not self.future.done():
            self.future.set_result(page)
        if self.followers is not None:
            for follower in self.followers:
                follower.succeed(page)

    def fail(self, error: RingError) -> None:
        """End the call; followers go on by themselves, because the fault may be this call's own."""
        if not self.future.done():
            self.future.set_exception(error)
        followers, self.followers = self.followers, None
        for follower in followers or ():
            if not follower.future.done():
                follower.dispatch(follower, FIRST)

    def expire(self, now: float) -> bool:
        """Fail everybody whose deadline has passed.

        Returns:
            Whether the call's own deadline had.
        """
        for follower in self.followers or ():
            follower.expire(now)
        if now < self.deadline_at:
            return False
        if not self.future.done():
            self.future.set_exception(self.timeout_error())
        return True

    def timeout_error(self) -> RingTimeoutError:
        """The error of a deadline that has passed, with the last failure as its cause."""
        asked = ", ".join(str(node.endpoint) for node in self.tried) or "no node"
        error = RingTimeoutError(f"{self.statement.name}: deadline passed; asked {asked}")
        error.__cause__ = self.last_error
        return error

    def attempt_failed(self, error: TransportError, *, may_retry: bool) -> None:
        """One attempt brought no rows: ask the next node, or end when none is left to answer."""
        self.last_error = error
        if not self.is_wanted:
            return
        if may_retry:
            self.dispatch(self, RETRY)
        elif self.open_attempts == 0:
            self.fail(_error_of(self.statement, error))


def _error_of(statement: Statement, error: TransportError) -> RingError:
    ours: RingError
    if isinstance(error, ServerError) and is_our_fault(error.code):
        ours = RingRequestError(f"{statement.name}: {error}")
    else:
        ours = RingUnavailableError(f"{statement.name}: {error}")
    ours.__cause__ = error
    return ours


class Attempt:
    """A call at one node: what the transport hands the reply to."""

    __slots__ = ("call", "kind", "node", "sent_at")

    def __init__(self, call: Call, node: "Node", kind: str, sent_at: float) -> None:
        self.call = call
        self.node = node
        self.kind = kind
        self.sent_at = sent_at

    def send(self, connection: CqlConnection) -> None:
        """Put the call on the wire with everything else of this turn of the loop."""
        connection.submit(EXECUTE_OPCODE, self.call.body, self)
        self.call.tried += (self.node,)
        self.call.open_attempts += 1

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
        call = self.call
        call.open_attempts -= 1
        try:
            page = None
            if opcode == RESULT_OPCODE and not flags:
                page = read_page(call.prepared, data, start, stop)
            if page is None:
                page = page_of_message(connection.decode(flags, opcode, data, start, stop))
        except ServerError as error:
            self._on_server_error(error)
            return
        except TransportError as error:
            self.node.telemetry.count_failure(self.kind, "unreadable")
            call.attempt_failed(error, may_retry=call.statement.idempotent)
            return
        self.node.count_reply(self.kind, self.sent_at, connection.received_at)
        if self.kind is SPECULATIVE and not call.future.done():
            self.node.telemetry.speculative_wins += 1
        call.succeed(page)

    def _on_server_error(self, error: ServerError) -> None:
        self.node.telemetry.count_failure(self.kind, error.name)
        verdict = decide_after_error(error.code, idempotent=self.call.statement.idempotent)
        if verdict is Verdict.PREPARE_AGAIN:
            self.node.prepare_again(self)
            return
        self.call.attempt_failed(error, may_retry=verdict is Verdict.NEXT_NODE)

    def on_lost(self, connection: CqlConnection, error: TransportError) -> None:  # noqa: ARG002
        """The transport's call for a connection that ended before the reply."""
        self.call.open_attempts -= 1
        self.node.telemetry.count_failure(self.kind, "lost")
        self.call.attempt_failed(error, may_retry=self.call.statement.idempotent)
