"""Looks at the ring from all sides at once, for as long as a page may take and no longer."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from ring.client import RingClient
from ring.errors import RingError
from ring.hosts.host import HostFacts
from ring.hosts.hosts import Hosts
from ring.monitoring.nginx import fetch_nginx
from ring.monitoring.node_tables import read_node_tables
from ring.monitoring.past import look_back
from ring.monitoring.picture import Lock, Nginx, NodeTables, RingPicture
from ring.monitoring.repairs import SELECT_REPAIRS, repaired_at
from ring.monitoring.settings import ExporterSettings
from ring.nodes.errors import NodesError
from ring.operation_lock import LOCK_STATEMENTS, RING_LOCK, fetch_holder
from ring.operations.debts import DEBT_STATEMENTS, fetch_cleanups
from ring.operations.journal import JOURNAL_STATEMENTS, JournalEntry, fetch_journal
from ring.operations.reading import RingReader
from ring.operations.view import RingView
from ring.settings import RingSettings

_LOG: Final = logging.getLogger("ring.monitoring")
NO_NGINX: Final = "none"
"""The URL of an nginx that is not asked."""
_NGINX_SECONDS: Final = 2.0
# Of a day that is over, entries may still come for a while.
_OPEN_DAYS: Final = 2
T = TypeVar("T")


class Gatherer:
    """Reads pictures of the ring; callers who come at once share one.

    Opens nothing that must be there: with the ring down it tells so, and goes on when it is back.
    """

    def __init__(
        self, settings: ExporterSettings, ring_settings: RingSettings, hosts: Hosts
    ) -> None:
        self._settings = settings
        self._ring_settings = ring_settings
        self._hosts = hosts
        self._names = {entry.address: entry.name for entry in hosts.inventory.hosts}
        self._reader = RingReader(ring_settings, self._names)
        self._ring: RingClient | None = None
        self._journal: dict[JournalEntry, None] = {}
        self._journal_read_at = datetime.min.replace(tzinfo=UTC)
        self._reading: asyncio.Task[RingPicture] | None = None

    def __repr__(self) -> str:
        return f"<Gatherer {self._ring_settings.keyspace} journal={len(self._journal)}>"

    async def read(self) -> RingPicture:
        """Return the ring as it is now, within the deadline of the settings.

        Raises:
            RingSettingsError: a password or certificate file cannot be read.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="a picture of the ring")
        return await asyncio.shield(self._reading)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._ring is not None:
            await self._ring.aclose()
        await self._reader.aclose()

    async def _read(self) -> RingPicture:
        ring = await self._open_ring()
        sources = _Sources(time.monotonic() + self._settings.exporter_deadline_seconds)
        ask = sources.ask
        of_ring, lock, owed, entries, front, nginx = await asyncio.gather(
            self._look_at_ring(sources),
            ask("lock", _fetch_lock(ring)),
            ask("debts", _fetch_owed(ring)),
            ask("journal", self._follow_journal(ring)),
            ask("nginx_members", self._hosts.front.members()),
            self._look_at_nginx(sources),
        )
        view, tables, facts, repairs = of_ring
        past = None
        if entries is not None and lock is not None:
            past = look_back(entries, holder=lock.holder.owner if lock.holder else "")
        return RingPicture(
            keyspace=self._ring_settings.keyspace,
            cql_port=self._ring_settings.cql_port,
            sources=sources.answered,
            view=view,
            tables=tables,
            hosts=self._names,
            facts=facts,
            repaired_at=repairs,
            lock=lock,
            owed=owed,
            front=None if front is None else frozenset(front),
            circuits={endpoint.address: node.circuit_open for endpoint, node in ring.nodes.items()},
            past=past,
            nginx=nginx,
        )

    async def _open_ring(self) -> RingClient:
        if self._ring is None:
            statements = (*LOCK_STATEMENTS, *JOURNAL_STATEMENTS, *DEBT_STATEMENTS)
            self._ring = await RingClient.open(self._ring_settings, statements)
        return self._ring

    async def _look_at_ring(
        self, sources: "_Sources"
    ) -> tuple[
        RingView | None,
        dict[str, NodeTables],
        dict[str, HostFacts | None],
        dict[str, float] | None,
    ]:
        """Read the view, then of each node what only it and its host can tell."""
        view = await sources.ask("ring", self._reader.read())
        if view is None:
            return None, {}, {}, None
        tables, facts, repairs = await asyncio.gather(
            sources.ask_each(
                "nodes",
                {
                    node.address: read_node_tables(
                        self._reader, node.address, timeout_seconds=sources.left_seconds
                    )
                    for node in view.nodes
                    if node.answers
                },
            ),
            sources.ask_each(
                "hosts",
                {
                    node.address: self._hosts.find(node.address).read_facts()
                    for node in view.nodes
                    if node.address in self._names
                },
            ),
            sources.ask(
                "repairs",
                self._reader.run_cql(SELECT_REPAIRS, timeout_seconds=sources.left_seconds),
            ),
        )
        return (
            view,
            {address: told for address, told in tables.items() if told is not None},
            facts,
            None
            if repairs is None
            else repaired_at(repairs, view.members, self._ring_settings.keyspace),
        )

    async def _follow_journal(self, ring: RingClient) -> list[JournalEntry]:
        """Return the days that are shown; those that are over are read once."""
        now = datetime.now(UTC)
        shown = timedelta(days=self._settings.exporter_journal_days)
        unread = now - max(self._journal_read_at, now - shown)
        entries = await fetch_journal(ring, days=unread.days + _OPEN_DAYS)
        self._journal.update(dict.fromkeys(entries))
        self._journal_read_at = now
        oldest = now - shown
        self._journal = {entry: None for entry in self._journal if entry.at > oldest}
        return list(self._journal)

    async def _look_at_nginx(self, sources: "_Sources") -> Nginx | None:
        url = self._settings.exporter_nginx_url
        if url == NO_NGINX:
            return None
        if not url:
            url = f"http://127.0.0.1:{self._hosts.inventory.nginx.status_port}/nginx_status"
        return await sources.ask("nginx", fetch_nginx(url, timeout_seconds=_NGINX_SECONDS))


class _Sources:
    """Asks several places until one deadline, and notes which of them told."""

    def __init__(self, deadline_at: float) -> None:
        self._deadline_at = deadline_at
        self.answered: dict[str, bool] = {}

    @property
    def left_seconds(self) -> float:
        return max(0.1, self._deadline_at - time.monotonic())

    async def ask(self, source: str, question: Awaitable[T]) -> T | None:
        """Return what a source tells; None when it fails or is late, which is a figure too."""
        try:
            async with asyncio.timeout(self.left_seconds):
                answer = await question
        except (RingError, NodesError, TimeoutError) as error:
            _LOG.warning("%s: %s", source, error or "no answer in time")
            self.answered[source] = False
            return None
        self.answered.setdefault(source, True)
        return answer

    async def ask_each(
        self, source: str, questions: Mapping[str, Awaitable[T]]
    ) -> dict[str, T | None]:
        """Ask many of one kind at once; one that does not tell makes the source no good."""
        answers = await asyncio.gather(
            *(self.ask(source, question) for question in questions.values())
        )
        return dict(zip(questions, answers, strict=True))


async def _fetch_lock(ring: RingClient) -> Lock:
    return Lock(await fetch_holder(ring, RING_LOCK))


async def _fetch_owed(ring: RingClient) -> frozenset[str]:
    return frozenset(debt.host_id for debt in await fetch_cleanups(ring))
