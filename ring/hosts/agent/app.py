"""The app server of a host: starts it, anew when its settings changed; asks whether it is ready."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ring.hosts.agent.call import Answer, Call
from ring.hosts.agent.installations import use_installed
from ring.hosts.agent.packages import PYTHON, python_environment
from ring.hosts.agent.place import Place
from ring.hosts.agent.services import APP, ServiceError, ServicePlan, fingerprint
from ring.hosts.agent.wire import write_whole
from ring.nodes.probes import http_status
from ring.nodes.start_failure import last_lines, log_tail

POLL_SECONDS: Final = 0.1
STOP_SECONDS: Final = 30.0
OK: Final = 200


def start_app(call: Call) -> Answer:
    """Start the app server, or start it anew with other settings, and wait until it is ready.

    Raises:
        ServiceError: it ended, or was not ready in time; it is stopped again.
    """
    place, request, service = call.place, call.request, call.service(APP)
    packages = use_installed(place, APP, APP)
    secrets = _keep_secrets(place, request["secrets"])
    environ = {
        **python_environment(packages),
        **request["environ"],
        **{f"CATALOG_{name.upper()}_FILE": str(path) for name, path in secrets.items()},
        "CATALOG_RUN_DIRECTORY": str(place.run / "app"),
    }
    command = (*PYTHON, "-m", "catalog_api")
    plan = ServicePlan(APP, command, environ, restart=True)
    asked = fingerprint(plan.script(place), tuple(secrets.values()))
    plan = replace(plan, environ={**environ, **request["at_start"]})
    state = service.state()
    if state.process is not None and state.asked == asked and _is_ready(request):
        return {"started": False}
    service.stop(timeout_seconds=STOP_SECONDS)
    log = place.log / f"{APP}.log"
    log_bytes = log.stat().st_size if log.exists() else 0
    service.start(plan, asked)
    give_up_at = time.monotonic() + float(request["seconds"])
    while not _is_ready(request) and not call.exchange.abandoned:
        if time.monotonic() > give_up_at:
            ended = service.state().ended
            service.stop(timeout_seconds=STOP_SECONDS)
            words = last_lines(log_tail(log, since_bytes=log_bytes))
            raise ServiceError(
                f"the app server is not ready in time; it last ended: {ended or 'never'}\n{words}",
                advice=f"Log: {log} (under systemd: journalctl)",
            )
        time.sleep(POLL_SECONDS)
    return {"started": True}


def stop_app(call: Call) -> Answer:
    """Let the app server finish its requests, and stop it."""
    call.service(APP).stop(timeout_seconds=STOP_SECONDS)
    return {}


def app_ready(call: Call) -> Answer:
    """Whether the app server at `address:port` answers that it can read from Cassandra."""
    return {"ready": _is_ready(call.request)}


def _is_ready(request: Mapping[str, Any]) -> bool:
    return http_status(request["address"], request["port"], "/readyz", timeout_seconds=5.0) == OK


def _keep_secrets(place: Place, secrets: Mapping[str, str]) -> dict[str, Path]:
    """Write each secret into a file of its own that only its owner can read."""
    place.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = {name: place.secrets / name for name in secrets}
    for name, path in paths.items():
        write_whole(path, secrets[name], mode=0o600)
    return paths
