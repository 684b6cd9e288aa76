"""`catalog-ring render`: nginx from the ring."""

from collections.abc import Sequence
from typing import Final

from ring.operations.app_tier import front_addresses, render_front
from ring.operations.context import Context
from ring.operations.errors import Refusal
from ring.operations.steps import LEASE_SECONDS, Step
from ring.operations.view import RingView

RENDER: Final = "render"


class Render:
    """Lets nginx know the app servers of the ring's nodes, and no others."""

    name = "render"
    purpose = "render nginx from the ring"
    step_names = (RENDER,)
    lease_seconds = LEASE_SECONDS

    async def refusals(self, context: Context, view: RingView) -> Sequence[Refusal]:
        """Refuse when nginx would be left without any app server."""
        del context
        if front_addresses(view):
            return []
        return [
            Refusal(
                "no app server beside a node of the ring is ready",
                "Start one; see: catalog-ring status",
            )
        ]

    def steps(self, context: Context, view: RingView) -> Sequence[Step]:
        """One step."""
        del view

        async def run() -> None:
            now = await context.read_view()
            changed = await render_front(context, now)
            served = ", ".join(front_addresses(now))
            context.say(f"{'':>18} {'now' if changed else 'as before:'} {served}")

        return [Step(RENDER, "nginx from the ring", lambda _view: False, run)]
