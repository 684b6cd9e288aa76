"""An API key that may change the catalog, known to every keyspace that `running_catalog` serves."""

import time
from typing import Final

from catalog_api.domain.api_key import ApiKey, KeyText, Role
from catalog_api.repositories.api_keys import ApiKeysRepository
from catalog_api.repositories.rows import RowSource

EDITOR: Final = KeyText("a" * 16, "b" * 43)
AS_EDITOR: Final = {"Authorization": f"Bearer {EDITOR}"}
_WRITE_SECONDS: Final = 10.0


async def write_editor_key(ring: RowSource) -> None:
    """Store the key."""
    key = ApiKey(
        key_id=EDITOR.key_id,
        role=Role.EDITOR.value,
        note="tests",
        created_at_ms=time.time_ns() // 1_000_000,
        expires_at_ms=None,
        revoked_at_ms=None,
        secret_sha256=EDITOR.sha256,
        former_sha256=None,
        former_until_ms=None,
    )
    await ApiKeysRepository(ring, timeout_seconds=_WRITE_SECONDS).write(key)
