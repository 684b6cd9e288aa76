import signal

import pytest

from ring.nodes.interrupts import interrupts_held


def test_interrupt_when_held_then_comes_after_the_block() -> None:
    """The block runs to its end; then the interrupt is what it was."""
    reached_end = False
    with pytest.raises(KeyboardInterrupt), interrupts_held():
        signal.raise_signal(signal.SIGINT)
        reached_end = True
    assert reached_end
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_error_when_interrupts_are_held_then_handlers_are_given_back() -> None:
    """An error in the block leaves the handlers as they were."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ZeroDivisionError), interrupts_held():
        assert signal.getsignal(signal.SIGTERM) is not before
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGTERM) is before
