"""Products as documents over HTTP, from rows in a real Cassandra: each verb and what it leaves."""

import asyncio

import msgpack  # type: ignore[import-untyped]

from catalog_api.keys import SWEEPER
from catalog_api.repositories.intents import Intent
from ring import RingClient, RingSettings
from schema.documents import Feature, Photo, Sku, Style
from schema.statements import API_STATEMENTS
from schema.statements.changes import CHANGE_PRODUCT, SELECT_INTENTS, WRITE_INTENT
from tests.support.api import running_catalog
from tests.support.catalog_documents import (
    NEW,
    PROPERTIES,
    legacy,
    listed,
    second_server,
    send,
    until,
)
from tests.support.stored_catalog import READY_SECONDS, CatalogProduct, plain_product

ONE = CatalogProduct(
    plain_product(1, features=[Feature("Fabric", "Canvas")]),
    styles=[
        Style(5, "Green", 14000, None, True, [Photo("t", "u")], [Sku(37, 8, "XS")]),
        Style(6, "Bare", 12050, 9900, False),
    ],
    related=[2, 3],
)
CATALOG = [ONE, CatalogProduct(plain_product(2))]
LOADED = {
    "name": "name 1",
    "default_price": "140.00",
    "id": 1,
    "slogan": "slogan 1",
    "description": "description 1",
    "category": "category 1",
    "features": [{"feature": "Fabric", "value": "Canvas"}],
    "styles": [
        {
            "original_price": "140.00",
            "id": 5,
            "name": "Green",
            "sale_price": None,
            "is_default": True,
            "photos": [{"thumbnail_url": "t", "url": "u"}],
            "skus": [{"id": 37, "size": "XS", "quantity": 8}],
        },
        {
            "original_price": "120.50",
            "id": 6,
            "name": "Bare",
            "sale_price": "99.00",
            "is_default": False,
            "photos": [],
            "skus": [],
        },
    ],
    "related": [2, 3],
    "properties": {},
}
INVALID: list[tuple[dict[str, object], str]] = [
    ({"default_price": "140"}, "default_price"),
    ({"default_price": 140.0}, "default_price"),
    ({"default_price": "-1.00"}, "default_price"),
    ({"name": 5}, "name"),
    ({"nmae": "x"}, "nmae"),
    ({"related": [0]}, "related"),
    ({"related": [2**53]}, "related"),
    ({"properties": {"a": {"b": 1}}}, "properties"),
    ({"properties": {"a": 2**53}}, "properties"),
    ({"properties": {"a": 1e300}}, "properties"),
    ({"related": [1.5]}, "related"),
    ({"related": [2.0**53]}, "related"),
    ({"default_price": "1.00\n"}, "default_price"),
    ({"properties": {"": 1}}, "properties"),
    ({"properties": {"a": [1]}}, "properties"),
    ({"styles": [{"name": "x"}]}, "original_price"),
    ({"styles": [{"original_price": "1.00", "id": 10**12 + 1}]}, "styles[0].id"),
    ({"styles": [{"original_price": "1.00", "id": 4}] * 2}, "styles[1].id"),
    (
        {"styles": [{"original_price": "1.00", "skus": [{"id": 9}, {"id": 9}]}]},
        "styles[0].skus[1].id",
    ),
    ({"id": 7}, "id"),
    ({"name": "a\0b"}, "NUL"),
]


async def test_product_when_a_load_wrote_it_then_it_reads_as_a_document(
    ring_settings: RingSettings,
) -> None:
    """Every part, and no properties; the same in MessagePack; the tag is strong and holds."""
    async with running_catalog(ring_settings, CATALOG) as api:
        read = await send(api, "GET", "/v1/products/1")
        assert read.status == 200
        assert read.json == LOADED
        assert read.headers["Content-Type"] == "application/json; charset=utf-8"
        assert not read.etag.startswith("W/")
        again = await send(api, "GET", "/v1/products/1/", If_None_Match=read.etag)
        assert (again.status, again.body) == (304, b"")
        packed = await send(api, "GET", "/v1/products/1", Accept="application/msgpack")
        assert msgpack.unpackb(packed.body) == LOADED
        assert packed.etag != read.etag
        for path in ("/v1/products/3", "/v1/products/0", "/v1/products/x", "/v1/products/1x"):
            missing = await send(api, "GET", path)
            assert missing.status == 404
            assert missing.headers["Content-Type"] == "application/problem+json"
        for path, allowed in (("/bulk", "OPTIONS, POST"), ("/find/", "GET, HEAD, OPTIONS")):
            wrong = await send(api, "PUT", f"/v1/products{path}", NEW)
            assert (wrong.status, wrong.headers["Allow"]) == (405, allowed)


