"""Reviews, questions and answers, written and read in a real Chromium."""

from pathlib import Path

import orjson
from playwright.async_api import Locator, expect

from tests.support.browser import DESKTOP, PHONE, visiting
from tests.support.shop import Shop, assert_clean, fill_in, open_product, photograph, section
from tests.support.shop_rows import HTML


async def test_shop_when_reviewed_then_the_next_read_has_it(shop: Shop, tmp_path: Path) -> None:
    """Three orders, more reviews, a vote, a report and a new review, as the API has them."""
    async with visiting(shop.browser, shop.origin, PHONE) as visit:
        page = await open_product(visit)
        reviews = section(page, "Reviews")
        titles = reviews.locator(".rows > li > h3")
        await expect(titles).to_have_text([f"summary {number}" for number in (2, 4, 6, 1, 3)])
        # Photos are loaded as they come into sight.
        await reviews.locator(".photos li").scroll_into_view_if_needed()
        await expect(reviews.get_by_role("img", name="reviewer 6 (no photo)")).to_be_visible()
        await reviews.get_by_role("button", name="More reviews").click()
        await expect(titles).to_have_count(7)
        await expect(titles.last).to_have_text(HTML)
        await reviews.get_by_label("Order by").select_option("newest")
        await expect(titles.first).to_have_text(HTML)
        await expect(reviews).to_contain_text("86 % recommend this product.")
        await expect(reviews).to_contain_text("7 reviews")

        second = reviews.locator(".rows > li").nth(1)
        await second.get_by_role("button", name="Helpful (4)").click()
        await expect(second.get_by_role("button", name="Helpful (5)")).to_be_visible()
        third = reviews.locator(".rows > li").nth(2)
        await third.get_by_role("button", name="Report").click()
        await third.get_by_role("button", name="Really report?").click()
        await expect(titles).to_have_text([HTML, *(f"summary {number}" for number in (6, 4, 3))])
        await expect(reviews.get_by_role("heading", name="Reviews")).to_be_focused()

        await write_review(reviews)
        await expect(titles.first).to_have_text(f"Mine & {HTML}"[:60])
        await expect(reviews).to_contain_text("8 reviews")
        await photograph(page, tmp_path / "reviews.png")
        assert_clean(visit)
    async with shop.api.client.get("/reviews?product_id=1&sort=newest&count=9") as answer:
        review, *others = orjson.loads(await answer.read())["results"]
    assert [(row["review_id"], row["helpfulness"]) for row in others[:3]] == [
        (7, 0),
        (6, 5),
        (4, 5),
    ]
    assert review["rating"] == 4
    assert review["recommend"] is True
    assert review["summary"] == f"Mine & {HTML}"[:60]
    assert review["body"] == "one\n\ntwo <i>"
    assert review["reviewer_name"] == "Me"
    assert [row["url"] for row in review["photos"]] == ["https://images.test/a.png", "no address"]
    async with shop.api.client.get("/reviews/meta?product_id=1") as answer:
        meta = orjson.loads(await answer.read())
    assert sum(int(count) for count in meta["ratings"].values()) == 8


async def write_review(reviews: Locator) -> None:
    """Fill in the form as a person would, sending it once too early."""
    await reviews.get_by_text("Write a review").click()
    post = reviews.get_by_role("button", name="Post the review")
    await post.click()
    stars = reviews.get_by_role("group", name="Stars")
    assert await stars.get_by_role("radio").first.evaluate("star => star.validity.valueMissing")
    await stars.get_by_role("radio", name="4, good").check()
    recommend = reviews.get_by_role("group", name="Do you recommend this product?")
    await recommend.get_by_role("radio", name="Yes").check()
    for name in ("Fit", "Quality"):
        await reviews.get_by_role("group", name=name).get_by_role("radio", name="2").check()
    await reviews.get_by_label("Summary").fill(f"Mine & {HTML}"[:60])
    await reviews.get_by_label("Review", exact=True).fill("  one\n\ntwo <i> ")
    await reviews.get_by_label("Photos").fill("https://images.test/a.png\n\n no address \n")
    await reviews.get_by_label("Your name").fill("Me")
    await reviews.get_by_label("Your e-mail").fill("me@example.org")
    await post.click()
    await expect(reviews.page.get_by_role("status")).to_contain_text("Your review is published")


async def test_shop_when_asked_then_question_and_answer_are_there(
    shop: Shop, tmp_path: Path
) -> None:
    """More questions and answers, a vote, a question of one's own and an answer to it."""
    async with visiting(shop.browser, shop.origin, DESKTOP) as visit:
        page = await open_product(visit)
        part = section(page, "Questions and answers")
        questions = part.locator(".rows > li")
        await expect(questions).to_have_count(4)
        first = questions.first
        await expect(first.locator(".answers > li > p:first-child")).to_have_text(
            ["answer 4", "answer 3"]
        )
        await first.get_by_role("button", name="2 more answers").click()
        await expect(first.locator(".answers > li")).to_have_count(4)
        await part.get_by_role("button", name="More questions").click()
        await expect(questions).to_have_count(6)
        await first.get_by_role("button", name="Helpful (9)").click()
        await expect(first.get_by_role("button", name="Helpful (10)")).to_be_visible()

        await part.get_by_text("Ask a question").click()
        await fill_in(part, "Question", "Is it warm?")
        await part.get_by_role("button", name="Post the question").click()
        await expect(page.get_by_role("status")).to_contain_text("Your question is published")
        await part.get_by_role("button", name="More questions").click()
        mine = questions.filter(has_text="Is it warm?")
        await mine.get_by_text("Answer this question").click()
        await fill_in(mine, "Answer", HTML)
        await mine.get_by_role("button", name="Post the answer").click()
        await expect(page.get_by_role("status")).to_contain_text("Your answer is published")
        await part.get_by_role("button", name="More questions").click()
        await expect(mine.locator(".answers")).to_contain_text(HTML)
        await expect(first.get_by_role("button", name="Helpful (10)")).to_be_disabled()
        await photograph(page, tmp_path / "questions.png")
        assert_clean(visit)
