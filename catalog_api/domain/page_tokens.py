"""Page tokens: where a list goes on, opaque to callers and signed, so that none can be made up.

A token holds what every app server needs to go on, so it survives restarts and other servers.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Final

from catalog_api.domain.errors import InvalidTokenError

_CONTENT: Final = struct.Struct(">B8sqqq")
_VERSION: Final = 1
_MAC_BYTES: Final = 16
# Base64 takes four characters for three bytes, and no more than needed for the last.
TOKEN_PATTERN: Final = f"^[A-Za-z0-9_-]{{{-(-(_CONTENT.size + _MAC_BYTES) * 4 // 3)}}}$"
"""How every token looks."""


@dataclass(frozen=True, slots=True)
class Position:
    """Behind which row a list goes on.

    Attributes:
        place: of the last row that was looked at.
        item_id: its id.
        estimate: how many rows the first page said that there are.
    """

    place: int
    item_id: int
    estimate: int = 0


class PageTokens:
    """Signs and reads tokens.

    Args:
        secrets: of the deployment; the first signs, the others are still accepted. None: tokens
            end with this process.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [
            hmac.digest(secret.encode(), b"page tokens", hashlib.sha256)
            for secret in secrets or [token_urlsafe()]
        ]

    def sign(self, position: Position, fingerprint: bytes) -> str:
        """Return the token of a position in the list that has this fingerprint (eight bytes)."""
        content = _CONTENT.pack(
            _VERSION, fingerprint, position.place, position.item_id, position.estimate
        )
        whole = content + _mac(self._keys[0], content)
        return _text_of(whole)

    def read(self, token: str, fingerprint: bytes) -> Position:
        """Return the position of a token that was signed for this list.

        Raises:
            InvalidTokenError: it was not signed here, or for another list.
        """
        try:
            whole = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidTokenError("page_token is none of ours") from error
        content, mac = whole[:-_MAC_BYTES], whole[-_MAC_BYTES:]
        is_ours = any(hmac.compare_digest(_mac(key, content), mac) for key in self._keys)
        # Base64 has spare bits at the end: one position has one token.
        if not is_ours or _text_of(whole) != token:
            raise InvalidTokenError("page_token is none of ours")
        version, signed_for, place, item_id, estimate = _CONTENT.unpack(content)
        if version != _VERSION or signed_for != fingerprint:
            raise InvalidTokenError("page_token belongs to another search")
        return Position(place, item_id, estimate)


def _text_of(whole: bytes) -> str:
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, hashlib.sha256)[:_MAC_BYTES]
