"""The scene of the fault tests: one catalog whose ring is changed, broken and mended under load."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.catalog_stack import MOST_NODES
from benchmarks.ring_load.plan import LoadPlan
from benchmarks.ring_load.running import RingLoad
from benchmarks.ring_stack import RingStack, StackPlace
from ring import RingSettings
from ring.hosts.hosts import open_inventory
from ring.nodes.process import ProcessRecord, wait_until_gone
from ring.nodes.settings import RING_NAME
from tests.ring_faults.health import fetch_addresses, fetch_factor, find_problem
from tests.ring_faults.running import Done, Running

PRODUCTS = 1000
KEYSPACE = "catalog"
STAYING = {"node1", "node2"}
WELL_SECONDS = 90.0
# Of the load, before the first step and after the last.
QUIET_SECONDS = 3.0
# Of the load, on a machine that others use too.
LOAD_SHARE = "CATALOG_TEST_RING_LOAD_SHARE"
FAULT_POINT = "CATALOG_RING_FAULT_POINT"


@dataclass(slots=True)
class Episode:
    """One fault with all that was done about it, as the table shows it.

    Attributes:
        told: what the scripts did about it, in a few words; tests add to it.
    """

    name: str
    told: list[str] = field(default_factory=list)
    seconds: float = 0.0
    reads: int = 0
    bad_reads: int = 0
    longest_gap_seconds: float = 0.0
    unsure_writes: int = 0
    keys: int = 0
    lost: int = 0
    resurrected: int = 0
    problem: str = ""


class Scene:
    """One catalog for a whole run of tests; each test brings it to the state that it begins with.

    Attributes:
        stack: the catalog; its hosts are node1, node2, ….
        settings: of a client that reaches whichever node is there.
        episodes: what has happened so far.
    """

    def __init__(self) -> None:
        self.stack = RingStack(StackPlace(), products=PRODUCTS)
        self.settings = RingSettings(contact_points=self.stack.addresses, keyspace=KEYSPACE)
        self.episodes: list[Episode] = []
        self._plan: LoadPlan | None = None
        self._is_whole = False
        self._logs = 0

    def __repr__(self) -> str:
        return f"<Scene {self.stack}>"

    # --- what there is -------------------------------------------------------------------------

    def members(self) -> set[str]:
        """Return the names of the nodes that the ring has, up or down."""
        prefix = self.stack.place.address_prefix
        addresses = asyncio.run(fetch_addresses(self.settings))
        return {f"node{address.removeprefix(prefix)}" for address in addresses}

    def spare(self) -> str:
        """Return the name of a host without a node."""
        hosts = (f"node{number}" for number in range(1, MOST_NODES + 1))
        return next(name for name in hosts if name not in self.members())

    def factor(self) -> int:
        """Return how many replicas the catalog's keyspace has."""
        return asyncio.run(fetch_factor(self.settings))

    def what_is_wrong(self, names: Collection[str]) -> str:
        """Say what is not as it must be with just these nodes, after a while to become so."""
        addresses = [self.address_of(name) for name in names]
        upstream = self.stack.state / "nginx" / "conf" / "upstream.conf"
        deadline = time.monotonic() + WELL_SECONDS
        while problem := find_problem(self.settings, addresses, upstream):
            if time.monotonic() > deadline:
                return problem
            time.sleep(1.0)
        return ""

    def address_of(self, name: str) -> str:
        """Return the address of a host."""
        return self.stack.address(int(name.removeprefix("node")))

    def folder_of(self, name: str) -> Path:
        """Return where a host keeps its node."""
        return self.stack.state / "ring" / RING_NAME / name

    def process(self, name: str) -> ProcessRecord:
        """Return a process of the stack: node2, app2, nginx."""
        return self.stack.processes()[name]

    # --- what is done to it --------------------------------------------------------------------

    def settle(self, count: int) -> set[str]:
        """Bring the ring to so many nodes, all of it well; from nothing where need be.

        Returns:
            Their names; node1 and node2 are always among them.
        """
        if not self._is_whole or not self._reach(count):
            self.stack.up(count)
            self._plan = self.stack.plan().scaled(float(os.environ.get(LOAD_SHARE, "1")))
            assert self._reach(count), "the ring of the test does not come up"
        self._is_whole = True
        return self.members()

    def _reach(self, count: int) -> bool:
        """Add and remove nodes until there are so many; False when that does not work."""
        while len(members := self.members()) < count:
            if self.run("add", self.spare()).code:
                return False
        while len(members := self.members()) > count:
            if not self.lower(count) or self.run("remove", max(members - STAYING)).code:
                return False
        return not self.what_is_wrong(members)

    def lower(self, factor: int) -> bool:
        """Keep no more replicas than this, so that a node can leave; False when that fails."""
        if self.factor() <= factor:
            return True
        wanted = ("replication", KEYSPACE, str(factor), "--accept-outage")
        return self.run(*wanted).code == 0

    def run(self, *arguments: str, fault_point: str = "") -> Done:
        """Run `catalog-ring` to its end; at the fault point it kills itself."""
        return self.begin(*arguments, fault_point=fault_point).wait()

    def begin(self, *arguments: str, fault_point: str = "", **environ: str) -> Running:
        """Start `catalog-ring` and return at once."""
        self._logs += 1
        log = self.stack.state / "log" / f"operation-{self._logs}-{arguments[0]}.log"
        environ |= {FAULT_POINT: fault_point} if fault_point else {}
        return Running(self.stack.start(*arguments, log=log, **environ), arguments, log)

    def nodetool(self, name: str, *arguments: str) -> None:
        """Run nodetool on a node."""
        host = open_inventory(self.stack.environ).find(name)
        asyncio.run(host.nodetool(*arguments))

    def kill_node(self, name: str) -> None:
        """End a node as a crash would, and wait until its process is gone."""
        record = self.process(name)
        assert record.signal(signal.SIGKILL)
        assert wait_until_gone([record], timeout_seconds=WELL_SECONDS)

    def end_node(self, name: str) -> None:
        """End a node that may have ended by itself."""
        if name in self.stack.processes():
            self.kill_node(name)

    def kill_place(self, name: str) -> None:
        """End a node and the app server beside it, as the loss of their machine would."""
        self.stack.kill_place(int(name.removeprefix("node")))
        time.sleep(QUIET_SECONDS)

    def bring_back(self, name: str) -> None:
        """Start a node that was killed, as an operator does."""
        done = self.run("restart", name)
        assert done.code == 0, done.output

    def clear_host(self, name: str) -> None:
        """Remove what a test left on a host without a node."""
        shutil.rmtree(self.folder_of(name), ignore_errors=True)
        (self.stack.state / "hosts" / f"{name}.version").unlink(missing_ok=True)

    # --- under load ----------------------------------------------------------------------------

    def load(self) -> RingLoad:
        """Return a load on the catalog, not started."""
        assert self._plan is not None, "settle comes first"
        return RingLoad(self._plan)

    @contextlib.contextmanager
    def episode(self, name: str, *, ends_with: Collection[str]) -> Iterator[Episode]:
        """Go through a fault under load; at its end everything must be well and nothing lost.

        Args:
            name: in the table.
            ends_with: names of the nodes that there are to be in the end.
        """
        episode = Episode(name)
        self.episodes.append(episode)
        # Whatever is left when this does not end well, the next test begins from nothing.
        self._is_whole = False
        began = time.time()
        load = self.load()
        try:
            with load.running():
                time.sleep(QUIET_SECONDS)
                start = time.time()
                yield episode
                time.sleep(QUIET_SECONDS)
                load.check_alive()
                end = time.time()
            self._conclude(episode, load, start, end)
            problem = self.what_is_wrong(ends_with)
            assert not problem, problem
            self._is_whole = True
        except BaseException as error:
            episode.problem = f"{type(error).__name__}: {error}".strip()
            raise
        finally:
            episode.seconds = time.time() - began

    def _conclude(self, episode: Episode, load: RingLoad, start: float, end: float) -> None:
        """Read everything back; nothing may be wrong, at QUORUM or on any replica."""
        seen = load.figures(start, end)
        episode.reads = seen.reads
        episode.bad_reads = seen.bad_reads
        episode.longest_gap_seconds = seen.longest_gap_seconds
        episode.unsure_writes = sum(
            count for outcome, count in seen.writes.items() if outcome != "acknowledged"
        )
        quorum, replicas = load.check_quorum(), load.check_replicas()
        if replicas.findings and not quorum.findings:
            # Nothing is lost, but a replica missed what no hint brought it: repair must.
            mended = self.run("repair")
            assert mended.code == 0, mended.output
            episode.told.append("repaired")
            replicas = load.check_replicas()
        episode.keys = sum(quorum.keys.values()) + sum(replicas.keys.values())
        episode.lost = max(quorum.lost, replicas.lost)
        episode.resurrected = max(quorum.resurrected, replicas.resurrected)
        assert not quorum.findings, quorum.text()
        assert not replicas.findings, replicas.text()
        assert seen.bad_reads == 0, "\n".join([seen.text(), *load.problems()[:20]])
        assert seen.reads > 0.9 * load.plan.reads_per_second * (end - start - 1)
