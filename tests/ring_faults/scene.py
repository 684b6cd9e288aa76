"""The scene of the fault tests: one catalog whose ring is changed, broken and mended under load."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import POLL_SECONDS
from benchmarks.ring_load.plan import LoadPlan
from benchmarks.ring_load.running import RingLoad
from benchmarks.ring_load.stored import connected
from benchmarks.ring_stack import APP_PORT, MOST_NODES, RingStack, StackPlace
from ring import RingSettings
from ring.control import fetch_state
from ring.nodes.probes import http_status
from ring.nodes.process import ProcessRecord, wait_until_gone
from ring.transport import TransportError, query

PRODUCTS = 1000
COMMAND_SECONDS = 900.0
WELL_SECONDS = 60.0
# Of the load, before the first step and after the last.
QUIET_SECONDS = 3.0
HTTP_OK = 200
STAYING = {"node1", "node2"}
GOSSIP = "SELECT address, status, status_with_port FROM system_views.gossip_info"
# Of the load, on a machine that others use too.
LOAD_SHARE = "CATALOG_TEST_RING_LOAD_SHARE"
FAULT_POINT = "CATALOG_RING_FAULT_POINT"


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended: its exit code (minus the signal that ended it) and its output."""

    code: int
    output: str


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
        self.settings = RingSettings(contact_points=self.stack.addresses, keyspace="catalog")
        self.episodes: list[Episode] = []
        self._plan: LoadPlan | None = None
        self._is_whole = False
        self._logs = 0

    def __repr__(self) -> str:
        return f"<Scene {self.stack}>"

    # --- the ring ------------------------------------------------------------------------------

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

    def spare(self) -> str:
        """Return the name of a host without a node."""
        hosts = (f"node{number}" for number in range(1, MOST_NODES + 1))
        return next(name for name in hosts if name not in self.members())

    def _reach(self, count: int) -> bool:
        """Add and remove nodes until there are so many; False when that does not work."""
        while len(members := self.members()) != count:
            leaving = max(members - STAYING)
            done = (
                self.run("add", self.spare())
                if len(members) < count
                else self.run("remove", leaving)
            )
            if done.code:
                return False
        return not self.what_is_wrong(members)

    def members(self) -> set[str]:
        """Return the names of the nodes that the ring has, up or down."""

        async def read() -> set[str]:
            async with connected(self.settings) as connection:
                state = await fetch_state(connection, self.settings)
                return {self.name_of(node.address) for node in state.nodes}

        return asyncio.run(read())

    def what_is_wrong(self, wanted: set[str]) -> str:
        """Say what of these nodes, their app servers, nginx or the records is not as it must be.

        Looks for itself, and not through the scripts under test. Waits a while for it to be well.
        """
        deadline = time.monotonic() + WELL_SECONDS
        while problem := asyncio.run(self._problem(wanted)):
            if time.monotonic() > deadline:
                return problem
            time.sleep(1.0)
        return ""

    async def _problem(self, wanted: set[str]) -> str:
        addresses = {self.address_of(name) for name in wanted}
        for address in sorted(addresses):
            try:
                async with connected(self.settings, address) as connection:
                    known = {
                        node.address
                        for node in (await fetch_state(connection, self.settings)).nodes
                    }
                    gossip = await query(connection, GOSSIP)
            except TransportError as error:
                return f"{address}: {error}"
            if known != addresses:
                return f"{address} knows {sorted(known)}, not {sorted(addresses)}"
            states = {
                str(row["address"]): str(row["status_with_port"] or row["status"]) for row in gossip
            }
            odd = {
                one: state
                for one, state in states.items()
                if (one in addresses) != state.startswith("NORMAL")
                and not state.startswith(("LEFT", "removed"))
            }
            if odd:
                return f"{address} sees {odd}"
            if http_status(address, APP_PORT, "/readyz", timeout_seconds=5.0) != HTTP_OK:
                return f"the app server at {address} is not ready"
        if (served := self.nginx_members()) != addresses:
            return f"nginx serves {sorted(served)}, not {sorted(addresses)}"
        return await self._records_problem()

    async def _records_problem(self) -> str:
        async with connected(self.settings) as connection:
            for table in ("ring_cleanups", "ring_replications", "operation_locks"):
                # A transaction's row is read as it was decided.
                rows = await query(connection, f"SELECT * FROM {table}", consistency=8)  # noqa: S608
                if rows:
                    return f"{table} still has {rows}"
        return ""

    def nginx_members(self) -> set[str]:
        """Return the addresses of the app servers that nginx is told of."""
        file = self.stack.state / "nginx" / "conf" / "upstream.conf"
        return set(re.findall(r"^\s*server ([0-9.]+):", file.read_text(), re.MULTILINE))

    def address_of(self, name: str) -> str:
        """Return the address of a host."""
        return self.stack.address(int(name.removeprefix("node")))

    def name_of(self, address: str) -> str:
        """Return the name of the host at an address."""
        return f"node{address.removeprefix(self.stack.place.address_prefix)}"

    # --- what is done to it --------------------------------------------------------------------

    def run(self, *arguments: str, fault_point: str = "") -> Done:
        """Run `catalog-ring` to its end; at the fault point it kills itself."""
        return self.begin(*arguments, fault_point=fault_point).wait()

    def begin(self, *arguments: str, fault_point: str = "", **environ: str) -> "Running":
        """Start `catalog-ring` and return at once."""
        self._logs += 1
        log = self.stack.state / "log" / f"operation-{self._logs}-{arguments[0]}.log"
        environ |= {FAULT_POINT: fault_point} if fault_point else {}
        return Running(self.stack.start(*arguments, log=log, **environ), arguments, log)

    def process(self, name: str) -> ProcessRecord:
        """Return a process of the stack: node2, app2, nginx."""
        return self.stack.processes()[name]

    def kill_node(self, name: str) -> None:
        """End a node as a crash would."""
        assert self.process(name).signal(signal.SIGKILL)

    def end_node(self, name: str) -> None:
        """End a node that may have ended by itself, and wait until its process is gone."""
        record = self.stack.processes().get(name)
        if record is not None and record.signal(signal.SIGKILL):
            assert wait_until_gone([record], timeout_seconds=WELL_SECONDS)

    def kill_place(self, name: str) -> None:
        """End a node and the app server beside it, as the loss of their machine would."""
        self.kill_node(name)
        assert self.process(f"app{name.removeprefix('node')}").signal(signal.SIGKILL)
        time.sleep(QUIET_SECONDS)

    def bring_back(self, name: str) -> None:
        """Start a node that was killed, and wait until the ring has it again."""
        done = self.run("up")
        assert done.code == 0, done.output
        deadline = time.monotonic() + WELL_SECONDS
        while self.unheard(name):
            assert time.monotonic() < deadline, f"{name} does not come back"
            time.sleep(1.0)

    def unheard(self, name: str) -> bool:
        """Whether the node, or another, does not see it in its place."""
        members = self.members()

        async def states() -> set[str]:
            found = set()
            for member in members:
                async with connected(self.settings, self.address_of(member)) as connection:
                    for row in await query(connection, GOSSIP):
                        if str(row["address"]) == self.address_of(name):
                            found.add(str(row["status_with_port"] or row["status"]).split(",")[0])
            return found

        try:
            return asyncio.run(states()) != {"NORMAL"}
        except TransportError:
            return True

    def clear_host(self, name: str) -> None:
        """Remove what a test left on a host without a node."""
        shutil.rmtree(self.stack.state / "ring" / "catalog" / name, ignore_errors=True)
        (self.stack.state / "hosts" / f"{name}.version").unlink(missing_ok=True)

    def factor(self) -> int:
        """Return how many replicas the catalog's keyspace has."""

        async def read() -> int:
            async with connected(self.settings) as connection:
                state = await fetch_state(connection, self.settings)
                return sum(state.replication.factors.values())

        return asyncio.run(read())

    @contextlib.contextmanager
    def episode(self, name: str, *, ends_with: Collection[str]) -> Iterator[Episode]:
        """Go through a fault under load; at its end everything must be well and nothing lost.

        Args:
            name: in the table.
            ends_with: names of the nodes that there are to be in the end.
        """
        episode = Episode(name)
        self.episodes.append(episode)
        whole, self._is_whole = self._is_whole, False
        began = time.time()
        assert self._plan is not None, "settle comes first"
        load = RingLoad(self._plan)
        try:
            with load.running():
                time.sleep(QUIET_SECONDS)
                start = time.time()
                yield episode
                time.sleep(QUIET_SECONDS)
                load.check_alive()
                end = time.time()
            self._conclude(episode, load, start, end)
            assert not (problem := self.what_is_wrong(set(ends_with))), problem
            self._is_whole = whole
        except BaseException as error:
            episode.problem = f"{type(error).__name__}: {error}".strip()
            raise
        finally:
            episode.seconds = time.time() - began

    def _conclude(self, episode: Episode, load: RingLoad, start: float, end: float) -> None:
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
            assert self.run("repair").code == 0
            episode.told.append("repaired")
            replicas = load.check_replicas()
        episode.keys = sum(quorum.keys.values()) + sum(replicas.keys.values())
        episode.lost = max(quorum.lost, replicas.lost)
        episode.resurrected = max(quorum.resurrected, replicas.resurrected)
        assert not quorum.findings, quorum.text()
        assert not replicas.findings, replicas.text()
        assert seen.bad_reads == 0, "\n".join([seen.text(), *load.problems()[:20]])
        assert seen.reads > 0.9 * load.plan.reads_per_second * (end - start - 1)


class Running:
    """A `catalog-ring` command that goes on."""

    def __init__(
        self, popen: "subprocess.Popen[bytes]", arguments: Sequence[str], log: Path
    ) -> None:
        self._popen = popen
        self._arguments = " ".join(arguments)
        self._log = log

    def __repr__(self) -> str:
        return f"<Running {self._arguments} pid {self._popen.pid}>"

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait(self, timeout_seconds: float = COMMAND_SECONDS) -> Done:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it goes on; it is killed.
        """
        try:
            return Done(self._popen.wait(timeout_seconds), self.output)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self._popen.wait()
            raise

    def wait_for(self, words: str, timeout_seconds: float = COMMAND_SECONDS) -> None:
        """Wait until it has printed something that a pattern matches."""
        deadline = time.monotonic() + timeout_seconds
        while not re.search(words, self.output):
            assert self._popen.poll() is None, f"ended before {words!r}:\n{self.output}"
            assert time.monotonic() < deadline, f"does not print {words!r}:\n{self.output}"
            time.sleep(POLL_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self._popen.pid, number)
