"""`catalog-ring cleanup`: pays the cleanups that are owed, one node at a time."""

from collections.abc import Sequence

from ring.operations.cleaning import CLEANUP, cleanup_steps, owes_cleanup
from ring.operations.context import Context
from ring.operations.errors import Refusal
from ring.operations.preflight import ring_is_well
from ring.operations.steps import LEASE_SECONDS, Step
from ring.operations.view import RingView


class Cleanup:
    """Removes from each node that owes it the rows that other nodes have taken over."""

    name = "cleanup"
    purpose = "cleanup"
    step_names = (CLEANUP,)
    lease_seconds = LEASE_SECONDS

    def __init__(self, *, everywhere: bool = False) -> None:
        """Clean up the nodes that owe it, or `everywhere`, whatever is known to be owed."""
        self._everywhere = everywhere

    async def refusals(self, context: Context, view: RingView) -> Sequence[Refusal]:
        """Refuse unless the ring is well: above all, no ranges may be pending."""
        del context
        return ring_is_well(view)

    def steps(self, context: Context, view: RingView) -> Sequence[Step]:
        """A step for each node."""
        nodes = [
            node for node in view.members if self._everywhere or owes_cleanup(view, node.host_id)
        ]
        steps = cleanup_steps(context, self.name, nodes)
        if self._everywhere:
            steps = [Step(one.name, one.what, _never, one.run, one.meanwhile) for one in steps]
        return steps


def _never(_view: RingView) -> bool:
    return False
