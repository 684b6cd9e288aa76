"""Carts and interactions over HTTP, from rows in a real Cassandra."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from catalog_api.parts import DAY_SECONDS
from catalog_api.repositories.carts import CartsRepository
from catalog_api.settings import ApiSettings
from ring import RingClient, RingSettings
from ring.statements import Consistency, Statement
from schema.statements import API_STATEMENTS
from tests.support.api import SESSION_SECRET, RunningApi, running_api

TEXT = "text/html; charset=utf-8"
CREATED = (201, TEXT, b"Created")
INVALID = (422, TEXT, b"Error: invalid sku_id provided")
TOKEN = {"Authorization": "token of a client"}
OTHER_SECRET = "another secret of enough characters".replace(" ", "-")


@asynccontextmanager
async def serving(
    ring_settings: RingSettings, settings: ApiSettings | None = None
) -> AsyncIterator[RunningApi]:
    """Serve from the real ring, to callers who keep their cookies themselves."""
    ring = await RingClient.open(ring_settings, API_STATEMENTS)
    await ring.wait_ready(30.0)
    async with running_api(ring, settings) as api:
        yield api


async def put_in(api: RunningApi, sku: object, **headers: str) -> tuple[int, str, bytes]:
    """POST a sku; return status, content type and body."""
    async with api.client.post("/cart", json={"sku_id": sku}, headers=headers) as response:
        return response.status, response.headers["Content-Type"], await response.read()


async def fetch(api: RunningApi, path: str = "/cart", **headers: str) -> Any:
    """Return the cart of a caller who gets no new cookie."""
    async with api.client.get(path, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in response.headers
        return orjson.loads(await response.read())


async def new_cookie(api: RunningApi, sku: int = 37, headers: dict[str, str] | None = None) -> str:
    """Post as somebody new; return the Set-Cookie header."""
    async with api.client.post("/cart", json={"sku_id": sku}, headers=headers) as response:
        assert response.status == 201
        # Not kept by the client: each test says who calls.
        api.client.cookie_jar.clear()
        return response.headers["Set-Cookie"]


def sent(set_cookie: str) -> dict[str, str]:
    """Return the header by which a browser sends the cookie back."""
    return {"Cookie": set_cookie.partition(";")[0]}


async def test_cart_when_a_new_caller_posts_then_the_cookie_is_theirs_alone(
    ring_settings: RingSettings,
) -> None:
    """The cookie brings the cart back; nobody else sees it; it is safe from scripts."""
    async with serving(ring_settings) as api:
        cookie = await new_cookie(api)
        assert cookie.split("; ")[1:] == ["Max-Age=7776000", "Path=/", "HttpOnly", "SameSite=Lax"]
        assert await fetch(api, **sent(cookie)) == [{"sku_id": 37, "count": 1}]
        assert await put_in(api, "37", **sent(cookie)) == CREATED
        assert await put_in(api, 5, **sent(cookie)) == CREATED
        expected = [{"sku_id": 5, "count": 1}, {"sku_id": 37, "count": 2}]
        assert await fetch(api, **sent(cookie)) == expected
        assert await fetch(api, "/api/fec2/hr-rpp/cart/", **sent(cookie)) == expected
        other = await new_cookie(api, 1)
        assert await fetch(api, **sent(other)) == [{"sku_id": 1, "count": 1}]
        async with api.client.get("/cart") as response:
            assert await response.read() == b"[]"
            assert "Set-Cookie" in response.headers


async def test_cart_when_authorization_names_the_caller_then_no_cookie_is_set(
    ring_settings: RingSettings,
) -> None:
    """The same value is the same cart, on any app server; a valid cookie wins over it."""
    async with serving(ring_settings) as api, serving(ring_settings) as second:
        async with api.client.post("/cart", json={"sku_id": 3}, headers=TOKEN) as response:
            assert response.status == 201
            assert "Set-Cookie" not in response.headers
        assert await fetch(second, **TOKEN) == [{"sku_id": 3, "count": 1}]
        assert await fetch(second, Authorization="another") == []
        cookie = await new_cookie(api, 8)
        assert await fetch(api, **TOKEN, **sent(cookie)) == [{"sku_id": 8, "count": 1}]
        assert await put_in(api, 8, **TOKEN, **sent(cookie)) == CREATED
        assert await fetch(api, **TOKEN) == [{"sku_id": 3, "count": 1}]


async def test_cart_when_many_post_at_once_then_each_counts_once(
    ring_settings: RingSettings,
) -> None:
    """Two hundred posts by two app servers, for two skus."""
    async with serving(ring_settings) as api, serving(ring_settings) as second:
        posts = [put_in((api, second)[n % 2], 7 + n % 4 // 2, **TOKEN) for n in range(200)]
        assert await asyncio.gather(*posts) == [CREATED] * 200
        expected = [{"sku_id": 7, "count": 100}, {"sku_id": 8, "count": 100}]
        assert await fetch(api, **TOKEN) == expected
        assert await fetch(second, **TOKEN) == expected


async def test_cart_when_the_app_server_is_started_anew_then_it_is_still_there(
    ring_settings: RingSettings,
) -> None:
    """The secret of the deployment makes the cookie outlive the process."""
    async with serving(ring_settings) as api:
        cookie = await new_cookie(api)
    async with serving(ring_settings) as api:
        assert await fetch(api, **sent(cookie)) == [{"sku_id": 37, "count": 1}]


async def test_cart_when_the_secret_is_changed_then_the_older_one_is_still_accepted(
    ring_settings: RingSettings,
) -> None:
    """Who comes with an old cookie gets one by the new secret, for the same cart."""
    async with serving(ring_settings) as api:
        cookie = await new_cookie(api)
    both = ApiSettings(session_secret=f"{OTHER_SECRET} {SESSION_SECRET}")
    async with serving(ring_settings, both) as api:
        async with api.client.get("/cart", headers=sent(cookie)) as response:
            assert orjson.loads(await response.read()) == [{"sku_id": 37, "count": 1}]
            renewed = response.headers["Set-Cookie"]
        api.client.cookie_jar.clear()
    async with serving(ring_settings, ApiSettings(session_secret=OTHER_SECRET)) as api:
        assert await fetch(api, **sent(renewed)) == [{"sku_id": 37, "count": 1}]
        assert await fetch(api, **sent(cookie), **TOKEN) == []


async def test_cart_when_a_cookie_is_tampered_with_then_it_names_nobody(
    ring_settings: RingSettings,
) -> None:
    """Each character counts; what is malformed is passed over and never an error."""
    async with serving(ring_settings) as api:
        name, _, value = sent(await new_cookie(api))["Cookie"].partition("=")
        for place in range(0, len(value), 5):
            changed = "A" if value[place] != "A" else "B"
            forged = f"{name}={value[:place]}{changed}{value[place + 1 :]}"
            assert await fetch(api, Cookie=forged, **TOKEN) == []
        for forged in ("", "x", "=" * 76, value[:-1], f'"{value}', "\xe9" * 76, f"{value}; ;=;,"):
            expected = [{"sku_id": 37, "count": 1}] if forged.startswith(value) else []
            assert await fetch(api, Cookie=f"{name}={forged}", **TOKEN) == expected
        both = f"{name}=forged; theme=dark; {name}={value}"
        assert await fetch(api, Cookie=both, **TOKEN) == [{"sku_id": 37, "count": 1}]


async def test_cookie_when_the_caller_came_by_https_then_it_goes_by_https_only(
    ring_settings: RingSettings,
) -> None:
    """As a trusted proxy tells, and nobody else."""
    async with serving(ring_settings) as api:
        for proto, is_secure in (("https", True), ("http", False), ("\xe9,,", False)):
            cookie = await new_cookie(api, headers={"X-Forwarded-Proto": proto})
            assert ("Secure" in cookie.split("; ")) == is_secure
    async with serving(ring_settings, ApiSettings(trusted_proxies="10.0.0.0/8")) as api:
        assert "Secure" not in await new_cookie(api, headers={"X-Forwarded-Proto": "https"})


async def test_cart_when_it_is_full_then_409_and_the_rest_stays(
    ring_settings: RingSettings,
) -> None:
    """A cart grows no further than the setting says."""
    async with serving(ring_settings, ApiSettings(max_cart_posts=3)) as api:
        for _ in range(3):
            assert await put_in(api, 1, **TOKEN) == CREATED
        status, content_type, body = await put_in(api, 2, **TOKEN)
        assert (status, content_type) == (409, "application/problem+json")
        assert orjson.loads(body)["detail"] == "A cart holds 3 posts at most."
        assert await fetch(api, **TOKEN) == [{"sku_id": 1, "count": 3}]


async def test_cart_when_the_sku_is_invalid_then_the_contracts_words_say_so(
    ring_settings: RingSettings,
) -> None:
    """422 in plain text; nothing is stored."""
    skus = [None, True, "x", "", -1, 3.5, "3.5", [37], {"id": 37}, 2**53, "9" * 400]
    async with serving(ring_settings) as api:
        for sku in skus:
            assert await put_in(api, sku, **TOKEN) == INVALID
        assert await fetch(api, **TOKEN) == []


async def test_cart_when_clients_send_their_own_forms_then_one_is_added(
    ring_settings: RingSettings,
) -> None:
    """A `count` is ignored, forms are read, and no body at all is invalid."""
    async with serving(ring_settings) as api:
        bodies: list[dict[str, Any]] = [
            {"json": {"sku_id": 9, "count": 4}},
            {"data": {"sku_id": "9", "count": "4"}},
            {"data": b'{"sku_id":"9"}'},
        ]
        for body in bodies:
            async with api.client.post("/cart", headers=TOKEN, **body) as response:
                assert response.status == 201
        assert await fetch(api, **TOKEN) == [{"sku_id": 9, "count": 3}]
        async with api.client.post("/cart", headers=TOKEN) as response:
            assert (response.status, await response.read()) == (422, INVALID[2])


async def test_interaction_when_posted_then_it_is_stored_for_its_time(
    ring_settings: RingSettings,
) -> None:
    """Three strings, as JSON or as a form; whatever else is sent is ignored."""
    body = {"element": "<button>", "widget": "reviews", "time": "now", "more": "1"}
    async with serving(ring_settings, ApiSettings(interaction_days=3)) as api:
        forms: list[dict[str, Any]] = [{"json": body}, {"data": body}]
        for form in forms:
            async with api.client.post("/interactions", **form) as response:
                answer = (response.status, response.headers["Content-Type"], await response.read())
                assert answer == CREATED
    select = Statement(
        "select_interactions",
        "SELECT element, widget, time, TTL(element) FROM interactions_by_day",
        Consistency.LOCAL_QUORUM,
        idempotent=True,
    )
    ring = await RingClient.open(ring_settings, [select])
    try:
        await ring.wait_ready(30.0)
        found = await ring.execute(select.name)
    finally:
        await ring.aclose()
    assert [row[:3] for row in found] == [("<button>", "reviews", "now")] * 2
    assert all(3 * DAY_SECONDS - 600 < row[3] <= 3 * DAY_SECONDS for row in found)


async def test_interaction_when_a_text_is_missing_or_none_then_the_contracts_words_say_so(
    ring_settings: RingSettings,
) -> None:
    """Three strings, or 422 in plain text."""
    whole: dict[str, object] = {"element": "a", "widget": "b", "time": "c"}
    wrong: list[object] = [
        *(whole | {name: other} for name in whole for other in (1, None, ["a"], "\0")),
        *({name: whole[name] for name in whole if name != missing} for missing in whole),
        *([], None),
    ]
    async with serving(ring_settings) as api:
        for body in wrong:
            async with api.client.post("/interactions", json=body) as response:
                answer = (response.status, response.headers["Content-Type"], await response.read())
                words = b"Error: interaction must have element, widget and time"
                assert answer == (422, TEXT, words)


async def test_cart_when_its_rows_are_old_then_they_are_gone(ring_settings: RingSettings) -> None:
    """Each post expires by itself."""
    ring = await RingClient.open(ring_settings, API_STATEMENTS)
    try:
        await ring.wait_ready(30.0)
        carts = CartsRepository(ring, lifetime_seconds=3, timeout_seconds=10.0)
        await carts.write_post(b"session", 37)
        assert await carts.fetch_counts(b"session") == [(37, 1)]
        await asyncio.sleep(4.5)
        assert await carts.fetch_counts(b"session") == []
    finally:
        await ring.aclose()
