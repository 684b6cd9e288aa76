"""What a load leaves Cassandra to do: CPU of its flushes and compactions afterwards."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.node import Node
from benchmarks.processes import TICKS_PER_SECOND

SAMPLE_SECONDS: Final = 1.0
# Compaction that rests for so long has ended: one leads to the next at once.
REST_SECONDS: Final = 20.0
REST_CPU_SECONDS: Final = 0.02
# Linux keeps 15 characters of a thread's name.
_COMPACTION: Final = "CompactionExecutor"[:15]
_FLUSH: Final = re.compile("MemtableFlushWr|PerDiskMemtable|MemtablePostFlu")


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What followed a load.

    Attributes:
        seconds: how long it was watched.
        compaction_cpu_seconds, flush_cpu_seconds: of the threads that do these.
        cassandra_cpu_seconds: of the whole node in that time, idling included.
        sstables, table_bytes: what the table is on disk in the end.
    """

    seconds: float
    compaction_cpu_seconds: float
    flush_cpu_seconds: float
    cassandra_cpu_seconds: float
    sstables: int
    table_bytes: int


def watch_aftermath(node: Node, keyspace: str, table: str, *, limit_seconds: float) -> Aftermath:
    """Flush what is in memory, have the table compacted as Cassandra sees fit, and watch.

    Ends after `limit_seconds`, or when compaction has rested for `REST_SECONDS`.
    """
    started = time.monotonic()
    whole_before = node.cpu_seconds()
    threads = ThreadTimes(node.pid)
    node.nodetool("flush", keyspace, table)
    # Asks for what is due now, which Cassandra else looks for each minute.
    node.nodetool("enableautocompaction", keyspace, table)
    rested_since, seen = time.monotonic(), 0.0
    while (now := time.monotonic()) - started < limit_seconds:
        threads.look()
        compaction = threads.spent(_COMPACTION)
        if compaction - seen > REST_CPU_SECONDS:
            rested_since, seen = now, compaction
        if now - rested_since > REST_SECONDS:
            break
        time.sleep(SAMPLE_SECONDS)
    threads.look()
    return Aftermath(
        seconds=time.monotonic() - started,
        compaction_cpu_seconds=threads.spent(_COMPACTION),
        flush_cpu_seconds=threads.spent(_FLUSH),
        cassandra_cpu_seconds=node.cpu_seconds() - whole_before,
        sstables=node.sstables(keyspace, table),
        table_bytes=node.disk_bytes(keyspace, table),
    )


class ThreadTimes:
    """CPU time of a process by the names of its threads, since this was made.

    What a thread did between the last look and its end is missed.
    """

    def __init__(self, pid: int) -> None:
        self._tasks = Path(f"/proc/{pid}/task")
        self._last: dict[str, float] = {}
        self._spent: dict[str, float] = {}
        self.look()
        self._spent.clear()

    def look(self) -> None:
        """Add up what the threads did since the last look."""
        for task in self._tasks.iterdir():
            try:
                name = (task / "comm").read_text(errors="replace").strip()
                fields = (task / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            used = (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
            spent = used - self._last.get(task.name, 0.0)
            self._spent[name] = self._spent.get(name, 0.0) + spent
            self._last[task.name] = used

    def spent(self, pattern: str | re.Pattern[str]) -> float:
        """Return the seconds of threads whose name begins like this."""
        return sum(used for name, used in self._spent.items() if re.match(pattern, name))
