"""Bad input against real rows: a clear answer each time, never a 500 and never a trace."""

import orjson
import pytest
from yarl import URL

from ring import RingClient, RingSettings
from schema.statements import API_STATEMENTS
from tests.support.api import running_api, running_catalog
from tests.support.stored_catalog import CatalogProduct, plain_product

CATALOG = (CatalogProduct(plain_product(1)),)
INVALID = b"Error: invalid product id provided"
BAD_IDS = [
    *("hello", "null", "5.55", "-1", "99999999999999999999", "%00", "%FF", "%2F", "2.", "%20"),
    *(
        "9007199254740992",
        "0",
        "77",
        "%E2%80%AE",
        "{1}",
        "%252e",
        "1" * 7000,
        "%C0%AF",
        "'",
        "1.e5",
    ),
]


async def test_ids_when_unusable_or_absent_then_the_legacy_404(ring_settings: RingSettings) -> None:
    """Each read by id answers the contract's very words."""
    async with running_catalog(ring_settings, CATALOG) as api:
        for bad in BAD_IDS:
            for tail in ("", "/styles", "/related/"):
                url = URL(f"/products/{bad}{tail}", encoded=True)
                async with api.client.get(url) as response:
                    assert response.status == 404, bad
                    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
                    assert await response.read() == INVALID


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/products?page=0", 400),
        ("GET", "/products?count=-1", 400),
        ("GET", "/products?count=", 400),
        ("GET", "/products?page=1.5", 400),
        ("GET", "/products?page=%FF&count=5", 400),
        ("GET", "/products?count=1000000000", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/products//", 404),
        ("GET", "/products/1/nothing", 404),
        ("GET", "/products//styles", 404),
        ("GET", "/api/fec2//products/1", 404),
        ("GET", "/", 404),
        ("POST", "/products", 405),
        ("DELETE", "/products/1", 405),
        ("PATCH", "/products/1/styles/", 405),
        ("TRACE", "/healthz", 405),
        ("PROPFIND", "/products/1", 405),
    ],
)
async def test_requests_when_wrong_then_problem_json_says_so(
    method: str, path: str, status: int
) -> None:
    """Pages, unknown paths and methods: RFC 9457, and `Allow` with every 405. No row is read."""
    ring = await RingClient.open(RingSettings(contact_points=("127.0.0.1",), cql_port=1), ())
    async with (
        running_api(ring) as api,
        api.client.request(method, URL(path, encoded=True)) as response,
    ):
        # Without Cassandra the one good request here is a 503.
        assert response.status == (503 if status == 200 else status)
        assert response.headers["Content-Type"] == "application/problem+json"
        problem = orjson.loads(await response.read())
        assert problem["status"] == response.status
        assert ("Allow" in response.headers) is (status == 405)
        if status == 405:
            assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


async def test_cassandra_when_down_at_the_start_then_503_with_retry_after() -> None:
    """The server starts without Cassandra and says on each read when to come back."""
    settings = RingSettings(contact_points=("127.0.0.1",), cql_port=1)
    ring = await RingClient.open(settings, API_STATEMENTS)
    async with running_api(ring) as api:
        for path in ("/products/1", "/products/%31", "/products", "/products/1/styles", "/readyz"):
            async with api.client.get(path) as response:
                assert response.status == 503
                assert response.headers["Content-Type"] == "application/problem+json"
                assert int(response.headers["Retry-After"]) >= 1
                assert b"Traceback" not in await response.read()
        async with api.client.get("/healthz") as response:
            assert response.status == 200
