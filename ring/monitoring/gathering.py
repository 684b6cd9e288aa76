"""Looks at the ring from all sides, for as long as a page may take and no longer."""

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import Awaitable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from ring.client import RingClient
from ring.errors import RingError, RingUnavailableError
from ring.hosts.hosts import Hosts
from ring.monitoring.nginx import fetch_nginx
from ring.monitoring.node_tables import read_node_tables
from ring.monitoring.past import Past, look_back
from ring.monitoring.picture import Lock, Nginx, RingPicture
from ring.monitoring.settings import ExporterSettings
from ring.nodes.errors import NodesError
from ring.operation_lock import LOCK_STATEMENTS, RING_LOCK, fetch_holder
from ring.operations.debts import DEBT_STATEMENTS, fetch_cleanups
from ring.operations.journal import JOURNAL_STATEMENTS, JournalEntry, fetch_journal
from ring.operations.reading import RingReader
from ring.operations.repairs import REPAIR_STATEMENTS, fetch_repairs
from ring.operations.view import RingView
from ring.settings import RingSettings

_LOG: Final = logging.getLogger("ring.monitoring")
_STATEMENTS: Final = (
    *LOCK_STATEMENTS,
    *JOURNAL_STATEMENTS,
    *DEBT_STATEMENTS,
    *REPAIR_STATEMENTS,
)
_READY_SECONDS: Final = 3.0
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
        self._answered: Mapping[str, bool] = {}
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
        deadline_at = time.monotonic() + self._settings.exporter_deadline_seconds
        sources = _Sources(deadline_at, self._answered)
        picture = RingPicture(
            keyspace=self._ring_settings.keyspace,
            cql_port=self._ring_settings.cql_port,
            hosts=self._names,
        )
        view, nginx = await asyncio.gather(
            sources.ask("ring", self._reader.read()), self._look_at_nginx(sources)
        )
        picture = dataclasses.replace(picture, view=view, nginx=nginx)
        if view is not None:
            picture = await self._look_closer(sources, picture, view)
        self._answered = sources.answered
        return dataclasses.replace(picture, sources=sources.answered)

    async def _look_closer(
        self, sources: "_Sources", picture: RingPicture, view: RingView
    ) -> RingPicture:
        """Ask what takes a ring that answers: its nodes, their hosts, the tables of operations."""
        ring = await self._open_ring(view)
        tables, facts, repairs, front, owed, (lock, past) = await asyncio.gather(
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
            sources.ask("repairs", self._fetch_repairs(ring)),
            self._look_at_members(sources),
            sources.ask("debts", fetch_cleanups(ring)),
            self._look_at_operations(sources, ring),
        )
        return dataclasses.replace(
            picture,
            tables={address: told for address, told in tables.items() if told is not None},
            facts=facts,
            repaired_at=repairs,
            front=None if front is None else frozenset(front),
            owed=None if owed is None else frozenset(debt.host_id for debt in owed),
            lock=lock,
            past=past,
            circuits={endpoint.address: node.circuit_open for endpoint, node in ring.nodes.items()},
        )

    async def _open_ring(self, view: RingView) -> RingClient:
        """Return the client for the tables of operations, opened by what the first view told."""
        if self._ring is None:
            settings = dataclasses.replace(
                self._ring_settings,
                contact_points=tuple(sorted(view.answering)),
                # A node that waits for a frozen replica is not silent to who asks so seldom.
                silence_seconds=self._settings.exporter_deadline_seconds,
            )
            self._ring = await RingClient.open(settings, _STATEMENTS)
            # Without these tables there is nothing to wait for, and they may come later.
            with contextlib.suppress(RingUnavailableError):
                await self._ring.wait_ready(_READY_SECONDS)
        return self._ring

    async def _look_at_operations(
        self, sources: "_Sources", ring: RingClient
    ) -> tuple[Lock | None, Past | None]:
        lock = await sources.ask("lock", _fetch_lock(ring))
        # After the lock, so that a run that has just begun is not taken for one that has ended.
        entries = await sources.ask("journal", self._follow_journal(ring))
        if lock is None or entries is None:
            return lock, None
        return lock, look_back(entries, holder=lock.holder.owner if lock.holder else "")

    async def _follow_journal(self, ring: RingClient) -> Iterable[JournalEntry]:
        """Return the days that are shown; those that are over are read once."""
        now = datetime.now(UTC)
        shown = timedelta(days=self._settings.exporter_journal_days)
        unread = now - max(self._journal_read_at, now - shown)
        entries = await fetch_journal(ring, days=unread.days + _OPEN_DAYS)
        self._journal.update(dict.fromkeys(entries))
        self._journal_read_at = now
        self._journal = {entry: None for entry in self._journal if entry.at > now - shown}
        return self._journal

    async def _fetch_repairs(self, ring: RingClient) -> dict[str, float]:
        """Return when each node's ranges of the catalog were last repaired, by host id."""
        return {
            repaired.host_id: repaired.began.timestamp()
            for repaired in await fetch_repairs(ring)
            if repaired.keyspace == self._ring_settings.keyspace
        }

    async def _look_at_members(self, sources: "_Sources") -> tuple[str, ...] | None:
        if not self._settings.exporter_nginx:
            return None
        return await sources.ask("nginx_members", self._hosts.front.members())

    async def _look_at_nginx(self, sources: "_Sources") -> Nginx | None:
        if not self._settings.exporter_nginx:
            return None
        return await sources.ask("nginx", fetch_nginx(self._hosts.front))


class _Sources:
    """Asks several places until one deadline, and notes which of them told."""

    def __init__(self, deadline_at: float, before: Mapping[str, bool]) -> None:
        self._deadline_at = deadline_at
        self._before = before
        self.answered: dict[str, bool] = {}

    @property
    def left_seconds(self) -> float:
        """Seconds until the deadline, a little more when it has passed."""
        return max(0.1, self._deadline_at - time.monotonic())

    async def ask(self, source: str, question: Awaitable[T]) -> T | None:
        """Return what a source tells; None when it fails or is late, which is a figure too."""
        try:
            async with asyncio.timeout(self.left_seconds):
                answer = await question
        except (RingError, NodesError, TimeoutError) as error:
            # Once, not at every scrape.
            level = logging.WARNING if self._before.get(source, True) else logging.DEBUG
            _LOG.log(level, "no figures of %s: %s", source, str(error) or "no answer in time")
            self.answered[source] = False
            return None
        self.answered.setdefault(source, True)
        return answer

    async def ask_each(
        self, source: str, questions: Mapping[str, Awaitable[T]]
    ) -> dict[str, T | None]:
        """Ask many of one kind at once; when one does not tell, the source does not count."""
        answers = await asyncio.gather(
            *(self.ask(source, question) for question in questions.values())
        )
        return dict(zip(questions, answers, strict=True))


async def _fetch_lock(ring: RingClient) -> Lock:
    return Lock(await fetch_holder(ring, RING_LOCK))
