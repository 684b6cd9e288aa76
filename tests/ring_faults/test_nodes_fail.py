"""Nodes die and freeze while the ring is changed: the joining one, and those that were there."""

import signal
import time

import pytest

from tests.ring_faults.scene import Scene

pytestmark = [pytest.mark.ring_faults, pytest.mark.timeout(1800)]

JOINING = r"is joining|is streaming"
# Longer than the script waits for a joining node that says nothing.
FROZEN_SECONDS = 20.0


def test_add_when_the_joining_node_is_killed_then_it_is_started_anew(scene: Scene) -> None:
    """Half of a node's data is worth nothing: the script wipes it and begins again."""
    members, spare = scene.settle(2), scene.spare()
    ends_with = members | {spare}
    with scene.episode("the joining node is killed", ends_with=ends_with) as episode:
        adding = scene.begin("add", spare)
        adding.wait_for(JOINING)
        scene.kill_node(spare)
        done = adding.wait()
        assert done.code == 0, done.output
        assert "starting anew" in done.output
        episode.told.append("started the node anew: done")


def test_add_when_the_joining_node_freezes_then_it_is_ended_and_started_anew(scene: Scene) -> None:
    """A frozen process keeps its connections; the script notices that nobody hears of it."""
    members, spare = scene.settle(2), scene.spare()
    ends_with = members | {spare}
    with scene.episode("the joining node freezes for good", ends_with=ends_with) as episode:
        adding = scene.begin("add", spare)
        adding.wait_for(JOINING)
        frozen = scene.process(spare)
        assert frozen.signal(signal.SIGSTOP)
        done = adding.wait()
        assert done.code == 0, done.output
        assert not frozen.alive
        episode.told.append("ended the frozen node, started it anew: done")


def test_add_when_the_joining_node_freezes_for_a_while_then_it_goes_on(scene: Scene) -> None:
    """What thaws in time loses nothing."""
    members, spare = scene.settle(2), scene.spare()
    ends_with = members | {spare}
    with scene.episode("the joining node freezes for 20 s", ends_with=ends_with) as episode:
        adding = scene.begin("add", spare)
        adding.wait_for(JOINING)
        assert scene.process(spare).signal(signal.SIGSTOP)
        time.sleep(FROZEN_SECONDS)
        assert scene.process(spare).signal(signal.SIGCONT)
        done = adding.wait()
        assert done.code == 0, done.output
        episode.told.append("waited: done")


@pytest.mark.parametrize(
    ("operation", "moment", "words"),
    [
        ("add", JOINING, "joins"),
        ("add", r"\bcleanup +remove from", "is cleaned up"),
        ("add", r"\brepair +repair the primary ranges", "is repaired"),
        ("remove", r"\bleave\b.*\n", "leaves"),
    ],
)
def test_operation_when_an_old_node_is_killed_then_it_says_so_and_goes_on_later(
    scene: Scene, operation: str, moment: str, words: str
) -> None:
    """The script stops with the reason; with the node back, the same command ends it."""
    members = scene.settle(2 if operation == "add" else 3)
    other = scene.spare() if operation == "add" else max(members)
    ends_with = members ^ {other}
    name = f"{operation}: an old node is killed while one {words}"
    with scene.episode(name, ends_with=ends_with) as episode:
        running = scene.begin(operation, other)
        running.wait_for(moment)
        scene.kill_node("node2")
        done = running.wait()
        if done.code == 0:
            episode.told.append("done without it")
        else:
            assert done.says_what_to_do, done.output
            episode.told.append("said why and stopped")
        scene.bring_back("node2")
        again = scene.run(operation, other)
        assert again.code == 0, again.output
        episode.told.append("run again: done")
