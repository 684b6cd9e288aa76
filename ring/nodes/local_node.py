"""One Cassandra node on this machine, as ccm keeps it, with a process that is surely its own."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML comes with ccm, without types

from ring.hosts.host import HostEntry
from ring.nodes.nodetool import nodetool_environment, parse_status, run_nodetool
from ring.nodes.probes import cql_answers
from ring.nodes.process import ProcessRecord, command_line

SCRIPT_TIMEOUT_SECONDS = 30.0
SEED_PROVIDER = "org.apache.cassandra.locator.SimpleSeedProvider"


class LocalNode:
    """A node of a local ring: address, ports, logs, process."""

    def __init__(self, ccm_node: Any, entry: HostEntry, java_home: Path) -> None:
        self._ccm_node = ccm_node
        self._entry = entry
        self._java_home = java_home
        self.name: str = ccm_node.name
        self.address: str = ccm_node.network_interfaces["binary"][0]
        self.cql_port: int = int(ccm_node.network_interfaces["binary"][1])
        self.storage_port: int = int(ccm_node.network_interfaces["storage"][1])
        self.jmx_port = int(ccm_node.jmx_port)
        self.directory = Path(ccm_node.get_path())
        self.system_log = self.directory / "logs" / "system.log"
        self.startup_log = self.directory / "logs" / "startup.log"

    def __repr__(self) -> str:
        process = self.process()
        state = f"pid {process.pid}" if process else "stopped"
        return f"<LocalNode {self.name} {self.address}:{self.cql_port} {state}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalNode) and other.directory == self.directory

    def __hash__(self) -> int:
        return hash(self.directory)

    @property
    def joined(self) -> bool:
        """Whether it is known to be a member of its ring: nothing is left to bootstrap."""
        return not self._ccm_node.auto_bootstrap

    @property
    def version(self) -> str:
        """The Cassandra that it runs when it is next started."""
        return str(self._ccm_node.get_cassandra_version())

    @property
    def install_directory(self) -> Path:
        """Where that Cassandra lies."""
        return Path(self._ccm_node.get_install_dir())

    def process(self) -> ProcessRecord | None:
        """Return the node's process; None when it does not run."""
        return node_process(self.directory)

    def answers(self) -> bool:
        """Whether the node speaks CQL now; only a node that has joined its ring does."""
        return cql_answers(self.address, self.cql_port)

    def set_first_boot(self, *, auto_bootstrap: bool, initial_tokens: Sequence[int] = ()) -> None:
        """Say how an empty node becomes a member; one that need not bootstrap counts as one."""
        self._ccm_node.auto_bootstrap = auto_bootstrap
        self._ccm_node.initial_token = ",".join(map(str, initial_tokens)) or None
        self._ccm_node._save()  # noqa: SLF001  # what ccm itself calls after each change

    def set_version(self, install_directory: Path) -> None:
        """Let the node run another Cassandra from its next start on."""
        self._ccm_node.set_install_dir(str(install_directory))

    def configure(
        self, options: Mapping[str, object], environ: Mapping[str, str], seeds: Sequence[str]
    ) -> None:
        """Write the node's configuration files anew; it reads them when it next starts."""
        for name, value in environ.items():
            self._ccm_node.set_environment_variable(name, value)
        own = {**self._entry.settings, **_seed_option(seeds)}
        self._ccm_node.set_configuration_options({**options, **own})
        # After ccm, which copies the common file over it each time.
        rack = self.directory / "conf" / "cassandra-rackdc.properties"
        text = f"dc={self._entry.datacenter}\nrack={self._entry.rack}\n"
        rack.write_text(text, encoding="ascii")

    def write_seeds(self, seeds: Sequence[str]) -> None:
        """Name other seeds, for the next start; the file changes as a whole."""
        file = self.directory / "conf" / "cassandra.yaml"
        options = yaml.safe_load(file.read_text(encoding="utf-8")) | _seed_option(seeds)
        partial = file.with_suffix(".partial")
        partial.write_text(yaml.safe_dump(options), encoding="utf-8")
        partial.replace(file)

    def launch(self, jvm_arguments: list[str]) -> int:
        """Start the process and return how long `system.log` was before, in bytes; do not wait.

        Raises:
            ccmlib.node.NodeError: the launch script failed at once.
        """
        log_bytes = self.system_log.stat().st_size if self.system_log.exists() else 0
        # ccm remembers a bare process id, which may by now be another program's.
        self._ccm_node.pid = None
        script = self._ccm_node.start(
            wait_other_notice=False,
            wait_for_binary_proto=False,
            jvm_args=list(jvm_arguments),
            allow_root=os.geteuid() == 0,
        )
        # The node itself is no child of the script; ccm leaves both script and its output open.
        script.wait(timeout=SCRIPT_TIMEOUT_SECONDS)
        script.stderr_file.close()
        return log_bytes

    def nodetool(self, *arguments: str, timeout_seconds: float = 60.0) -> str:
        """Return the output of one nodetool command on this node (see `run_nodetool`)."""
        home = self.install_directory
        environ = nodetool_environment(home, self._java_home)
        return run_nodetool(
            home, self.jmx_port, *arguments, environ=environ, timeout_seconds=timeout_seconds
        )

    def status(self, *, timeout_seconds: float = 60.0) -> dict[str, str]:
        """Return how this node sees the ring: address → "UN", "DN", …."""
        return parse_status(self.nodetool("status", timeout_seconds=timeout_seconds))


def _seed_option(seeds: Sequence[str]) -> dict[str, object]:
    parameters = [{"seeds": ",".join(seeds)}]
    return {"seed_provider": [{"class_name": SEED_PROVIDER, "parameters": parameters}]}


def node_process(directory: Path) -> ProcessRecord | None:
    """Return the process of the node in a folder; None when it does not run.

    Its process id may by now be another program's, so the command line must name the folder too.
    """
    try:
        pid = int((directory / "cassandra.pid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    record = ProcessRecord.of(pid)
    own = f"-Dcassandra.logdir={directory / 'logs'}"
    return record if record is not None and own in command_line(pid) else None
