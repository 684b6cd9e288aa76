"""What every run of the tests has of the fault list: one node becomes two, against odds."""

import signal

import pytest

from tests.ring_faults.scene import Scene
from tests.ring_faults.test_new_host import REFUSED, use
from tests.ring_faults.test_nodes_fail import JOINING
from tests.ring_faults.test_operators import LOCKED

pytestmark = [pytest.mark.ring, pytest.mark.timeout(1200)]


def test_add_when_host_script_and_node_fail_in_turn_then_it_ends_well(scene: Scene) -> None:
    """A used host is refused; then script and joining node are killed, and it is run again."""
    members, spare = scene.settle(1), scene.spare()
    ends_with = members | {spare}
    with scene.episode("one becomes two, against odds", ends_with=ends_with) as episode:
        use(scene, spare)
        refused = scene.run("add", spare)
        assert refused.code == REFUSED, refused.output
        assert refused.says_what_to_do, refused.output
        scene.clear_host(spare)

        killed = scene.run("add", spare, fault_point="add.join.started")
        assert killed.code == -signal.SIGKILL, killed.output
        late = scene.run("cleanup", "--all")
        assert late.code in {LOCKED, REFUSED}, late.output
        assert late.says_what_to_do, late.output
        assert scene.run("unlock").code == 0

        adding = scene.begin("add", spare)
        adding.wait_for(JOINING)
        scene.kill_node(spare)
        done = adding.wait()
        assert done.code == 0, done.output
        assert "starting anew" in done.output
        episode.told.append("refused, then killed and run again: done")
