"""The API's description of itself, held to what a real server answers from a real Cassandra."""

import asyncio
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from catalog_api.settings import ApiSettings
from ring import RingSettings
from tests.support.api import HOST, RunningApi, running_api, running_catalog
from tests.support.constant_rows import ConstantRows
from tests.support.described_api import MSGPACK, DescribedApi
from tests.support.editor import AS_EDITOR
from tests.support.example_catalog import running_example

MOUNTED = "/api/fec2/{campus}"
REFUSED = [
    ("GET", "/products/{id}", "/products/77", 404),
    ("GET", "/products", "/products?page=0", 400),
    ("GET", "/reviews", "/reviews?product_id=x", 422),
    ("GET", "/reviews/meta", "/reviews/meta", 422),
    ("POST", "/reviews", "/reviews", 422),
    ("PUT", "/reviews/{id}/helpful", "/reviews/77/helpful", 404),
    ("GET", "/qa/questions", "/qa/questions?product_id=-1", 422),
    ("GET", "/qa/questions/{id}/answers", "/qa/questions/x/answers", 404),
    ("POST", "/qa/questions", "/qa/questions", 422),
    ("POST", "/qa/questions/{id}/answers", "/qa/questions/1/answers", 422),
    ("PUT", "/qa/answers/{id}/report", "/qa/answers/77/report", 404),
    ("POST", "/cart", "/cart", 422),
    ("POST", "/interactions", "/interactions", 422),
]

JSON = "application/json"
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
V1 = "/v1/products"
ONE = f"{V1}/{{id}}"
V1_REFUSED: list[tuple[str, str, str, dict[str, str], int]] = [
    ("GET", V1, V1, {}, 400),
    ("GET", V1, f"{V1}?ids=", {}, 400),
    ("GET", ONE, f"{V1}/77", {}, 404),
    ("GET", f"{V1}/find", f"{V1}/find?limit=0", {}, 400),
    ("GET", f"{V1}/find", f"{V1}/find?page_token=x", {}, 400),
    ("GET", f"{V1}/export", f"{V1}/export?table=skus", {}, 400),
    ("POST", V1, V1, {}, 401),
    ("POST", f"{V1}/bulk", f"{V1}/bulk", NDJSON, 401),
    *((method, ONE, f"{V1}/1", {}, 401) for method in ("PUT", "PATCH", "DELETE")),
    ("PUT", ONE, f"{V1}/1", {"Authorization": "Bearer no.key"}, 401),
    ("POST", V1, V1, AS_EDITOR | {"Content-Type": "text/plain"}, 415),
    ("POST", f"{V1}/bulk", f"{V1}/bulk", AS_EDITOR, 415),
    ("PATCH", ONE, f"{V1}/1", AS_EDITOR, 415),
    ("POST", V1, V1, AS_EDITOR, 422),
    ("POST", V1, V1, AS_EDITOR | {"Idempotency-Key": "ä"}, 400),
    ("PUT", ONE, f"{V1}/1", AS_EDITOR, 422),
    ("PATCH", ONE, f"{V1}/77", AS_EDITOR | MERGE_PATCH, 404),
    ("PATCH", ONE, f"{V1}/1", AS_EDITOR | MERGE_PATCH | {"If-None-Match": "*"}, 412),
    ("DELETE", ONE, f"{V1}/1", AS_EDITOR | {"If-Match": '"0"'}, 412),
    ("DELETE", ONE, f"{V1}/1", AS_EDITOR | {"If-Match": "0"}, 400),
    ("DELETE", ONE, f"{V1}/77", AS_EDITOR, 404),
]


async def described(api: RunningApi) -> DescribedApi:
    """Return the document that this server gives."""
    async with api.client.get("/openapi.json") as response:
        assert response.status == 200
        return DescribedApi(orjson.loads(await response.read()))


def _registered(app: web.Application) -> set[tuple[str, str]]:
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }


@pytest.mark.parametrize("mount", ["/api/fec2", ""])
async def test_document_when_compared_with_the_routes_then_neither_has_more(mount: str) -> None:
    """Every operation is served with and without a slash, where its servers say, and no other."""
    async with running_api(ConstantRows(b"{}"), ApiSettings(mount=mount)) as api:
        document = await described(api)
        bases = [server["url"].rstrip("/") for server in document.document["servers"]]
        assert bases == (["", MOUNTED] if mount else [""])
        expected = set()
        for method, path, _ in document.operations():
            servers = document.document["paths"][path].get("servers")
            for base in bases if servers is None else [server["url"][:-1] for server in servers]:
                expected |= {(method, base + path), (method, f"{base}{path}/")}
        assert expected == _registered(api.app)


async def test_document_when_read_then_it_is_valid_and_cacheable() -> None:
    """OpenAPI 3.1 by a validator of its own; the same tag each time, and a 304 for it."""
    async with running_api(ConstantRows(b"{}")) as api:
        document = await described(api)
        OpenAPIV31SpecValidator(document.document).validate()
        assert document.validate_examples() >= 10
        async with api.client.get("/openapi.json") as response:
            etag = response.headers["ETag"]
            assert response.headers["Cache-Control"] == "public, no-cache"
            assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        async with api.client.get("/openapi.json/", headers={"If-None-Match": etag}) as response:
            assert response.status == 304
        async with api.client.get("/openapi.json", headers={"Accept-Encoding": "gzip"}) as response:
            assert response.headers["Content-Encoding"] == "gzip"


