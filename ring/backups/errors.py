"""What can go wrong with backups: each says where, why, and what to do about it."""

from ring.nodes.errors import NodesError


class BackupError(NodesError):
    """A backup could not be made, read or restored."""


class StoreError(BackupError):
    """The place that keeps backups failed, or does not let us in."""


class NotInStoreError(StoreError):
    """Something is asked for that the place does not hold."""


class DamagedBackupError(BackupError):
    """What the place holds is not what was put there."""
