"""Reads that make a node quick before shoppers meet it: code is compiled, files are read."""

import time
from typing import Final

from ring.operations.context import Context
from ring.statements import Consistency

_WARM_SECONDS: Final = 20.0
_READ_SECONDS: Final = 10.0
_ROWS: Final = 100
# A round in which every table answered this fast, twice running, is as quick as it needs to be.
_FAST_SECONDS: Final = 0.05
_FAST_ROUNDS: Final = 2


async def warm_node(context: Context, address: str) -> int:
    """Read some rows of every table through a node until it is quick, for 20 s at the most.

    Consistency: LOCAL_ONE; the node coordinates.

    Returns:
        How many reads were answered.

    Raises:
        OperationError: a read failed, or took longer than 10 s.
    """
    keyspace = context.settings.keyspace
    tables = sorted((await context.reader.read()).tables)
    deadline = time.monotonic() + _WARM_SECONDS
    answered = fast_rounds = 0
    while tables and fast_rounds < _FAST_ROUNDS and time.monotonic() < deadline:
        slowest_seconds = 0.0
        for table in tables:
            began = time.monotonic()
            await context.reader.run_cql(
                # Names come from Cassandra's own list of tables.
                f'SELECT * FROM "{keyspace}"."{table}" LIMIT {_ROWS}',  # noqa: S608
                address=address,
                consistency=Consistency.LOCAL_ONE,
                timeout_seconds=_READ_SECONDS,
            )
            answered += 1
            slowest_seconds = max(slowest_seconds, time.monotonic() - began)
        fast_rounds = fast_rounds + 1 if slowest_seconds < _FAST_SECONDS else 0
    return answered
