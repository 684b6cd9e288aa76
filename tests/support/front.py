"""Runs our nginx before app servers of a test's own."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nginx.render import NginxPlan, render
from ring.nodes.probes import http_status
from ring.nodes.service import Service, inherited_environment

START_SECONDS = 20.0


@contextmanager
def running_front(
    directory: Path,
    app_servers: Sequence[tuple[str, int]],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    status_port: int = 0,
) -> Iterator[NginxPlan]:
    """Render and run nginx in `directory` until the block ends; a port of 0 takes a free one.

    Raises:
        StageError: nginx ended, or its pages did not answer within `START_SECONDS`.
    """
    # Root's nginx gives its workers to nobody, who must get to the folder of temporary files.
    for folder in (directory, directory.parent):
        folder.chmod(0o755)
    plan = NginxPlan(
        directory,
        tuple(app_servers),
        host=host,
        port=port or free_port(host),
        status_port=status_port or free_port("127.0.0.1"),
    )
    assert render(plan)
    service = Service(
        name="nginx",
        command=("nginx", "-e", f"{directory}/error.log", "-c", str(plan.main_file)),
        environ=inherited_environment(),
        directory=directory,
        state=directory,
    )
    service.start(
        answers=lambda: http_status(plan.host, plan.port, "/") == 200,
        timeout_seconds=START_SECONDS,
    )
    try:
        yield plan
    finally:
        service.stop()


def free_port(host: str) -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.create_server((host, 0)) as listener:
        return int(listener.getsockname()[1])
