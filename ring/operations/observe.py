"""What of an operation can be watched from outside: each step, with its outcome and its time."""

from typing import Literal, Protocol

Outcome = Literal["done", "skipped", "failed", "interrupted"]


class StepObserver(Protocol):
    """Hears of every step; must neither fail nor take time."""

    def on_step(self, operation: str, step: str, outcome: Outcome, seconds: float) -> None:
        """Hear what came of a step: the names of operation and step, and how long it took."""
        ...


class NoObserver:
    """Nobody watches."""

    def on_step(self, operation: str, step: str, outcome: Outcome, seconds: float) -> None:
        """Do nothing."""
