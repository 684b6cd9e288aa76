"""What both Python peers share: a read through the plain driver, awaited on the event loop."""

import asyncio
import os

from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy
from cassandra.query import tuple_factory

SELECT_PRODUCT = "SELECT product FROM products_by_id WHERE product_id = ?"
TIMEOUT_SECONDS = 10.0


class ProductReads:
    """One session of the driver; answers come from its own thread by `call_soon_threadsafe`."""

    def __init__(self) -> None:
        """Connect and prepare; blocks, so do it before serving."""
        profile = ExecutionProfile(
            load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy("datacenter1")),
            consistency_level=ConsistencyLevel.LOCAL_ONE,
            row_factory=tuple_factory,
            request_timeout=TIMEOUT_SECONDS,
        )
        self._cluster = Cluster(
            [os.environ["BENCH_CONTACT_POINT"]],
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        )
        self._session = self._cluster.connect(os.environ["BENCH_KEYSPACE"])
        self._select = self._session.prepare(SELECT_PRODUCT)

    def close(self) -> None:
        """End the session; blocks."""
        self._cluster.shutdown()

    async def fetch(self, product_id: int) -> bytes | None:
        """Return the stored body of one product, None when there is none.

        Raises:
            Exception: of the driver's own, as they are: a peer needs no more.
        """
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[bytes | None] = loop.create_future()

        def answered(rows: list[tuple[bytes]]) -> None:
            loop.call_soon_threadsafe(_set_result, waiting, rows[0][0] if rows else None)

        def failed(error: Exception) -> None:
            loop.call_soon_threadsafe(_set_exception, waiting, error)

        self._session.execute_async(self._select, (product_id,)).add_callbacks(answered, failed)
        return await waiting


def _set_result(waiting: asyncio.Future[bytes | None], body: bytes | None) -> None:
    if not waiting.done():
        waiting.set_result(body)


def _set_exception(waiting: asyncio.Future[bytes | None], error: Exception) -> None:
    if not waiting.done():
        waiting.set_exception(error)
