"""catalog-ring: the ring's command line."""

import argparse
import asyncio
import importlib.resources
import logging
import os
import sys
from pathlib import Path

from ring.apply_schema import apply_schema
from ring.client import RingClient
from ring.errors import RingError
from ring.settings import RingSettings


def _apply_schema(args: argparse.Namespace) -> int:
    settings = RingSettings.from_environ(os.environ)
    directory = args.directory or Path(str(importlib.resources.files("schema")))
    state = asyncio.run(
        apply_schema(settings, directory, replication_factor=args.replication_factor)
    )
    print(f"keyspace {settings.keyspace}: applied; {len(state.nodes)} nodes agree")
    return 0


async def _print_status(settings: RingSettings, timeout_seconds: float) -> int:
    client = await RingClient.open(settings, [])
    try:
        await client.wait_ready(timeout_seconds)
        # The other nodes were learnt a moment ago: let their connections come about.
        await asyncio.sleep(min(1.0, timeout_seconds))
        state = client.state
        if state is None:
            return 1
        print(f"{'address':<24}{'datacenter':<14}{'rack':<10}{'tokens':>6}  {'version':<10}state")
        for ring_node in state.nodes:
            node = next(
                node
                for endpoint, node in client.nodes.items()
                if (endpoint.address, endpoint.port) == (ring_node.address, ring_node.port)
            )
            print(
                f"{ring_node.address}:{ring_node.port:<{23 - len(ring_node.address)}}"
                f"{ring_node.datacenter:<14}{ring_node.rack:<10}{len(ring_node.tokens):>6}"
                f"  {ring_node.release_version:<10}"
                f"{'in service' if node.is_connected else 'out: ' + node.problem}"
            )
        for remote in state.remote_nodes:
            print(f"{remote.address:<24}{remote.datacenter:<14}{remote.rack:<10} (not asked)")
        schemas = {ring_node.schema_version for ring_node in state.nodes}
        print(f"schema versions: {', '.join(sorted(schemas))}")
        return 0 if all(node.is_connected for node in client.nodes.values()) else 1
    finally:
        await client.aclose()


def _status(args: argparse.Namespace) -> int:
    # The keyspace may not exist yet, and the ring is worth seeing all the same.
    settings = RingSettings.from_environ(os.environ, keyspace="system")
    return asyncio.run(_print_status(settings, args.timeout_seconds))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="catalog-ring", description=__doc__)
    parser.add_argument("--verbose", action="store_true", help="log what happens")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    status = commands.add_parser("status", help="print the ring as a client sees it")
    status.add_argument("--timeout-seconds", type=float, default=5.0)
    status.set_defaults(run=_status)
    schema = commands.add_parser("apply-schema", help="create keyspace and tables; safe to repeat")
    schema.add_argument("--directory", type=Path, help="CQL to apply (default: the project's)")
    schema.add_argument(
        "--replication-factor", type=int, help="default: 3, or the number of nodes when fewer"
    )
    schema.set_defaults(run=_apply_schema)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 when it did what it says, 1 when the ring is not well or did not let it, 2 for usage.
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
