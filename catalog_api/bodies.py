"""Request bodies: bytes to checked values, for every route that takes one.

A body is read within its own deadline, at most `CATALOG_MAX_BODY_BYTES` of it, and decoded
strictly: UTF-8, no key twice, no NaN, no text that could not be stored. What it must hold is a
msgspec definition, the same that the OpenAPI document shows.
"""

import asyncio
import json
import re
from collections import Counter
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgpack  # type: ignore[import-untyped]
import msgspec
from aiohttp import web

from catalog_api.domain.errors import InvalidBodyError, UnsupportedTypeError
from catalog_api.domain.item_id import MAX_ID
from catalog_api.domain.text import refuse_unstorable

_Body = TypeVar("_Body")

FORM_TYPE: Final = "application/x-www-form-urlencoded"
JSON_TYPE: Final = "application/json"
MERGE_PATCH_TYPE: Final = "application/merge-patch+json"
MSGPACK_TYPES: Final = ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")
_FORM_FIELDS: Final = 2_000
_MAX_DEPTH: Final = 32
# `characteristics[14]`, `photos[]` and `photos[0]`, as forms name what is within something.
_FORM_NAME: Final = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]")
_ESCAPE: Final = "\\u"


async def read_bytes(request: web.Request, *, timeout_seconds: float) -> bytes:
    """Return the whole body.

    Raises:
        web.HTTPRequestTimeout: the caller took too long to send it.
        web.HTTPRequestEntityTooLarge: it is larger than allowed.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            return await request.read()
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error


async def read_body(
    request: web.Request, kind: type[_Body], *, timeout_seconds: float, lenient: bool = False
) -> _Body:
    """Return the request's JSON (or, when lenient, form) as a value of this type.

    Args:
        request: of the application.
        kind: a msgspec definition.
        timeout_seconds: for the caller to send it.
        lenient: legacy routes: forms too, numbers and truths also as text.

    Raises:
        InvalidBodyError: it is not what `kind` wants; the message says what and where.
        web.HTTPException: as `read_bytes`.
    """
    data = await read_bytes(request, timeout_seconds=timeout_seconds)
    if lenient and request.content_type == FORM_TYPE:
        document: object = decode_form(data)
    else:
        document = decode_json(data)
    return check(document, kind, lenient=lenient)


async def read_document(
    request: web.Request, *, json_type: str = JSON_TYPE, timeout_seconds: float
) -> object:
    """Return the request's body, decoded by its media type: MessagePack, or JSON of this type.

    Raises:
        UnsupportedTypeError: it is something else.
        InvalidBodyError: it is not what its type says.
        web.HTTPException: as `read_bytes`.
    """
    data = await read_bytes(request, timeout_seconds=timeout_seconds)
    if request.content_type in MSGPACK_TYPES:
        return decode_msgpack(data)
    if request.content_type != json_type:
        raise UnsupportedTypeError((json_type, MSGPACK_TYPES[0]))
    return decode_json(data)


def check(document: object, kind: type[_Body], *, lenient: bool = False) -> _Body:
    """Return a decoded document as a value of this type.

    Raises:
        InvalidBodyError: it is not what `kind` wants.
    """
    try:
        return msgspec.convert(document, kind, strict=not lenient)
    except msgspec.ValidationError as error:
        raise InvalidBodyError(str(error)) from error


def decode_json(data: bytes) -> object:
    """Return the document.

    Raises:
        InvalidBodyError: no UTF-8, no JSON, a key twice, too deep, or text that cannot be stored.
    """
    try:
        text = data.decode()
        document = json.loads(
            text,
            object_pairs_hook=_object_of_pairs,
            parse_float=lambda digits: _whole_where_it_is(float(digits)),
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError as error:
        raise InvalidBodyError(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise InvalidBodyError(f"not JSON: {error}") from error
    except (RecursionError, ValueError) as error:
        raise InvalidBodyError(f"not usable JSON: {error}") from error
    _refuse_depth(document, _MAX_DEPTH)
    # Only an escape can have brought in what UTF-8 itself or JSON's grammar refuses.
    if _ESCAPE in text:
        refuse_unstorable(document)
    return document


def decode_msgpack(data: bytes) -> object:
    """Return the document.

    Raises:
        InvalidBodyError: no MessagePack, a key twice or that is no text, too deep, or text that
            cannot be stored.
    """
    try:
        document = msgpack.unpackb(data, object_pairs_hook=_object_of_pairs, strict_map_key=True)
    except (ValueError, msgpack.UnpackException) as error:
        raise InvalidBodyError(f"not usable MessagePack: {error}") from error
    _refuse_depth(document, _MAX_DEPTH)
    refuse_unstorable(document)
    return _whole_where_it_is(document)


def decode_form(data: bytes) -> dict[str, object]:
    """Return the fields of a form; `name[key]` goes into an object, `name[]` into a list.

    Raises:
        InvalidBodyError: not UTF-8, too many fields, or text that cannot be stored.
    """
    try:
        pairs = parse_qsl(
            data.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_FORM_FIELDS,
        )
    except ValueError as error:
        raise InvalidBodyError(f"not a form: {error}") from error
    document: dict[str, object] = {}
    for name, value in pairs:
        _put(document, name, value)
    refuse_unstorable(document)
    return document


def _put(document: dict[str, object], name: str, value: str) -> None:
    within = _FORM_NAME.fullmatch(name)
    if within is None:
        first = [value] if name == "photos" else _value_of(name, value)
        _add(document, name, value, first=first)
        return
    outer, inner = within.groups()
    if inner and not (outer == "photos" and inner.isdigit()):
        inside = document.setdefault(outer, {})
        if isinstance(inside, dict):
            _add(inside, inner, value, first=value)
        else:
            _add(document, outer, value, first=value)
    else:
        _add(document, outer, value, first=[value])


def _add(fields: dict[str, object], name: str, value: str, *, first: object) -> None:
    """Put a value beside those of its name. Given twice makes a list, which only lists may be."""
    known = fields.get(name)
    if name not in fields:
        fields[name] = first
    elif isinstance(known, list):
        known.append(value)
    else:
        fields[name] = [known, value]


def _value_of(name: str, value: str) -> object:
    """A form may carry the object of `characteristics` as JSON text."""
    return decode_json(value.encode()) if name == "characteristics" else value


def _object_of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise InvalidBodyError(f"the key {twice[:64]!r} stands twice in one object")
    return document


def _whole_where_it_is(value: Any) -> Any:
    """Return numbers without a fraction as whole ones, as JSON Schema sees them: 5.0 is 5."""
    if isinstance(value, dict):
        return {name: _whole_where_it_is(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole_where_it_is(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_ID:
        return int(value)
    return value


def _refuse_constant(name: str) -> None:
    raise InvalidBodyError(f"{name} is no JSON number")


def _refuse_depth(document: object, left: int) -> None:
    if left < 0:
        raise InvalidBodyError(f"nested more than {_MAX_DEPTH} deep")
    if isinstance(document, dict):
        for item in document.values():
            if isinstance(item, (dict, list)):
                _refuse_depth(item, left - 1)
    elif isinstance(document, list):
        for item in document:
            if isinstance(item, (dict, list)):
                _refuse_depth(item, left - 1)
