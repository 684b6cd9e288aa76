"""What can go wrong with nodes and the local stack: each says why, and what to do about it."""


class NodesError(Exception):
    """The root of what `ring.nodes` raises.

    Attributes:
        advice: what the person at the terminal can do, in one or a few sentences.
    """

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class NodesSettingsError(NodesError):
    """A setting, or two of them together, cannot be used."""


class MissingProgramError(NodesError):
    """A program (Java 17, Maven, nginx) is not installed, or only in another version."""


class InstallError(NodesError):
    """Cassandra could not be installed; nothing half-installed is left behind."""


class PortTakenError(NodesError):
    """Another process already listens where one of ours should."""


class LockedError(NodesError):
    """Another process is at work on the same folder."""


class ProcessStopError(NodesError):
    """A process of ours is still there after SIGKILL."""


class RingStartError(NodesError):
    """A ring did not come up; what this call started has been stopped again."""


class NodeLeftError(RingStartError):
    """A node does not start because it has left its ring; `name` is the node's."""

    def __init__(self, name: str, message: str, *, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.name = name


class RingMismatchError(NodesError):
    """The ring on disk is another one than the ring that is asked for."""


class StageError(NodesError):
    """A stage of the local stack failed."""
