"""The app servers beside the nodes, and nginx before them: what follows the ring."""

from collections.abc import Iterable, Sequence
from typing import Final

from ring.operations.context import Context
from ring.operations.errors import OperationError
from ring.operations.steps import Step
from ring.operations.view import RingView

APP: Final = "app"
NGINX: Final = "nginx"


def app_step(context: Context, address: str) -> Step:
    """Return the step that starts the app server beside a node and waits until it is ready."""
    host = context.host_at(address)

    async def run() -> None:
        view = await context.reader.read()
        others = [node.address for node in view.up_normal if node.address != address]
        await host.start_app((address, *others))

    return Step(
        APP,
        f"start the app server on {host.entry.name}",
        lambda view: view.apps.get(address, False),
        run,
    )


def nginx_step(context: Context, *, with_address: str = "", without_address: str = "") -> Step:
    """Return the step that lets nginx send requests to all app servers, one more or one less."""

    async def run() -> None:
        view = await context.read_view()
        await render_front(context, view, also=(with_address,), besides=(without_address,))

    def is_done(view: RingView) -> bool:
        members = view.front or ()
        has_new = not with_address or with_address in members
        return has_new and (not without_address or without_address not in members)

    what = f"to {with_address} as well" if with_address else f"to {without_address} no more"
    return Step(NGINX, f"let nginx send requests {what}", is_done, run)


async def render_front(
    context: Context, view: RingView, *, also: Iterable[str] = (), besides: Iterable[str] = ()
) -> bool:
    """Render nginx from the ring; return whether that is a change.

    Raises:
        OperationError: no app server would be left.
        HostError: nginx does not take it; it serves as before.
    """
    addresses = front_addresses(view, also=also, besides=besides)
    if not addresses:
        raise OperationError(
            "no app server beside a node of the ring is ready, so nginx would have none",
            advice="Start one; see: catalog-ring status",
        )
    return await context.hosts.front.render(addresses)


def front_addresses(
    view: RingView, *, also: Iterable[str] = (), besides: Iterable[str] = ()
) -> Sequence[str]:
    """Return which app servers nginx should know: those of serving nodes that are ready.

    One that it knows stays, ready or not, while its node is in the ring: nginx itself notices what
    is down for a moment. One of a node that left goes.

    Args:
        view: the ring.
        also: addresses to add.
        besides: addresses to leave out.
    """
    known = set(view.front or ())
    leave_out = set(besides)
    wanted = [
        node.address
        for node in view.members
        if node.address in known or (node.is_up and view.apps.get(node.address, False))
    ]
    wanted += [address for address in also if address and address not in wanted]
    return [address for address in wanted if address not in leave_out]
