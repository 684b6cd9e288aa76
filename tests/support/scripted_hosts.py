"""Hosts and a ring that tell what a test says, and keep what is asked of them."""

from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any, cast

from ring.hosts.errors import HostError
from ring.hosts.host import Host, HostEntry, HostFacts
from ring.operations.context import Context
from ring.operations.view import RingView
from tests.support.ring_views import KEYSPACE, address_of, facts_of

Rows = list[dict[str, Any]]


class ScriptedHost:
    """Node N's host; `asked` has each call that changes something, in order."""

    def __init__(self, number: int, *, rack: str = "rack1", log: str = "", **facts: Any) -> None:
        self.entry = HostEntry(f"node{number}", address_of(number), rack=rack)
        self.facts = facts_of(**facts)
        self.log = log
        self.asked: list[tuple[Any, ...]] = []
        self.answers: dict[str, Callable[[], str]] = {}
        self.unreachable = False

    async def read_facts(self) -> HostFacts:
        """What the test says."""
        self._reach()
        return self.facts

    async def read_log(self, *, since_bytes: int = 0) -> tuple[str, int]:
        """What the test says."""
        del since_bytes
        return self.log, len(self.log)

    async def nodetool(self, *arguments: str, timeout_seconds: float = 60.0) -> str:
        """What the test says of the command; nothing by default."""
        del timeout_seconds
        self.asked.append(("nodetool", *arguments))
        return self.answers.get(arguments[0], str)()

    async def stop_node(self, *, timeout_seconds: float = 60.0) -> None:
        """Note it."""
        del timeout_seconds
        self._note("stop_node")

    async def wipe_node(self) -> None:
        """Note it."""
        self._note("wipe_node")

    async def stop_app(self) -> None:
        """Note it."""
        self._note("stop_app")

    async def install(self, version: str) -> bool:
        """Note it."""
        self._note("install", version)
        return True

    def _note(self, *what: Any) -> None:
        self._reach()
        self.asked.append(what)

    def _reach(self) -> None:
        if self.unreachable:
            raise HostError(f"{self.entry.name} does not answer")


class ScriptedRing:
    """Reads one view after the other, the last again and again; statements answer as told."""

    def __init__(self, views: Iterable[RingView], answers: Callable[[str], Rows]) -> None:
        self._views = list(views)
        self._answers = answers
        self.statements: list[str] = []

    async def read(self) -> RingView:
        """Return the next view."""
        return self._views.pop(0) if len(self._views) > 1 else self._views[0]

    async def run_cql(self, cql: str, **_options: Any) -> Rows:
        """Keep the statement, and answer it."""
        self.statements.append(cql)
        return self._answers(cql)


def no_rows(_cql: str) -> Rows:
    """Nothing is there."""
    return []


def scripted_context(
    *views: RingView,
    hosts: Sequence[ScriptedHost] = (),
    answers: Callable[[str], Rows] = no_rows,
) -> Context:
    """Return a context whose ring and hosts are scripted; nothing can be noted in its ring."""
    by_address = {host.entry.address: host for host in hosts}

    def host_at(address: str) -> ScriptedHost:
        number = int(address.rpartition(".")[2])
        return by_address.setdefault(address, ScriptedHost(number))

    said: list[str] = []
    return cast(
        Context,
        SimpleNamespace(
            settings=SimpleNamespace(keyspace=KEYSPACE),
            reader=ScriptedRing(views, answers),
            host_at=host_at,
            said=said,
            say=said.append,
            ring=None,
        ),
    )


def as_host(host: ScriptedHost) -> Host:
    """Return a scripted host as what operations take."""
    return cast(Host, host)


def keyspace_row(name: str, strategy: str, **factors: int) -> dict[str, Any]:
    """A row of system_schema.keyspaces."""
    options = {"class": f"org.apache.cassandra.locator.{strategy}"}
    options |= {key: str(count) for key, count in factors.items()}
    return {"keyspace_name": name, "replication": options}


def gossip_row(number: int, status: str) -> dict[str, Any]:
    """A row of system_views.gossip_info."""
    return {"address": address_of(number), "status": None, "status_with_port": status}
