"""The commands that an operator's machine sends: one a run, as JSON on standard input."""

import sys
from collections.abc import Callable, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Final, cast

from ring.hosts.agent import app, facts, files, front, installations, node
from ring.hosts.agent.call import Answer, Call
from ring.hosts.agent.place import Place
from ring.hosts.agent.supervise import Supervisor
from ring.hosts.agent.wire import Exchange
from ring.nodes.errors import NodesError
from ring.nodes.locks import locked

LOCK_SECONDS: Final = 60.0
CHANGING: Final[Mapping[str, Callable[[Call], Answer]]] = {
    "missing": installations.find_missing,
    "install": installations.install,
    "start_node": node.start_node,
    "write_seeds": node.write_seeds,
    "stop_node": node.stop_node,
    "wipe_node": node.wipe_node,
    "start_app": app.start_app,
    "stop_app": app.stop_app,
    "render": front.render,
    "stop_front": front.stop_front,
}
"""Commands that change the host: one at a time."""
LOOKING: Final[Mapping[str, Callable[[Call], Answer | None]]] = {
    "machine": facts.describe_machine,
    "nodetool": node.nodetool,
    "load_sstables": node.load_sstables,
    "app_ready": app.app_ready,
    "members": front.members,
    "front_figures": front.figures,
    "read_log": files.read_log,
    "list_files": files.list_files,
    "hash_files": files.hash_files,
    "remove_files": files.remove_files,
    "receive_file": files.receive_file,
    # These two answer by themselves.
    "send_file": files.send_file,
    "facts": facts.tell_facts,
}


def main() -> int:
    """Run one command from standard input, or as a supervisor."""
    if sys.argv[1:2] == ["supervise"]:
        directory, name, how = sys.argv[2:]
        Supervisor(Place(Path(directory)), name, restart=how == "always").run()
        return 0
    # It is one, whatever its type says.
    source = cast("BufferedReader", sys.stdin.buffer)
    exchange = Exchange.begin(source, sys.stdout.buffer)
    try:
        answer = _carry_out(Call.of(exchange))
    except NodesError as error:
        answer = {"error": str(error), "advice": error.advice}
    except OSError as error:
        answer = {"error": str(error), "advice": "Check free disk space and permissions."}
    if answer is not None:
        exchange.answer(answer)
    return 0


def _carry_out(call: Call) -> Answer | None:
    name = str(call.request["do"])
    if name in LOOKING:
        return LOOKING[name](call)
    busy = "another command is at work on this host"
    with locked(call.place.lock, timeout_seconds=LOCK_SECONDS, busy=busy):
        # Who waited too long for its turn would be surprised by what is done later.
        return None if call.exchange.abandoned else CHANGING[name](call)
