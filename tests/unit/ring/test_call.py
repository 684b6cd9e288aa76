"""The state machine of a call, without any wire."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from ring import Consistency, RingRequestError, RingTimeoutError, RingUnavailableError, Statement
from ring.bound import Bound
from ring.call import FIRST, RETRY, SPECULATIVE, Attempt, Call, LiveRoute
from ring.telemetry import NodeTelemetry
from ring.transport import Endpoint, Page, Prepared, ServerError, TransportError

PAGE = Page([(1,)], None)
LOST = TransportError("lost")


@dataclass(eq=False)
class FakeNode:
    """What an attempt touches of a node."""

    endpoint: Endpoint = field(default_factory=lambda: Endpoint("10.0.0.1"))
    assigned: int = 0
    telemetry: NodeTelemetry = field(default_factory=NodeTelemetry)


class Dispatched(list[tuple[Call, str]]):
    """Takes what a call asks to be sent next."""

    def __call__(self, call: Call, kind: str) -> None:
        """Note it."""
        self.append((call, kind))


def _call(dispatch: Dispatched, *, idempotent: bool = True, deadline_at: float = 10.0) -> Call:
    statement = Statement("read", "SELECT 1", Consistency.ONE, idempotent=idempotent)
    prepared = Prepared("SELECT 1", 4, b"id", None, (), (), (), (), single_bigint=False)
    return Call(
        asyncio.get_running_loop().create_future(),
        Bound(statement, prepared, None),
        b"",
        None,
        None,
        LiveRoute((), ()),
        deadline_at,
        dispatch,
    )


def _attempt(call: Call, node: FakeNode, kind: str = FIRST) -> Attempt:
    return Attempt(call, cast("Any", node), kind, 0.0)


async def test_call_when_two_attempts_succeed_then_first_answer_counts_and_places_are_free() -> (
    None
):
    """The second read was faster: a win, and the late reply is dropped."""
    call, slow, fast = _call(Dispatched()), FakeNode(), FakeNode()
    first, second = _attempt(call, slow), _attempt(call, fast, SPECULATIVE)
    assert (slow.assigned, fast.assigned, call.open_attempts) == (1, 1, 2)
    second.succeed(PAGE)
    first.succeed(Page([], None))
    assert call.future.result() is PAGE
    assert (slow.assigned, fast.assigned, call.open_attempts) == (0, 0, 0)
    assert fast.telemetry.speculative_wins == 1


async def test_call_when_attempt_fails_and_may_be_retried_then_next_node_is_asked() -> None:
    """The error is kept as the cause of what may come."""
    dispatched = Dispatched()
    call = _call(dispatched)
    _attempt(call, FakeNode()).fail(LOST, may_retry=True)
    assert dispatched == [(call, RETRY)]
    assert call.last_error is LOST
    assert not call.future.done()


async def test_call_when_attempt_fails_for_good_then_other_open_attempt_may_still_answer() -> None:
    """The call ends with the last attempt, not with the first that fails."""
    dispatched = Dispatched()
    call = _call(dispatched)
    first, second = _attempt(call, FakeNode()), _attempt(call, FakeNode(), SPECULATIVE)
    first.fail(LOST, may_retry=False)
    assert not call.future.done()
    second.succeed(PAGE)
    assert call.future.result() is PAGE
    assert dispatched == []


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (ServerError(0x2200, "InvalidRequest", "no such column", None), RingRequestError),
        (ServerError(0x1100, "WriteTimeout", "too late", None), RingUnavailableError),
        (LOST, RingUnavailableError),
    ],
)
async def test_call_when_last_attempt_fails_for_good_then_our_error_with_its_cause(
    error: TransportError, ours: type[Exception]
) -> None:
    """A fault of the statement is told from one of the nodes."""
    call = _call(Dispatched())
    _attempt(call, FakeNode()).fail(error, may_retry=False)
    raised = call.future.exception()
    assert type(raised) is ours
    assert raised.__cause__ is error


@pytest.mark.parametrize("may_retry", [True, False])
async def test_call_when_caller_has_gone_then_nothing_more_is_sent(*, may_retry: bool) -> None:
    """A cancelled call frees its place when its reply comes, and that is all."""
    dispatched, node = Dispatched(), FakeNode()
    call = _call(dispatched)
    attempt = _attempt(call, node)
    call.future.cancel()
    attempt.fail(LOST, may_retry=may_retry)
    assert dispatched == []
    assert node.assigned == 0


async def test_call_when_deadline_passes_then_time_out_names_who_was_asked() -> None:
    """Exactly at the deadline, not before."""
    call = _call(Dispatched(), deadline_at=5.0)
    _attempt(call, FakeNode())
    assert not call.expire(4.999)
    assert call.expire(5.0)
    with pytest.raises(RingTimeoutError, match=r"10\.0\.0\.1"):
        call.future.result()


async def test_attempt_when_withdrawn_then_call_may_come_back_to_the_node() -> None:
    """It was never sent, so it was never tried."""
    call, node = _call(Dispatched()), FakeNode()
    _attempt(call, node).withdraw()
    assert (node.assigned, call.open_attempts, call.tried) == (0, 0, ())
