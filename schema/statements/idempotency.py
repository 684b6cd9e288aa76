"""Requests that may be repeated: one transaction to begin, one write to finish."""

from typing import Final

from ring.statements import Consistency, Statement

_QUORUM: Final = Consistency.LOCAL_QUORUM
_SERIAL: Final = Consistency.LOCAL_SERIAL

BEGIN_REQUEST: Final = Statement(
    "begin_request",
    "INSERT INTO idempotent_requests (scope, request, holder, held_until) VALUES (?, ?, ?, ?)"
    " IF NOT EXISTS",
    _QUORUM,
    idempotent=False,
    serial_consistency=_SERIAL,
)
TAKE_OVER_REQUEST: Final = Statement(
    "take_over_request",
    "UPDATE idempotent_requests SET request = ?, holder = ?, held_until = ? WHERE scope = ?"
    " IF holder = ?",
    _QUORUM,
    idempotent=False,
    serial_consistency=_SERIAL,
)
SELECT_REQUEST: Final = Statement(
    "select_request",
    "SELECT request, holder, held_until, answer FROM idempotent_requests WHERE scope = ?",
    _SERIAL,
    idempotent=True,
)
FINISH_REQUEST: Final = Statement(
    "finish_request",
    "UPDATE idempotent_requests SET answer = ? WHERE scope = ?",
    _QUORUM,
    idempotent=True,
)

IDEMPOTENCY_STATEMENTS: Final = (
    BEGIN_REQUEST,
    TAKE_OVER_REQUEST,
    SELECT_REQUEST,
    FINISH_REQUEST,
)
