import signal
from collections.abc import Iterator

import pytest

from ring.nodes.interrupts import interrupts_held


@pytest.fixture(autouse=True)
def interrupts_heeded() -> Iterator[None]:
    """As in a terminal: a shell starts what runs in its background with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_interrupt_when_held_then_comes_after_the_block() -> None:
    """The block runs to its end; then the interrupt is what it was."""
    reached = []

    def interrupted_block() -> None:
        with interrupts_held():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end")

    with pytest.raises(KeyboardInterrupt):
        interrupted_block()
    assert reached == ["the end"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_error_when_interrupts_are_held_then_handlers_are_given_back() -> None:
    """An error in the block leaves the handlers as they were."""
    before = signal.getsignal(signal.SIGTERM)

    def failing_block() -> None:
        with interrupts_held():
            assert signal.getsignal(signal.SIGTERM) is not before
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing_block()
    assert signal.getsignal(signal.SIGTERM) is before
