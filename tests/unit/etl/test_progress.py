"""What a terminal shows and what a pipe gets."""

import io
import time
from typing import Any

import pytest

from etl.progress import LINE_SECONDS, Progress
from etl.record import LoadRecord, Work
from tests.support.hand_clock import HandClock


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def _screen(written: str) -> list[str]:
    """What a terminal shows after it was sent this: lines up, clear below, line feeds."""
    lines = [""]
    at = 0
    for piece in written.replace("\x1b[J", "\x00").split("\x1b["):
        text = piece
        if "A" in piece[:4] and piece[: piece.index("A")].isdecimal():
            up, text = piece.split("A", 1)
            at -= int(up)
        for one in text:
            if one == "\n":
                at += 1
                lines += [""] * (at + 1 - len(lines))
            elif one == "\x00":
                lines[at:] = [""]
            elif one != "\r":
                lines[at] += one
    return lines[:-1] if not lines[-1] else lines


def _progress(stream: io.StringIO, clock: HandClock) -> Progress:
    return Progress(stream, LoadRecord(clock=clock))


def test_pipe_when_a_stage_runs_long_then_a_line_every_few_seconds() -> None:
    """Nothing between, no control characters, and a sum at the end."""
    clock, stream = HandClock(), io.StringIO()
    progress = _progress(stream, clock)
    with progress.stage("write rows", work=Work.WRITE, total_rows=1000) as stage:
        for _ in range(48):
            clock.go(0.25)
            stage.add(rows=10)
            progress.look()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 12 // LINE_SECONDS + 1
    assert lines[0] == "write rows: 200 of 1,000 rows, 20 %, 40 rows/s, 0:20 left"
    assert lines[-1] == "write rows: 480 rows in 12.0 s (40 rows/s)"
    assert stream.getvalue().isprintable() or "\x1b" not in stream.getvalue()


def test_terminal_when_stages_overlap_then_a_bar_each_and_ended_ones_above(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bars are drawn in place; what is said meanwhile stays above them."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    clock, stream = HandClock(), Terminal()
    progress = _progress(stream, clock)
    with progress.stage("render", total_rows=200) as first:
        with progress.stage("write", total_rows=200) as second:
            for _ in range(4):
                clock.go(1)
                first.add(rows=25)
                second.add(rows=10)
                progress.look()
            shown = _screen(stream.getvalue())
            assert len(shown) == 2
            assert shown[0].startswith("render ")
            assert "[############------------] 100 of 200 rows, 50 %" in shown[0]
            assert "40 of 200 rows, 20 %, 10 rows/s, 0:16 left" in shown[1]
            progress.say("a word")
            assert [line[:6] for line in _screen(stream.getvalue())] == [
                "a word",
                "render",
                "write ",
            ]
        assert _screen(stream.getvalue())[1] == "write: 40 rows in 4.0 s (10 rows/s)"
    assert len(_screen(stream.getvalue())) == 3


def test_terminal_when_narrow_then_no_line_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrapped line could not be drawn over."""
    monkeypatch.setenv("TERM", "xterm")
    for columns in (20, 60, 80, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        clock, stream = HandClock(), Terminal()
        progress = _progress(stream, clock)
        with progress.stage("a stage with a very long name", total_bytes=10**12):
            clock.go(1)
            progress.look()
            assert max(map(len, _screen(stream.getvalue()))) < columns


def test_stage_when_its_name_moves_the_cursor_then_it_is_shown_as_text() -> None:
    """Names of files come from outside."""
    stream = io.StringIO()
    with _progress(stream, HandClock()).stage("read a\x1b[2J\nb.csv"):
        pass
    assert stream.getvalue() == "read a?[2J?b.csv: 0.0 s\n"


def test_stage_when_it_fails_then_told_as_stopped_and_recorded() -> None:
    """The report holds it all the same."""
    stream = io.StringIO()
    progress = _progress(stream, HandClock())

    def fail() -> None:
        with progress.stage("merge"):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert stream.getvalue() == "merge: stopped after 0.0 s\n"
    assert progress.record.stages[0].ended is not None


def test_add_when_stages_are_nested_then_the_innermost_counts() -> None:
    """Without a stage it is lost, as there is nothing to show."""
    progress = _progress(io.StringIO(), HandClock())
    progress.add(5)
    with progress.stage("outer") as outer, progress.stage("inner") as inner:
        progress.add(7)
    assert (outer.done.rows, inner.done.rows) == (0, 7)


def test_screen_when_nobody_looks_any_more_then_the_load_goes_on() -> None:
    """A closed pipe is no reason to stop a load."""

    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    progress = Progress(Closed())
    with progress.stage("s"):
        progress.look()
        progress.say("x")


def test_progress_when_entered_then_it_looks_by_itself_and_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread that is busy with one statement for long cannot show anything."""
    monkeypatch.setattr("etl.progress.LINE_SECONDS", 0.0)
    monkeypatch.setattr("etl.progress._LOOK_SECONDS", 0.01)
    stream = io.StringIO()
    with Progress(stream) as progress, progress.stage("long"):
        give_up_at = time.monotonic() + 20
        while "long: 0:" not in stream.getvalue():
            assert time.monotonic() < give_up_at
            time.sleep(0.01)
    looker: Any = progress._looker
    assert not looker.is_alive()
    assert progress.record.memory.peak_bytes > 10**6
