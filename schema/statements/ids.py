"""Blocks of ids for what the API creates; by lightweight transactions only."""

from typing import Final

from ring.statements import Consistency, Statement

SELECT_NEXT_ID: Final = Statement(
    "select_next_id",
    "SELECT next_id FROM id_blocks WHERE kind = ?",
    # Also finishes a transaction whose outcome nobody was told.
    Consistency.SERIAL,
    idempotent=True,
)
CREATE_ID_KIND: Final = Statement(
    "create_id_kind",
    "INSERT INTO id_blocks (kind, next_id) VALUES (?, ?) IF NOT EXISTS",
    Consistency.QUORUM,
    idempotent=True,
    serial_consistency=Consistency.SERIAL,
)
RAISE_NEXT_ID: Final = Statement(
    "raise_next_id",
    "UPDATE id_blocks SET next_id = ? WHERE kind = ? IF next_id < ?",
    Consistency.QUORUM,
    idempotent=True,
    serial_consistency=Consistency.SERIAL,
)
TAKE_ID_BLOCK: Final = Statement(
    "take_id_block",
    "UPDATE id_blocks SET next_id = ? WHERE kind = ? IF next_id = ?",
    Consistency.QUORUM,
    idempotent=False,
    serial_consistency=Consistency.SERIAL,
)

ID_STATEMENTS: Final = (SELECT_NEXT_ID, CREATE_ID_KIND, TAKE_ID_BLOCK, RAISE_NEXT_ID)
