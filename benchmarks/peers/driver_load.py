"""The plain cassandra-driver as a loader: a prepared statement, many rows at a time.

python -m benchmarks.peers.driver_load ADDRESS KEYSPACE FILE [CONCURRENCY]
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy

INSERT = "INSERT INTO products_by_id (product_id, product) VALUES (?, ?)"
TIMEOUT_SECONDS = 60.0


def rows(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the rows of a CSV file with a header."""
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        next(reader)
        for product_id, product in reader:
            yield int(product_id), product.encode()


def load(address: str, keyspace: str, path: Path, concurrency: int) -> None:
    """Write all rows; the first that fails ends it."""
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy("datacenter1")),
        consistency_level=ConsistencyLevel.LOCAL_ONE,
        request_timeout=TIMEOUT_SECONDS,
    )
    cluster = Cluster([address], execution_profiles={EXEC_PROFILE_DEFAULT: profile})
    session = cluster.connect(keyspace)
    # As a generator, so that a million answers need not stand in memory.
    for _ in execute_concurrent_with_args(
        session,
        session.prepare(INSERT),
        rows(path),
        concurrency=concurrency,
        results_generator=True,
    ):
        pass
    cluster.shutdown()


if __name__ == "__main__":
    load(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int((sys.argv[4:] or ["100"])[0]))
