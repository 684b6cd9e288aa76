"""The subcommands that remove, replace, restart, repair and upgrade nodes."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from ring.hosts.host import Host
from ring.operations.context import Context
from ring.operations.remove import Remove
from ring.operations.repair import Repair
from ring.operations.replace import Replace
from ring.operations.restart import Restart
from ring.operations.upgrade import Upgrade

RegisterOperation = Callable[..., argparse.ArgumentParser]


def register_moves(subparsers: Any, register_operation: RegisterOperation) -> None:
    """Add the subcommands, by the function that adds one for an operation."""
    remove = register_operation(
        subparsers,
        "remove",
        "take a live node out of the ring: it hands over its rows, then its host is wiped",
        lambda context, args: Remove(context.hosts.find(args.host)),
    )
    remove.add_argument("host", help="name or address in the inventory")
    replace = register_operation(
        subparsers,
        "replace",
        "let another host take the place of a dead node",
        lambda context, args: Replace(
            context.hosts.find(args.dead),
            context.hosts.find(args.host),
            accept_loss=args.accept_loss,
        ),
    )
    replace.add_argument("dead", help="name or address of the dead node's host")
    replace.add_argument("host", help="of the same rack, with nothing on it")
    replace.add_argument(
        "--accept-loss",
        action="store_true",
        help="go on where a keyspace had one replica, and lose what the dead node held of it",
    )
    _register_restart(subparsers, register_operation)
    repair = register_operation(
        subparsers,
        "repair",
        "let all replicas have the same rows, one node's primary ranges at a time",
        lambda context, args: Repair(_hosts(context, args.hosts), keyspace=args.keyspace),
    )
    repair.add_argument("hosts", nargs="*", help="default: every node, which is what is needed")
    repair.add_argument("--keyspace", default="", help="default: all that have several replicas")


def _register_restart(subparsers: Any, register_operation: RegisterOperation) -> None:
    restart = register_operation(
        subparsers,
        "restart",
        "restart nodes one after the other while the others serve; start what is down",
        lambda context, args: Restart(
            _hosts(context, args.hosts), accept_outage=args.accept_outage, anew=args.anew
        ),
        lambda context, operation: operation.start_what_is_down(context),
    )
    restart.add_argument("hosts", nargs="*", help="default: every node, rack by rack")
    restart.add_argument(
        "--anew",
        action="store_true",
        help="also nodes that an interrupted run of the same command has restarted",
    )
    upgrade = register_operation(
        subparsers,
        "upgrade",
        "bring every node to another patch version of Cassandra, one after the other",
        lambda _context, args: Upgrade(args.version, accept_outage=args.accept_outage),
    )
    upgrade.add_argument("version", help='three numbers: "5.0.9"')
    for parser in (restart, upgrade):
        parser.add_argument(
            "--accept-outage",
            action="store_true",
            help="go on where reads and writes at LOCAL_QUORUM fail while a node is away",
        )


def _hosts(context: Context, names: Sequence[str]) -> list[Host]:
    return [context.hosts.find(name) for name in names]
