"""How `catalog-etl` ends, as the shell sees it."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit codes of every `catalog-etl` command."""

    CLEAN = 0
    REJECTS = 1
    """Finished; some rows were rejected."""
    USAGE = 2
    TOO_MANY_REJECTS = 3
    """Stopped by `--max-rejects` before anything was written."""
    FATAL = 4
    INTERRUPTED = 5

    @property
    def meaning(self) -> str:
        """What it says of a load, for `--help` and the report."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitStatus.CLEAN: "finished, no row rejected",
    ExitStatus.REJECTS: "finished, some rows rejected",
    ExitStatus.USAGE: "wrong usage or settings, nothing was done",
    ExitStatus.TOO_MANY_REJECTS: "more rejects than --max-rejects, nothing was written",
    ExitStatus.FATAL: "a file, the disk or Cassandra failed, run it again once that is mended",
    ExitStatus.INTERRUPTED: "interrupted (Ctrl-C, SIGTERM), run it again to finish",
}
