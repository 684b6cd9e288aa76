"""API keys: how they look, and which secret is theirs."""

import base64
import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

_ID_BYTES: Final = 10
_SECRET_BYTES: Final = 32
_FORM: Final = re.compile(r"([a-z2-7]{16})\.([A-Za-z0-9_-]{43})").fullmatch


class Role(Enum):
    """What a key is for. Stored by value, so a role may be added beside those in use."""

    EDITOR = "editor"
    """May change the catalog."""


class KeyText(NamedTuple):
    """A key as its holder has it: `<key_id>.<secret>`."""

    key_id: str
    secret: str

    def __str__(self) -> str:
        return f"{self.key_id}.{self.secret}"

    @property
    def sha256(self) -> bytes:
        """What is stored of the secret; 256 random bits need no slow digest."""
        return hashlib.sha256(self.secret.encode()).digest()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored; moments in milliseconds since 1970, None for never."""

    key_id: str
    role: str
    note: str
    created_at_ms: int
    expires_at_ms: int | None
    revoked_at_ms: int | None
    secret_sha256: bytes
    former_sha256: bytes | None
    former_until_ms: int | None

    def state(self, now_ms: int) -> str:
        """Return `valid`, `expired` or `revoked`."""
        if self.revoked_at_ms is not None:
            return "revoked"
        if self.expires_at_ms is not None and now_ms >= self.expires_at_ms:
            return "expired"
        return "valid"

    def accepts(self, text: KeyText, now_ms: int) -> bool:
        """Whether this is the key's secret, or the one before, and counts now."""
        # Both are always compared, in constant time: how long it takes tells nothing.
        is_current = hmac.compare_digest(text.sha256, self.secret_sha256)
        is_former = hmac.compare_digest(text.sha256, self.former_sha256 or b"")
        is_former = is_former and now_ms < (self.former_until_ms or 0)
        return (is_current or is_former) and self.state(now_ms) == "valid"


def new_key_text(key_id: str | None = None) -> KeyText:
    """Return a new secret, for a new key unless one is named."""
    if key_id is None:
        key_id = base64.b32encode(os.urandom(_ID_BYTES)).decode().lower()
    return KeyText(key_id, secrets.token_urlsafe(_SECRET_BYTES))


def read_key_text(text: str) -> KeyText | None:
    """Return the key that a caller sent; None when it has not the form of one."""
    match = _FORM(text)
    return None if match is None else KeyText(*match.groups())
