"""API keys: read and written at LOCAL_QUORUM, so that a revocation is in the next read."""

from typing import Final

from ring.statements import Consistency, Statement

_QUORUM: Final = Consistency.LOCAL_QUORUM

SELECT_API_KEY: Final = Statement(
    "select_api_key",
    "SELECT key_id, role, note, to_unix_timestamp(created_at), to_unix_timestamp(expires_at),"
    " to_unix_timestamp(revoked_at), secret_sha256, former_sha256,"
    " to_unix_timestamp(former_until) FROM api_keys WHERE key_id = ?",
    _QUORUM,
    idempotent=True,
)
SELECT_API_KEYS: Final = Statement(
    "select_api_keys",
    SELECT_API_KEY.cql.removesuffix(" WHERE key_id = ?"),
    _QUORUM,
    idempotent=True,
)
WRITE_API_KEY: Final = Statement(
    "write_api_key",
    "INSERT INTO api_keys (key_id, role, note, created_at, expires_at, secret_sha256)"
    " VALUES (?, ?, ?, ?, ?, ?)",
    _QUORUM,
    idempotent=True,
)
REVOKE_API_KEY: Final = Statement(
    "revoke_api_key",
    "UPDATE api_keys SET revoked_at = ? WHERE key_id = ?",
    _QUORUM,
    idempotent=True,
)
ROTATE_API_KEY: Final = Statement(
    "rotate_api_key",
    "UPDATE api_keys SET secret_sha256 = ?, former_sha256 = ?, former_until = ? WHERE key_id = ?",
    _QUORUM,
    idempotent=True,
)

API_KEY_STATEMENTS: Final = (
    SELECT_API_KEY,
    SELECT_API_KEYS,
    WRITE_API_KEY,
    REVOKE_API_KEY,
    ROTATE_API_KEY,
)
