import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ring.nodes.process import (
    ProcessRecord,
    command_line,
    proportional_bytes,
    stop_processes,
    wait_until_gone,
)

OUTLIVED = """
import ctypes, socket, threading, time
listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=time.sleep, args=(60,)).start()
print(1, flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(1, flush=True)
time.sleep(60)
"""


def start(code: str = "print(1, flush=True); import time; time.sleep(60)") -> subprocess.Popen[str]:
    """Start a Python that runs `code`, and return when it has said that it is ready."""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "1\n"
    return child


def finish(child: subprocess.Popen[str]) -> int:
    """Collect a child that has ended."""
    code = child.wait(timeout=10)
    assert child.stdout is not None
    child.stdout.close()
    return code


def test_record_when_written_and_read_then_same_process(tmp_path: Path) -> None:
    """A record survives on disk and still names the living process."""
    record = ProcessRecord.of(os.getpid())
    assert record is not None
    record.write(tmp_path / "own.json")
    read = ProcessRecord.read(tmp_path / "own.json")
    assert read == record
    assert read.alive


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', "123"])
def test_record_when_file_is_none_then_nothing(tmp_path: Path, text: str) -> None:
    """A cut or foreign file is no record, and no error."""
    (tmp_path / "bad.json").write_text(text, encoding="utf-8")
    assert ProcessRecord.read(tmp_path / "bad.json") is None
    assert ProcessRecord.read(tmp_path / "missing.json") is None


def test_record_when_id_was_given_to_another_process_then_never_signalled() -> None:
    """The same id with another start, or from another boot, is a stranger: it gets no signal."""
    child = start()
    record = ProcessRecord.of(child.pid)
    assert record is not None
    for stranger in (
        replace(record, start_ticks=record.start_ticks - 1),
        replace(record, boot_id="another boot"),
    ):
        assert not stranger.alive
        assert not stranger.signal(signal.SIGKILL)
    assert child.poll() is None
    stop_processes([record], timeout_seconds=10)
    assert finish(child) == -signal.SIGTERM


def test_zombie_when_looked_at_then_not_alive() -> None:
    """A process that has ended but was not collected yet does not run."""
    child = start("print(1, flush=True)")
    deadline = time.monotonic() + 10
    while ProcessRecord.of(child.pid) is not None:
        assert time.monotonic() < deadline
    finish(child)


def test_process_when_its_first_thread_ends_before_the_others_then_alive_until_they_end() -> None:
    """The kernel calls it a zombie while others of its threads still hold its ports."""
    child = start(OUTLIVED)
    record = ProcessRecord.of(child.pid)
    assert record is not None
    stat = Path(f"/proc/{child.pid}/stat")
    deadline = time.monotonic() + 10
    while stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert record.alive
    stop_processes([record], timeout_seconds=10)
    assert not record.alive
    finish(child)


def test_stop_when_process_ignores_sigterm_then_killed() -> None:
    """One that does not listen is ended all the same, after the time it was given."""
    child = start(STUBBORN)
    record = ProcessRecord.of(child.pid)
    assert record is not None
    stop_processes([record], timeout_seconds=0.2)
    assert not record.alive
    assert finish(child) == -signal.SIGKILL


def test_stop_when_process_is_frozen_then_ended() -> None:
    """A stopped process gets its SIGTERM, since it is let go on."""
    child = start()
    os.kill(child.pid, signal.SIGSTOP)
    record = ProcessRecord.of(child.pid)
    assert record is not None
    stop_processes([record], timeout_seconds=10)
    assert finish(child) == -signal.SIGTERM


def test_wait_when_process_goes_on_then_says_so() -> None:
    """Waiting ends at its deadline and tells that the process is still there."""
    record = ProcessRecord.of(os.getpid())
    assert record is not None
    assert not wait_until_gone([record], timeout_seconds=0.1)


def test_figures_of_a_process_when_it_runs_then_told_and_when_gone_then_empty() -> None:
    """Command line and memory are read from the kernel; a process that is gone has neither."""
    assert command_line(os.getpid())
    assert proportional_bytes(os.getpid()) > 1024**2
    child = start("print(1, flush=True)")
    finish(child)
    assert command_line(child.pid) == ()
    assert proportional_bytes(child.pid) == 0
