"""What a host says of itself."""

import json
import os
import platform
import shutil
import sys
import time
from pathlib import Path

from ring.hosts.agent.call import Answer, Call
from ring.hosts.agent.installations import installed_version
from ring.hosts.agent.place import Place
from ring.hosts.agent.services import APP, NODE
from ring.nodes.errors import NodesError
from ring.nodes.java import find_java_home
from ring.nodes.usage import machine_cpu_seconds, process_cpu_seconds

_CLUSTER_NAME = "cluster_name: "


def tell_facts(call: Call) -> None:
    """Answer all that `HostFacts` has but for the clock; then the time, for every line that comes.

    Seconds since 1970: whoever asks knows how long its line and the answer were under way.
    """
    call.exchange.answer(_read_facts(call))
    while call.exchange.payload.readline():
        call.exchange.answer({"time": time.time()})


def _read_facts(call: Call) -> Answer:
    place = call.place
    disk = shutil.disk_usage(_existing(place.data))
    node = call.service(NODE).state().process
    return {
        "free_disk_bytes": disk.free,
        "data_bytes": sum(_bytes_below(folder) for folder in place.data_folders),
        "installed_version": installed_version(place),
        "cluster_name": read_cluster_name(place),
        "node_runs": node is not None,
        "app_runs": call.service(APP).state().process is not None,
        "disk_bytes": disk.total,
        "cpu_seconds": machine_cpu_seconds(),
        "cpu_cores": os.cpu_count(),
        "node_cpu_seconds": process_cpu_seconds(node.pid) if node else None,
    }


def describe_machine(call: Call) -> Answer:
    """Return what decides whether Cassandra and the app can run here."""
    try:
        java_home, java_error = str(find_java_home()), ""
    except NodesError as error:
        java_home, java_error = "", f"{error}. {error.advice}"
    return {
        "machine": platform.machine(),
        "python": sys.implementation.cache_tag,
        "java_home": java_home,
        "java_error": java_error,
        "systemd": call.systemd,
    }


def read_cluster_name(place: Place) -> str | None:
    """Return the name in the node's configuration, which we wrote as JSON; None without one."""
    try:
        text = (place.conf / "cassandra.yaml").read_text(encoding="utf-8")
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith(_CLUSTER_NAME):
            return str(json.loads(line.removeprefix(_CLUSTER_NAME)))
    return None


def _existing(path: Path) -> Path:
    """Return the folder, or the nearest above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(parent, name).lstat().st_size
            except FileNotFoundError:
                # Cassandra removes files while they are counted.
                continue
    return total
