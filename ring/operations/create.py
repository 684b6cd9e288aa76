"""`catalog-ring create HOST`: the first node of a ring over ssh, with all that stands beside it.

There is no ring yet to keep a lock or a journal in, nor anyone to be careful of: what is there
already is looked at on the hosts, and the command can be run again after an interruption.
"""

import argparse
import asyncio
import importlib.resources
import os
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from ring.apply_schema import apply_schema
from ring.hosts.host import Host, NodeStart
from ring.hosts.hosts import Hosts, open_inventory
from ring.inventory import Inventory
from ring.nodes.install import VERSION
from ring.nodes.local_ring import node_options
from ring.nodes.probes import cql_answers
from ring.nodes.start_failure import explain, last_lines
from ring.nodes.tokens import even_tokens
from ring.operations.errors import OperationError, Refusal, RefusedError
from ring.settings import RingSettings

UP_SECONDS: Final = 300.0
POLL_SECONDS: Final = 1.0
# Nobody to hear from: the eight seconds that gossip gets to settle are for others.
_ALONE: Final = "-Dcassandra.skip_wait_for_gossip_to_settle=0"


async def create(
    hosts: Hosts, host: Host, settings: RingSettings, *, say: Callable[[str], None]
) -> None:
    """Begin a ring on a host: Cassandra, the schema, the app server, nginx.

    Args:
        hosts: of the inventory.
        host: that gets the first node.
        settings: how the ring will be reached.
        say: prints one line.

    Raises:
        RefusedError: there is a ring already, or a node's data on the host.
        OperationError: Cassandra did not come up; why.
        HostError, RingError: another step failed; run again, it goes on there.
    """
    inventory, address = hosts.inventory, host.entry.address
    await _refuse(inventory, host)
    say(f"install    Cassandra {VERSION} and the app on {host.entry.name}")
    await host.install(VERSION)
    say(f"start      Cassandra at {address}")
    vnodes = int(str(node_options()["num_tokens"]))
    start = NodeStart(
        seeds=(address,),
        auto_bootstrap=False,
        initial_tokens=even_tokens(1, vnodes)[0],
        jvm_arguments=(_ALONE,),
    )
    since_bytes = (await host.read_log())[1]
    await host.start_node(start)
    await _wait_for_cql(inventory, host, since_bytes)
    say(f"schema     keyspace {settings.keyspace}")
    schema = Path(str(importlib.resources.files("schema")))
    await apply_schema(settings, schema, replication_factor=1)
    say(f"app        at {address}:{inventory.app_port}")
    await host.start_app((address,))
    say(f"nginx      at {inventory.nginx.host}:{inventory.nginx.port}")
    await hosts.front.render([address])
    say("The ring has one node. The next ones: catalog-ring add HOST")


def register(subparsers: Any, run: Callable[[Callable[[], Any]], int]) -> None:
    """Add the subcommand.

    Args:
        subparsers: of `catalog-ring`.
        run: turns what goes wrong in an action into words and an exit code.
    """
    parser = subparsers.add_parser(
        "create", help="begin a ring over ssh with its first node (on this machine: make up)"
    )
    parser.add_argument("host", help="name or address in the inventory")
    parser.set_defaults(run=lambda args: run(lambda: _run(args)))


async def _run(args: argparse.Namespace) -> int:
    async with aclosing(open_inventory(os.environ)) as hosts:
        host = hosts.find(args.host)
        settings = RingSettings.from_environ(
            os.environ,
            contact_points=(host.entry.address,),
            cql_port=hosts.inventory.cql_port,
        )
        await create(hosts, host, settings, say=lambda line: print(line, flush=True))  # noqa: T201
    return 0


async def _refuse(inventory: Inventory, host: Host) -> None:
    if inventory.way != "ssh":
        refusal = Refusal("the inventory's hosts are on this machine", "Start them: make up")
        raise RefusedError([refusal])
    others = [entry for entry in inventory.hosts if entry != host.entry]
    answers = await asyncio.gather(
        *(asyncio.to_thread(cql_answers, entry.address, inventory.cql_port) for entry in others)
    )
    refusals = [
        Refusal(
            f"{entry.name} has a node that serves: there is a ring already",
            f"Add the host to it: catalog-ring add {host.entry.name}",
        )
        for entry, answer in zip(others, answers, strict=True)
        if answer
    ]
    facts = await host.read_facts()
    if facts.data_bytes and facts.cluster_name != inventory.name:
        refusals.append(
            Refusal(
                f"{host.entry.name} has {facts.data_bytes} bytes of a node of the ring "
                f"{facts.cluster_name!r}, this one is {inventory.name!r}",
                "Name that ring in the inventory, or remove what nobody needs from the host.",
            )
        )
    if refusals:
        raise RefusedError(refusals)


async def _wait_for_cql(inventory: Inventory, host: Host, since_bytes: int) -> None:
    deadline = time.monotonic() + UP_SECONDS
    address = host.entry.address
    while not await asyncio.to_thread(cql_answers, address, inventory.cql_port):
        runs = (await host.read_facts()).node_runs
        if not runs or time.monotonic() > deadline:
            log = (await host.read_log(since_bytes=since_bytes))[0]
            cause, advice = explain(log)
            what = "does not answer CQL in time" if runs else "ended while starting"
            raise OperationError(
                f"{host.entry.name} ({address}) {what}: {cause}\n{last_lines(log)}", advice=advice
            )
        await asyncio.sleep(POLL_SECONDS)
