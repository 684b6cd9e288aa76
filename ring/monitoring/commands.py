"""The subcommand `catalog-ring exporter`."""

import argparse
import asyncio
import os
import sys
from contextlib import aclosing
from typing import Any

from ring.errors import RingError
from ring.hosts.hosts import Hosts, open_inventory
from ring.monitoring.exporter import serve
from ring.monitoring.settings import ExporterSettings
from ring.nodes.errors import NodesError
from ring.settings import RingSettings, describe_settings, load_settings

_EXIT_CODES = "exit codes: 0 stopped when asked to; 1 it cannot listen; 2 a setting cannot be used"


def register(subparsers: Any) -> None:
    """Add the subcommand; it sets `run`, which takes the arguments and returns an exit code."""
    exporter = subparsers.add_parser(
        "exporter",
        help="tell Prometheus how the ring is, until stopped",
        epilog=f"{describe_settings(ExporterSettings)}\n\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    exporter.add_argument("--address", help="CATALOG_EXPORTER_ADDRESS")
    exporter.add_argument("--port", type=int, help="CATALOG_EXPORTER_PORT")
    exporter.set_defaults(run=_run_exporter)


def _run_exporter(args: argparse.Namespace) -> int:
    try:
        settings = load_settings(
            ExporterSettings,
            os.environ,
            exporter_address=args.address,
            exporter_port=args.port,
        )
        hosts = open_inventory(os.environ)
        ring_settings = RingSettings.from_environ(os.environ, cql_port=hosts.inventory.cql_port)
    except (NodesError, RingError) as error:
        return _fail(error, 2)
    try:
        asyncio.run(_serve(settings, ring_settings, hosts))
    except (NodesError, RingError) as error:
        return _fail(error, 1)
    return 0


async def _serve(settings: ExporterSettings, ring_settings: RingSettings, hosts: Hosts) -> None:
    async with aclosing(hosts):
        await serve(settings, ring_settings, hosts, say=_say)


def _fail(error: Exception, code: int) -> int:
    advice = getattr(error, "advice", "")
    sys.stderr.write(f"Failed. {error}\n" + (f"What to do: {advice}\n" if advice else ""))
    return code


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
