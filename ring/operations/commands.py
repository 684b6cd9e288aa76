"""The subcommands of `catalog-ring` that look at the ring and change it, and their exit codes."""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, Final

from ring.errors import RingError
from ring.hosts.hosts import open_inventory
from ring.nodes.errors import NodesError
from ring.operation_lock import OperationLockedError
from ring.operations.add import Add
from ring.operations.cleanup import Cleanup
from ring.operations.context import Context, open_context
from ring.operations.create import register as register_create
from ring.operations.errors import RefusedError
from ring.operations.journal import fetch_journal
from ring.operations.moves_commands import register_moves
from ring.operations.observe import NoObserver
from ring.operations.render import Render
from ring.operations.replication import ReplicationOperation
from ring.operations.status import fetch_status, status_lines
from ring.operations.steps import Operation, run_operation
from ring.operations.unlock import unlock
from ring.operations.verify import verify
from ring.settings import RingSettings

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
REFUSED: Final = 3
LOCKED: Final = 4
INTERRUPTED: Final = 130
EXIT_CODES: Final = (
    "exit codes: 0 done; 1 failed, or not well; 2 wrong usage; 3 refused, with the reasons; "
    "4 another operation holds the lock; 130 interrupted"
)
_WATCH_SECONDS: Final = 2.0

Build = Callable[[Context, argparse.Namespace], Operation]
Prepare = Callable[[Context, Any], Awaitable[None]]
Act = Callable[[Context], Awaitable[int]]


def register(subparsers: Any) -> None:
    """Add the subcommands; each sets `run`, which takes the arguments and returns an exit code."""
    _register_looks(subparsers)
    add = register_operation(
        subparsers,
        "add",
        "bring a host of the inventory into the ring: Cassandra, app server, nginx",
        lambda context, args: Add(context.hosts.find(args.host), wipe=args.wipe),
    )
    add.add_argument("host", help="name or address in the inventory")
    add.add_argument(
        "--wipe", action="store_true", help="remove the data of another node from the host first"
    )
    cleanup = register_operation(
        subparsers,
        "cleanup",
        "remove from the nodes that owe it what other nodes have taken over",
        lambda _context, args: Cleanup(everywhere=args.all),
    )
    cleanup.add_argument("--all", action="store_true", help="every node, whatever is owed")
    replication = register_operation(
        subparsers,
        "replication",
        "change how many replicas a keyspace has; alters, then repairs, one at a time",
        _build_replication,
    )
    replication.add_argument("keyspace")
    replication.add_argument("factor", type=int, metavar="N")
    replication.add_argument(
        "--accept-outage",
        action="store_true",
        help="go on where reads and writes at LOCAL_QUORUM fail while a node is away",
    )
    replication.add_argument("--datacenter", default="", help="default: the ring's only one")
    register_operation(
        subparsers, "render", "let nginx follow the ring", lambda _context, _args: Render()
    )
    register_moves(subparsers, register_operation)
    register_create(subparsers, run_to_exit_code)


def register_operation(
    subparsers: Any, name: str, words: str, build: Build, prepare: Prepare | None = None
) -> argparse.ArgumentParser:
    """Add the subcommand of an operation; returns its parser, for arguments of its own.

    Args:
        subparsers: of `catalog-ring`.
        name: of the subcommand.
        words: what it does.
        build: makes the operation of the arguments.
        prepare: what is done with the operation before preflight and lock, unless in a dry run.
    """
    parser: argparse.ArgumentParser = subparsers.add_parser(name, help=words, epilog=EXIT_CODES)
    parser.add_argument("--dry-run", action="store_true", help="print the plan, change nothing")

    def run(args: argparse.Namespace) -> int:
        async def act(context: Context) -> int:
            operation = build(context, args)
            if prepare is not None and not args.dry_run:
                await prepare(context, operation)
            await run_operation(context, operation, dry_run=args.dry_run)
            if not args.dry_run:
                for line in status_lines(await fetch_status(context)):
                    context.say(line)
            return DONE

        return run_in_context(act)

    parser.set_defaults(run=run)
    return parser


