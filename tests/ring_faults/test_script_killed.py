"""`kill -9` of the script at each of its steps, then it is run again: it goes on where it was."""

import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

from ring.operations.add import Add
from ring.operations.cleanup import Cleanup
from ring.operations.remove import Remove
from ring.operations.repair import Repair
from ring.operations.replace import Replace
from ring.operations.replication import ReplicationOperation
from ring.operations.restart import Restart
from tests.ring_faults.scene import KEYSPACE, Scene

pytestmark = [pytest.mark.ring_faults, pytest.mark.timeout(1800)]

# Within steps; those between them are known by the steps' names.
WITHIN = (
    "add.join.started",
    "add.join.streaming",
    "add.cleanup.cleaned",
    "add.replicate.announced",
    "cleanup.cleanup.cleaned",
    "remove.leave.leaving",
    "remove.leave.streaming",
    "replication.replicate.announced",
    "replication.cleanup.cleaned",
    "replace.join.started",
    "replace.join.streaming",
)


@dataclass(frozen=True, slots=True)
class Play:
    """What is run, and killed: a command, and the nodes that there are when it is done.

    Attributes:
        first: what has to have happened, under the same load.
    """

    command: tuple[str, ...]
    ends_with: set[str]
    first: Callable[[], None] = lambda: None


def play_add(scene: Scene) -> Play:
    """A third node joins two: it takes ranges, and replication is raised from two to three."""
    members, spare = scene.settle(2), scene.spare()
    return Play(("add", spare), members | {spare})


def play_remove(scene: Scene) -> Play:
    """The third of three nodes leaves."""
    members = scene.settle(3)
    assert scene.lower(2)
    return Play(("remove", max(members)), members - {max(members)})


def play_replace(scene: Scene) -> Play:
    """A node dies with its app server, and another host takes its place."""
    members, spare = scene.settle(3), scene.spare()
    dead = max(members)
    return Play(
        ("replace", dead, spare), members - {dead} | {spare}, lambda: scene.kill_place(dead)
    )


def play_restart(scene: Scene) -> Play:
    """All nodes in turn."""
    return Play(("restart",), scene.settle(3))


def play_repair(scene: Scene) -> Play:
    """All nodes in turn."""
    return Play(("repair",), scene.settle(3))


def play_cleanup(scene: Scene) -> Play:
    """What an addition that was killed owes, paid by `cleanup`; then the addition is ended."""
    members, spare = scene.settle(2), scene.spare()

    def first() -> None:
        assert scene.run("add", spare, fault_point="add.cleanup").code == -signal.SIGKILL
        assert scene.run("unlock").code == 0

    return Play(("cleanup",), members | {spare}, first)


def play_lowering(scene: Scene) -> Play:
    """Two replicas instead of three."""
    members = scene.settle(3)
    assert scene.factor() == 3 or scene.run("replication", KEYSPACE, "3").code == 0
    return Play(("replication", KEYSPACE, "2", "--accept-outage"), members)


def play_raising(scene: Scene) -> Play:
    """Three replicas instead of two."""
    members = scene.settle(3)
    assert scene.lower(2)
    return Play(("replication", KEYSPACE, "3"), members)


def points_of(operation: str, steps: Iterable[str]) -> list[str]:
    """Return every point of an operation at which it can be made to kill itself, in order."""
    points = []
    for step in ("lock", *steps, "unlock"):
        point = f"{operation}.{step}"
        points += [point, *(one for one in WITHIN if one.startswith(f"{point}."))]
    return points


CHANGED = ReplicationOperation.step_names
PLAYS = {
    "add": (play_add, points_of("add", Add.step_names)),
    "remove": (play_remove, points_of("remove", Remove.step_names)),
    "cleanup": (play_cleanup, points_of("cleanup", Cleanup.step_names)),
    "replace": (play_replace, points_of("replace", Replace.step_names)),
    "restart": (play_restart, points_of("restart", Restart.step_names)),
    "repair": (play_repair, points_of("repair", Repair.step_names)),
    "lower": (play_lowering, points_of("replication", CHANGED)),
    "raise": (play_raising, points_of("replication", CHANGED)),
}
# Raising owes no cleanup, and lowering is announced in a step of its own.
UNREACHED = {
    "lower": {"replication.replicate.announced"},
    "raise": {"replication.cleanup", "replication.cleanup.cleaned"},
}


@pytest.mark.parametrize("name", PLAYS)
def test_script_when_killed_at_every_step_and_run_again_then_it_goes_on_where_it_was(
    scene: Scene, name: str
) -> None:
    """Killed at its first point, run again and killed at the next, and so on to its end."""
    play_of, points = PLAYS[name]
    play = play_of(scene)
    words = " ".join(play.command)
    points = [point for point in points if point not in UNREACHED.get(name, ())]
    title = f"kill -9 of `{words}` at each of {len(points)} points"
    with scene.episode(title, ends_with=play.ends_with) as episode:
        play.first()
        for point in points:
            killed = scene.run(*play.command, fault_point=point)
            assert killed.code == -signal.SIGKILL, f"does not reach {point}:\n{killed.output}"
            freed = scene.run("unlock")
            assert freed.code == 0, freed.output
        last = scene.run(*play.command)
        assert last.code == 0, last.output
        episode.told.append(f"run {len(points) + 1} times: done")
        if name == "cleanup":
            added = scene.run("add", max(play.ends_with))
            assert added.code == 0, added.output
