"""Representations: which of a body's forms a caller gets, and how it is made.

The stored bytes are the default form and pass through untouched. The others — the 2020 profile,
MessagePack, gzip — are made from them here, and each has an entity tag of its own.
"""

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]
import orjson

from catalog_api.answers import JSON_TYPE, MSGPACK_TYPE, Answer, AnswerKind
from catalog_api.domain.profile import Profile, read_profile
from catalog_api.entity_tags import is_known

_NOT_MODIFIED: Final = {
    cacheable: AnswerKind(304, cacheable=cacheable, negotiated=True) for cacheable in (True, False)
}
_MSGPACK_TYPES: Final = frozenset(
    {"application/msgpack", "application/x-msgpack", "application/vnd.msgpack"}
)
# Kinds by (cacheable, msgpack, gzip).
_KINDS: Final = {
    (cacheable, packed, zipped): AnswerKind(
        200,
        MSGPACK_TYPE if packed else JSON_TYPE,
        cacheable=cacheable,
        negotiated=True,
        gzip=zipped,
    )
    for cacheable in (False, True)
    for packed in (False, True)
    for zipped in (False, True)
}
# Below this a body is compressed where it stands (under 0.2 ms); above it, in a thread: zlib lets
# the loop run meanwhile.
_INLINE_GZIP_BYTES: Final = 16_384
_GZIP_LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class Representation:
    """One form of a body; `gzip` means that the caller takes it for bodies that are large."""

    profile: Profile
    msgpack: bool
    gzip: bool

    @property
    def is_stored(self) -> bool:
        """Whether the stored bytes are this form already, apart from compression."""
        return self.profile is Profile.Y2021 and not self.msgpack


@lru_cache(maxsize=512)
def choose(profile: str, accept: str | None, accept_encoding: str | None) -> Representation:
    """Return the form that these header values ask for; malformed Accept values are ignored.

    Remembered by the values, since callers send few different ones.

    Raises:
        InvalidProfileError: there is no such profile.
    """
    return Representation(
        profile=read_profile(profile),
        msgpack=accept is not None and _prefers_msgpack(accept),
        gzip=accept_encoding is not None and _accepts_gzip(accept_encoding),
    )


def _prefers_msgpack(accept: str) -> bool:
    ranges = _qualities(accept)
    packed = [
        (quality, -place) for place, (name, quality) in enumerate(ranges) if name in _MSGPACK_TYPES
    ]
    if not packed or max(packed)[0] <= 0:
        return False
    # A wildcard asks for nothing in particular, so an equal MessagePack goes before it.
    rivals = [
        (quality, -place if name == "application/json" else -len(ranges))
        for place, (name, quality) in enumerate(ranges)
        if name in {"application/json", "application/*", "*/*"}
    ]
    return not rivals or max(packed) > max(rivals)


def _accepts_gzip(accept_encoding: str) -> bool:
    qualities = dict(_qualities(accept_encoding))
    return qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", 0.0))) > 0


def _qualities(header: str) -> list[tuple[str, float]]:
    """Return names and q values of a comma list; what is malformed is left out."""
    found = []
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                quality = _quality(value.strip())
        if name and 0 <= quality <= 1:
            found.append((name, quality))
    return found


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0


class Encoder:
    """Makes answers of stored bodies.

    Args:
        compress_min_bytes: stored bodies of this size or more are gzipped for those who ask.
        deadline_seconds: longest wait for a compression and its turn.
    """

    def __init__(self, *, compress_min_bytes: int, deadline_seconds: float) -> None:
        self._compress_min_bytes = compress_min_bytes
        self._deadline_seconds = deadline_seconds
        # Two at a time: more would only take the cores from the loop.
        self._compressions = asyncio.Semaphore(2)

    async def answer(
        self,
        body: bytes,
        etag: str,
        representation: Representation,
        if_none_match: str | None,
        convert: Callable[[Any], Any],
        *,
        cacheable: bool = True,
    ) -> Answer:
        """Return the 200, or the 304 when the caller has this form already.

        Args:
            body: the stored JSON bytes, in the 2021 profile.
            etag: the stored entity tag.
            representation: the form asked for.
            if_none_match: the header's value.
            convert: turns the decoded body into the 2020 profile.
            cacheable: whether caches may keep it.

        Raises:
            TimeoutError: too many large bodies are being compressed.
        """
        zipped = representation.gzip and len(body) >= self._compress_min_bytes
        if not representation.is_stored or zipped:
            etag += _suffix(representation, zipped=zipped)
        if if_none_match is not None and is_known(if_none_match, etag):
            return Answer(_NOT_MODIFIED[cacheable], etag=etag)
        if not representation.is_stored:
            body = _encode(body, representation, convert)
        if not zipped:
            return Answer(_KINDS[cacheable, representation.msgpack, False], body, etag)
        kind = _KINDS[cacheable, representation.msgpack, True]
        return Answer(kind, await self._compress(body), etag)

    async def _compress(self, body: bytes) -> bytes:
        if len(body) < _INLINE_GZIP_BYTES:
            return gzip.compress(body, _GZIP_LEVEL, mtime=0)
        async with asyncio.timeout(self._deadline_seconds), self._compressions:
            return await asyncio.to_thread(gzip.compress, body, _GZIP_LEVEL, mtime=0)


def _suffix(representation: Representation, *, zipped: bool) -> str:
    return (
        ("-2020" if representation.profile is Profile.Y2020 else "")
        + ("-msgpack" if representation.msgpack else "")
        + ("-gzip" if zipped else "")
    )


def _encode(body: bytes, representation: Representation, convert: Callable[[Any], Any]) -> bytes:
    document = orjson.loads(body)
    if representation.profile is Profile.Y2020:
        document = convert(document)
    if representation.msgpack:
        packed: bytes = msgpack.packb(document)
        return packed
    return orjson.dumps(document)
