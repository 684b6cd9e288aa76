"""nginx before the app servers of this machine: rendered, tested, started, reloaded."""

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from ring.hosts.host import HostEntry
from ring.nodes.app_servers import app_server
from ring.nodes.errors import MissingProgramError, StageError
from ring.nodes.locks import locked
from ring.nodes.probes import OK, check_port, http_status
from ring.nodes.process import child_pids
from ring.nodes.service import Service, inherited_environment
from ring.nodes.settings import REPOSITORY, StackSettings

NGINX_TIMEOUT_SECONDS = 20.0
# After a reload: until the first new worker serves, and for the old ones to finish their requests.
RELOAD_SECONDS = 20.0
OLD_WORKERS_SECONDS = 10.0
COMMAND_TIMEOUT_SECONDS = 30.0
LOCK_SECONDS = 60.0
POLL_SECONDS = 0.05
UPSTREAM = "upstream.conf"
_SERVER = re.compile(r"^\s*server \[?([^\s\]]+?)\]?:\d+ ", re.MULTILINE)


def start_nginx(settings: StackSettings, addresses: Sequence[str], undo: ExitStack) -> bool:
    """Render, test and start nginx, or let the running one read a new configuration.

    A running one takes other app servers up without a pause: new workers serve them, the old ones
    finish the requests that they have.

    Args:
        settings: where it listens.
        addresses: of the app servers, one at least.
        undo: receives how to stop what this call starts.

    Returns:
        Whether anything had to be done.

    Raises:
        MissingProgramError, PortTakenError, StageError: why not. A configuration that nginx
            refuses is never put in the place of the one that it has.
    """
    lock = settings.state / "nginx.lock"
    busy = "another process is changing nginx's configuration"
    with locked(lock, timeout_seconds=LOCK_SECONDS, busy=busy):
        return _start_nginx(settings, addresses, undo)


def nginx_members(settings: StackSettings) -> tuple[str, ...]:
    """Return the addresses of the app servers that nginx serves; none when it does not run."""
    prefix = settings.state / "nginx"
    if nginx_service(settings, {}, prefix).process() is None:
        return ()
    return tuple(_SERVER.findall(_configuration(prefix).get(UPSTREAM, "")))


def nginx_environment() -> dict[str, str]:
    """Return nginx's environment: our settings would only look like a change, its files say all."""
    environ = inherited_environment()
    return {name: value for name, value in environ.items() if not name.startswith("CATALOG_")}


def nginx_service(settings: StackSettings, environ: Mapping[str, str], prefix: Path) -> Service:
    """Return the nginx of this stack, with its configuration below `prefix`."""
    command = ["nginx", "-e", str(settings.state / "log" / "nginx-error.log")]
    command += ["-p", str(prefix), "-c", str(prefix / "conf" / "nginx.conf")]
    return Service(
        name="nginx",
        command=tuple(command),
        environ=environ,
        directory=prefix,
        state=settings.state,
    )


def check_front_ports(settings: StackSettings, hosts: Sequence[HostEntry]) -> None:
    """Refuse at once what would fail only after Cassandra has come up.

    Raises:
        PortTakenError: another process listens where an app server or nginx should.
    """
    for host in hosts:
        service = app_server(settings, {}, host, ())
        if service.process() is None:
            check_port(host.address, settings.app_port, f"the app server {service.name}")
    if nginx_service(settings, {}, settings.state / "nginx").process() is None:
        check_port(settings.nginx_host, settings.nginx_port, "nginx")
        check_port("127.0.0.1", settings.nginx_status_port, "nginx (stub_status)")


def _start_nginx(settings: StackSettings, addresses: Sequence[str], undo: ExitStack) -> bool:
    environ = nginx_environment()
    trial = settings.state / "nginx-trial"
    _render(settings, trial, addresses, environ)
    _check_configuration(nginx_service(settings, environ, trial), environ)
    shutil.rmtree(trial)
    prefix = settings.state / "nginx"
    before = _configuration(prefix)
    _render(settings, prefix, addresses, environ)
    changed = {name for name, text in _configuration(prefix).items() if before.get(name) != text}
    service = nginx_service(settings, environ, prefix)
    if service.runs_as_asked() and changed <= {UPSTREAM}:
        if changed:
            _reload(service)
        if _nginx_answers(settings):
            return bool(changed)
    service.stop()
    check_port(settings.nginx_host, settings.nginx_port, "nginx")
    check_port("127.0.0.1", settings.nginx_status_port, "nginx (stub_status)")
    undo.callback(service.stop)
    service.start(answers=lambda: _nginx_answers(settings), timeout_seconds=NGINX_TIMEOUT_SECONDS)
    return True


def _reload(service: Service) -> None:
    """Let the running nginx read its files, and wait until only new workers take requests.

    Raises:
        StageError: no new worker came; the old ones go on as before.
    """
    master = service.process()
    if master is None:
        return
    old = set(child_pids(master.pid))
    master.signal(signal.SIGHUP)
    deadline = time.monotonic() + RELOAD_SECONDS
    while not set(child_pids(master.pid)) - old:
        if time.monotonic() > deadline:
            raise StageError(
                f"nginx did not take its new configuration in {RELOAD_SECONDS:.0f} s",
                advice=f"Read {service.state / 'log' / 'nginx-error.log'}.",
            )
        time.sleep(POLL_SECONDS)
    # They take no new request; one with a long answer under way may stay until it has sent it.
    deadline = time.monotonic() + OLD_WORKERS_SECONDS
    while old & set(child_pids(master.pid)) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _render(
    settings: StackSettings, prefix: Path, addresses: Sequence[str], environ: Mapping[str, str]
) -> None:
    """Render as a program of its own: `nginx` stands above `ring`, so it cannot be imported."""
    command = [sys.executable, "-m", "nginx.render", str(prefix)]
    command += [f"{address}:{settings.app_port}" for address in addresses]
    command += ["--host", settings.nginx_host, "--port", str(settings.nginx_port)]
    command += ["--status-port", str(settings.nginx_status_port)]
    command += ["--log-directory", str(settings.state / "log")]
    _run(command, environ, "nginx's configuration could not be rendered")


def _check_configuration(service: Service, environ: Mapping[str, str]) -> None:
    try:
        _run([*service.command, "-t", "-q"], environ, "nginx refuses its configuration")
    except FileNotFoundError as error:
        raise MissingProgramError(
            "nginx is not installed", advice="Debian and Ubuntu: sudo apt-get install nginx"
        ) from error


def _run(command: list[str], environ: Mapping[str, str], failure: str) -> None:
    try:
        done = subprocess.run(
            command,
            env=dict(environ),
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StageError(f"{failure}: no end after {COMMAND_TIMEOUT_SECONDS:.0f} s") from error
    if done.returncode != 0:
        output = (done.stderr + done.stdout).strip()
        raise StageError(f"{failure}:\n{output}", advice="Command: " + " ".join(command))


def _nginx_answers(settings: StackSettings) -> bool:
    host, port = settings.nginx_host, settings.nginx_port
    return (
        http_status(host, port, "/") == OK
        and http_status(host, port, "/readyz", timeout_seconds=5) == OK
    )


def _configuration(prefix: Path) -> dict[str, str]:
    files = sorted((prefix / "conf").glob("*.conf"))
    return {path.name: path.read_text(encoding="utf-8") for path in files}
