"""A daemon on a host (the node, the app server, nginx): started, found again, stopped.

Two ways, for the same script: a systemd unit where systemd runs and lets this account, else a
process under a small supervisor of our own.
"""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ring.hosts.agent.place import Place
from ring.nodes.errors import NodesError
from ring.nodes.process import ProcessRecord

NODE: Final = "node"
APP: Final = "app"
NGINX: Final = "nginx"
# A program that cannot even begin (no such option, no such file) ends within this.
EARLY_END_SECONDS: Final = 0.5
OPEN_FILES: Final = 65_536


class ServiceError(NodesError):
    """A daemon could not be started or stopped."""


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """What is run.

    Attributes:
        name: `node`, `app` or `nginx`.
        command: program and arguments.
        environ: the whole environment of the process; no secrets.
        restart: whether it is started again when it ends unasked. A node is not: it ended for a
            reason (a disk, another node in its place) that somebody should see first.
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    restart: bool

    def script(self, place: Place) -> str:
        """Return the script that starts it; the process takes the place of its shell."""
        words = [*(f"{key}={value}" for key, value in sorted(self.environ.items())), *self.command]
        lines = " \\\n    ".join(shlex.quote(word) for word in words)
        return (
            "#!/bin/sh\n"
            f"# Starts {self.name} as catalog-ring last asked; written anew by every start.\n"
            f"cd {shlex.quote(str(place.directory))} || exit 1\n"
            "umask 022\n"
            f'ulimit -n {OPEN_FILES} 2>/dev/null || ulimit -n "$(ulimit -Hn)"\n'
            f"exec env -i \\\n    {lines}\n"
        )


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What a service does now.

    Attributes:
        process: of the daemon itself; None when it does not run.
        asked: fingerprint of what it was started with; empty when it was not.
        ended: how it last ended, in words; empty when nobody saw it end.
    """

    process: ProcessRecord | None
    asked: str
    ended: str


class Service(Protocol):
    """One daemon; every call may be repeated."""

    def state(self) -> ServiceState:
        """Look at it."""
        ...

    def start(self, plan: ServicePlan, asked: str) -> None:
        """Start what does not run.

        Raises:
            ServiceError: it ended at once; the message has its last words.
        """
        ...

    def stop(self, *, timeout_seconds: float) -> None:
        """Stop it and wait until it is gone; what does not listen to SIGTERM in time is killed.

        Raises:
            NodesError: it outlived even that.
        """
        ...


def script_path(place: Place, name: str) -> Path:
    """Return where a service's start script is."""
    return place.run / f"{name}.sh"


def asked_path(place: Place, name: str) -> Path:
    """Return where the fingerprint of what a service was started with is."""
    return place.run / f"{name}.asked"


def read_asked(place: Place, name: str) -> str:
    """Return the fingerprint of what a service was started with; empty when there is none."""
    try:
        return asked_path(place, name).read_text(encoding="ascii")
    except OSError:
        return ""


def fingerprint(text: str, secrets: Sequence[Path] = ()) -> str:
    """Digest a script, and when its secrets last changed: a digest of a secret can be guessed."""
    parts = [text, *(f"{secret} {secret.stat().st_mtime_ns}" for secret in secrets)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
