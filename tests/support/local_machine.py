"""A machine whose nodes are processes that do nothing: ccm, files and processes are real."""

import json
import shutil
from pathlib import Path

from ring.hosts.host import HostEntry
from ring.hosts.local_machine import LocalMachine
from ring.nodes import install
from ring.nodes.install import SOURCE, VERSION
from ring.nodes.settings import StackSettings

PREFIX = "127.0.71."
HOSTS = tuple(
    HostEntry(f"node{number}", f"{PREFIX}{number}", rack=f"rack{number}") for number in range(1, 5)
)
# Writes what it was asked with beside its process id, and stays until it is told to go.
_SCRIPT = """#!/bin/sh
while [ "$1" != -p ]; do shift; done
echo "$JVM_EXTRA_OPTS" > "$(dirname "$2")/asked"
setsid python3 -c 'import time; time.sleep(600)' "$@" < /dev/null > /dev/null 2>&1 &
echo $! > "$2"
"""


def idle_machine(directory: Path, *, versions: tuple[str, ...] = (VERSION,)) -> LocalMachine:
    """Return a machine with four hosts, each in a rack of its own, and installed "Cassandras"."""
    for version in versions:
        home = directory / "cassandra" / version
        shutil.copytree(SOURCE / "conf", home / "conf")
        shutil.copytree(SOURCE / "bin", home / "bin")
        (home / "bin" / "cassandra").write_text(_SCRIPT, encoding="ascii")
        (home / "bin" / "cassandra").chmod(0o755)
        (home / "0.version.txt").write_text(version + "\n", encoding="ascii")
        manifest = {"version": version, "source": install._source_fingerprint(), "jars": {}}
        (home / install.MANIFEST).write_text(json.dumps(manifest), encoding="ascii")
    settings = StackSettings(
        state_directory=str(directory),
        cql_port=7760,
        storage_port=7761,
        jmx_port=7762,
        app_port=7766,
    )
    machine = LocalMachine(settings, {}, "catalog", HOSTS)
    machine.java_home = Path("/nowhere/java")
    return machine
