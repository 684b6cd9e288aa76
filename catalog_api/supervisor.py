"""The supervisor: forks the workers, restarts one that dies, passes a stop on, gives up in time.

It has no event loop and starts no thread, so forking is safe. Signals are blocked and waited for;
a child restores them before it builds its own loop.
"""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from catalog_api.publication import Publication
from catalog_api.sockets import bind
from catalog_api.worker import Placement

_logger: Final = logging.getLogger(__name__)
_STOPS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_WAITED_FOR: Final = _STOPS | {signal.SIGCHLD}
_FIRST_BACK_OFF_SECONDS: Final = 0.1
_LONGEST_BACK_OFF_SECONDS: Final = 10.0
# A worker that lived this long was well; its successor starts at once.
_HEALTHY_SECONDS: Final = 10.0
# Above the grace period, for what a worker does after its last request.
_STOP_MARGIN_SECONDS: Final = 5.0

Work = Callable[[socket.socket, Placement], None]


@dataclass(slots=True)
class _Slot:
    """A place for one worker.

    Attributes:
        pid: of the worker that fills it; 0 while there is none.
        name: under which that worker publishes.
        back_off_seconds: wait before the next start, if this one dies young.
    """

    pid: int = 0
    name: str = ""
    started: float = 0.0
    due: float = 0.0
    back_off_seconds: float = _FIRST_BACK_OFF_SECONDS


class Supervisor:
    """Keeps a number of workers on one port.

    Args:
        work: what a worker does with its socket and its placement, until it is stopped.
        reserved: holds the port, bound and shared.
        workers: how many.
        publication: where they leave their figures.
        patience_seconds: how long a stop may take before workers are killed.
    """

    def __init__(
        self,
        work: Work,
        reserved: socket.socket,
        *,
        workers: int,
        publication: Publication,
        patience_seconds: float,
    ) -> None:
        self._work = work
        self._reserved = reserved
        self._publication = publication
        self._patience_seconds = patience_seconds + _STOP_MARGIN_SECONDS
        self._slots = [_Slot() for _ in range(workers)]
        self._starts = 0
        self._unblocked: set[int] = set()
        self._lifeline: tuple[int, int] = (-1, -1)

    def __repr__(self) -> str:
        return f"<Supervisor pids={[slot.pid for slot in self._slots]}>"

    def run(self) -> None:
        """Keep the workers alive until a stop is asked for and they have ended."""
        self._lifeline = os.pipe()
        self._unblocked = set(signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR))
        try:
            while True:
                self._start_due()
                if self._wait(self._seconds_to_next_start()) in _STOPS:
                    break
                self._reap(restart=True)
            self._stop()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._unblocked)
            for end in self._lifeline:
                os.close(end)

    @staticmethod
    def _wait(seconds: float) -> int | None:
        """Wait for a signal; return its number, or None when the time is over."""
        told = signal.sigtimedwait(_WAITED_FOR, max(0.0, seconds))
        return told.si_signo if told is not None else None

    def _seconds_to_next_start(self) -> float:
        dues = [slot.due for slot in self._slots if not slot.pid]
        # Deaths are told by SIGCHLD; one signal may stand for several, so look now and then.
        return min([due - time.monotonic() for due in dues] + [1.0])

    def _start_due(self) -> None:
        for slot in self._slots:
            if not slot.pid and slot.due <= time.monotonic():
                self._start(slot)

    def _start(self, slot: _Slot) -> None:
        slot.name = f"worker-{os.getpid()}-{self._starts}"
        self._starts += 1
        slot.started = time.monotonic()
        slot.pid = os.fork()
        if slot.pid:
            _logger.info("worker %d started", slot.pid)
            return
        status = 1
        try:
            self._become_worker(slot.name)
            status = 0
        except BaseException:
            _logger.exception("worker %d failed", os.getpid())
        finally:
            logging.shutdown()
            sys.stdout.flush()
            # Never back into the supervisor's frames: they are not this process's to leave.
            os._exit(status)

    def _become_worker(self, name: str) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._unblocked)
        os.close(self._lifeline[1])
        host, port = self._reserved.getsockname()[:2]
        with bind(host, port, shared=True) as listener:
            self._reserved.close()
            self._work(listener, Placement(name, self._publication, self._lifeline[0]))

    def _reap(self, *, restart: bool) -> None:
        for slot in self._slots:
            if not slot.pid:
                continue
            pid, status = os.waitpid(slot.pid, os.WNOHANG)
            if not pid:
                continue
            self._publication.retire(slot.name)
            slot.pid = 0
            if restart:
                self._back_off(slot, pid, os.waitstatus_to_exitcode(status))

    @staticmethod
    def _back_off(slot: _Slot, pid: int, exit_code: int) -> None:
        now = time.monotonic()
        if now - slot.started >= _HEALTHY_SECONDS:
            slot.back_off_seconds = _FIRST_BACK_OFF_SECONDS
        slot.due = now + slot.back_off_seconds
        _logger.error(
            "worker %d died with exit code %d; the next starts in %.1f s",
            pid,
            exit_code,
            slot.back_off_seconds,
        )
        slot.back_off_seconds = min(2 * slot.back_off_seconds, _LONGEST_BACK_OFF_SECONDS)

    def _stop(self) -> None:
        """Ask the workers to end; kill those that do not in time, all on a second request."""
        self._signal(signal.SIGTERM)
        give_up = time.monotonic() + self._patience_seconds
        self._reap(restart=False)
        while any(slot.pid for slot in self._slots):
            told = self._wait(min(1.0, give_up - time.monotonic()))
            if told in _STOPS or time.monotonic() >= give_up:
                _logger.warning("killing the workers that are left")
                self._signal(signal.SIGKILL)
            self._reap(restart=False)

    def _signal(self, number: signal.Signals) -> None:
        for slot in self._slots:
            if slot.pid:
                os.kill(slot.pid, number)
