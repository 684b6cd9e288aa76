"""The engine: what is run, what is skipped, what is said of a failure."""

import asyncio
import dataclasses
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from ring.hosts.errors import HostError
from ring.operation_lock import OperationLockLostError
from ring.operations.context import Context
from ring.operations.errors import OperationError, Refusal, RefusedError
from ring.operations.journal import Journal
from ring.operations.steps import FAULT_VARIABLE, Step, _Run, fault_points, run_operation
from ring.operations.view import RingView
from tests.support.ring_views import node_of, owed_by, view_of


class _Context:
    """Keeps what is said, observed and noted; the ring is what the test makes of it."""

    def __init__(self) -> None:
        self.view = view_of(node_of(1))
        self.said: list[str] = []
        self.outcomes: list[tuple[str, str, str]] = []
        self.noted: list[tuple[str, str]] = []
        self.observer = self
        self.reader = self
        self.ring = None
        self.lock_is_lost = False

    def say(self, line: str) -> None:
        self.said.append(line)

    def require_lock(self) -> None:
        if self.lock_is_lost:
            raise OperationLockLostError("the lock was not renewed")

    async def read_view(self, *, strict: bool = True) -> RingView:
        del strict
        return self.view

    async def read(self) -> RingView:
        return self.view

    def on_step(self, operation: str, step: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0.0
        self.outcomes.append((operation, step, outcome))

    async def write(
        self,
        step: str,
        outcome: str,
        *,
        seconds: float = 0.0,
        detail: str = "",
        streamed_bytes: int = 0,
    ) -> None:
        assert streamed_bytes == 0
        del seconds, detail
        self.noted.append((step, outcome))


@dataclasses.dataclass
class _Operation:
    """One that does what the test gives it."""

    all_steps: Sequence[Step] = ()
    refused: Sequence[Refusal] = ()
    name: str = "try"
    purpose: str = "try it"
    step_names: tuple[str, ...] = ("one", "two", "three")
    lease_seconds: float = 60.0

    async def refusals(self, context: Context, view: RingView) -> Sequence[Refusal]:
        del context, view
        return self.refused

    def steps(self, context: Context, view: RingView) -> Sequence[Step]:
        del context, view
        return self.all_steps


def _step(name: str, run: Callable[[], Any], *, is_done: bool = False) -> Step:
    async def act() -> None:
        outcome = run()
        if asyncio.iscoroutine(outcome):
            await outcome

    return Step(name, f"do {name}", lambda _view: is_done, act, meanwhile="It goes on.")


async def _run(context: _Context, *steps: Step) -> None:
    operation = _Operation(steps)
    await _Run(cast(Context, context), operation, cast(Journal, context)).run(steps)


def _raise(error: Exception) -> None:
    raise error


async def test_steps_when_some_are_done_then_only_the_others_run() -> None:
    """In their order; observer and journal hear of it."""
    context = _Context()
    ran: list[str] = []
    await _run(
        context,
        _step("one", lambda: ran.append("one"), is_done=True),
        _step("two", lambda: ran.append("two")),
        _step("three", lambda: ran.append("three")),
    )
    assert ran == ["two", "three"]
    assert context.outcomes == [
        ("try", "one", "skipped"),
        ("try", "two", "done"),
        ("try", "three", "done"),
    ]
    assert context.noted == [
        (step, outcome) for step in ("two", "three") for outcome in ("begun", "done")
    ]


async def test_steps_when_one_changes_the_ring_then_the_next_is_decided_on_the_new_one() -> None:
    """Not on what was true when the plan was made."""
    context = _Context()

    def owe() -> None:
        context.view = view_of(node_of(1), cleanups=(owed_by(1, taken_by="127.0.0.2"),))

    ran: list[str] = []

    async def clean() -> None:
        ran.append("two")

    await _run(
        context,
        _step("one", owe),
        Step("two", "clean up", lambda view: not view.cleanups, clean),
    )
    assert ran == ["two"]


async def test_step_when_it_fails_then_its_name_reason_and_what_to_do() -> None:
    """What follows is not tried."""
    context = _Context()
    error = HostError("node2: no room", advice="Make room.")
    ran: list[str] = []
    with pytest.raises(OperationError, match="two: node2: no room") as caught:
        await _run(
            context,
            _step("two", lambda: _raise(error)),
            _step("three", lambda: ran.append("three")),
        )
    assert caught.value.advice.startswith("Make room. Then run the same command again")
    assert caught.value.__cause__ is error
    assert ran == []
    assert context.outcomes == [("try", "two", "failed")]


async def test_step_when_the_lock_was_lost_then_it_does_not_begin() -> None:
    """This process stood still, and somebody else may be at work."""
    context = _Context()
    context.lock_is_lost = True
    with pytest.raises(OperationLockLostError):
        await _run(context, _step("one", lambda: pytest.fail("run")))


async def test_step_when_it_refuses_then_as_preflight_does() -> None:
    """With the exit code of a refusal."""
    refused = RefusedError([Refusal("ranges are pending", "Wait.")])
    with pytest.raises(RefusedError, match="ranges are pending"):
        await _run(_Context(), _step("two", lambda: _raise(refused)))


async def test_step_when_interrupted_then_what_goes_on_is_said() -> None:
    """And the interrupt arrives."""
    context = _Context()
    running = asyncio.create_task(_run(context, _step("two", lambda: asyncio.sleep(60))))
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert context.said[-1] == "Stopped in the step two (do two). It goes on."
    assert context.noted[-1] == ("two", "interrupted")


async def test_operation_when_refused_then_every_reason_and_nothing_else() -> None:
    """Not only the first; the same advice once."""
    refusals = [Refusal("a", "Do this."), Refusal("b", "Do this."), Refusal("c", "Do that.")]
    operation = _Operation((_step("one", lambda: pytest.fail("run")),), refusals)
    with pytest.raises(RefusedError) as caught:
        await run_operation(cast(Context, _Context()), operation)
    assert str(caught.value) == "a\nb\nc"
    assert caught.value.advice == "Do this.\nDo that."


async def test_operation_when_dry_then_plan_and_no_lock() -> None:
    """Of what follows a step that is to be done, nothing is claimed."""
    context = _Context()
    steps = (
        _step("one", lambda: pytest.fail("run"), is_done=True),
        _step("two", lambda: pytest.fail("run")),
        _step("three", lambda: pytest.fail("run"), is_done=True),
    )
    await run_operation(cast(Context, context), _Operation(steps), dry_run=True)
    assert [line.split() for line in context.said] == [
        ["1/3", "one", "do", "one", "(done", "already)"],
        ["2/3", "two", "do", "two"],
        ["3/3", "three", "do", "three"],
    ]


async def test_step_when_its_name_was_not_announced_then_refused_to_run() -> None:
    """The list of fault points must be whole."""
    with pytest.raises(AssertionError, match="four is no step of try"):
        await _run(_Context(), _step("four", lambda: None))


def test_fault_points_when_listed_then_before_each_step_and_around_the_lock() -> None:
    """What tests kill an operation at."""
    assert fault_points(_Operation()) == (
        "try.lock",
        "try.one",
        "try.two",
        "try.three",
        "try.unlock",
    )


def test_fault_point_when_reached_then_the_process_is_killed() -> None:
    """As the kernel would do it: nothing is tidied up."""
    program = (
        "from ring.operations.steps import reach\n"
        "reach('try.two')\nprint('between')\nreach('try.one')\nprint('after')"
    )
    done = subprocess.run(
        [sys.executable, "-uc", program],
        env={FAULT_VARIABLE: "try.one"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == "between\n"