async def test_product_when_created_then_every_read_of_every_server_has_it(
    ring_settings: RingSettings,
) -> None:
    """201 with its place and ids of ours; legacy reads and pages follow within a second."""
    async with (
        running_catalog(ring_settings, CATALOG) as api,
        second_server(ring_settings) as other,
    ):
        assert len(await legacy(other, "/products?count=10")) == 2
        created = await send(api, "POST", "/v1/products", NEW)
        assert created.status == 201, created.body
        document = created.json
        place = created.headers["Location"]
        assert place == f"/v1/products/{document['id']}"
        style = document["styles"][0]
        assert min(document["id"], style["id"], style["skus"][0]["id"]) >= 10**12
        row = {
            "id": document["id"],
            "name": "Onesie",
            "slogan": None,
            "description": None,
            "category": None,
            "default_price": "70.00",
        }
        await until(other, "/products?page=3&count=1", [row])
        assert await legacy(other, f"/products/{document['id']}") == row | {
            "features": [{"feature": "Cut", "value": None}]
        }
        assert await legacy(other, f"/products/{document['id']}/related") == [1]
        styles = await legacy(other, f"/products/{document['id']}/styles")
        assert styles["results"][0]["skus"] == {
            str(style["skus"][0]["id"]): {"quantity": 3, "size": "M"}
        }
        assert styles["results"][0]["photos"] == [{"thumbnail_url": None, "url": None}]
        read = await send(other, "GET", place)
        assert (read.json, read.etag) == (document, created.etag)
        assert read.json["properties"] == PROPERTIES
        assert list(read.json["properties"]) == list(PROPERTIES)


async def test_product_when_patched_and_deleted_then_lists_follow(
    ring_settings: RingSettings,
) -> None:
    """A merge patch keeps what it does not name, and ids; a deletion leaves 404 everywhere."""
    async with (
        running_catalog(ring_settings, CATALOG) as api,
        second_server(ring_settings) as other,
    ):
        patch = {"name": "Neu", "slogan": None, "properties": {"organic": True}}
        patched = await send(api, "PATCH", "/v1/products/1", patch)
        assert patched.status == 200, patched.body
        expected = LOADED | {"name": "Neu", "slogan": None, "properties": {"organic": True}}
        assert patched.json == expected
        await until(
            other,
            "/products?count=1",
            [
                {
                    "id": 1,
                    "name": "Neu",
                    "slogan": None,
                    "description": "description 1",
                    "category": "category 1",
                    "default_price": "140.00",
                }
            ],
        )
        removed = await send(api, "PATCH", "/v1/products/1", {"properties": {"organic": None}})
        assert removed.json == expected | {"properties": {}}
        gone = await send(api, "DELETE", "/v1/products/1")
        assert (gone.status, gone.body) == (204, b"")
        await until(other, "/products/1", None)
        await until(other, "/products/1/styles", None)
        await until(other, "/products/1/related", None)
        page = [row["id"] for row in await legacy(other, "/products?count=10")]
        assert page == [2]
        assert (await send(api, "DELETE", "/v1/products/1")).status == 404
        assert (await send(api, "GET", "/v1/products/1")).status == 404
        assert (await send(api, "PATCH", "/v1/products/1", {"name": "x"})).status == 404
        back = await send(api, "PUT", "/v1/products/1", LOADED)
        assert (back.status, back.json) == (201, LOADED)
        assert back.headers["Location"] == "/v1/products/1"
        await until(other, "/products?count=1", [listed(LOADED)])


