"""API keys as they are stored, one row each.

Consistency: LOCAL_QUORUM throughout: what was revoked is revoked in the next read.
"""

from catalog_api.domain.api_key import ApiKey
from catalog_api.repositories.repository import Repository
from schema.statements.api_keys import (
    REVOKE_API_KEY,
    ROTATE_API_KEY,
    SELECT_API_KEY,
    SELECT_API_KEYS,
    WRITE_API_KEY,
)


class ApiKeysRepository(Repository):
    """Reads and writes API keys through the ring client."""

    async def fetch(self, key_id: str) -> ApiKey | None:
        """Return a key; None when there is none of this id. One round trip.

        Raises:
            RingError: too few replicas answered in time.
        """
        rows = await self._execute(SELECT_API_KEY, (key_id,))
        return ApiKey(*rows[0]) if rows else None

    async def fetch_all(self) -> list[ApiKey]:
        """Return all keys, the oldest first. Asks the whole ring: for people, not for requests.

        Raises:
            RingError: too few replicas answered in time.
        """
        keys = [ApiKey(*row) for row in await self._execute(SELECT_API_KEYS, ())]
        return sorted(keys, key=lambda key: (key.created_at_ms, key.key_id))

    async def write(self, key: ApiKey) -> None:
        """Store a new key. Idempotent.

        Raises:
            RingError: it may or may not be stored.
        """
        row = (
            *(key.key_id, key.role, key.note),
            *(key.created_at_ms, key.expires_at_ms, key.secret_sha256),
        )
        await self._execute(WRITE_API_KEY, row)

    async def revoke(self, key_id: str, at_ms: int) -> None:
        """Revoke a key that exists. Idempotent.

        Raises:
            RingError: it may or may not be revoked.
        """
        await self._execute(REVOKE_API_KEY, (at_ms, key_id))

    async def rotate(
        self, key_id: str, secret_sha256: bytes, former_sha256: bytes, former_until_ms: int
    ) -> None:
        """Give a key that exists another secret; the former one counts until a moment. Idempotent.

        Raises:
            RingError: it may or may not have it.
        """
        await self._execute(ROTATE_API_KEY, (secret_sha256, former_sha256, former_until_ms, key_id))
