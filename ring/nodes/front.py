"""The tiers before Cassandra on this machine: an app server beside each node, nginx before all."""

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from ring.nodes.errors import MissingProgramError, PortTakenError, StageError
from ring.nodes.probes import can_bind, http_status, port_holder
from ring.nodes.service import Service, inherited_environment
from ring.nodes.settings import REPOSITORY, StackSettings
from ring.settings import RingSettings

APP_TIMEOUT_SECONDS = 40.0
NGINX_TIMEOUT_SECONDS = 20.0
COMMAND_TIMEOUT_SECONDS = 30.0
OK = 200
# Settings that a child takes from its command line or from us, never from the caller.
_OWN = ("CATALOG_NODES", "CATALOG_DATA", "CATALOG_HOST", "CATALOG_PORT", "CATALOG_LOCAL_ADDRESS")


def program_environment(settings: StackSettings, ring_settings: RingSettings) -> dict[str, str]:
    """Return the environment in which our own programs reach the ring that this stack uses."""
    environ = {key: value for key, value in inherited_environment().items() if key not in _OWN}
    environ["CATALOG_CONTACT_POINTS"] = ",".join(ring_settings.contact_points)
    environ["CATALOG_CQL_PORT"] = str(settings.cql_port)
    environ["PYTHONUNBUFFERED"] = "1"
    return environ


def app_servers(settings: StackSettings, ring_settings: RingSettings) -> tuple[Service, ...]:
    """Return the app server of each node; the node beside it is the first that it asks."""
    environ = program_environment(settings, ring_settings)
    if not settings.session_secret and not settings.session_secret_file:
        environ["CATALOG_SESSION_SECRET_FILE"] = str(session_secret_file(settings))
    services = []
    for number, address in enumerate(settings.node_addresses, start=1):
        own = {"CATALOG_HOST": address, "CATALOG_PORT": str(settings.app_port)}
        # Its workers' figures; two app servers must not share the folder.
        own["CATALOG_RUN_DIRECTORY"] = str(settings.state / "run" / f"app{number}")
        if not settings.contact_points:
            others = [other for other in settings.node_addresses if other != address]
            own["CATALOG_LOCAL_ADDRESS"] = address
            own["CATALOG_CONTACT_POINTS"] = ",".join([address, *others])
        services.append(
            Service(
                name=f"app{number}",
                command=(sys.executable, "-m", "catalog_api"),
                environ={**environ, **own},
                directory=REPOSITORY,
                state=settings.state,
            )
        )
    return tuple(services)


def session_secret_file(settings: StackSettings) -> Path:
    """Return where the stack keeps the secret that signs session cookies."""
    return settings.state / "session.secret"


def keep_session_secret(settings: StackSettings) -> None:
    """Make the secret of all app servers of this stack, once; only its owner can read it."""
    file = session_secret_file(settings)
    if settings.session_secret or settings.session_secret_file or file.exists():
        return
    # Whole or not at all: an app server refuses half a secret.
    unfinished = file.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
        new.write(secrets.token_urlsafe() + "\n")
    unfinished.rename(file)


def start_app_server(service: Service, undo: ExitStack) -> bool:
    """Start an app server, or start it anew with other settings; return whether it was started.

    Raises:
        PortTakenError, StageError: why not.
    """
    address = service.environ["CATALOG_HOST"]
    port = int(service.environ["CATALOG_PORT"])
    if service.runs_as_asked() and http_status(address, port, "/readyz") == OK:
        return False
    service.stop()
    check_port(address, port, service.name)
    undo.callback(service.stop)
    service.start(
        answers=lambda: http_status(address, port, "/readyz") == OK,
        timeout_seconds=APP_TIMEOUT_SECONDS,
    )
    return True


def start_nginx(settings: StackSettings, undo: ExitStack) -> str:
    """Render, test and start nginx, or let the running one read a new configuration.

    Returns:
        What was done, in a few words.

    Raises:
        MissingProgramError, PortTakenError, StageError: why not.
    """
    environ = inherited_environment()
    # All that nginx is told stands in its files; our settings would only look like a change.
    environ = {name: value for name, value in environ.items() if not name.startswith("CATALOG_")}
    before = _configuration(settings)
    _render(settings, environ)
    service = nginx_service(settings, environ)
    _check_configuration(service, environ)
    unchanged = before == _configuration(settings)
    if service.runs_as_asked() and unchanged and _nginx_answers(settings):
        return "runs already"
    service.stop()
    check_port(settings.nginx_host, settings.nginx_port, "nginx")
    check_port("127.0.0.1", settings.nginx_status_port, "nginx (stub_status)")
    undo.callback(service.stop)
    service.start(answers=lambda: _nginx_answers(settings), timeout_seconds=NGINX_TIMEOUT_SECONDS)
    return "answers"


def nginx_service(settings: StackSettings, environ: Mapping[str, str]) -> Service:
    """Return the nginx of this stack."""
    prefix = settings.state / "nginx"
    command = ["nginx", "-e", str(settings.state / "log" / "nginx-error.log")]
    command += ["-p", str(prefix), "-c", str(prefix / "conf" / "nginx.conf")]
    return Service(
        name="nginx",
        command=tuple(command),
        environ=environ,
        directory=prefix,
        state=settings.state,
    )


def check_front_ports(settings: StackSettings, ring_settings: RingSettings) -> None:
    """Refuse at once what would fail only after Cassandra has come up.

    Raises:
        PortTakenError: another process listens where an app server or nginx should.
    """
    for service in app_servers(settings, ring_settings):
        if service.process() is None:
            address = service.environ["CATALOG_HOST"]
            check_port(address, settings.app_port, f"the app server {service.name}")
    if nginx_service(settings, {}).process() is None:
        check_port(settings.nginx_host, settings.nginx_port, "nginx")
        check_port("127.0.0.1", settings.nginx_status_port, "nginx (stub_status)")


def check_port(address: str, port: int, what: str) -> None:
    """Refuse to start what could not listen.

    Raises:
        PortTakenError: with the process that has the port.
    """
    if not can_bind(address, port):
        raise PortTakenError(
            f"{what} needs {address}:{port}, but {port_holder(port)} listens on that port",
            advice="Stop that process, or choose another port (see the settings in README.md).",
        )


def _render(settings: StackSettings, environ: Mapping[str, str]) -> None:
    """Render as a program of its own: `nginx` stands above `ring`, so it cannot be imported."""
    prefix = settings.state / "nginx"
    command = [sys.executable, "-m", "nginx.render", str(prefix)]
    command += [f"{address}:{settings.app_port}" for address in settings.node_addresses]
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


def _configuration(settings: StackSettings) -> dict[str, str]:
    folder = settings.state / "nginx" / "conf"
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.conf"))}
