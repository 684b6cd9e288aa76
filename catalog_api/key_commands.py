"""`catalog-api keys`: API keys, made and taken back by those who run the catalog.

A key is printed once, on standard output and alone; all else that is told goes to standard error.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from catalog_api.domain.api_key import ApiKey, Role, new_key_text
from catalog_api.repositories.api_keys import ApiKeysRepository
from ring.client import RingClient
from ring.settings import RingSettings
from schema.statements.api_keys import API_KEY_STATEMENTS

READY_SECONDS: Final = 15.0
STATEMENT_SECONDS: Final = 10.0
_DAY_MS: Final = 86_400_000
_MOST_NOTE_CHARACTERS: Final = 200

Act = Callable[[ApiKeysRepository, argparse.Namespace], Awaitable[int]]


def register(subparsers: Any) -> None:
    """Add `keys` and its commands; each sets `run`, which returns an exit code."""
    keys = subparsers.add_parser(
        "keys",
        help="make, list, revoke and rotate API keys",
        description="API keys for those who may change the catalog. App servers follow within a"
        " second. Exit codes: 0 done, 1 no such key or Cassandra cannot be asked, 2 usage.",
    )
    commands = keys.add_subparsers(required=True, metavar="COMMAND")
    create = _add(commands, "create", _create, "make a key and print it, once")
    create.add_argument("--role", choices=[role.value for role in Role], default="editor")
    create.add_argument("--note", type=_note, default="", help="for whom it is")
    create.add_argument("--expires-days", type=_whole, help="default: it does not expire")
    _add(commands, "list", _list, "print all keys, without their secrets")
    revoke = _add(commands, "revoke", _revoke, "take a key back for good")
    rotate = _add(commands, "rotate", _rotate, "give a key another secret and print it, once")
    rotate.add_argument(
        "--overlap-seconds",
        type=_whole,
        default=0,
        help="how long the former secret still counts (default: 0)",
    )
    for command in (revoke, rotate):
        command.add_argument("key_id", metavar="KEY_ID", help="what stands before the dot of a key")


def _add(commands: Any, name: str, act: Act, words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    parser.set_defaults(run=lambda given: asyncio.run(_act(act, given)))
    return parser


async def _act(act: Act, given: argparse.Namespace) -> int:
    ring = await RingClient.open(RingSettings.from_environ(os.environ), API_KEY_STATEMENTS)
    try:
        await ring.wait_ready(READY_SECONDS)
        return await act(ApiKeysRepository(ring, timeout_seconds=STATEMENT_SECONDS), given)
    finally:
        await ring.aclose()


async def _create(keys: ApiKeysRepository, given: argparse.Namespace) -> int:
    text = new_key_text()
    now = _now_ms()
    expires_at_ms = now + given.expires_days * _DAY_MS if given.expires_days is not None else None
    await keys.write(
        ApiKey(
            key_id=text.key_id,
            role=given.role,
            note=given.note,
            created_at_ms=now,
            expires_at_ms=expires_at_ms,
            revoked_at_ms=None,
            secret_sha256=text.sha256,
            former_sha256=None,
            former_until_ms=None,
        )
    )
    _tell(f"{text.key_id} ({given.role}) made; it expires {_day(expires_at_ms)}. Shown only now:")
    sys.stdout.write(f"{text}\n")
    return 0


async def _list(keys: ApiKeysRepository, _given: argparse.Namespace) -> int:
    form = "{:<16}  {:<8}  {:<7}  {:<10}  {:<10}  {}"
    lines = [form.format("id", "role", "state", "created", "expires", "note")]
    lines += [
        form.format(
            *(key.key_id, key.role, key.state(_now_ms())),
            *(_day(key.created_at_ms), _day(key.expires_at_ms), key.note),
        )
        for key in await keys.fetch_all()
    ]
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in lines))
    return 0


async def _revoke(keys: ApiKeysRepository, given: argparse.Namespace) -> int:
    key = await keys.fetch(given.key_id)
    if key is None:
        return _refuse(f"there is no key {given.key_id!r}")
    if key.revoked_at_ms is None:
        await keys.revoke(key.key_id, _now_ms())
    _tell(f"{key.key_id} is revoked.")
    return 0


async def _rotate(keys: ApiKeysRepository, given: argparse.Namespace) -> int:
    key = await keys.fetch(given.key_id)
    if key is None:
        return _refuse(f"there is no key {given.key_id!r}")
    now = _now_ms()
    if key.state(now) != "valid":
        return _refuse(f"{key.key_id} is {key.state(now)}; make a new key instead")
    text = new_key_text(key.key_id)
    former_until_ms = now + given.overlap_seconds * 1000
    await keys.rotate(key.key_id, text.sha256, key.secret_sha256, former_until_ms)
    _tell(
        f"{key.key_id} has another secret; the former one counts for"
        f" {given.overlap_seconds} s. Shown only now:"
    )
    sys.stdout.write(f"{text}\n")
    return 0


def _note(text: str) -> str:
    # It is printed to terminals.
    if not text.isprintable() or len(text) > _MOST_NOTE_CHARACTERS:
        raise argparse.ArgumentTypeError(f"one line of at most {_MOST_NOTE_CHARACTERS} characters")
    return text


def _whole(text: str) -> int:
    # More days than these are beyond the calendar.
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise argparse.ArgumentTypeError("a whole number of at most six digits")
    return int(text)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _day(moment_ms: int | None) -> str:
    if moment_ms is None:
        return "never"
    return datetime.fromtimestamp(moment_ms / 1000, UTC).date().isoformat()


def _refuse(text: str) -> int:
    sys.stderr.write(f"catalog-api: {text}\n")
    return 1


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
