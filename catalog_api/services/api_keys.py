"""Tells which role an API key has."""

import time
from typing import Final

from catalog_api.domain.api_key import ApiKey, read_key_text
from catalog_api.repositories.api_keys import ApiKeysRepository

CACHE_SECONDS: Final = 1.0
"""A revocation counts everywhere after this long."""
_MOST_KEYS: Final = 1_000

clock = time.monotonic


class ApiKeys:
    """Verifies keys; a stored key is remembered for at most a second.

    Args:
        keys: where they are stored.
    """

    def __init__(self, keys: ApiKeysRepository) -> None:
        self._keys = keys
        # The moment at which each was asked for, and what came back.
        self._known: dict[str, tuple[float, ApiKey]] = {}

    async def fetch_role(self, presented: str) -> str | None:
        """Return the role of a key; None when it is none, revoked or expired.

        Raises:
            RingError: it cannot be told, because too few replicas answered in time.
        """
        text = read_key_text(presented)
        if text is None:
            return None
        now, now_ms = clock(), time.time_ns() // 1_000_000
        asked_at, key = self._known.get(text.key_id, (0.0, None))
        if key is not None and now - asked_at <= CACHE_SECONDS and key.accepts(text, now_ms):
            return key.role
        # A no is never remembered: a new key, or a new secret, works at once.
        key = await self._keys.fetch(text.key_id)
        if key is None or not key.accepts(text, now_ms):
            return None
        if len(self._known) >= _MOST_KEYS:
            self._known.clear()
        self._known[text.key_id] = now, key
        return key.role
