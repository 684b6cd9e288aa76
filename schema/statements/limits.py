"""Rate limits: requests of a caller in a minute; by lightweight transactions only."""

from typing import Final

from ring.statements import Consistency, Statement

TAKE_REQUESTS: Final = Statement(
    "take_requests",
    "UPDATE requests_by_caller USING TTL 300 SET used = ?"
    " WHERE kind = ? AND caller = ? AND minute = ? IF used = ?",
    Consistency.LOCAL_QUORUM,
    idempotent=False,
    serial_consistency=Consistency.LOCAL_SERIAL,
)

LIMIT_STATEMENTS: Final = (TAKE_REQUESTS,)
