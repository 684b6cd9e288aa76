"""A small shop for tests of the pages: products, reviews and questions, some of them unkind."""

from schema.documents import Feature, Photo, Sku, Style
from schema.reviews import Answer, Characteristic, IdentifiedPhoto, Question, Rating, Review
from tests.support.stored_catalog import CatalogProduct, plain_product
from tests.support.stored_feedback import Feedback

HTML = '<img src=x onerror="document.title=1"><script>document.title=2</script>&amp; <b>bold</b>'
"""Text that must be shown as it is, and never be read as HTML."""
_DAY_MS = 86_400_000
_FIRST_DAY_MS = 1_600_000_000_000


def drawn_photo(colour: str, words: str) -> Photo:
    """Return a photo that needs no network: a drawing in its own address."""
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg' width='400' height='500'>"
        f"<rect width='400' height='500' fill='{colour}'/>"
        f"<text x='200' y='250' fill='white' font-size='40' text-anchor='middle'>{words}</text>"
        "</svg>"
    )
    address = "data:image/svg+xml," + drawing.replace("#", "%23")
    return Photo(address, address)


LOST_PHOTOS = (
    Photo("https://images.test/gone.jpg", "https://images.test/gone-large.jpg"),
    Photo("http://images.test/insecure.jpg", "javascript:alert(1)"),
    Photo(None, '"https://images.test/quoted.jpg'),
)
GREEN, BLUE, BARE = 11, 12, 13
GONE = 4_000_000
"""A product that there is not."""
STYLES = (
    Style(
        *(GREEN, "Forest Green", 14000, None),
        is_default=True,
        photos=(drawn_photo("#2f6b3c", "green 1"), drawn_photo("#4d8a5b", "green 2")),
        skus=(Sku(37, 8, "S"), Sku(38, 1, "M"), Sku(39, 0, "L")),
    ),
    Style(
        *(BLUE, "Ocean Blue", 14050, 10000),
        is_default=False,
        photos=LOST_PHOTOS,
        skus=(Sku(47, 3, "S"), Sku(48, 2, "S")),
    ),
    Style(BARE, "Sold as seen", 9900, None, is_default=False),
)
CATALOG = (
    CatalogProduct(
        plain_product(
            1,
            name="Camo Onesie",
            slogan="Blend in to your crowd",
            description="High energy camo that blends in with even the wildest surroundings.",
            category="Jackets",
            features=(Feature("Fabric", "Canvas"), Feature("Buttons", None)),
        ),
        STYLES,
        (2, 3, 2, 1),
    ),
    CatalogProduct(plain_product(2, name=HTML, slogan=HTML, description=HTML, category=HTML)),
    # One of its related products is gone.
    CatalogProduct(plain_product(3), STYLES[:1], (GONE, 1)),
    *(CatalogProduct(plain_product(number), STYLES[:1]) for number in range(4, 15)),
)
REVIEWS = tuple(
    Review(
        review_id=number,
        rating=number % 5 + 1,
        written_at_ms=_FIRST_DAY_MS + number * _DAY_MS,
        summary=HTML if number == 7 else f"summary {number}",
        body=f"first line of {number}\nsecond line " + "x" * 300 * (number == 6),
        recommend=number % 4 != 0,
        response="thanks" if number == 6 else None,
        reviewer_name=f"reviewer {number}",
        reviewer_email="r@example.org",
        helpfulness=number * 3 % 7,
        photos=(IdentifiedPhoto(number, LOST_PHOTOS[0].url),) if number == 6 else (),
        ratings=(Rating(number, 5, number % 5 + 1), Rating(100 + number, 6, 3)),
    )
    for number in range(1, 8)
)
QUESTIONS = tuple(
    Question(number, f"question {number}", _FIRST_DAY_MS, f"asker {number}", 10 - number)
    for number in range(1, 7)
)
ANSWERS = tuple(
    Answer(number, f"answer {number}", _FIRST_DAY_MS, f"answerer {number}", number)
    for number in range(1, 5)
)
FEEDBACK = Feedback(
    product_id=1,
    reviews=REVIEWS,
    characteristics=(Characteristic(5, "Fit"), Characteristic(6, "Quality")),
    questions=QUESTIONS,
    answers={1: ANSWERS},
)
