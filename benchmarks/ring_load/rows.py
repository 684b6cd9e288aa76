"""The load's own table: one small row a key, written at QUORUM with times of the load's own."""

import hashlib
from typing import Final

from ring import Consistency, Statement

TABLE: Final = "ring_load_rows"
# Nothing may heal what the check is to find.
CREATE_TABLE: Final = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (key bigint PRIMARY KEY, version bigint, payload blob)"
    " WITH compaction = {'class': 'UnifiedCompactionStrategy'} AND read_repair = 'NONE'"
    " AND speculative_retry = 'NONE'"
)
WRITE_ROW: Final = Statement(
    "write_load_row",
    f"INSERT INTO {TABLE} (key, version, payload) VALUES (?, ?, ?) USING TIMESTAMP ?",  # noqa: S608
    Consistency.QUORUM,
    idempotent=True,
)
DELETE_ROW: Final = Statement(
    "delete_load_row",
    f"DELETE FROM {TABLE} USING TIMESTAMP ? WHERE key = ?",  # noqa: S608 -- a name of our own
    Consistency.QUORUM,
    idempotent=True,
)
SELECT_ROW: Final = Statement(
    "select_load_row",
    f"SELECT version, payload FROM {TABLE} WHERE key = ?",  # noqa: S608 -- as above
    Consistency.QUORUM,
    idempotent=True,
)
ROW_STATEMENTS: Final = (WRITE_ROW, DELETE_ROW, SELECT_ROW)
_DIGESTS: Final = 8


def payload(key: int, version: int) -> bytes:
    """Return the bytes that a row of this key and version holds; 256 of them."""
    seed = f"{key}:{version}".encode()
    return b"".join(hashlib.sha256(seed + bytes([part])).digest() for part in range(_DIGESTS))
