"""What a person sees while a load runs: a bar on a terminal, plain lines anywhere else."""

import sys
import time
from typing import Final, TextIO

_BAR_CELLS: Final = 30
_TERMINAL_SECONDS: Final = 0.2
_LINE_SECONDS: Final = 10.0


class Progress:
    """Reports stages and one long count. Writes to standard error unless told otherwise."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._total = 0
        self._done = 0
        self._started = 0.0
        self._shown = 0.0

    def say(self, text: str) -> None:
        """Report that a stage has ended, on a line of its own."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def begin(self, total: int) -> None:
        """Begin the count towards `total` rows."""
        self._total, self._done = total, 0
        self._started = self._shown = time.monotonic()

    def add(self, rows: int) -> None:
        """Count rows as done; shows the figure now and then."""
        self._done += rows
        now = time.monotonic()
        if now - self._shown >= (_TERMINAL_SECONDS if self._terminal else _LINE_SECONDS):
            self._shown = now
            self._show(now)

    def end(self) -> None:
        """Show the last figure."""
        self._show(time.monotonic())
        if self._terminal:
            self.say("")

    def _show(self, now: float) -> None:
        text = describe(self._done, self._total, now - self._started)
        if self._terminal:
            cells = _BAR_CELLS * self._done // max(self._total, 1)
            self._stream.write(f"\r[{'#' * cells:<{_BAR_CELLS}}] {text}\x1b[K")
            self._stream.flush()
        else:
            self.say(text)


def describe(done: int, total: int, seconds: float) -> str:
    """Return e.g. `12,000 of 100,000 rows, 8,000 rows/s, 0:11 left`."""
    rows_per_second = done / seconds if seconds > 0 else 0.0
    text = f"{done:,} of {total:,} rows, {rows_per_second:,.0f} rows/s"
    if 0 < done < total:
        left_seconds = round((total - done) / rows_per_second)
        text += f", {left_seconds // 60}:{left_seconds % 60:02d} left"
    return text
