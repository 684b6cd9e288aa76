"""The subcommands of `catalog-ring` for the local stack: up, down, clean, stack."""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from ring.errors import RingError
from ring.inventory import inventory_of
from ring.nodes.errors import NodesError
from ring.nodes.process import proportional_bytes
from ring.nodes.settings import StackSettings
from ring.nodes.stack import Stack
from ring.settings import RingSettings

INTERRUPTED = 130


def register(subparsers: Any) -> None:
    """Add the subcommands; each sets `run`, which takes the arguments and returns an exit code."""
    up = subparsers.add_parser(
        "up", help="start the local stack: Cassandra, schema, data, app servers, nginx"
    )
    up.add_argument("--nodes", type=int, help="nodes of the ring (CATALOG_NODES)")
    up.add_argument("--data", help="folder of CSV files (CATALOG_DATA; default: a sample)")
    up.set_defaults(run=_run_up)
    down = subparsers.add_parser("down", help="stop the local stack; the data stays")
    down.set_defaults(run=_run_down)
    clean = subparsers.add_parser("clean", help="stop the local stack and remove its data")
    clean.set_defaults(run=_run_clean)
    stack = subparsers.add_parser("stack", help="print the stack's processes and their memory")
    stack.set_defaults(run=_run_stack)


def _run_up(arguments: argparse.Namespace) -> int:
    return _run(lambda stack: stack.up(), nodes=arguments.nodes, data=arguments.data)


def _run_down(_arguments: argparse.Namespace) -> int:
    return _run(lambda stack: stack.down())


def _run_clean(_arguments: argparse.Namespace) -> int:
    return _run(lambda stack: stack.clean())


def _run_stack(_arguments: argparse.Namespace) -> int:
    return _run(_print_processes)


def _run(action: Callable[[Stack], None], **overrides: Any) -> int:
    """Run one action; return 0, 1 when it failed, 130 when it was interrupted."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        settings = StackSettings.from_environ(os.environ, **overrides)
        inventory = inventory_of(os.environ, settings)
        action(Stack(settings, RingSettings.from_environ(os.environ), inventory))
    except (NodesError, RingError) as error:
        sys.stderr.write(f"\nFailed. {error}\n")
        advice = getattr(error, "advice", "")
        if advice:
            sys.stderr.write(f"What to do: {advice}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; what this command had started is stopped again.\n")
        return INTERRUPTED
    return 0


def _print_processes(stack: Stack) -> None:
    total_bytes = 0
    for name, record in stack.processes().items():
        size_bytes = proportional_bytes(record.pid)
        total_bytes += size_bytes
        stack.stages.say(f"{name:<10} pid {record.pid:<8} {size_bytes / 1024**2:8.0f} MiB")
    stack.stages.say(f"{'in all':<23} {total_bytes / 1024**2:8.0f} MiB")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
