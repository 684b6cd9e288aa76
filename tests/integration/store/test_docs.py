"""The page that shows the OpenAPI file."""

from pathlib import Path

import orjson
from playwright.async_api import expect

from tests.support.browser import PHONE, visiting
from tests.support.shop import Shop, assert_clean, photograph


async def test_docs_when_opened_then_the_whole_openapi_file_is_shown(
    shop: Shop, tmp_path: Path
) -> None:
    """The viewer lists every operation of the file and runs one, without asking anybody else."""
    async with shop.api.client.get("/openapi.json") as answer:
        paths = orjson.loads(await answer.read())["paths"]
    methods = {"get", "put", "post", "patch", "delete", "head", "options"}
    operations = sum(len(methods & set(path)) for path in paths.values())
    async with visiting(shop.browser, shop.origin, PHONE) as visit:
        page = visit.page
        await page.goto("/docs")
        await expect(page.locator(".opblock")).to_have_count(operations)
        await photograph(page, tmp_path / "docs.png")
        block = (
            page.locator(".opblock").filter(has=page.locator('[data-path="/products/{id}"]')).first
        )
        await block.locator(".opblock-summary-control").first.click()
        await block.get_by_role("button", name="Try it out").click()
        await block.locator("tr[data-param-name=id] input").fill("1")
        await block.get_by_role("button", name="Execute").click()
        await expect(block.locator(".live-responses-table")).to_contain_text("Camo Onesie")
        assert_clean(visit)
