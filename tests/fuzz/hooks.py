"""What the fuzzer is told of this server and of our media types; it imports this by name."""

from typing import Any

import msgpack  # type: ignore[import-untyped]
import schemathesis

from tests.support.example_catalog import ITEM_IDS, PRODUCT_IDS

FREE_IDS = range(1_000, 2_000)


@schemathesis.hook
def before_load_schema(_context: object, document: dict[str, Any]) -> None:
    """Say which ids there are: whoever posts about another gets the contract's 422, not a 404."""
    schemas = document["components"]["schemas"]
    for name in ("NewReview", "NewReviewForm", "NewQuestion", "NewQuestionForm"):
        schemas[name]["properties"]["product_id"] |= _within(PRODUCT_IDS)
    post = document["paths"]["/qa/questions/{id}/answers"]["post"]
    (question_id,) = (one for one in post["parameters"] if one.get("in") == "path")
    question_id["schema"] |= _within(ITEM_IDS)
    # A key that is used again with another body is refused, and generated keys are soon used again.
    for path in document["paths"].values():
        for method in path.keys() - {"servers"}:
            path[method]["parameters"] = [
                each for each in path[method]["parameters"] if each.get("name") != "Idempotency-Key"
            ]
    # What is put, patched or deleted must not be what the others are about.
    one = document["paths"]["/v1/products/{id}"]
    for method in ("put", "patch", "delete"):
        (product_id,) = (each for each in one[method]["parameters"] if each.get("in") == "path")
        product_id["schema"] |= _within(FREE_IDS)


def _within(ids: range) -> dict[str, int]:
    return {"minimum": ids.start, "maximum": ids.stop - 1}


@schemathesis.deserializer("application/msgpack")
def decode_msgpack(_context: object, response: schemathesis.Response) -> object:
    """Return what a MessagePack answer holds, so that it is held to its schema."""
    return msgpack.unpackb(response.content)


@schemathesis.deserializer("text/html")
def decode_words(_context: object, response: schemathesis.Response) -> object:
    """Return the plain words of a legacy answer."""
    return response.text
