"""Restarts one node without anybody noticing: the steps that `restart` and `upgrade` share.

A node takes its place again with the rows that it had, so nothing is streamed. What must be kept is
that never two nodes are away at once: before a node is stopped, the others are looked at again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from ring.hosts.host import Host, NodeStart
from ring.nodes.errors import NodesError
from ring.nodes.start_failure import explain, last_lines
from ring.operations.app_tier import app_step, nginx_step
from ring.operations.context import Context
from ring.operations.errors import OperationError
from ring.operations.progress import POLL_SECONDS, Progress
from ring.operations.steps import Step
from ring.operations.view import NodeView, RingView
from ring.operations.warming import warm_node

FRONT_OUT: Final = "front-out"
DRAIN: Final = "drain"
STOP: Final = "stop"
START: Final = "start"
SETTLE: Final = "settle"
WARM: Final = "warm"
FRONT_IN: Final = "front-in"
TURN_STEPS: Final = (FRONT_OUT, DRAIN, STOP, START, SETTLE, WARM, FRONT_IN)
_DRAIN_SECONDS: Final = 300.0
_SETTLE_SECONDS: Final = 900.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One node's turn.

    Attributes:
        node: as it was when the turns were planned.
        is_back: whether the node, as a view shows it now, has been started anew.
        front: whether nginx serves anybody; a ring without app servers is restarted without.
        seeds: for its start.
        others_away: whether it may be stopped although another node is away.
    """

    node: NodeView
    is_back: Callable[[NodeView], bool]
    front: bool
    seeds: tuple[str, ...]
    others_away: bool = False

    def is_back_up(self, view: RingView) -> bool:
        """Whether it was started anew and answers."""
        node = view.node(self.node.address)
        return node is not None and node.answers and self.is_back(node)

    def is_settled(self, view: RingView) -> bool:
        """Whether it was started anew, and is up and normal for every node that answers."""
        node = view.node(self.node.address)
        heard = node is not None and not node.unheard_by
        return heard and self.is_back_up(view) and view.is_settled(self.node.address)

    def is_served(self, view: RingView) -> bool:
        """Whether it was started anew, and nginx sends requests to it, if to anybody."""
        return self.is_back_up(view) and (not self.front or self.node.address in (view.front or ()))

    def is_out(self, view: RingView) -> bool:
        """Whether nginx sends nothing to it, or has nobody else to send to."""
        others = set(view.front or ()) - {self.node.address}
        return not others or self.node.address not in (view.front or ())


def seeds_for(view: RingView, address: str) -> tuple[str, ...]:
    """Return the seeds of a member that starts: others that serve, itself where there is none."""
    return view.seeds(without=(address,)) or (address,)


def turn_steps(context: Context, turn: Turn) -> list[Step]:
    """Return the steps of one node's turn, in order.

    An interrupted turn goes on at its first step that is not done: a node that was taken out of
    nginx and did not come back stays out until a later run has brought it back.
    """
    address = turn.node.address
    host = context.host_at(address)
    name = host.entry.name
    stays = f"{name} is out of service until this is run again."

    def start() -> Awaitable[None]:
        return host.start_node(NodeStart(seeds=turn.seeds))

    async def warm() -> None:
        if turn.front:
            await app_step(context, address).run()
        answered = await warm_node(context, address)
        context.say(f"{'':>18} {answered} reads answered")

    return [
        Step(
            FRONT_OUT,
            f"take {name} out of nginx",
            lambda view: turn.is_back_up(view) or turn.is_out(view),
            nginx_step(context, without_address=address).run,
            stays,
        ),
        Step(
            DRAIN,
            f"let {name} write down what it holds in memory",
            lambda view: turn.is_back_up(view) or address not in view.answering,
            lambda: _drain(context, host, turn),
            stays,
        ),
        Step(STOP, f"stop Cassandra on {name}", turn.is_back_up, host.stop_node, stays, blind=True),
        Step(START, f"start Cassandra on {name}", turn.is_back_up, start, stays, blind=True),
        Step(
            SETTLE,
            f"wait until every node sees {name} up and normal",
            turn.is_settled,
            lambda: settle(context, host, turn.is_settled),
            f"{name} goes on starting.",
            blind=True,
        ),
        Step(WARM, f"let {name} answer some reads", turn.is_served, warm, stays),
        Step(
            FRONT_IN,
            f"let nginx send requests to {name}",
            turn.is_served,
            nginx_step(context, with_address=address).run,
            stays,
        ),
    ]


async def settle(
    context: Context,
    host: Host,
    is_settled: Callable[[RingView], bool],
    *,
    timeout_seconds: float = _SETTLE_SECONDS,
) -> None:
    """Wait until a node that was started is a whole member again.

    Raises:
        OperationError: its process ended, or it took too long; with the cause from its log.
        HostError: the host does not answer.
    """
    progress = Progress(context.say)
    deadline = time.monotonic() + timeout_seconds
    while not await _look(context, is_settled):
        ended = not (await host.read_facts()).node_runs
        if ended or time.monotonic() > deadline:
            log = (await host.read_log())[0]
            cause, advice = explain(log)
            what = "ended while starting" if ended else f"is not up after {timeout_seconds:.0f} s"
            raise OperationError(
                f"{host.entry.name} {what}: {cause}\n{last_lines(log)}", advice=advice
            )
        progress.note(f"{host.entry.name} is starting")
        await asyncio.sleep(POLL_SECONDS)


async def _look(context: Context, is_settled: Callable[[RingView], bool]) -> bool:
    try:
        return is_settled(await context.reader.read())
    except NodesError:
        # No node answers: this was the only one.
        return False


async def _drain(context: Context, host: Host, turn: Turn) -> None:
    """Flush the node and end its CQL in good order, unless another node is away."""
    view = await context.reader.read()
    away = away_besides(view, turn.node.address)
    if away and not turn.others_away:
        raise OperationError(
            f"{', '.join(away)} went away meanwhile, so {host.entry.name} must stay",
            advice=f"Start it first: catalog-ring restart {away[0]}.",
        )
    await host.nodetool("drain", timeout_seconds=_DRAIN_SECONDS)


def away_besides(view: RingView, address: str) -> list[str]:
    """Return the members other than one that do not serve, or that some node does not hear."""
    return [
        node.address
        for node in view.members
        if node.address != address and (node.state != "UN" or node.unheard_by)
    ]
