"""What the shop's pages say when something does not work."""

import re
from typing import Final

from playwright.async_api import Route, expect

from tests.support.browser import visiting
from tests.support.shop import Shop, fill_in, open_product, section
from tests.support.shop_rows import GONE

FAILURES: Final[tuple[tuple[int, dict[str, str], str], ...]] = (
    (429, {"Retry-After": "7"}, "That was a lot at once. Please try again in 7 seconds."),
    (503, {"Retry-After": "1"}, "The shop is busy. Please try again in 1 second."),
    (502, {}, "The shop is busy. Please try again in a moment."),
    (500, {}, "Something went wrong in the shop (status 500). Please try again later."),
)


async def test_shop_when_a_part_fails_then_said_in_words_and_tried_again(shop: Shop) -> None:
    """One part says what is wrong, the others stand, and the button brings it back."""
    failing = [FAILURES[0]]

    async def fail(route: Route) -> None:
        status, headers, _ = failing[-1]
        await route.fulfill(status=status, headers=headers, body="no")

    async with visiting(shop.browser, shop.origin) as visit:
        await visit.page.route("**/reviews?*", fail)
        page = await open_product(visit)
        reviews = section(page, "Reviews")
        again = reviews.get_by_role("button", name="Try again")
        for failure in FAILURES:
            failing.append(failure)
            await again.click()
            await expect(reviews.get_by_role("alert").filter(has_text=failure[2])).to_be_visible()
        await expect(section(page, "Questions and answers")).to_contain_text("question 1")
        await page.unroute("**/reviews?*")
        await again.click()
        await expect(reviews).to_contain_text("summary 2")


async def test_shop_when_a_post_fails_then_said_in_words_and_nothing_is_lost(shop: Shop) -> None:
    """What the API does not accept, and being offline: the form says so and keeps the text."""
    async with visiting(shop.browser, shop.origin) as visit:
        page = await open_product(visit)
        part = section(page, "Questions and answers")
        await part.get_by_text("Ask a question").click()
        await fill_in(part, "Question", "   ")
        send = part.get_by_role("button", name="Post the question")
        await send.click()
        problem = part.get_by_role("alert").last
        await expect(problem).to_have_text("This was not accepted. Please check what you entered.")
        await page.context.set_offline(offline=True)
        await fill_in(part, "Question", "Is it warm?")
        await send.click()
        await expect(problem).to_contain_text("You are offline.")
        await page.context.set_offline(offline=False)
        await expect(part.get_by_label("Question", exact=True)).to_have_value("Is it warm?")
        await send.click()
        await expect(page.get_by_role("status")).to_contain_text("Your question is published")


async def test_shop_when_there_is_no_such_product_then_said(shop: Shop) -> None:
    """An address that leads nowhere says so under a heading, and the way on stays."""
    async with visiting(shop.browser, shop.origin) as visit:
        for product in (GONE, "", "x", "-1"):
            await visit.page.goto(f"/?product={product}")
            await expect(visit.page.get_by_role("heading", name="Not found")).to_be_visible()
        await visit.page.get_by_role("link", name="Products").click()
        await expect(visit.page.locator(".card")).to_have_count(12)


async def test_shop_when_a_related_product_is_gone_then_the_others_are_shown(shop: Shop) -> None:
    """A related product that is no longer there leaves no gap and no message."""
    async with visiting(shop.browser, shop.origin) as visit:
        related = section(await open_product(visit, 3), "Related products")
        await expect(related.locator(".card")).to_have_text([re.compile("Camo Onesie")])
        await expect(related.get_by_role("alert")).to_have_count(0)
