"""Sessions of people without an account: signed cookies, and ids derived from `Authorization`.

A cookie holds a version, the session's id, when it was issued, and an HMAC-SHA256 of these by a
secret of the deployment. Whoever can read the tables still cannot make a cookie.
"""

import base64
import hashlib
import hmac
import os
import re
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

COOKIE: Final = "catalog_session"
_CONTENT: Final = struct.Struct(">B16sQ")
_VERSION: Final = 1
_MAC_BYTES: Final = 32
# 57 bytes as base64 are 76 characters, without padding.
_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{76}").fullmatch
# Anybody may send many cookies of our name; only these are looked at.
_MOST_COOKIES: Final = 8
# How far the clocks of two app servers may differ.
_SKEW_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Session:
    """Whose cart it is.

    Attributes:
        session_id: 16 random bytes, or the 32 of a derived session.
        wants_cookie: it is new, or its cookie is half worn out or signed by an older secret.
    """

    session_id: bytes
    wants_cookie: bool


class Sessions:
    """Finds the session of a request and writes cookies.

    Args:
        secrets: the first signs, the others are still accepted.
        lifetime_seconds: of a cookie; one that is used is renewed after half of it.
    """

    def __init__(self, secrets: Sequence[str], *, lifetime_seconds: int) -> None:
        self._secrets = [secret.encode() for secret in secrets]
        self._lifetime_seconds = lifetime_seconds

    def find(self, cookie_lines: Iterable[str], authorization: str) -> Session:
        """Return the caller's session: by a valid cookie, else by `Authorization`, else a new one.

        Args:
            cookie_lines: values of the Cookie headers; what is malformed or forged is passed over.
            authorization: that header's value, empty when it was not sent.
        """
        for value in _values(cookie_lines):
            session = self._read(value)
            if session is not None:
                return session
        if authorization:
            return Session(derive(authorization), wants_cookie=False)
        return Session(os.urandom(16), wants_cookie=True)

    def cookie(self, session: Session, *, secure: bool) -> str:
        """Return the Set-Cookie header line, ended by CRLF.

        Args:
            session: one that wants a cookie.
            secure: the caller came by https, and the cookie is to go by https only.
        """
        content = _CONTENT.pack(_VERSION, session.session_id, int(time.time()))
        value = base64.urlsafe_b64encode(content + _mac(self._secrets[0], content)).decode()
        return (
            f"Set-Cookie: {COOKIE}={value}; Max-Age={self._lifetime_seconds}; Path=/;"
            f" HttpOnly; SameSite=Lax{'; Secure' if secure else ''}\r\n"
        )

    def _read(self, value: str) -> Session | None:
        if _VALUE(value) is None:
            return None
        whole = base64.urlsafe_b64decode(value)
        content, mac = whole[:-_MAC_BYTES], whole[-_MAC_BYTES:]
        signed_by = (hmac.compare_digest(_mac(secret, content), mac) for secret in self._secrets)
        place = next((place for place, is_by in enumerate(signed_by) if is_by), None)
        if place is None:
            return None
        version, session_id, issued_at = _CONTENT.unpack(content)
        age_seconds = time.time() - issued_at
        if version != _VERSION or not -_SKEW_SECONDS <= age_seconds <= self._lifetime_seconds:
            return None
        return Session(
            session_id, wants_cookie=place > 0 or age_seconds > self._lifetime_seconds / 2
        )


def derive(authorization: str) -> bytes:
    """Return the session id that stands for a value of `Authorization`.

    A plain digest: it must stay the same when the secret is changed. Nobody can send it as a
    cookie, since it is not signed.
    """
    value = authorization.encode("utf-8", "surrogateescape")
    return hashlib.sha256(b"session of authorization:" + value).digest()


def _mac(secret: bytes, content: bytes) -> bytes:
    return hmac.digest(secret, b"session cookie:" + content, "sha256")


def _values(lines: Iterable[str]) -> Iterator[str]:
    """Yield the values of our cookies, in the order in which they were sent."""
    found = 0
    for line in lines:
        for pair in line.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == COOKIE:
                found += 1
                if found > _MOST_COOKIES:
                    return
                yield value
