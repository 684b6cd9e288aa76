"""Runs Cassandra's own `nodetool` against one node and reads its answers."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ring.nodes.errors import NodesError

UP_NORMAL = "UN"
_HELP = "See 'nodetool help' or 'nodetool help <command>'."
_STATUS_LINE = re.compile(r"^([UD?][NLJMS?])\s+(\S+)")


class NodetoolError(NodesError):
    """nodetool did not finish in time, or ended with an error; the message has its output."""


def run_nodetool(
    install_directory: Path,
    jmx_port: int,
    *arguments: str,
    environ: Mapping[str, str],
    timeout_seconds: float = 60.0,
) -> str:
    """Return the output of one nodetool command.

    Raises:
        NodetoolError: no answer in time, or an error.
    """
    command = [str(install_directory / "bin" / "nodetool"), "-h", "127.0.0.1", "-p", str(jmx_port)]
    try:
        done = subprocess.run(
            [*command, *arguments],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NodetoolError(
            f"nodetool {' '.join(arguments)} did not finish in {timeout_seconds:.0f} s"
        ) from error
    if done.returncode != 0:
        # A refusal stands on the standard output; what else went wrong on the other.
        output = f"{done.stderr}\n{done.stdout}".replace(_HELP, "").strip()
        raise NodetoolError(f"nodetool {' '.join(arguments)} failed: {output[-500:]}")
    return done.stdout


def nodetool_environment(install_directory: Path, java_home: Path) -> dict[str, str]:
    """Return the environment in which an installation's nodetool finds its Java and itself."""
    return {
        **os.environ,
        "JAVA_HOME": str(java_home),
        "CASSANDRA_HOME": str(install_directory),
        "CASSANDRA_CONF": str(install_directory / "conf"),
        "CASSANDRA_INCLUDE": str(install_directory / "bin" / "cassandra.in.sh"),
    }


def parse_status(output: str) -> dict[str, str]:
    """Return address → state ("UN", "DN", "UJ", …) from the output of `nodetool status`."""
    matches = (_STATUS_LINE.match(line) for line in output.splitlines())
    return {match[2]: match[1] for match in matches if match}
