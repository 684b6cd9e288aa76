"""Rate limits of votes and posts over HTTP, over app servers that share a real Cassandra."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from catalog_api.settings import ApiSettings
from ring import RingClient, RingSettings
from ring.errors import RingUnavailableError
from ring.statements import Consistency, Statement
from schema.statements import API_STATEMENTS
from schema.statements.limits import TAKE_REQUESTS
from tests.support.api import RunningApi, running_api
from tests.support.hand_clock import HandClock
from tests.support.stored_catalog import CatalogProduct, plain_product, write_catalog

REVIEW = {
    "product_id": 1,
    "rating": 4,
    "summary": "Fine",
    "body": "It does what it should.",
    "recommend": True,
    "name": "jo",
    "email": "jo@example.org",
    "characteristics": {},
}
# Seven seconds into a minute; the servers' clocks stand still unless a test moves them.
START = 1_800_000_007.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    """The clock of every limiter."""
    clock = HandClock(START)
    monkeypatch.setattr("catalog_api.services.limits.clock", clock)
    return clock


@asynccontextmanager
async def two_servers(
    ring_settings: RingSettings, **limits: Any
) -> AsyncIterator[tuple[RunningApi, RunningApi]]:
    """Two app servers on one keyspace."""
    settings = ApiSettings(**limits)
    first, second = [await RingClient.open(ring_settings, API_STATEMENTS) for _ in range(2)]
    await asyncio.gather(first.wait_ready(30.0), second.wait_ready(30.0))
    async with running_api(first, settings) as one, running_api(second, settings) as two:
        yield one, two


@dataclass(frozen=True, slots=True)
class Answered:
    """What matters here of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


async def ask(
    api: RunningApi, method: str, path: str, caller: str, body: object = None
) -> Answered:
    """Ask as a caller behind the proxy on loopback."""
    headers = {"X-Forwarded-For": caller}
    async with api.client.request(method, path, json=body or {}, headers=headers) as response:
        return Answered(response.status, dict(response.headers), await response.read())


async def new_review(api: RunningApi) -> int:
    """Post a review; return its id."""
    assert (await ask(api, "POST", "/reviews", "203.0.113.1", REVIEW)).status == 201
    async with api.client.get("/reviews?product_id=1") as response:
        review_id: int = orjson.loads(await response.read())["results"][0]["review_id"]
        return review_id


async def helpfulness(api: RunningApi) -> int:
    """Return how helpful the one review was found."""
    async with api.client.get("/reviews?product_id=1") as response:
        votes: int = orjson.loads(await response.read())["results"][0]["helpfulness"]
        return votes


class WatchedRing(RingClient):
    """A real ring client that counts what is asked, and refuses one statement on demand."""

    def __init__(self, settings: RingSettings, statements: Iterable[Statement]) -> None:
        super().__init__(settings, statements)
        self.asked: Counter[str] = Counter()
        self.refused = ""

    async def execute(
        self, name: str, values: Sequence[object] = (), *, timeout_seconds: float | None = None
    ) -> list[tuple[Any, ...]]:
        """Count and pass on."""
        self.asked[name] += 1
        if name == self.refused:
            raise RingUnavailableError("refused by the test")
        return await super().execute(name, values, timeout_seconds=timeout_seconds)


async def watched_ring(ring_settings: RingSettings) -> WatchedRing:
    """Return one that is connected."""
    ring = await WatchedRing.open(ring_settings, API_STATEMENTS)
    assert isinstance(ring, WatchedRing)
    await ring.wait_ready(30.0)
    return ring


@pytest.mark.usefixtures("clock")
async def test_votes_when_a_caller_asks_two_servers_at_once_then_exactly_the_limit_passes(
    ring_settings: RingSettings,
) -> None:
    """Whichever server is asked; others are not held up, and what passed is what counted."""
    await write_catalog(ring_settings, [CatalogProduct(plain_product(1))])
    async with two_servers(ring_settings, votes_per_minute=25) as servers:
        path = f"/reviews/{await new_review(servers[0])}/helpful"
        answers = await asyncio.gather(
            *(ask(servers[n % 2], "PUT", path, "192.0.2.7") for n in range(80))
        )
        assert Counter(one.status for one in answers) == {204: 25, 429: 55}
        left = sorted(int(one.headers["RateLimit"].split(";")[1][2:]) for one in answers)
        assert left == [0] * 56 + list(range(1, 25))
        assert await helpfulness(servers[1]) == 25
        assert (await ask(servers[0], "PUT", path, "192.0.2.8")).status == 204
        # A report is of the same kind, a post is not.
        report = path.replace("helpful", "report")
        assert (await ask(servers[1], "PUT", report, "192.0.2.7")).status == 429
        assert (await ask(servers[1], "POST", "/reviews", "192.0.2.7", REVIEW)).status == 201