async def test_product_when_put_then_created_or_replaced(ring_settings: RingSettings) -> None:
    """An id of the caller's own choice below ours; a body in MessagePack; the whole is replaced."""
    async with running_catalog(ring_settings, CATALOG) as api:
        created = await send(api, "PUT", "/v1/products/5000", NEW | {"id": 5000})
        assert (created.status, created.json["id"]) == (201, 5000)
        packed = {"name": "P", "default_price": "1.00"}
        replaced = await send(
            *(api, "PUT", "/v1/products/5000", msgpack.packb(packed)),
            Content_Type="application/msgpack",
            Accept="application/msgpack",
        )
        assert replaced.status == 200
        document = msgpack.unpackb(replaced.body)
        assert (document["features"], document["related"], document["properties"]) == ([], [], {})
        ids = [row["id"] for row in await legacy(api, "/products?count=10")]
        assert ids in ([1, 2], [1, 2, 5000])
        await until(
            api,
            "/products?page=3&count=1",
            [
                {
                    "id": 5000,
                    "name": "P",
                    "slogan": None,
                    "description": None,
                    "category": None,
                    "default_price": "1.00",
                }
            ],
        )
        whole = {"related": [2.0], "properties": {"a": 5.0, "b": 0.5}, "id": 5000.0}
        for body in (None, msgpack.packb(packed | whole)):
            kind = "application/msgpack" if body else "application/json"
            answer = await send(
                api, "PUT", "/v1/products/5000", body or packed | whole, Content_Type=kind
            )
            assert answer.json["related"] == [2]
            assert str(answer.json["properties"]) == "{'a': 5, 'b': 0.5}"
        ours = await send(api, "PUT", f"/v1/products/{10**12 + 7}", NEW)
        assert ours.status == 409


async def test_change_when_a_precondition_fails_then_412_and_nothing_is_changed(
    ring_settings: RingSettings,
) -> None:
    """If-Match with another or a weak tag; If-None-Match: * on what exists. Malformed ones: 400."""
    async with running_catalog(ring_settings, CATALOG) as api:
        path = "/v1/products/1"
        etag = (await send(api, "GET", path)).etag
        changes = (("PATCH", {"name": "x"}), ("PUT", NEW), ("DELETE", None))
        for method, body in changes:
            for other in ('"0123456789abcdef"', f"W/{etag}"):
                assert (await send(api, method, path, body, If_Match=other)).status == 412
            for bad in ("", "nonsense", f'{etag}, W"'):
                assert (await send(api, method, path, body, If_Match=bad)).status == 400
                assert (await send(api, method, path, body, If_None_Match=bad)).status == 400
        assert (await send(api, "PUT", path, NEW, If_None_Match="*")).status == 412
        assert (await send(api, "PUT", "/v1/products/77", NEW, If_Match="*")).status == 412
        assert (await send(api, "PATCH", "/v1/products/77", {}, If_Match=etag)).status == 412
        assert (await send(api, "GET", path)).json == LOADED
        good = await send(api, "PATCH", path, {"name": "x"}, If_Match=f'"other", {etag}')
        assert good.status == 200
        packed = await send(api, "GET", path, Accept="application/msgpack")
        assert (await send(api, "PATCH", path, {"name": "y"}, If_Match=packed.etag)).status == 200
        assert (await send(api, "PUT", "/v1/products/77", NEW, If_None_Match="*")).status == 201


