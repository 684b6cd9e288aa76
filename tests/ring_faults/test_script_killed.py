"""`kill -9` of the script at each of its steps, then it is run again: it goes on where it was."""

import itertools
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from ring.operations.remove import Remove
from ring.operations.repair import Repair
from ring.operations.replace import Replace
from ring.operations.restart import Restart

from ring.operations.add import Add
from ring.operations.cleanup import Cleanup
from ring.operations.replication import ReplicationOperation
from tests.ring_faults.scene import Scene

pytestmark = [pytest.mark.ring_faults, pytest.mark.timeout(1800)]

# Within steps; those between them are known by the steps' names.
WITHIN = (
    "add.join.started",
    "add.join.streaming",
    "add.cleanup.cleaned",
    "add.replicate.announced",
    "remove.leave.leaving",
    "remove.leave.streaming",
    "replace.join.started",
    "replace.join.streaming",
)
KEYSPACE = "catalog"


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


def play_replication(scene: Scene) -> Play:
    """Two replicas instead of three; raised again by the next one to be run."""
    members = scene.settle(3)
    factor = 2 if scene.factor() == 3 else 3
    return Play(("replication", KEYSPACE, str(factor)), members)


PLAYS: dict[str, Callable[[Scene], Play]] = {
    "add": play_add,
    "remove": play_remove,
    "replace": play_replace,
    "restart": play_restart,
    "repair": play_repair,
    "cleanup": play_cleanup,
    "replication": play_replication,
}


def points_of(name: str, steps: tuple[str, ...]) -> list[str]:
    """Return every point of an operation at which it can be made to kill itself."""
    between = [f"{name}.{step}" for step in ("lock", *steps, "unlock")]
    return [*between, *(point for point in WITHIN if point.startswith(f"{name}."))]


def all_points() -> Iterator[str]:
    """Iterate over all points, in an order in which one test leaves what the next begins with."""
    growing = points_of(Add.name, Add.step_names)
    shrinking = points_of(Remove.name, Remove.step_names)
    for pair in itertools.zip_longest(growing, shrinking):
        yield from (point for point in pair if point)
    for operation in (Cleanup, Replace, Restart, Repair, ReplicationOperation):
        yield from points_of(operation.name, operation.step_names)


@pytest.mark.parametrize("point", all_points())
def test_script_when_killed_and_run_again_then_it_goes_on_where_it_was(
    scene: Scene, point: str
) -> None:
    """Whatever it had done by then: no read fails, nothing is lost, all ends well."""
    play = PLAYS[point.partition(".")[0]](scene)
    words = " ".join(play.command)
    with scene.episode(f"kill -9 of `{words}` at {point}", ends_with=play.ends_with) as episode:
        play.first()
        killed = scene.run(*play.command, fault_point=point)
        assert killed.code == -signal.SIGKILL, f"does not reach {point}:\n{killed.output}"
        assert scene.run("unlock").code == 0
        again = scene.run(*play.command)
        assert again.code == 0, again.output
        episode.told.append("run again: done")
        if play.command == ("cleanup",):
            scene.run("add", max(play.ends_with))
