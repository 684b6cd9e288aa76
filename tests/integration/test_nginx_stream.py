"""nginx before a real app server: rows and outcomes pass as they come."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson

from catalog_api.settings import ApiSettings
from nginx.render import NginxPlan, render
from ring import RingSettings
from ring.nodes.probes import http_status
from ring.nodes.service import Service, inherited_environment
from tests.support.api import HOST as APP_HOST
from tests.support.api import running_catalog
from tests.support.editor import AS_EDITOR
from tests.support.stored_catalog import CatalogProduct, plain_product

HOST, PORT, STATUS_PORT = "127.0.10.1", 18010, 18011
ROWS = 3_000


async def test_bulk_write_when_it_goes_through_nginx_then_it_is_passed_on_as_it_comes(
    ring_settings: RingSettings, tmp_path: Path
) -> None:
    """Outcomes come while rows are still sent; the limit of bodies is not for streams."""
    catalog = [CatalogProduct(plain_product(1))]
    for folder in (tmp_path, tmp_path.parent):
        folder.chmod(0o755)
    async with running_catalog(ring_settings, catalog, ApiSettings(bulk_write_rows=32)) as api:
        plan = NginxPlan(
            tmp_path, ((APP_HOST, api.port),), host=HOST, port=PORT, status_port=STATUS_PORT
        )
        assert render(plan)
        service = Service(
            name="nginx",
            command=("nginx", "-e", f"{tmp_path}/error.log", "-c", str(plan.main_file)),
            environ=inherited_environment(),
            directory=tmp_path,
            state=tmp_path,
        )
        await asyncio.to_thread(
            service.start,
            answers=lambda: http_status(HOST, PORT, "/") == 200,
            timeout_seconds=20,
        )
        try:
            await _write_slowly()
        finally:
            await asyncio.to_thread(service.stop)


async def _write_slowly() -> None:
    answered = asyncio.Event()
    # Bad rows cost the ring nothing, and their outcomes are as long as any.
    bad = orjson.dumps({"name": "x" * 200}) + b"\n"

    async def body() -> AsyncIterator[bytes]:
        yield bad
        async with asyncio.timeout(10):
            await answered.wait()
        for _ in range(ROWS // 100):
            yield bad * 100

    url = f"http://{HOST}:{PORT}/v1/products/bulk"
    headers = AS_EDITOR | {"Content-Type": "application/x-ndjson"}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as client,
        client.post(url, data=body(), headers=headers) as response,
    ):
        outcomes = []
        async for line in response.content:
            outcomes.append(orjson.loads(line))
            answered.set()
    assert [one["line"] for one in outcomes] == [*range(1, ROWS + 2)]
    assert {one["status"] for one in outcomes} == {422}
