"""The app server beside each node of this machine."""

import dataclasses
import os
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from ring.hosts.host import HostEntry
from ring.nodes.probes import OK, check_port, http_status
from ring.nodes.service import Service, inherited_environment
from ring.nodes.settings import REPOSITORY, StackSettings
from ring.settings import PREFIX, RingSettings

APP_TIMEOUT_SECONDS = 40.0
CONTACT_POINTS = "CATALOG_CONTACT_POINTS"
# What a program of ours takes from its command line or from us, never from the caller.
_OWN = frozenset(
    PREFIX + name
    for name in ("NODES", "DATA", "INVENTORY", "HOST", "PORT", "LOCAL_ADDRESS", "RUN_DIRECTORY")
)
_OF_OTHER_PROGRAMS = tuple(PREFIX + name for name in ("RING_", "LOAD_", "TEST_", "BENCHMARK_"))
_SESSIONS = frozenset({"session_secret", "session_secret_file"})
# Another heap of the nodes is no reason to start an app server anew.
_OF_THE_STACK = frozenset(
    PREFIX + field.name.upper()
    for field in dataclasses.fields(StackSettings)
    if field.name not in _SESSIONS
) - frozenset(PREFIX + field.name.upper() for field in dataclasses.fields(RingSettings))
_NUMBERED = re.compile(r"node(\d+)")


def program_environment(
    settings: StackSettings, environ: Mapping[str, str], contact_points: Sequence[str]
) -> dict[str, str]:
    """Return the environment in which our own programs reach the ring that this stack uses.

    Args:
        settings: of the stack.
        environ: of the command that starts the program.
        contact_points: of the ring.
    """
    inherited = inherited_environment(environ)
    own = {name: value for name, value in inherited.items() if name not in _OWN}
    own[CONTACT_POINTS] = ",".join(contact_points)
    own["CATALOG_CQL_PORT"] = str(settings.cql_port)
    own["PYTHONUNBUFFERED"] = "1"
    return own


def is_for_app_server(name: str) -> bool:
    """Whether an app server takes this variable from its caller: no setting, or one of its own."""
    return name not in _OWN | _OF_THE_STACK and not name.startswith(_OF_OTHER_PROGRAMS)


def app_server_name(host: str) -> str:
    """Return what the app server of a host is called: app4 on node4, else app-HOST."""
    numbered = _NUMBERED.fullmatch(host)
    return f"app{numbered[1]}" if numbered else f"app-{host}"


def app_server(
    settings: StackSettings,
    environ: Mapping[str, str],
    host: HostEntry,
    contact_points: Sequence[str],
) -> Service:
    """Return the app server of a host; the node beside it is the first that it asks.

    Args:
        settings: of the stack.
        environ: of the command, with the app server's own settings.
        host: where it listens.
        contact_points: other nodes of the ring, or those of the existing Cassandra.
    """
    environ = program_environment(settings, environ, contact_points)
    environ = {name: value for name, value in environ.items() if is_for_app_server(name)}
    if not settings.session_secret and not settings.session_secret_file:
        environ["CATALOG_SESSION_SECRET_FILE"] = str(session_secret_file(settings))
    name = app_server_name(host.name)
    own = {"CATALOG_HOST": host.address, "CATALOG_PORT": str(settings.app_port)}
    # Its workers' figures; two app servers must not share the folder.
    own["CATALOG_RUN_DIRECTORY"] = str(settings.state / "run" / name)
    loose = frozenset[str]()
    if not settings.contact_points:
        others = [other for other in contact_points if other != host.address]
        own["CATALOG_LOCAL_ADDRESS"] = host.address
        own[CONTACT_POINTS] = ",".join([host.address, *others])
        # One that runs follows the ring by itself, whatever it was started with.
        loose = frozenset({CONTACT_POINTS})
    return Service(
        name=name,
        command=(sys.executable, "-m", "catalog_api"),
        environ={**environ, **own},
        directory=REPOSITORY,
        state=settings.state,
        loose=loose,
    )


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