async def test_examples_when_sent_then_each_succeeds_as_described(
    ring_settings: RingSettings,
) -> None:
    """Every operation, with its least request and with all its examples, in each form.

    What a caller gets wrong has its status, type and words in the document too.
    """
    async with running_example(ring_settings) as api:
        document = await described(api)
        for example in document.examples():
            async with api.client.request(
                example.method,
                example.target,
                params=example.query,
                headers=AS_EDITOR | dict(example.headers),
                data=example.body,
            ) as response:
                body = await response.read()
                assert 200 <= response.status < 300, (example, body)
                document.check(
                    example.method, example.path, response.status, response.headers, body
                )
                if "Accept" in example.headers:
                    assert response.content_type == "application/msgpack"
        for method, path, target, status in REFUSED:
            async with api.client.request(method, target) as response:
                body = await response.read()
                assert response.status == status, target
                document.check(method, path, response.status, response.headers, body)


async def test_v1_when_described_then_each_operation_has_examples_of_what_it_takes_and_gives() -> (
    None
):
    """Of each body and of each successful answer in each type, but MessagePack: it is the same."""
    async with running_api(ConstantRows(b"{}")) as api:
        found = 0
        for method, path, operation in (await described(api)).operations():
            if not path.startswith("/v1/"):
                continue
            successes = [
                reply for status, reply in operation["responses"].items() if status < "300"
            ]
            for holder in (operation.get("requestBody", {}), *successes):
                for content_type, content in holder.get("content", {}).items():
                    found += 1
                    has_one = "example" in content or content_type == MSGPACK
                    assert has_one, (method, path, content_type)
                    assert content["schema"], (method, path, content_type)
        assert found >= 15


async def test_v1_when_it_refuses_then_as_described(ring_settings: RingSettings) -> None:
    """Keys, conditions, media types, bodies and parameters: each with its status and a problem."""
    async with running_example(ring_settings) as api:
        document = await described(api)
        for method, path, target, headers, status in V1_REFUSED:
            sent = {"Content-Type": JSON} | headers
            async with api.client.request(method, target, headers=sent, data=b"{}") as response:
                body = await response.read()
                assert response.status == status, (method, target, headers, body)
                problem = document.check(method, path, status, response.headers, body)
                assert problem["status"] == status
        for method, path, operation in document.operations():
            if path.startswith("/v1/"):
                asks = "security" in operation
                assert asks == (method != "GET")
                assert asks == ({"401", "403"} <= operation["responses"].keys()), path


async def test_limits_when_they_are_reached_then_the_429_is_as_described(
    ring_settings: RingSettings,
) -> None:
    """With `Retry-After` and what the limit is."""
    settings = ApiSettings(votes_per_minute=2)
    async with running_catalog(ring_settings, (), settings) as api:
        document = await described(api)
        statuses = set()
        for _ in range(5):
            async with api.client.put("/reviews/1/report") as response:
                body = await response.read()
                path = "/reviews/{id}/report"
                document.check("PUT", path, response.status, response.headers, body)
                assert "RateLimit" in response.headers
                statuses.add(response.status)
        assert statuses == {404, 429}


async def test_client_when_generated_from_the_document_then_it_works(
    ring_settings: RingSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A generator that is not ours makes a client that reads, posts and gets errors."""
    async with running_example(ring_settings) as api:
        document = tmp_path / "openapi.json"
        async with api.client.get("/openapi.json") as response:
            document.write_bytes(await response.read())
        client = tmp_path / "storefront_client"
        await asyncio.to_thread(_generate, document, client)
        made = {path.stem for path in client.glob("api/*/*.py")} - {"__init__"}
        named = {one["operationId"] for *_, one in (await described(api)).operations()}
        # Of bodies it knows no NDJSON.
        assert named - made == {"post_v1_products_bulk"}
        monkeypatch.syspath_prepend(tmp_path)
        await asyncio.to_thread(_use, f"http://{HOST}:{api.port}")


def _generate(document: Path, client: Path) -> None:
    config = document.with_name("config.yml")
    config.write_text("post_hooks: []\n", encoding="utf-8")
    subprocess.run(
        [
            str(Path(sys.executable).with_name("openapi-python-client")),
            *("generate", "--path", str(document), "--output-path", str(client)),
            *("--meta", "none", "--config", str(config)),
        ],
        check=True,
        timeout=60,
    )


def _use(base_url: str) -> None:
    module = importlib.import_module

    def call(name: str, **arguments: Any) -> Any:
        return module(f"storefront_client.api.{name}").sync(client=client, **arguments)

    client = module("storefront_client").Client(base_url=base_url)
    models = module("storefront_client.models")
    with client:
        product = call("products.get_products_id", id=1)
        assert product.default_price == "101.00"
        assert product.features[0].value == "Canvas"
        assert call("catalog.get_v1_products_id", id=1).features[0].value == "Canvas"
        styles = call("products.get_products_id_styles", id=1)
        assert styles.results[0].skus["37"].quantity == 8
        assert call("products.get_products_id", id=77).value == "Error: invalid product id provided"
        review = models.NewReview.from_dict(
            {
                "product_id": 3,
                "rating": 4,
                "summary": "Fine",
                "body": "Ä 😀",
                "recommend": True,
                "name": "jo",
                "email": "jo@shop.test",
                "characteristics": {"5": 4},
            }
        )
        assert call("reviews.post_reviews", body=review).value == "Created"
        listed = call("reviews.get_reviews", product_id=3, sort=models.Sort.NEWEST)
        assert [one.body for one in listed.results] == ["Ä 😀"]
        assert listed.results[0].recommend is True
        questions = call("questions.get_qa_questions", product_id=1)
        assert questions.results[0].reported is False
        question_id = questions.results[0].question_id
        assert call("questions.put_qa_questions_id_helpful", id=question_id) is None
        (again, *_) = call("questions.get_qa_questions", product_id=1).results
        expected = questions.results[0].question_helpfulness + 1
        assert (again.question_id, again.question_helpfulness) == (question_id, expected)
