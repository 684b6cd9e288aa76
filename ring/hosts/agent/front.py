"""nginx on a host: rendered, tested, started or reloaded."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ring.hosts.agent.call import Answer, Call
from ring.hosts.agent.installations import use_installed
from ring.hosts.agent.packages import PYTHON, python_environment
from ring.hosts.agent.place import Place
from ring.hosts.agent.services import APP, NGINX, Service, ServicePlan, fingerprint
from ring.hosts.agent.wire import write_whole
from ring.nodes.errors import MissingProgramError, NodesError
from ring.nodes.probes import listens, nginx_figures
from ring.nodes.process import ProcessRecord, child_pids

COMMAND_SECONDS: Final = 30.0
ANSWERS_SECONDS: Final = 20.0
OLD_WORKERS_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05
STOP_SECONDS: Final = 20.0
_SERVER_LINE: Final = re.compile(r"^\s*server\s+\[?([0-9A-Fa-f.:]+?)\]?:\d+\s", re.MULTILINE)


class FrontError(NodesError):
    """nginx could not be given what was asked; it goes on with what it had."""


def render(call: Call) -> Answer:
    """Let nginx serve these app servers; return whether anything had to be done.

    Files that `nginx -t` refuses give way to those that it ran with. A reload loses no request: old
    workers finish theirs.

    Raises:
        FrontError: the files were refused, or nginx does not take them.
        MissingProgramError: nginx is not installed.
    """
    place, request, service = call.place, call.request, call.service(NGINX)
    if not place.installed(APP).is_dir():
        return {"needs_app": True, "changed": False}
    nginx = shutil.which("nginx")
    if nginx is None:
        raise MissingProgramError(
            "nginx is not installed", advice="Debian and Ubuntu: sudo apt-get install nginx"
        )
    before = _configuration(place)
    _render(place, request)
    command = _command(place, nginx)
    try:
        _run([*command, "-t", "-q"], _environment(), "nginx refuses its configuration")
    except FrontError:
        _restore(place, before)
        raise
    state = service.state()
    if state.process is None:
        _start(place, service, command, request)
    elif _loaded(place).get("configuration") != _digest(place):
        _reload(state.process)
    else:
        return {"needs_app": False, "changed": False}
    _note_loaded(place)
    return {"needs_app": False, "changed": True}


def members(call: Call) -> Answer:
    """Return the addresses that a running nginx sends requests to."""
    running = call.service(NGINX).state().process is not None
    return {"members": _loaded(call.place).get("members", []) if running else []}


def figures(call: Call) -> Answer:
    """Return nginx's own figures, as its status page has them."""
    return {"text": nginx_figures(int(call.request["status_port"]))}


def stop_front(call: Call) -> Answer:
    """Stop nginx."""
    call.service(NGINX).stop(timeout_seconds=STOP_SECONDS)
    _loaded_file(call.place).unlink(missing_ok=True)
    return {}


def _render(place: Place, request: Mapping[str, Any]) -> None:
    packages = use_installed(place, APP, NGINX)
    command = [*PYTHON, "-m", "nginx.render", str(place.nginx)]
    command += [*request["app_servers"], "--host", request["host"]]
    command += ["--port", str(request["port"]), "--status-port", str(request["status_port"])]
    command += ["--log-directory", str(place.log)]
    _run(command, python_environment(packages), "nginx's configuration could not be rendered")


def _start(place: Place, service: Service, command: list[str], request: Mapping[str, Any]) -> None:
    plan = ServicePlan(NGINX, tuple(command), _environment(), restart=True)
    service.start(plan, fingerprint(plan.script(place)))
    give_up_at = time.monotonic() + ANSWERS_SECONDS
    while not listens(request["host"], request["port"]):
        if time.monotonic() > give_up_at:
            raise FrontError(
                f"nginx does not listen at {request['host']}:{request['port']}",
                advice=f"Log: {place.log / 'nginx-error.log'}",
            )
        time.sleep(POLL_SECONDS)


def _reload(master: ProcessRecord) -> None:
    """Let the running nginx read its files anew; wait until only new workers take requests."""
    old = set(child_pids(master.pid))
    master.signal(signal.SIGHUP)
    give_up_at = time.monotonic() + ANSWERS_SECONDS
    while not set(child_pids(master.pid)) - old:
        if time.monotonic() > give_up_at or not master.alive:
            raise FrontError(
                "nginx started no workers with the new configuration",
                advice="Its error log says why; it goes on with what it had.",
            )
        time.sleep(POLL_SECONDS)
    # They take no new request; one with a long answer under way may stay until it has sent it.
    patient_until = time.monotonic() + OLD_WORKERS_SECONDS
    while old & set(child_pids(master.pid)) and time.monotonic() < patient_until:
        time.sleep(POLL_SECONDS)


def _command(place: Place, nginx: str) -> list[str]:
    conf = place.nginx / "conf" / "nginx.conf"
    return [
        nginx,
        "-e",
        str(place.log / "nginx-error.log"),
        "-p",
        str(place.nginx),
        "-c",
        str(conf),
    ]


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}


def _configuration(place: Place) -> dict[str, str]:
    folder = place.nginx / "conf"
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.conf"))}


def _restore(place: Place, before: dict[str, str]) -> None:
    for name in _configuration(place):
        if name not in before:
            (place.nginx / "conf" / name).unlink()
    for name, text in before.items():
        write_whole(place.nginx / "conf" / name, text)


def _digest(place: Place) -> str:
    return hashlib.sha256(json.dumps(_configuration(place)).encode()).hexdigest()


def _note_loaded(place: Place) -> None:
    """Note what nginx runs with: its files alone do not tell, after an interrupted reload."""
    text = _configuration(place)["upstream.conf"]
    loaded = {"configuration": _digest(place), "members": _SERVER_LINE.findall(text)}
    write_whole(_loaded_file(place), json.dumps(loaded))


def _loaded(place: Place) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = json.loads(_loaded_file(place).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return loaded


def _loaded_file(place: Place) -> Path:
    return place.run / "nginx.loaded.json"


def _run(command: list[str], environ: Mapping[str, str], failure: str) -> None:
    done = subprocess.run(
        command,
        env=dict(environ),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise FrontError(f"{failure}:\n{(done.stderr + done.stdout).strip()}")
