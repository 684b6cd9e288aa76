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
