"""Where things are on a host: everything of ours is below one directory."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ring.nodes.errors import NodesError


@dataclass(frozen=True, slots=True)
class Place:
    """The folders below a host's directory.

    Attributes:
        directory: absolute. Readable by all, so that nginx's workers can read pages in it.
    """

    directory: Path

    @property
    def node(self) -> Path:
        """What belongs to the node and is removed when it is wiped."""
        return self.directory / "node"

    @property
    def conf(self) -> Path:
        """The node's configuration, written anew at each start."""
        return self.node / "conf"

    @property
    def data(self) -> Path:
        """The SSTables, in a folder a keyspace."""
        return self.node / "data"

    @property
    def data_folders(self) -> tuple[Path, ...]:
        """Everything that makes a node the one it is."""
        others = (self.commitlog, self.hints, self.saved_caches, self.changes)
        return (self.data, *others)

    @property
    def commitlog(self) -> Path:
        """Writes that are in no SSTable yet."""
        return self.node / "commitlog"

    @property
    def hints(self) -> Path:
        """Writes that wait for nodes that are down."""
        return self.node / "hints"

    @property
    def saved_caches(self) -> Path:
        """Keys of rows that were read often."""
        return self.node / "saved_caches"

    @property
    def changes(self) -> Path:
        """Cassandra makes it whether or not changes are captured."""
        return self.node / "cdc_raw"

    @property
    def node_log(self) -> Path:
        """The node's own log; `log/node.log` has what the JVM says before there is one."""
        return self.node / "logs" / "system.log"

    @property
    def nginx(self) -> Path:
        """The prefix of nginx."""
        return self.directory / "nginx"

    @property
    def run(self) -> Path:
        """Start scripts and records of processes."""
        return self.directory / "run"

    @property
    def log(self) -> Path:
        """What processes write on their standard output and error."""
        return self.directory / "log"

    @property
    def secrets(self) -> Path:
        """Files that only their owner can read."""
        return self.directory / "secrets"

    @property
    def lock(self) -> Path:
        """Held while something is changed on the host."""
        return self.run / "agent.lock"

    def installations(self, kind: str) -> Path:
        """Return the folder of all installations of `cassandra` or of the `app`."""
        return self.directory / kind

    def installed(self, kind: str) -> Path:
        """Return the link to what the next start takes."""
        return self.installations(kind) / "installed"

    def in_use(self, kind: str, service: str) -> Path:
        """Return the link to what a service was last started from."""
        return self.installations(kind) / f"in-use-by-{service}"

    def of_data(self, relative: str) -> Path:
        """Return a path below the data.

        Raises:
            NodesError: it would lead elsewhere.
        """
        path = PurePosixPath(relative)
        if path.is_absolute() or ".." in path.parts:
            raise NodesError(f"{relative!r} is not a path below the node's data")
        return self.data / path
