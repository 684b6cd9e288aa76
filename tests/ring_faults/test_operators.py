"""More than one operator, dead ones, frozen ones, and those who cannot reach the ring."""

import signal
import time

import pytest

from tests.ring_faults.scene import Scene
from tests.ring_faults.test_nodes_fail import JOINING

pytestmark = [pytest.mark.ring_faults, pytest.mark.timeout(1800)]

LOCKED = 4
REFUSED = 3
LEASE_SECONDS = 60.0


def test_operators_when_two_begin_at_once_then_one_gets_the_lock(scene: Scene) -> None:
    """The other is told who has it, and nothing that it asked for is done."""
    members, spare = scene.settle(2), scene.spare()
    ends_with = members | {spare}
    with scene.episode("two operators at once", ends_with=ends_with) as episode:
        both = [scene.begin("add", spare), scene.begin("cleanup", "--all")]
        ended = {one: one.wait() for one in both}
        codes = sorted(done.code for done in ended.values())
        if codes == [0, 0]:
            pytest.fail("one had ended before the other began")
        late = next(done for done in ended.values() if done.code)
        assert late.code in {LOCKED, REFUSED}, late.output
        assert late.says_what_to_do, late.output
        episode.told.append(f"the later one ended with {late.code}, and who is at work")
        if late is ended[both[0]]:
            assert scene.run("add", spare).code == 0


def test_operators_when_one_comes_in_the_middle_then_it_is_told_who_is_at_work(
    scene: Scene,
) -> None:
    """While a node joins, every other operation is refused or locked out."""
    members, spare = scene.settle(2), scene.spare()
    ends_with = members | {spare}
    with scene.episode("a second operator while a node joins", ends_with=ends_with) as episode:
        adding = scene.begin("add", spare)
        adding.wait_for(JOINING)
        for command in (("cleanup", "--all"), ("remove", "node2"), ("restart",), ("add", spare)):
            late = scene.run(*command)
            assert late.code in {LOCKED, REFUSED}, late.output
            assert late.says_what_to_do, late.output
        episode.told.append("all were refused")
        done = adding.wait()
        assert done.code == 0, done.output


def test_operators_when_the_holder_is_dead_then_its_lease_is_waited_for(scene: Scene) -> None:
    """Nobody has to unlock: the same command waits for the lease of an owner that has ended."""
    members, spare = scene.settle(2), scene.spare()
    ends_with = members | {spare}
    with scene.episode("the lock holder is dead", ends_with=ends_with) as episode:
        killed = scene.run("add", spare, fault_point="add.app")
        assert killed.code == -signal.SIGKILL
        began = time.monotonic()
        again = scene.run("add", spare)
        assert again.code == 0, again.output
        assert "has ended" in again.output
        episode.told.append(f"waited for its lease: done after {time.monotonic() - began:.0f} s")


def test_operators_when_one_is_frozen_beyond_its_lease_then_it_changes_nothing_more(
    scene: Scene,
) -> None:
    """A second operator finishes the work; the first one wakes up, and stops."""
    members, spare = scene.settle(2), scene.spare()
    ends_with = members | {spare}
    with scene.episode("an operator is frozen beyond its lease", ends_with=ends_with) as episode:
        first = scene.begin("add", spare)
        first.wait_for(JOINING)
        first.signal(signal.SIGSTOP)
        time.sleep(LEASE_SECONDS + 5.0)
        second = scene.begin("add", spare)
        second.wait_for(r"\d+/\d+ ")
        first.signal(signal.SIGCONT)
        stopped, done = first.wait(), second.wait()
        assert done.code == 0, done.output
        assert stopped.code == 1, stopped.output
        assert "lock" in stopped.output
        episode.told.append("the second one: done; the first: lock lost, stopped")
