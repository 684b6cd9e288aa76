"""One Cassandra node on this machine, as ccm keeps it, with a process that is surely its own."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ring.nodes.nodetool import parse_status, run_nodetool
from ring.nodes.probes import cql_answers
from ring.nodes.process import ProcessRecord, command_line

SCRIPT_TIMEOUT_SECONDS = 30.0


class LocalNode:
    """A node of a local ring: address, ports, logs, process."""

    def __init__(self, ccm_node: Any, install_directory: Path) -> None:
        self._ccm_node = ccm_node
        self._install_directory = install_directory
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

    def process(self) -> ProcessRecord | None:
        """Return the node's process; None when it does not run."""
        return node_process(self.directory)

    def answers(self) -> bool:
        """Whether the node speaks CQL now."""
        return cql_answers(self.address, self.cql_port)

    def configure(self, options: Mapping[str, object], environ: Mapping[str, str]) -> None:
        """Write the node's configuration files anew; it reads them when it next starts."""
        for name, value in environ.items():
            self._ccm_node.set_environment_variable(name, value)
        self._ccm_node.set_configuration_options(dict(options))

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
        return run_nodetool(
            self._install_directory,
            self.jmx_port,
            *arguments,
            environ=self._ccm_node.get_env(),
            timeout_seconds=timeout_seconds,
        )

    def status(self, *, timeout_seconds: float = 60.0) -> dict[str, str]:
        """Return how this node sees the ring: address → "UN", "DN", …."""
        return parse_status(self.nodetool("status", timeout_seconds=timeout_seconds))


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