def run_in_context(act: Act) -> int:
    """Reach the hosts and the ring, act, and turn what went wrong into words and an exit code."""

    async def reach_and_act() -> int:
        async with aclosing(open_inventory(os.environ)) as hosts:
            settings = RingSettings.from_environ(os.environ, cql_port=hosts.inventory.cql_port)
            async with open_context(settings, hosts, say=say, observer=NoObserver()) as context:
                return await act(context)

    return run_to_exit_code(reach_and_act)


def run_to_exit_code(act: Callable[[], Awaitable[int]]) -> int:
    """Act, and turn what went wrong into words and an exit code; signals interrupt."""
    # Operations say themselves what they see of nodes that come and go.
    if logging.getLogger().getEffectiveLevel() >= logging.WARNING:
        logging.getLogger("ring").setLevel(logging.ERROR)
    try:
        return asyncio.run(_until_signalled(act))
    except RefusedError as error:
        return _fail("Refused", error, REFUSED)
    except OperationLockedError as error:
        return _fail("Locked", error, LOCKED, "Wait, or, if its owner is dead: catalog-ring unlock")
    except (NodesError, RingError) as error:
        again = "See what answers (catalog-ring status); the same command goes on where it was."
        return _fail("Failed", error, FAILED, getattr(error, "advice", "") or again)
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("Interrupted. Run the same command again: it goes on where it was.\n")
        return INTERRUPTED


async def _until_signalled(act: Callable[[], Awaitable[int]]) -> int:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if task is not None:
            loop.add_signal_handler(number, task.cancel)
    return await act()


def _fail(word: str, error: Exception, code: int, advice: str = "") -> int:
    sys.stderr.write(f"{word}. {error}\n")
    advice = advice or getattr(error, "advice", "")
    if advice:
        sys.stderr.write(f"What to do: {advice}\n")
    return code


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201 - a command line talks to its user


def _build_replication(_context: Context, args: argparse.Namespace) -> Operation:
    return ReplicationOperation(
        args.keyspace, args.factor, args.datacenter, accept_outage=args.accept_outage
    )


def _register_looks(subparsers: Any) -> None:
    status = subparsers.add_parser(
        "status", help="print the ring: nodes, app servers, nginx, lock, debts", epilog=EXIT_CODES
    )
    status.add_argument("--json", action="store_true", help="for programs")
    status.add_argument("--watch", action="store_true", help="again and again, until interrupted")
    status.set_defaults(run=_run_status)
    check = subparsers.add_parser(
        "verify", help="read sampled rows from every replica, and compare", epilog=EXIT_CODES
    )
    check.add_argument("--rows", type=int, default=100, help="rows sampled of each table")
    check.set_defaults(run=_run_verify)
    free = subparsers.add_parser(
        "unlock", help="free the lock of an operation that died", epilog=EXIT_CODES
    )
    free.add_argument("owner", nargs="?", default="", help="only if this one has it")
    free.add_argument("--force", action="store_true", help="even if its owner seems to live")
    free.set_defaults(run=_run_unlock)
    journal = subparsers.add_parser("journal", help="print what was done to the ring, and when")
    journal.add_argument("--days", type=int, default=7)
    journal.set_defaults(run=_run_journal)


def _run_status(args: argparse.Namespace) -> int:
    async def act(context: Context) -> int:
        while True:
            status = await fetch_status(context)
            if args.json:
                say(json.dumps(status))
            else:
                say("\n".join(status_lines(status)))
            if not args.watch:
                return DONE if status["well"] else FAILED
            await asyncio.sleep(_WATCH_SECONDS)
            say("")

    return run_in_context(act)


def _run_verify(args: argparse.Namespace) -> int:
    async def act(context: Context) -> int:
        return DONE if await verify(context, rows=args.rows) else FAILED

    return run_in_context(act)


def _run_unlock(args: argparse.Namespace) -> int:
    async def act(context: Context) -> int:
        await unlock(context, owner=args.owner, force=args.force)
        return DONE

    return run_in_context(act)


def _run_journal(args: argparse.Namespace) -> int:
    async def act(context: Context) -> int:
        for entry in await fetch_journal(context.ring, days=args.days):
            say(
                f"{entry.at:%Y-%m-%d %H:%M:%S} {entry.operation:<32} {entry.step:<10} "
                f"{entry.outcome:<11} {entry.seconds:>7.1f} s  {entry.detail}"
            )
        return DONE

    return run_in_context(act)
