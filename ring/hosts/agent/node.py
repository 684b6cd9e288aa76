"""The node of a host: configure, start, wipe, ask."""

import os
import shutil
from pathlib import Path
from typing import Final

from ring.hosts.agent.call import Answer, Call
from ring.hosts.agent.installations import use_installed
from ring.hosts.agent.place import Place
from ring.hosts.agent.services import NODE, ServicePlan, fingerprint
from ring.hosts.agent.wire import write_whole
from ring.nodes.bulk_loader import RingAccess, run_bulk_loader
from ring.nodes.errors import NodesError
from ring.nodes.java import find_java_home
from ring.nodes.nodetool import NodetoolError, nodetool_environment, run_nodetool

CASSANDRA: Final = "cassandra"
_SEEDS: Final = "seed_provider: "


def start_node(call: Call) -> Answer:
    """Write the node's configuration and start it from what is installed.

    One that runs is left alone: it reads its files only when it starts.
    """
    place, request, service = call.place, call.request, call.service(NODE)
    if service.state().process is not None:
        return {"started": False}
    java_home = find_java_home()
    write_whole(_java_file(place), str(java_home))
    home = use_installed(place, CASSANDRA, NODE)
    for folder in (*place.data_folders, place.node_log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place.conf, ignore_errors=True)
    shutil.copytree(home / "conf", place.conf)
    for name, text in request["conf"].items():
        write_whole(place.conf / name, text)
    environ = {
        **_base_environment(),
        **request["environ"],
        **_heap(int(request["heap_mib"])),
        "JAVA_HOME": str(java_home),
        "CASSANDRA_HOME": str(home),
        "CASSANDRA_CONF": str(place.conf),
        "JVM_EXTRA_OPTS": " ".join(request["jvm_arguments"]),
    }
    # -R: the account of the ssh connection runs it, whichever that is.
    command = [str(home / "bin" / "cassandra"), "-f", "-R"]
    command.append(f"-Dcassandra.logdir={place.node_log.parent}")
    plan = ServicePlan(NODE, tuple(command), environ, restart=False)
    service.start(plan, fingerprint(plan.script(place)))
    return {"started": True}


def write_seeds(call: Call) -> Answer:
    """Put another line of seeds into the node's configuration, where there is one."""
    file = call.place.conf / "cassandra.yaml"
    if file.exists():
        lines = file.read_text(encoding="utf-8").splitlines()
        changed = [call.request["line"] if line.startswith(_SEEDS) else line for line in lines]
        write_whole(file, "\n".join(changed) + "\n")
    return {}


def stop_node(call: Call) -> Answer:
    """Stop the node and wait until its process is gone."""
    call.service(NODE).stop(timeout_seconds=float(call.request["seconds"]))
    return {}


def wipe_node(call: Call) -> Answer:
    """Remove data, logs and configuration of a node that does not run.

    Raises:
        NodesError: it runs.
    """
    place = call.place
    if call.service(NODE).state().process is not None:
        raise NodesError("the node runs; its data stays", advice="Stop it first.")
    # Out of the way in one step: what an interrupted removal leaves is no node's data.
    for left in place.directory.glob(".wiped.*"):
        shutil.rmtree(left)
    if place.node.exists():
        wiped = place.directory / f".wiped.{os.getpid()}"
        place.node.rename(wiped)
        shutil.rmtree(wiped)
    return {}


def nodetool(call: Call) -> Answer:
    """Run one nodetool command of the version that the node was started from.

    Raises:
        NodesError: no answer in time, or an error.
    """
    request = call.request
    home = call.place.in_use(CASSANDRA, NODE)
    if not home.is_dir():
        raise NodetoolError("no node was ever started here", advice="Start the node first.")
    output = run_nodetool(
        home.resolve(),
        int(request["jmx_port"]),
        *request["arguments"],
        environ=nodetool_environment(home.resolve(), _java_home(call.place)),
        timeout_seconds=float(request["seconds"]),
    )
    return {"output": output}


def load_sstables(call: Call) -> Answer:
    """Stream a folder of the data to all nodes that keep its rows.

    Raises:
        NodesError: a node did not take it, or it took too long.
    """
    request = call.request
    access = dict(request["ring"])
    run_bulk_loader(
        call.place.in_use(CASSANDRA, NODE).resolve(),
        _java_home(call.place),
        call.place.of_data(request["folder"]),
        RingAccess(tuple(access.pop("contacts")), **access),
        timeout_seconds=float(request["seconds"]),
    )
    return {}


def _java_home(place: Place) -> Path:
    """Return the Java that the node was started with: to ask for one costs a start of its own."""
    try:
        return Path(_java_file(place).read_text(encoding="utf-8"))
    except OSError:
        return find_java_home()


def _java_file(place: Place) -> Path:
    return place.run / "java_home"


def _base_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "USER") if name in os.environ}


def _heap(heap_mib: int) -> dict[str, str]:
    """Return the heap to use; without a wish, what Cassandra itself would take of this machine."""
    if not heap_mib:
        memory_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2
        heap_mib = max(min(memory_mib // 2, 1024), min(memory_mib // 4, 8192))
    return {"MAX_HEAP_SIZE": f"{heap_mib}M", "HEAP_NEWSIZE": f"{heap_mib // 4}M"}
