"""API keys on a real Cassandra: made, used, revoked and rotated by the command, expired by time."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from catalog_api.answers import NO_CONTENT, Answer
from catalog_api.callers import Callers
from catalog_api.domain.api_key import ApiKey, new_key_text
from catalog_api.guards import Guard
from catalog_api.repositories.api_keys import ApiKeysRepository
from catalog_api.repositories.limits import LimitsRepository
from catalog_api.services.api_keys import CACHE_SECONDS, ApiKeys
from catalog_api.services.limits import RateLimiter
from ring import RingClient, RingSettings
from ring.errors import RingUnavailableError
from ring.nodes.tables import fetch_tables
from schema.statements import API_STATEMENTS
from tests.support.hand_clock import HandClock

COMMAND_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Command:
    """What a run of `catalog-api keys` left."""

    exit_code: int
    out: str
    told: str


async def command(settings: RingSettings, *arguments: str, cql_port: int = 9042) -> Command:
    """Run `catalog-api keys` against the test's keyspace."""
    environ = {name: value for name, value in os.environ.items() if "CATALOG_" not in name}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "catalog_api", "keys", *arguments),
        env=environ
        | {
            "CATALOG_CONTACT_POINTS": ",".join(settings.contact_points),
            "CATALOG_KEYSPACE": settings.keyspace,
            "CATALOG_CQL_PORT": str(cql_port),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(COMMAND_SECONDS):
        out, told = await process.communicate()
    assert b"Traceback" not in told, told.decode()
    return Command(process.returncode or 0, out.decode(), told.decode())


async def new_key(settings: RingSettings, *arguments: str) -> str:
    """Make a key by the command; it alone is on standard output."""
    made = await command(settings, "create", *arguments)
    assert made.exit_code == 0, made.told
    key = made.out.removesuffix("\n")
    assert key.count("\n") == 0
    assert key not in made.told
    return key


class Server:
    """What an app server does with keys; each has a memory of its own.

    Attributes:
        passed: requests that reached the guarded handler.
    """

    def __init__(self, ring: RingClient) -> None:
        limiter = RateLimiter(LimitsRepository(ring, timeout_seconds=10.0), deadline_seconds=10.0)
        keys = ApiKeys(ApiKeysRepository(ring, timeout_seconds=10.0))
        guard = Guard(Callers(()), limiter, keys, votes_per_minute=0, posts_per_minute=0)
        self.passed = 0
        self._handle = guard.editor(self._work)

    async def _work(self, _request: web.Request) -> Answer:
        self.passed += 1
        return Answer(NO_CONTENT)

    async def ask(self, authorization: str | None) -> Answer:
        """Send a request that only editors may send."""
        headers = {} if authorization is None else {"Authorization": authorization}
        return await self._handle(make_mocked_request("PUT", "/v1/products/1", headers))

    async def status(self, key: str) -> int:
        """Return the status that a key gets."""
        return (await self.ask(f"Bearer {key}")).kind.status


@asynccontextmanager
async def connected(settings: RingSettings) -> AsyncIterator[RingClient]:
    """A ring client that is ready."""
    ring = await RingClient.open(settings, API_STATEMENTS)
    try:
        await ring.wait_ready(30.0)
        yield ring
    finally:
        await ring.aclose()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    """The clock by which app servers remember keys."""
    clock = HandClock()
    monkeypatch.setattr("catalog_api.services.api_keys.clock", clock)
    return clock


async def test_key_when_made_then_it_works_at_once_and_nothing_else_does(
    ring_settings: RingSettings,
) -> None:
    """401 without a key or with a wrong one, each with its challenge."""
    async with connected(ring_settings) as ring:
        server = Server(ring)
        key = await new_key(ring_settings, "--note", "for the shop", "--expires-days", "30")
        assert await server.status(key) == 204
        assert (await server.ask(f"bearer  {key} ")).kind.status == 204
        assert server.passed == 2
        other = str(new_key_text())
        key_id, _, secret = key.partition(".")
        for authorization in (None, "", key, f"Basic {key}", "Bearer"):
            answer = await server.ask(authorization)
            assert answer.kind.status == 401
            expected = (
                'WWW-Authenticate: Bearer realm="catalog", error="invalid_token"\r\n'
                if authorization == "Bearer"
                else 'WWW-Authenticate: Bearer realm="catalog"\r\n'
            )
            assert answer.headers == expected
        wrong = [
            other,
            f"{key_id}.{other.partition('.')[2]}",
            f"{other.partition('.')[0]}.{secret}",
        ]
        wrong += [key[:-1], f"{key}A", key.upper(), "\xff", "x" * 5000, f"{key_id}.", secret]
        for text in wrong:
            answer = await server.ask(f"Bearer {text}")
            assert answer.kind.status == 401
            assert 'error="invalid_token"' in answer.headers
            assert orjson.loads(answer.body)["status"] == 401
        assert server.passed == 2
        stored = await ApiKeysRepository(ring, timeout_seconds=10.0).fetch(key_id)
        assert stored is not None
        assert (stored.role, stored.note) == ("editor", "for the shop")
        assert secret not in repr(stored)
        assert len(stored.secret_sha256) == 32


async def test_key_when_its_role_is_another_then_403(ring_settings: RingSettings) -> None:
    """A role that another release gave opens nothing here."""
    async with connected(ring_settings) as ring:
        server = Server(ring)
        text = new_key_text()
        stored = _stored(await _fetch(ring, await new_key(ring_settings)))
        await ApiKeysRepository(ring, timeout_seconds=10.0).write(
            replace(stored, key_id=text.key_id, role="auditor", secret_sha256=text.sha256)
        )
        answer = await server.ask(f"Bearer {text}")
        assert answer.kind.status == 403
        assert answer.kind.content_type == "application/problem+json"
        assert 'error="insufficient_scope"' in answer.headers
        assert server.passed == 0


async def test_key_when_revoked_then_every_server_refuses_it_within_a_second(
    ring_settings: RingSettings, clock: HandClock
) -> None:
    """Without a restart, and for good; repeating it changes nothing."""
    async with connected(ring_settings) as ring:
        servers = [Server(ring), Server(ring)]
        key = await new_key(ring_settings)
        key_id = key.partition(".")[0]
        assert [await server.status(key) for server in servers] == [204, 204]
        for _ in range(2):
            assert (await command(ring_settings, "revoke", key_id)).exit_code == 0
        # What was read a moment ago may still count.
        clock.go(CACHE_SECONDS + 0.01)
        assert [await server.status(key) for server in servers] == [401, 401]
        rotated = await command(ring_settings, "rotate", key_id)
        assert (rotated.exit_code, rotated.out) == (1, "")
        assert rotated.told == f"catalog-api: {key_id} is revoked; make a new key instead\n"


async def test_key_when_rotated_then_the_former_secret_counts_as_long_as_was_said(
    ring_settings: RingSettings, clock: HandClock
) -> None:
    """The new one works at once; without an overlap the former ends within a second."""
    async with connected(ring_settings) as ring:
        server = Server(ring)
        first = await new_key(ring_settings)
        key_id = first.partition(".")[0]
        assert await server.status(first) == 204
        second = (await command(ring_settings, "rotate", key_id)).out.strip()
        assert second.partition(".")[0] == key_id
        assert await server.status(second) == 204
        assert await server.status(first) == 401
        third = (
            await command(ring_settings, "rotate", key_id, "--overlap-seconds", "900")
        ).out.strip()
        clock.go(CACHE_SECONDS + 0.01)
        assert [await server.status(one) for one in (first, second, third)] == [401, 204, 204]
        stored = _stored(await _fetch(ring, third))
        assert 0 < (stored.former_until_ms or 0) - time.time() * 1000 <= 900_000
        await ApiKeysRepository(ring, timeout_seconds=10.0).rotate(
            key_id, stored.secret_sha256, stored.former_sha256 or b"", int(time.time() * 1000)
        )
        clock.go(CACHE_SECONDS + 0.01)
        assert [await server.status(one) for one in (second, third)] == [401, 204]


async def test_key_when_it_expires_then_it_is_refused_although_it_is_remembered(
    ring_settings: RingSettings,
) -> None:
    """The stored moment counts, not the age of what was read."""
    async with connected(ring_settings) as ring:
        server = Server(ring)
        text = new_key_text()
        stored = _stored(await _fetch(ring, await new_key(ring_settings)))
        expires_at_ms = int(time.time() * 1000) + 2_000
        await ApiKeysRepository(ring, timeout_seconds=10.0).write(
            replace(
                stored,
                key_id=text.key_id,
                secret_sha256=text.sha256,
                expires_at_ms=expires_at_ms,
            )
        )
        assert await server.status(str(text)) == 204
        await asyncio.sleep(expires_at_ms / 1000 - time.time() + 0.01)
        assert await server.status(str(text)) == 401
        listed = await command(ring_settings, "list")
        assert f"{text.key_id}  editor    expired" in listed.out


async def test_key_when_used_again_then_it_is_read_once_a_second(
    ring_settings: RingSettings, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes in bulk cost no read of the key each; without Cassandra nobody is let in."""
    async with connected(ring_settings) as ring:
        server = Server(ring)
        key = await new_key(ring_settings)
        assert await server.status(key) == 204

        async def fail(*_: object, **__: object) -> None:
            raise RingUnavailableError("refused by the test")

        monkeypatch.setattr(ring, "execute", fail)
        clock.go(CACHE_SECONDS)
        assert [await server.status(key) for _ in range(50)] == [204] * 50
        clock.go(0.01)
        with pytest.raises(RingUnavailableError):
            await server.status(key)


async def test_list_when_asked_then_every_key_without_its_secret(
    ring_settings: RingSettings,
) -> None:
    """One line a key, the oldest first; another data set leaves them alone."""
    keys = [await new_key(ring_settings, "--note", note) for note in ("one", "two")]
    await command(ring_settings, "revoke", keys[0].partition(".")[0])
    listed = await command(ring_settings, "list")
    assert listed.exit_code == 0
    head, *lines = listed.out.splitlines()
    assert head.split() == ["id", "role", "state", "created", "expires", "note"]
    shown = [line.split() for line in lines]
    assert [(one[0], one[2], one[5]) for one in shown] == [
        (keys[0].partition(".")[0], "revoked", "one"),
        (keys[1].partition(".")[0], "valid", "two"),
    ]
    assert not any(key.partition(".")[2] in listed.out for key in keys)
    emptied = {table.name for table in await fetch_tables(ring_settings)}
    assert "products_by_id" in emptied
    assert "api_keys" not in emptied


async def test_command_when_it_cannot_be_done_then_the_exit_code_says_why(
    ring_settings: RingSettings,
) -> None:
    """1 for no such key and for no Cassandra, 2 for usage; nothing on standard output."""
    for arguments, exit_code, told in (
        (("revoke", "nobody"), 1, "catalog-api: there is no key 'nobody'\n"),
        (("rotate", "nobody"), 1, "catalog-api: there is no key 'nobody'\n"),
        (("create", "--role", "king"), 2, "invalid choice: 'king'"),
        (("create", "--note", "two\nlines"), 2, "one line of at most 200 characters"),
        (("create", "--expires-days", "-1"), 2, "a whole number"),
        ((), 2, "required: COMMAND"),
    ):
        done = await command(ring_settings, *arguments)
        assert (done.exit_code, done.out) == (exit_code, "")
        assert told in done.told
    done = await command(ring_settings, "list", cql_port=1)
    assert (done.exit_code, done.out) == (1, "")
    assert done.told.startswith("catalog-api: not ready after")


async def _fetch(ring: RingClient, key: str) -> ApiKey | None:
    return await ApiKeysRepository(ring, timeout_seconds=10.0).fetch(key.partition(".")[0])


def _stored(key: ApiKey | None) -> ApiKey:
    assert key is not None
    return key
