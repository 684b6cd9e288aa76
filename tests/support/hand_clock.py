"""A clock that only goes on when a test says so."""

from dataclasses import dataclass


@dataclass
class HandClock:
    """Seconds since nothing in particular."""

    now: float = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def go(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
