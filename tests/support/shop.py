"""The shop's pages in a browser, for tests: what runs, and what each of them does with it."""

from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from tests.support.api import RunningApi
from tests.support.browser import PATIENCE_MILLISECONDS, Visit

expect.set_options(timeout=PATIENCE_MILLISECONDS)


@dataclass(frozen=True, slots=True)
class Shop:
    """Everything that a visit needs."""

    api: RunningApi
    browser: Browser
    origin: str


async def photograph(page: Page, path: Path) -> None:
    """Take a picture of the whole page, and assert that it is no wider than the window."""
    assert page.viewport_size is not None
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= page.viewport_size["width"], path.name
    await page.screenshot(path=path, full_page=True)


def assert_clean(visit: Visit) -> None:
    """Assert that no script failed, the policy refused nothing needed, nobody else was asked."""
    assert visit.complaints == [], visit.complaints
    assert visit.foreign == [], visit.foreign


async def open_product(visit: Visit, product_id: int = 1) -> Page:
    """Open a product's page and wait for all of its parts."""
    await visit.page.goto(f"/?product={product_id}")
    await expect(visit.page.locator("[aria-busy=true]")).to_have_count(0)
    await expect(visit.page.get_by_text("Loading…")).to_have_count(0)
    return visit.page


def section(page: Page, name: str) -> Locator:
    """Return a part of the product's page."""
    return page.get_by_role("region", name=name)


async def fill_in(part: Locator, label: str, text: str) -> None:
    """Fill in the form of a question or an answer."""
    await part.get_by_label(label, exact=True).fill(text)
    await part.get_by_label("Your name").last.fill("Me")
    await part.get_by_label("Your e-mail").last.fill("me@example.org")
