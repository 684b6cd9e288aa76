"""What an operation works with: the hosts, the ring as it is, its records, and a voice."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from ring.client import RingClient
from ring.errors import RingError
from ring.hosts.errors import HostError
from ring.hosts.host import Host
from ring.hosts.hosts import Hosts
from ring.nodes.errors import NodesError
from ring.operation_lock import LOCK_STATEMENTS, RING_LOCK, HeldLock, fetch_holder
from ring.operations.debts import DEBT_STATEMENTS, DEBT_TABLES, fetch_changes, fetch_cleanups
from ring.operations.errors import OperationError
from ring.operations.journal import JOURNAL_STATEMENTS, JOURNAL_TABLE
from ring.operations.observe import StepObserver
from ring.operations.reading import RingReader
from ring.operations.repairs import REPAIR_STATEMENTS, REPAIR_TABLE
from ring.operations.view import RingView
from ring.settings import RingSettings

_READY_SECONDS: Final = 15.0
_FRONT_SECONDS: Final = 10.0
_TABLES: Final = frozenset({"operation_locks", JOURNAL_TABLE, REPAIR_TABLE}) | DEBT_TABLES


class Context:
    """All that operations share.

    Attributes:
        settings: how the ring is reached, and the catalog's keyspace.
        hosts: where nodes may live.
        reader: the eyes, without records and front: for loops that watch.
        observer: hears of each step.
        say: prints one line.
    """

    def __init__(
        self,
        settings: RingSettings,
        hosts: Hosts,
        *,
        say: Callable[[str], None],
        observer: StepObserver,
    ) -> None:
        self.settings = settings
        self.hosts = hosts
        self.reader = RingReader(settings, (host.entry.address for host in hosts.all))
        self.observer = observer
        self.say = say
        self._ring: RingClient | None = None
        self._lock: HeldLock | None = None

    def __repr__(self) -> str:
        return f"<Context {self.settings.keyspace} ring={self._ring!r}>"

    @property
    def ring(self) -> RingClient:
        """The client for lock, journal and debts.

        Raises:
            OperationError: the keyspace has no such tables, or no node has prepared them.
        """
        if self._ring is None:
            raise OperationError(
                f"keyspace {self.settings.keyspace} has no tables for operations",
                advice="Create them: catalog-ring apply-schema",
            )
        return self._ring

    def hold(self, lock: HeldLock) -> None:
        """Take the lock under which everything from now on is done."""
        self._lock = lock

    def require_lock(self) -> None:
        """See that the lock is still ours, before something that only one may do at a time.

        Raises:
            OperationLockLostError: another operation may have begun.
        """
        if self._lock is not None:
            self._lock.require()

    def host_at(self, address: str) -> Host:
        """Return the host of a node; raises InventoryError when the inventory does not have it."""
        return self.hosts.find(address)

    async def read_view(self, *, strict: bool = True) -> RingView:
        """Return the ring as it is now, with its debts, its app servers and nginx.

        Args:
            strict: whether debts that cannot be read are an error; else the view's
                `debts_problem` tells, and it shows none.

        Raises:
            OperationError: no node answers.
            RingError: the debts could not be read.
        """
        view = await self.reader.read()
        apps, front = await asyncio.gather(self._read_apps(view), self._read_front())
        view = dataclasses.replace(view, apps=apps, front=front)
        try:
            return dataclasses.replace(
                view,
                cleanups=await fetch_cleanups(self.ring),
                changes=await fetch_changes(self.ring),
                holder=await fetch_holder(self.ring, RING_LOCK),
            )
        except (RingError, OperationError) as error:
            if strict:
                raise
            return dataclasses.replace(view, debts_problem=str(error))

    async def open_records(self) -> None:
        """Open the client for lock, journal and debts, if the keyspace has tables for them.

        Raises:
            OperationError: no node answers.
            RingUnavailableError: no node prepared the statements in time.
        """
        view = await self.reader.read()
        if not view.tables >= _TABLES:
            return
        settings = dataclasses.replace(self.settings, contact_points=tuple(sorted(view.answering)))
        statements = (*LOCK_STATEMENTS, *JOURNAL_STATEMENTS, *DEBT_STATEMENTS, *REPAIR_STATEMENTS)
        self._ring = await RingClient.open(settings, statements)
        await self._ring.wait_ready(_READY_SECONDS)

    async def _read_apps(self, view: RingView) -> dict[str, bool]:
        addresses = [node.address for node in view.nodes]
        ready = await asyncio.gather(*(self._app_is_ready(address) for address in addresses))
        return {
            address: answer
            for address, answer in zip(addresses, ready, strict=True)
            if answer is not None
        }

    async def _app_is_ready(self, address: str) -> bool | None:
        try:
            host = self.host_at(address)
        except NodesError:
            return None
        try:
            async with asyncio.timeout(_FRONT_SECONDS):
                return await host.app_is_ready()
        except (HostError, TimeoutError):
            return False

    async def _read_front(self) -> tuple[str, ...] | None:
        try:
            async with asyncio.timeout(_FRONT_SECONDS):
                return await self.hosts.front.members()
        except (NodesError, TimeoutError):
            return None

    async def aclose(self) -> None:
        """Close every connection."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.reader.aclose)
            if self._ring is not None:
                stack.push_async_callback(self._ring.aclose)


@asynccontextmanager
async def open_context(
    settings: RingSettings,
    hosts: Hosts,
    *,
    say: Callable[[str], None],
    observer: StepObserver,
) -> AsyncIterator[Context]:
    """Reach the ring, and yield what operations work with.

    Raises:
        OperationError: no node answers.
        RingUnavailableError: no node prepared the statements of the records in time.
    """
    context = Context(settings, hosts, say=say, observer=observer)
    try:
        await context.open_records()
        yield context
    finally:
        await context.aclose()
