"""One statement on its way: attempts at nodes until one answers, within its deadline.

A call is a small state machine driven by callbacks, not a task: on the way of a read that goes well
there is one future and nothing else to schedule.
"""

import asyncio
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple, Protocol

from ring.bound import Bound
from ring.errors import RingError, RingRequestError, RingTimeoutError, RingUnavailableError
from ring.policies import NodeFigures, is_our_fault
from ring.statements import Statement
from ring.telemetry import NodeTelemetry
from ring.transport import CqlConnection, Endpoint, Page, ServerError, TransportError
from ring.transport.connection import BATCH_OPCODE, EXECUTE_OPCODE

FIRST: Final = "first"
RETRY: Final = "retry"
SPECULATIVE: Final = "speculative"

Dispatch = Callable[["Call", str], None]


class Destination(NodeFigures, Protocol):
    """A node as a call sees it.

    Attributes:
        assigned: calls that are at this node, waiting or sent.
        take: receives an attempt, to be sent with others of its kind.
    """

    endpoint: Endpoint
    connection: CqlConnection | None
    telemetry: NodeTelemetry
    assigned: int
    take: "Callable[[Attempt], None]"


class LiveRoute(NamedTuple):
    """Where the calls of one token range go: live nodes, replicas first, each in order."""

    replicas: tuple[Destination, ...]
    others: tuple[Destination, ...]


class Call:
    """A statement with its values, from `execute` to its answer.

    Attributes:
        future: of the caller; gets a Page or one of our errors, exactly once.
        cells: the values as they stand in a frame; `key` is the partition key among them.
        whole_body: the body of a frame that is more than one execution (a page, a batch of rows);
            None otherwise.
        deadline_at: on the clock of `time.perf_counter`.
        tried: nodes that were asked, in order. `open_attempts`: those that may still answer.
        may_hurry: whether a second node may be asked while the first is only slow.
        tells_pace: whether how long it takes says how quick the node is.
        alone: never again together with other keys, because such a read failed.
    """

    __slots__ = (
        "alone",
        "bound",
        "cells",
        "deadline_at",
        "dispatch",
        "future",
        "key",
        "last_error",
        "open_attempts",
        "route",
        "speculated",
        "tried",
        "whole_body",
    )

    may_hurry: ClassVar[bool] = True
    tells_pace: ClassVar[bool] = True

    def __init__(
        self,
        future: "asyncio.Future[Page]",
        bound: Bound,
        cells: bytes,
        key: bytes | None,
        whole_body: bytes | None,
        route: LiveRoute,
        deadline_at: float,
        dispatch: Dispatch,
    ) -> None:
        self.future = future
        self.bound = bound
        self.cells = cells
        self.key = key
        self.whole_body = whole_body
        self.route = route
        self.deadline_at = deadline_at
        self.dispatch = dispatch
        self.tried: tuple[Destination, ...] = ()
        self.open_attempts = 0
        self.speculated = False
        self.alone = False
        self.last_error: TransportError | None = None

    @property
    def opcode(self) -> int:
        """Of the frame that carries this call alone."""
        return EXECUTE_OPCODE

    @property
    def body(self) -> bytes:
        """The body of the frame that carries this call alone."""
        return self.whole_body if self.whole_body is not None else self.bound.body(self.cells)

    @property
    def may_repeat(self) -> bool:
        """Whether executing it twice does what executing it once does."""
        return self.bound.statement.idempotent

    def fail(self, error: RingError) -> None:
        """End the call with an error, unless it has ended already."""
        if not self.future.done():
            self.future.set_exception(error)

    def expire(self, now: float) -> bool:
        """End the call when its deadline has passed.

        Returns:
            Whether it had.
        """
        if now < self.deadline_at:
            return False
        asked = ", ".join(str(node.endpoint) for node in self.tried) or "no node"
        error = RingTimeoutError(f"{self.bound.statement.name}: deadline passed; asked {asked}")
        error.__cause__ = self.last_error
        self.fail(error)
        return True

    def attempt_failed(self, error: TransportError, *, may_retry: bool) -> None:
        """One attempt brought no rows: ask the next node, or end when none is left to answer."""
        self.last_error = error
        if self.future.done():
            return
        if may_retry:
            self.dispatch(self, RETRY)
        elif self.open_attempts == 0:
            self.fail(_error_of(self.bound.statement, error))


class BatchCall(Call):
    """Rows that are written in one request; it is never sent to a second node for being slow."""

    __slots__ = ()

    may_hurry = False

    @property
    def opcode(self) -> int:
        """One row is executed as it is."""
        return EXECUTE_OPCODE if self.whole_body is None else BATCH_OPCODE


class ManyCall(Call):
    """Keys that are read in one request: what it takes tells how many they are."""

    __slots__ = ()

    may_hurry = False
    tells_pace = False


def _error_of(statement: Statement, error: TransportError) -> RingError:
    ours: RingError
    if isinstance(error, ServerError) and is_our_fault(error.code):
        ours = RingRequestError(f"{statement.name}: {error}")
    else:
        ours = RingUnavailableError(f"{statement.name}: {error}")
    ours.__cause__ = error
    return ours


class Attempt:
    """A call at one node, from the moment it is assigned until the node's part in it has ended."""

    __slots__ = ("assigned_at", "call", "kind", "node")

    def __init__(self, call: Call, node: Destination, kind: str, assigned_at: float) -> None:
        self.call = call
        self.node = node
        self.kind = kind
        self.assigned_at = assigned_at
        call.tried += (node,)
        call.open_attempts += 1
        node.assigned += 1

    def succeed(self, page: Page) -> None:
        """The rows came; they are the caller's unless another attempt was faster."""
        self.node.assigned -= 1
        call = self.call
        call.open_attempts -= 1
        if not call.future.done():
            call.future.set_result(page)
            if self.kind is SPECULATIVE:
                self.node.telemetry.speculative_wins += 1

    def fail(self, error: TransportError, *, may_retry: bool) -> None:
        """No rows will come of this attempt."""
        self.node.assigned -= 1
        self.call.open_attempts -= 1
        self.call.attempt_failed(error, may_retry=may_retry)

    def withdraw(self) -> None:
        """It was not sent: the call may come back to this node as if it had never been here."""
        self.node.assigned -= 1
        call = self.call
        call.open_attempts -= 1
        call.tried = tuple(node for node in call.tried if node is not self.node)
