"""What the fuzzer is told of this server and of our media types; it imports this by name.

`chosen.py` lets its requests be about what there is; `beyond_schemas.py` lists what no schema can
say.
"""

import json
from typing import Any

import msgpack  # type: ignore[import-untyped]
import orjson
import schemathesis
from hypothesis import strategies
from schemathesis.core.parameters import ParameterLocation

from catalog_api.entity_tags import CONDITION_PATTERN
from tests.fuzz import beyond_schemas, chosen
from tests.support.example_catalog import ITEM_IDS, PRODUCT_IDS

NDJSON = "application/x-ndjson"
schemathesis.openapi.format("condition", strategies.from_regex(CONDITION_PATTERN, fullmatch=True))
_LARGEST_PACKED = 2**64


@schemathesis.hook
def before_load_schema(_context: object, document: dict[str, Any]) -> None:
    """Say which ids there are: whoever posts about another gets the contract's 422, not a 404."""
    schemas = document["components"]["schemas"]
    for name in ("NewReview", "NewReviewForm", "NewQuestion", "NewQuestionForm"):
        schemas[name]["properties"]["product_id"] |= _within(PRODUCT_IDS)
    post = document["paths"]["/qa/questions/{id}/answers"]["post"]
    (question_id,) = (one for one in post["parameters"] if one.get("in") == "path")
    question_id["schema"] |= _within(ITEM_IDS)
    # Of a header's pattern the fuzzer itself makes letters and digits only, and sends a plain 0
    # where a valid value is wanted.
    one = document["paths"]["/v1/products/{id}"]
    for method in ("put", "patch", "delete"):
        for parameter in one[method]["parameters"]:
            if parameter.get("name") in {"If-Match", "If-None-Match"}:
                parameter["schema"]["format"] = "condition"
    # The document tells of a stream what one line is; the fuzzer makes and judges whole bodies.
    for path in ("/v1/products/bulk", "/v1/products/export"):
        for operation in (one for one in document["paths"][path].values() if "responses" in one):
            for holder in (operation.get("requestBody", {}), operation["responses"]["200"]):
                if NDJSON in holder.get("content", {}):
                    holder["content"][NDJSON] = _lines_of(holder["content"][NDJSON])


def _within(ids: range) -> dict[str, int]:
    return {"minimum": ids.start, "maximum": ids.stop - 1}


def _lines_of(line: dict[str, Any]) -> dict[str, Any]:
    return {"schema": {"type": "array", "items": line["schema"]}, "example": [line["example"]]}


@schemathesis.hook
def before_call(_context: object, case: schemathesis.Case[Any], _options: dict[str, Any]) -> None:
    """Let what was generated be about what there is, and no key of a request come twice."""
    chosen.choose(case)


@schemathesis.hook
def filter_failure(
    _context: object,
    failure: Exception,
    case: schemathesis.Case[Any],
    response: schemathesis.Response,
) -> bool:
    """Pass over refusals of what is valid by every schema, but not by what no schema can say."""
    return not beyond_schemas.explains(failure, case, response)


@schemathesis.check
def each_row_has_its_outcome(
    _context: object, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Of a bulk write: outcomes in the order of the rows, and none but good rows are stored."""
    if case.operation.path != "/v1/products/bulk" or response.status_code != 200:
        return
    rows, outcomes = case.body, _decode_lines(response.content)
    count = len(rows) if isinstance(rows, list) else 1
    assert [one["line"] for one in outcomes] == [*range(1, count + 1)]
    refused = [one["problem"]["detail"] for one in outcomes if one["problem"]]
    assert all((one["status"] < 300) == (one["id"] is not None) for one in outcomes)
    if case.meta is not None and case.meta.is_negative_at(ParameterLocation.BODY):
        assert refused, "a row that is no product was stored"
    else:
        assert all(map(beyond_schemas.is_refusal_of_a_product, refused)), refused


@schemathesis.serializer(NDJSON)
def encode_lines(_context: object, value: object) -> bytes:
    """Return a line for each item, or one for what should have been a list."""
    rows = value if isinstance(value, list) else [value]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@schemathesis.serializer("application/msgpack")
def encode_msgpack(_context: object, value: object) -> bytes:
    """Return MessagePack, whose whole numbers have 64 bits; larger ones become fractions."""
    packed: bytes = msgpack.packb(_packable(value))
    return packed


def _packable(value: object) -> object:
    if isinstance(value, dict):
        return {str(name): _packable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_packable(item) for item in value]
    if isinstance(value, int) and not -_LARGEST_PACKED // 2 <= value < _LARGEST_PACKED:
        return float(value)
    return value


@schemathesis.deserializer(NDJSON)
def decode_lines(_context: object, response: schemathesis.Response) -> object:
    """Return what each line holds."""
    return _decode_lines(response.content)


def _decode_lines(body: bytes) -> list[Any]:
    return [orjson.loads(line) for line in body.splitlines()]


@schemathesis.deserializer("application/msgpack")
def decode_msgpack(_context: object, response: schemathesis.Response) -> object:
    """Return what a MessagePack answer holds, so that it is held to its schema."""
    return msgpack.unpackb(response.content)


@schemathesis.deserializer("text/html", "text/csv")
def decode_words(_context: object, response: schemathesis.Response) -> object:
    """Return the plain words of a legacy answer, or a file."""
    return response.text