async def test_product_when_many_patch_one_state_then_one_of_them_wins(
    ring_settings: RingSettings,
) -> None:
    """Two servers: of one If-Match one is 200, the others 412. Without it no patch is lost."""
    async with (
        running_catalog(ring_settings, CATALOG) as api,
        second_server(ring_settings) as other,
    ):
        path = "/v1/products/1"
        etag = (await send(api, "GET", path)).etag
        servers = [api, other] * 4
        answers = await asyncio.gather(
            *(
                send(server, "PATCH", path, {"name": f"n{place}"}, If_Match=etag)
                for place, server in enumerate(servers)
            )
        )
        statuses = sorted(answer.status for answer in answers)
        assert statuses == [200] + [412] * 7
        (winner,) = (answer for answer in answers if answer.status == 200)
        assert (await send(api, "GET", path)).json == winner.json
        answers = await asyncio.gather(
            *(
                send(server, "PATCH", path, {"properties": {f"p{place}": place}})
                for place, server in enumerate(servers)
            )
        )
        assert [answer.status for answer in answers] == [200] * 8
        final = (await send(api, "GET", path)).json
        assert final["properties"] == {f"p{place}": place for place in range(8)}
        await until(other, "/products?count=1", await legacy(api, "/products?count=1"))


async def test_product_when_it_is_invalid_then_422_says_where(ring_settings: RingSettings) -> None:
    """For POST, PUT and PATCH alike; nothing is stored."""
    async with running_catalog(ring_settings, CATALOG) as api:
        for change, where in INVALID:
            for method, path, body in (
                ("POST", "/v1/products", NEW | change),
                ("PUT", "/v1/products/1", NEW | change),
                ("PATCH", "/v1/products/1", change),
            ):
                answer = await send(api, method, path, body)
                assert answer.status == 422, (method, change, answer.body)
                assert where in answer.json["detail"]
        assert (await send(api, "GET", "/v1/products/1")).json == LOADED
        assert len(await legacy(api, "/products")) == 2


async def test_body_when_it_is_not_what_it_says_then_4xx(ring_settings: RingSettings) -> None:
    """Media types, broken JSON and MessagePack, keys twice."""
    async with running_catalog(ring_settings, CATALOG) as api:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await send(api, "POST", "/v1/products", b"name=x", **form)).status == 415
        json_type = {"Content-Type": "application/json"}
        refused = await send(api, "PATCH", "/v1/products/1", b"{}", **json_type)
        assert refused.status == 415
        assert "application/merge-patch+json" in refused.headers["Accept"]
        packed = {"Content-Type": "application/msgpack"}
        for body, headers in (
            (b"{", json_type),
            (b'{"name":"a","name":"b","default_price":"1.00"}', json_type),
            (b"[]", json_type),
            (b"\xc1", packed),
            (msgpack.packb({1: 2}), packed),
            (msgpack.packb({"name": "x", "default_price": b"1.00"}), packed),
            (msgpack.packb({"name": "x", "default_price": "1.00"}) + b"x", packed),
        ):
            assert (await send(api, "POST", "/v1/products", body, **headers)).status == 422


async def test_change_when_its_server_died_in_the_middle_then_another_finishes_it(
    ring_settings: RingSettings,
) -> None:
    """The row was changed and nothing else was: lists and counts follow, the intent is gone."""
    async with (
        running_catalog(ring_settings, CATALOG) as api,
        second_server(ring_settings) as other,
    ):
        created = await send(api, "PUT", "/v1/products/9000", NEW)
        assert created.status == 201
        await until(other, "/products?page=3&count=1", [listed(created.json)])
        ring = await RingClient.open(ring_settings, API_STATEMENTS)
        await ring.wait_ready(READY_SECONDS)
        try:
            # What a server does before it dies: the intent and the transaction.
            tags = await ring.execute("select_whole_product", (9000,))
            intent = Intent(4096, 9000)
            await ring.execute(WRITE_INTENT.name, (9000 % 16, *intent))
            applied = await ring.execute(
                CHANGE_PRODUCT.name,
                (*[b""] * 5, *[""] * 4, intent.moment, 9000, *tags[0][5:9]),
            )
            assert applied[0][0]
            await until(other, "/products/9000", None)
            assert len(await legacy(other, "/products?count=2")) == 2
            await other.app[SWEEPER].sweep()
            await until(api, "/products?page=3&count=1", [])
            assert [row["id"] for row in await legacy(other, "/products")] == [1, 2]
            left = await ring.execute(SELECT_INTENTS.name, (9000 % 16, 0, 2**62))
            assert left == []
        finally:
            await ring.aclose()
