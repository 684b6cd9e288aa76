"""The shop in a real Chromium, before our nginx, an app server and the tests' Cassandra."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.support.browser import DESKTOP, PHONE, visiting
from tests.support.shop import Shop, assert_clean, open_product, photograph, section
from tests.support.shop_rows import HTML

SMALLEST = (320, 640)


@pytest.mark.parametrize("size", [DESKTOP, PHONE, SMALLEST], ids=["desktop", "phone", "smallest"])
async def test_shop_when_browsed_then_products_styles_and_cart(
    shop: Shop, tmp_path: Path, size: tuple[int, int]
) -> None:
    """From the list to a product, another style, a size, and twice into the cart."""
    async with visiting(shop.browser, shop.origin, size, dark=size == PHONE) as visit:
        page = visit.page
        await page.goto("/")
        await expect(page.locator(".card")).to_have_count(12)
        await photograph(page, tmp_path / "list.png")
        await page.get_by_role("link", name="Next page").click()
        await expect(page.locator(".card")).to_have_count(2)
        await expect(page.get_by_role("heading", name="Products, page 2")).to_be_focused()
        await page.go_back()
        await page.get_by_role("link", name="Camo Onesie").click()
        await expect(page.get_by_role("heading", level=1)).to_be_focused()
        assert await page.title() == "Camo Onesie · Catalog"

        panel = page.locator(".panel")
        await expect(panel.locator(".price")).to_have_text("$140.00")
        await expect(page.locator(".large img")).to_have_js_property("naturalWidth", 400)
        await page.get_by_role("button", name="Photo 2 of 2").click()
        await expect(page.get_by_role("img", name="Forest Green, photo 2")).to_be_visible()
        await expect(page.get_by_role("radio", name="L sold out")).to_be_disabled()
        await page.get_by_role("radio", name="Sold as seen").check()
        await expect(panel).to_contain_text("cannot be ordered")
        await page.get_by_role("radio", name="Ocean Blue").check()
        await expect(panel.locator(".price")).to_have_text("Reduced to $100.00 from $140.50")
        # What cannot be loaded, or must not be, has a placeholder that says what it is of.
        await expect(page.locator(".gallery img")).to_have_count(0)
        await expect(page.get_by_role("img", name="Ocean Blue (no photo)")).to_be_visible()
        related = section(page, "Related products").locator(".card")
        await expect(related).to_have_count(2)
        await photograph(page, tmp_path / "product.png")

        await page.get_by_role("radio", name="S 3 left").check()
        for left in (2, 1):
            await page.get_by_role("button", name="Add to cart").click()
            await expect(page.get_by_role("radio", name=f"S {left} left").first).to_be_checked()
        await expect(page.get_by_role("status")).to_have_text(
            "In your cart: 2 pieces of Camo Onesie, S."
        )
        await page.get_by_role("link", name="Cart (2)").click()
        await expect(page.locator(".cart > li")).to_have_text(
            re.compile("Camo Onesie.*Ocean Blue, size S.*2 pieces.*200.00")
        )
        await page.reload()
        await expect(page.get_by_text("Together $200.00.")).to_be_visible()
        await photograph(page, tmp_path / "cart.png")
        assert_clean(visit)
    async with visiting(shop.browser, shop.origin, size) as visit:
        await visit.page.goto("/?cart")
        await expect(visit.page.get_by_text("Your cart is empty.")).to_be_visible()


async def test_shop_when_text_is_html_then_shown_as_text(shop: Shop) -> None:
    """Names, slogans, descriptions and categories are never read as HTML."""
    async with visiting(shop.browser, shop.origin) as visit:
        page = await open_product(visit, 2)
        await expect(page.get_by_role("heading", level=1)).to_have_text(HTML)
        await expect(page.locator(".about .text")).to_have_text(HTML)
        assert await page.title() == f"{HTML} · Catalog"
        assert await page.locator("main script, main b, main img").count() == 0
        assert_clean(visit)


async def test_shop_when_only_keys_are_used_then_it_works(shop: Shop) -> None:
    """The skip link, a style and a size by arrow keys, and an order by Enter."""
    async with visiting(shop.browser, shop.origin) as visit:
        page = await open_product(visit)
        await page.keyboard.press("Tab")
        await expect(page.get_by_text("Skip to the content")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#main")).to_be_focused()
        await page.get_by_role("radio", name="Forest Green").focus()
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_role("radio", name="Ocean Blue")).to_be_checked()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await expect(page.get_by_role("radio", name="S 3 left")).to_be_checked()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name="Cart (1)")).to_be_visible()
