"""`catalog-api`: settings, port, supervisor, workers; `catalog-api keys`: API keys.

Exit codes: 0 stopped when asked to or done, 1 a command could not be done, 2 settings or arguments
that cannot be used, 3 port taken.
"""

import argparse
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from catalog_api import key_commands
from catalog_api.logs import log_to_stderr
from catalog_api.publication import Publication
from catalog_api.settings import ApiSettings
from catalog_api.sockets import PortTakenError, reserve
from catalog_api.supervisor import Supervisor
from catalog_api.worker import Placement, run_worker
from ring.errors import RingError, RingSettingsError
from ring.settings import RingSettings, describe_settings, load_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the app server or a command; returns its exit code."""
    given = _parser().parse_args(arguments)
    try:
        exit_code: int = given.run(given)
    except RingSettingsError as error:
        print(f"catalog-api: {error}", file=sys.stderr)
        return 2
    except PortTakenError as error:
        print(f"catalog-api: {error}", file=sys.stderr)
        return 3
    except RingError as error:
        print(f"catalog-api: {error}", file=sys.stderr)
        return 1
    return exit_code


def _serve(given: argparse.Namespace) -> int:
    log_to_stderr()
    settings = load_settings(ApiSettings, os.environ, **vars(given))
    ring_settings = RingSettings.from_environ(os.environ)
    # Files named by the settings are read once here, so that a mistake is told at once.
    settings = settings.with_session_secret()
    ring_settings.read_password()
    ring_settings.tls_context()
    with reserve(settings.host, settings.port) as reserved:
        _supervise(settings, ring_settings, reserved)
    return 0


def _supervise(settings: ApiSettings, ring_settings: RingSettings, reserved: socket.socket) -> None:
    directory = Path(settings.run_directory or tempfile.mkdtemp(prefix="catalog-api-"))
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left_over in (*directory.glob("worker-*"), directory / "retired.json"):
        left_over.unlink(missing_ok=True)

    def work(listener: socket.socket, place: Placement) -> None:
        run_worker(settings, ring_settings, listener, place)

    try:
        Supervisor(
            work,
            reserved,
            workers=settings.workers,
            publication=Publication(directory),
            patience_seconds=settings.drain_seconds + settings.shutdown_grace_seconds,
        ).run()
    finally:
        if not settings.run_directory:
            shutil.rmtree(directory, ignore_errors=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="catalog-api",
        description="Serve the product catalog over HTTP.",
        epilog=describe_settings(ApiSettings)
        + "\n\nHow to reach Cassandra: see `catalog-ring --help` and the README.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", type=int, help="port to listen on")
    parser.add_argument("--workers", type=int, help="processes that share the port")
    parser.add_argument("--profile", help="profile of value types, 2020 or 2021")
    parser.add_argument("--log-sample", type=float, help="share of requests logged, 0 to 1")
    parser.set_defaults(run=_serve)
    key_commands.register(parser.add_subparsers(metavar="[COMMAND]", help="default: serve"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