async def test_posts_when_the_limit_is_reached_then_429_says_when_to_come_back(
    ring_settings: RingSettings, clock: HandClock
) -> None:
    """The headers of every answer, the problem of a refusal, and the next minute."""
    await write_catalog(ring_settings, [CatalogProduct(plain_product(1))])
    async with two_servers(ring_settings, posts_per_minute=2) as (one, two):
        first = await ask(one, "POST", "/reviews", "192.0.2.7", REVIEW)
        assert first.status == 201
        assert first.headers["RateLimit-Policy"] == '"posts";q=2;w=60'
        assert first.headers["RateLimit"] == '"posts";r=1;t=53'
        assert "RateLimit" in first.headers["Access-Control-Expose-Headers"]
        clock.go(50.5)
        invalid = await ask(two, "POST", "/api/fec2/any/reviews/", "192.0.2.7", {"rating": 9})
        assert invalid.status == 422
        assert invalid.headers["RateLimit"] == '"posts";r=0;t=3'
        for api in (one, two):
            refused = await ask(api, "POST", "/reviews", "192.0.2.7", REVIEW)
            assert refused.status == 429
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert refused.headers["Retry-After"] == "3"
            assert refused.headers["RateLimit"] == '"posts";r=0;t=3'
            assert orjson.loads(refused.body)["detail"] == "No more than 2 posts a minute."
        clock.go(2.5)
        again = await ask(two, "POST", "/reviews", "192.0.2.7", REVIEW)
        assert (again.status, again.headers["RateLimit"]) == (201, '"posts";r=1;t=60')


@pytest.mark.usefixtures("clock")
async def test_limit_when_it_is_reached_then_cassandra_is_not_asked_any_more(
    ring_settings: RingSettings,
) -> None:
    """A flood costs its own app server, not the ring; 0 turns a limit off for good."""
    await write_catalog(ring_settings, [CatalogProduct(plain_product(1))])
    ring = await watched_ring(ring_settings)
    async with running_api(ring, ApiSettings(votes_per_minute=3)) as api:
        path = f"/reviews/{await new_review(api)}/helpful"
        assert ring.asked[TAKE_REQUESTS.name] == 0
        for _ in range(20):
            await ask(api, "PUT", path, "192.0.2.7")
        assert ring.asked[TAKE_REQUESTS.name] == 3
        # The addresses of an IPv6 customer are one caller.
        statuses = [
            (await ask(api, "PUT", path, f"2001:db8:1:2::{n:x}")).status for n in range(1, 6)
        ]
        assert statuses == [204, 204, 204, 429, 429]
        # Whoever comes with a header that nobody can read counts as who passed it on.
        statuses = [(await ask(api, "PUT", path, f"caller {n}")).status for n in range(5)]
        assert statuses == [204, 204, 204, 429, 429]


@pytest.mark.usefixtures("clock")
async def test_limit_when_cassandra_cannot_be_asked_then_503_as_the_vote_itself(
    ring_settings: RingSettings,
) -> None:
    """Nothing is done uncounted."""
    await write_catalog(ring_settings, [CatalogProduct(plain_product(1))])
    ring = await watched_ring(ring_settings)
    async with running_api(ring, ApiSettings(votes_per_minute=3)) as api:
        path = f"/reviews/{await new_review(api)}/helpful"
        ring.refused = TAKE_REQUESTS.name
        answers = await asyncio.gather(*(ask(api, "PUT", path, "192.0.2.7") for _ in range(5)))
        assert {(one.status, one.headers["Retry-After"]) for one in answers} == {(503, "1")}
        assert await helpfulness(api) == 0
        ring.refused = ""
        assert (
            (await ask(api, "PUT", path, "192.0.2.7"))
            .headers["RateLimit"]
            .startswith('"votes";r=2')
        )


@pytest.mark.usefixtures("clock")
async def test_limits_when_people_write_then_each_route_names_its_own(
    ring_settings: RingSettings,
) -> None:
    """Votes and reports of one kind, posts of another, reads and carts of none."""
    ring = await watched_ring(ring_settings)
    async with running_api(ring, ApiSettings(votes_per_minute=99, posts_per_minute=99)) as api:
        items = ("reviews/1", "qa/questions/1", "qa/answers/1")
        kinds = {
            ("PUT", f"/{item}/{do}"): "votes" for item in items for do in ("helpful", "report")
        }
        for path in ("/reviews", "/qa/questions", "/qa/questions/1/answers"):
            kinds |= {("POST", path): "posts", ("GET", path): ""}
        kinds |= {("POST", "/cart"): "", ("GET", "/cart"): "", ("POST", "/interactions"): ""}
        for (method, path), kind in kinds.items():
            headers = (await ask(api, method, path, "192.0.2.7")).headers
            assert headers.get("RateLimit", '""').split('"')[1] == kind, (method, path)


async def test_rows_when_counted_then_they_expire(ring_settings: RingSettings) -> None:
    """Nothing accumulates."""
    select = Statement(
        "select_requests",
        "SELECT kind, caller, used, TTL(used) FROM requests_by_caller",
        Consistency.LOCAL_QUORUM,
        idempotent=True,
    )
    await write_catalog(ring_settings, [CatalogProduct(plain_product(1))])
    ring = await RingClient.open(ring_settings, [*API_STATEMENTS, select])
    await ring.wait_ready(30.0)
    async with running_api(ring, ApiSettings(posts_per_minute=5)) as api:
        await new_review(api)
        ((kind, caller, used, ttl_seconds),) = await ring.execute(select.name)
        assert (kind, caller, used) == ("posts", "203.0.113.1", 1)
        assert 200 < ttl_seconds <= 300
