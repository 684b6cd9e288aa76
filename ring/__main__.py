"""catalog-ring: the ring's command line."""

import argparse
import asyncio
import importlib.resources
import logging
import os
import sys
from pathlib import Path

from ring.apply_schema import apply_schema
from ring.errors import RingError
from ring.monitoring.commands import register as register_monitoring
from ring.nodes.commands import register as register_stack
from ring.operations.advise import register as register_advise
from ring.operations.backup_commands import register as register_backups
from ring.operations.commands import register as register_operations
from ring.settings import RingSettings, describe_settings


def _apply_schema(args: argparse.Namespace) -> int:
    settings = RingSettings.from_environ(os.environ)
    directory = args.directory or Path(str(importlib.resources.files("schema")))
    state = asyncio.run(
        apply_schema(settings, directory, replication_factor=args.replication_factor)
    )
    print(f"keyspace {settings.keyspace}: applied; {len(state.nodes)} nodes agree")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="catalog-ring",
        description="See, prepare and run the ring.",
        epilog=describe_settings(RingSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--verbose", action="store_true", help="log what happens")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    schema = commands.add_parser("apply-schema", help="create keyspace and tables; safe to repeat")
    schema.add_argument("--directory", type=Path, help="CQL to apply (default: the project's)")
    schema.add_argument(
        "--replication-factor", type=int, help="default: 3, or the number of nodes when fewer"
    )
    schema.set_defaults(run=_apply_schema)
    register_operations(commands)
    register_advise(commands)
    register_monitoring(commands)
    register_backups(commands)
    register_stack(commands)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 when it did what it says; else why not, as `ring.operations.commands` lists.
    """
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO if args.verbose else logging.WARNING)
    try:
        result: int = args.run(args)
    except RingError as error:
        print(f"catalog-ring: {error}", file=sys.stderr)
        return 1
    return result


if __name__ == "__main__":
    sys.exit(main())
