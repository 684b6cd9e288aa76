"""Settings of the local stack: environment, then settings file, then the defaults here.

The environment variable is `CATALOG_` and the field's name in upper case. `make` passes NODES,
DATA and CONTACT_POINTS on as CATALOG_NODES, CATALOG_DATA and CATALOG_CONTACT_POINTS. Names that
also stand in RingSettings mean the same thing.
"""

import dataclasses
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ring.nodes.install import VERSION
from ring.settings import load_settings, setting

RING_NAME = "catalog"
HEAP_MIB_ALONE = 1024
HEAP_MIB_AMONG_SEVERAL = 600
REPOSITORY = Path(__file__).parents[2]
# Installed as a wheel, the package stands among others: state belongs where the user is then.
STATE = (REPOSITORY if (REPOSITORY / "setup.cfg").exists() else Path.cwd()) / ".catalog"


@dataclass(frozen=True, slots=True)
class StackSettings:
    """What `make up` starts, and where."""

    nodes: int = setting(
        0,
        "Cassandra nodes of a new local ring, an app server beside each; 0: one, or as the ring on "
        "disk is",
    )
    data: str = setting("", "folder of CSV files to load; empty: a generated sample")
    contact_points: tuple[str, ...] = setting(
        (), "nodes of an existing Cassandra, separated by commas; none is started then"
    )
    replication_factor: int = setting(0, "copies of each row; 0: three, or one a node when fewer")
    sample_products: int = setting(1000, "products of the generated sample")
    state_directory: str = setting("", "folder of all state; empty: .catalog in the repository")
    cassandra_directory: str = setting(
        "", "an unpacked Cassandra tarball to start; empty: installed from Maven Central"
    )
    address_prefix: str = setting(
        "127.0.0.", "host N, for a node and its app server, is at this and N"
    )
    cql_port: int = setting(9042, "CQL port of every node")
    storage_port: int = setting(7000, "port of the traffic between nodes")
    jmx_port: int = setting(7100, "JMX port of host 1 on 127.0.0.1; host N takes the N-1st after")
    heap_mib: int = setting(0, "heap of a node; 0: 1024 for one node, 600 for several")
    jvm_arguments: str = setting(
        "", "given to every node's JVM besides those of its options file, separated by blanks"
    )
    session_secret: str = dataclasses.field(
        default="", repr=False, metadata={"doc": "of the app servers; see there"}
    )
    session_secret_file: str = setting(
        "", "of the app servers; empty, without a secret: one is made in the folder of all state"
    )
    app_port: int = setting(8080, "port of every app server")
    nginx_host: str = setting("127.0.0.1", "address that nginx listens on")
    nginx_port: int = setting(8000, "port that nginx listens on")
    nginx_status_port: int = setting(8001, "port of nginx's own figures, on 127.0.0.1 only")
    start_timeout_seconds: float = setting(300.0, "longest wait for the ring to come up")

    def __post_init__(self) -> None:
        if not 0 <= self.nodes <= 100:
            raise ValueError(f"CATALOG_NODES={self.nodes}: between 1 and 100")
        if self.replication_factor < 0 or self.sample_products < 1:
            raise ValueError("CATALOG_REPLICATION_FACTOR and CATALOG_SAMPLE_PRODUCTS: too small")
        for name in ("cql_port", "storage_port", "jmx_port", "app_port", "nginx_port"):
            if not 1 <= getattr(self, name) <= 65_535:
                raise ValueError(f"CATALOG_{name.upper()}: between 1 and 65535")
        try:
            loopback = all(ipaddress.IPv4Address(a).is_loopback for a in self.node_addresses)
        except ValueError as error:
            raise ValueError(f"CATALOG_ADDRESS_PREFIX={self.address_prefix!r}: {error}") from error
        if not loopback:
            raise ValueError(
                f"CATALOG_ADDRESS_PREFIX={self.address_prefix!r}: only loopback addresses (127.…);"
                " nodes of the local ring ask for no password"
            )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], **overrides: Any) -> "StackSettings":
        """Load from the environment and the settings file."""
        return load_settings(cls, environ, **overrides)

    def for_nodes(self, count: int) -> "StackSettings":
        """Return the same settings for a ring of so many nodes."""
        return dataclasses.replace(self, nodes=count)

    @property
    def node_count(self) -> int:
        """How many nodes a new ring gets; an existing Cassandra as many app servers."""
        return self.nodes or 1

    @property
    def ring_directory(self) -> Path:
        """The folder of the local ring."""
        return self.state / "ring"

    @property
    def node_addresses(self) -> tuple[str, ...]:
        """The loopback addresses of a new ring's nodes, in order."""
        return tuple(f"{self.address_prefix}{number}" for number in range(1, self.node_count + 1))

    @property
    def state(self) -> Path:
        """The folder that holds all state of this stack."""
        return Path(self.state_directory).absolute() if self.state_directory else STATE

    @property
    def install_directory(self) -> Path:
        """The Cassandra that local nodes run: the user's own tarball, or ours."""
        if self.cassandra_directory:
            return Path(self.cassandra_directory).absolute()
        return self.state / "cassandra" / VERSION

    @property
    def node_heap_mib(self) -> int:
        """The heap of each node."""
        return self.heap_mib or (HEAP_MIB_ALONE if self.node_count == 1 else HEAP_MIB_AMONG_SEVERAL)
