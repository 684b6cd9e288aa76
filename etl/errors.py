"""What stops a load. A bad row never does: it becomes a reject."""


class LoadError(Exception):
    """The root of everything that `etl` raises; the message is for the person who loads."""


class UsageError(LoadError):
    """The command line asks for what cannot be done (a directory that does not exist)."""


class SourceError(LoadError):
    """A file cannot be read as the legacy file of its name; the message names file and fault."""


class SourceDamagedError(SourceError):
    """A packed file or a Parquet file is cut off or corrupt; none of its rows may be trusted."""


class SourceChangedError(SourceError):
    """A file grew, shrank, changed or vanished while it was read. Nothing was written."""


class StoppedError(LoadError):
    """The load was interrupted while a thread read a file; nobody waits for it any more."""


class TooManyRejectsError(LoadError):
    """More rows were rejected than allowed. Nothing was written."""


class AccountError(LoadError):
    """Rows in do not equal rows loaded and rejected: a bug of ours, found before any write."""


class WriteError(LoadError):
    """Rows could not be written."""


class RefusedError(WriteError):
    """Cassandra refuses a row or a statement as it is; waiting would not help."""


class NotTakenError(WriteError):
    """No node took a good row for longer than the load waits: run it again."""
