"""How fast a stage goes and how long it will take, in figures that a person may rely on."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from etl.record import Done, Stage

WINDOW_SECONDS: Final = 15.0
"""What counts as recent."""
SETTLED_SECONDS: Final = 3.0
"""Before a stage ran this long nothing is said of its end."""
_MEGA: Final = 1e6


@dataclass(slots=True)
class Pace:
    """The recent speed of one stage, from samples that its owner takes now and then."""

    stage: Stage
    _samples: deque[tuple[float, Done]] = field(default_factory=deque)
    _counted_at: float = 0.0

    def sample(self) -> None:
        """Note what is done by now."""
        now, done = self.stage.seconds, self.stage.done
        if not self._samples or self._samples[-1][1] != done:
            self._counted_at = now
        self._samples.append((now, done))
        while len(self._samples) > 2 and self._samples[1][0] <= now - WINDOW_SECONDS:
            self._samples.popleft()

    def recent(self) -> tuple[float, float]:
        """Return (rows, bytes) a second over the last `WINDOW_SECONDS`."""
        if not self._samples:
            return 0.0, 0.0
        (before, earlier), (now, later) = self._samples[0], self._samples[-1]
        if len(self._samples) == 1:
            before, earlier = 0.0, Done(0, 0)
        seconds = now - before
        if seconds <= 0:
            return 0.0, 0.0
        return (later.rows - earlier.rows) / seconds, (later.bytes - earlier.bytes) / seconds

    def left_seconds(self) -> float | None:
        """Return how long the stage will still take; None: that cannot be told.

        The slower of the recent rate and the rate of the whole stage is taken to go on, so that a
        burst promises nothing and a slow phase shows at once. When nothing was counted for longer
        than what was thought to be left, that thought was wrong.
        """
        if not self._samples:
            return None
        seconds, done = self._samples[-1]
        if seconds < SETTLED_SECONDS:
            return None
        rows_rate, bytes_rate = self.recent()
        total, count, recent = (
            (self.stage.total_rows, done.rows, rows_rate)
            if self.stage.total_rows
            else (self.stage.total_bytes, done.bytes, bytes_rate)
        )
        rate = min(recent, count / seconds)
        if not total or rate <= 0:
            return None
        left_seconds = max(total - count, 0) / rate
        silent_seconds = seconds - self._counted_at
        return None if silent_seconds > max(left_seconds, SETTLED_SECONDS) else left_seconds


def share_of(stage: Stage) -> float | None:
    """Return what share of the stage is done, 0 to 1; None where its total is not known."""
    done = stage.done
    if stage.total_rows:
        return min(done.rows / stage.total_rows, 1.0)
    if stage.total_bytes:
        return min(done.bytes / stage.total_bytes, 1.0)
    return None


def describe(pace: Pace) -> str:
    """Return e.g. `12,000 of 100,000 rows, 12 %, 8,000 rows/s, 0:11 left`."""
    stage = pace.stage
    done = stage.done
    share = share_of(stage)
    rows_rate, bytes_rate = pace.recent()
    parts: list[str] = []
    if stage.total_rows:
        parts.append(f"{done.rows:,} of {stage.total_rows:,} rows")
    elif done.rows:
        parts.append(f"{done.rows:,} rows")
    if stage.total_bytes:
        parts.append(f"{megabytes(done.bytes)} of {megabytes(stage.total_bytes)}")
    if share is not None:
        # Rounded down: 100 % is said when nothing is left.
        parts.append(f"{math.floor(share * 100)} %")
    if rows_rate:
        parts.append(f"{rows_rate:,.0f} rows/s")
    if bytes_rate:
        parts.append(f"{bytes_rate / _MEGA:,.1f} MB/s")
    parts.append(_ending(pace, share))
    return ", ".join(parts)


def _ending(pace: Pace, share: float | None) -> str:
    """What can honestly be said of the time that is left."""
    stage = pace.stage
    elapsed = f"{clock_time(stage.seconds)} so far"
    percent = stage.statement_percent
    statement = "" if percent is None else f"this statement {math.floor(percent)} %"
    if share is None:
        return f"{elapsed}, {statement or 'total unknown'}"
    if share >= 1:
        return ", ".join(filter(None, (elapsed, "finishing", statement)))
    left_seconds = pace.left_seconds()
    if left_seconds is None:
        return f"{elapsed}, time left unknown"
    return f"{clock_time(left_seconds)} left"


def summarise(stage: Stage) -> str:
    """Return what an ended stage did: `26,300 rows, 2.0 MB in 1.1 s (24,000 rows/s, 1.8 MB/s)`."""
    done, seconds = stage.done, stage.seconds
    counted = [f"{done.rows:,} rows"] if done.rows else []
    counted += [megabytes(done.bytes)] if done.bytes else []
    rates = [f"{done.rows / seconds:,.0f} rows/s"] if done.rows and seconds > 0 else []
    rates += [f"{done.bytes / seconds / _MEGA:,.1f} MB/s"] if done.bytes and seconds > 0 else []
    words = ", ".join(counted)
    text = f"{words} in {seconds:.1f} s" if words else f"{seconds:.1f} s"
    return f"{text} ({', '.join(rates)})" if rates else text


def megabytes(count: int) -> str:
    """Return a number of bytes in MB of a million."""
    return f"{count / _MEGA:,.1f} MB"


def clock_time(seconds: float) -> str:
    """Return `m:ss` or `h:mm:ss`, rounded up."""
    whole = math.ceil(seconds)
    hours, rest = divmod(whole, 3600)
    if hours:
        return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
    return f"{rest // 60}:{rest % 60:02d}"
