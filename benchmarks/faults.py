"""The faults: how each is made, how it is undone, and when the ring counts as whole again."""

import signal
import threading
import time
from abc import ABC, abstractmethod
from typing import Final

from benchmarks import own_network
from benchmarks.fault_ring import FaultRing, joining_node
from benchmarks.node import CQL_PORT, Node

# A node that is held to a tenth of its time: stopped and let go on in turn.
SLOW_STOPPED_SECONDS: Final = 0.045
SLOW_RUNNING_SECONDS: Final = 0.005
VICTIM: Final = 1


class Fault(ABC):
    """One fault. Its phases: made (`begin`), undone (`undo`), whole again (`undo` returns).

    Attributes:
        name: in the table.
        hold_seconds: how long it lasts before it is undone.
        return_limit_seconds: how soon p99 must be back to 1.2 times what it was before; None where
            there is nothing to return to.
        starts_node: whether undoing it waits for a node to start.
        may_fail: whether requests may fail while it lasts (all nodes are gone).
        limits_p99: whether p99 while it lasts is held to 3 times that before.
    """

    name = ""
    hold_seconds = 15.0
    return_limit_seconds: float | None = 2.0
    starts_node = False
    may_fail = False
    limits_p99 = True

    @abstractmethod
    def begin(self, ring: FaultRing) -> None:
        """Make the fault."""

    @abstractmethod
    def undo(self, ring: FaultRing) -> None:
        """Undo it; return when what was gone is back (a node's CQL port is open)."""


class Killed(Fault):
    """`kill -9` of some nodes; then they are started again, one after the other."""

    starts_node = True

    def __init__(
        self, name: str, victims: tuple[int, ...], *, return_limit_seconds: float | None = 10.0
    ) -> None:
        self.name = name
        self.return_limit_seconds = return_limit_seconds
        self._victims = victims

    def begin(self, ring: FaultRing) -> None:
        """Kill them at once."""
        for index in self._victims:
            ring.nodes[index].kill()

    def undo(self, ring: FaultRing) -> None:
        """Start them again."""
        for index in self._victims:
            ring.nodes[index].start()


class AllDead(Killed):
    """`kill -9` of every node; the fault ends when the first of them is back."""

    may_fail = True
    limits_p99 = False

    def undo(self, ring: FaultRing) -> None:
        """Start the first; the others follow after the measurement."""
        ring.nodes[self._victims[0]].start()


class Frozen(Fault):
    """`SIGSTOP`: the connections stay open and nothing answers."""

    name = "frozen for 30 s (SIGSTOP)"
    hold_seconds = 30.0

    def begin(self, ring: FaultRing) -> None:
        """Freeze the JVM."""
        ring.nodes[VICTIM].signal(signal.SIGSTOP)

    def undo(self, ring: FaultRing) -> None:
        """Let it go on."""
        ring.nodes[VICTIM].signal(signal.SIGCONT)


class CutOff(Fault):
    """Everything that the node sends to clients is dropped: open connections hang."""

    name = "cut off (packets dropped)"

    def begin(self, ring: FaultRing) -> None:
        """Drop the packets."""
        own_network.cut_off(ring.nodes[VICTIM].address, CQL_PORT)

    def undo(self, ring: FaultRing) -> None:
        """Let them through."""
        own_network.heal(ring.nodes[VICTIM].address, CQL_PORT)


class Slow(Fault):
    """The JVM runs a tenth of the time: it answers, but late."""

    name = "slow (a tenth of its time)"

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, ring: FaultRing) -> None:
        """Begin to stop it and let it go on in turn."""
        self._ended.clear()
        self._thread = threading.Thread(target=self._hold, args=(ring.nodes[VICTIM],), daemon=True)
        self._thread.start()

    def _hold(self, node: Node) -> None:
        while not self._ended.is_set():
            node.signal(signal.SIGSTOP)
            time.sleep(SLOW_STOPPED_SECONDS)
            node.signal(signal.SIGCONT)
            time.sleep(SLOW_RUNNING_SECONDS)

    def undo(self, ring: FaultRing) -> None:
        """Let it run."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        ring.nodes[VICTIM].signal(signal.SIGCONT)


class Restarted(Fault):
    """An orderly stop, then a start."""

    name = "restarted"
    hold_seconds = 5.0
    return_limit_seconds = 10.0
    starts_node = True

    def begin(self, ring: FaultRing) -> None:
        """Stop it; it drains first."""
        ring.nodes[VICTIM].stop()

    def undo(self, ring: FaultRing) -> None:
        """Start it."""
        ring.nodes[VICTIM].start()


class Added(Fault):
    """A fourth node joins and takes its share while requests go on."""

    name = "a node added"
    hold_seconds = 0.0
    # A fourth JVM stays on the two cores.
    return_limit_seconds = None
    starts_node = True
    limits_p99 = False  # a starting JVM takes both cores

    def __init__(self) -> None:
        self._node = joining_node()

    def begin(self, ring: FaultRing) -> None:
        """Start it; `undo` waits until it has joined."""
        del ring
        self._node.wipe().launch()

    def undo(self, ring: FaultRing) -> None:
        """Wait until it has its share: only then it opens its CQL port."""
        del ring
        self._node.wait()

    def remove(self) -> None:
        """Stop the fourth node, which is part of the ring now: the last fault of a run."""
        self._node.stop()


def all_faults() -> list[Fault]:
    """Return the faults in the order in which a run makes them; `Added` is the last."""
    return [
        Killed("killed (kill -9)", (VICTIM,)),
        Frozen(),
        CutOff(),
        Slow(),
        Restarted(),
        # Two that start at once are held to no time.
        Killed("two of three killed", (1, 2), return_limit_seconds=None),
        AllDead("all killed, the first comes back", (0, 1, 2), return_limit_seconds=2.0),
        Added(),
    ]
