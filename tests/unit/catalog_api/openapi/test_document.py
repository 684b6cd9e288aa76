"""What the maker of the document makes of endpoints, and what it refuses."""

from dataclasses import replace
from typing import Annotated, Any

import msgspec
import pytest
from aiohttp import web

from catalog_api.answers import Answer
from catalog_api.bodies import FORM_TYPE
from catalog_api.endpoints import Content, Endpoint, Parameter, Reply, json_reply, said
from catalog_api.openapi.document import DocumentError, build_document


async def _handle(_request: web.Request) -> Answer:
    raise NotImplementedError


class Thing(msgspec.Struct):
    """A thing."""

    size: Annotated[int, msgspec.Meta(ge=1)]
    marks: dict[str, int]


ID = Parameter("id", "path", int, "Which.", example=1)
PLAIN = Endpoint("GET", "/things/{id}", _handle, "One", "products", parameters=(ID,))


def build(*endpoints: Endpoint) -> Any:
    """Return the document of these."""
    return build_document(endpoints, mount="/shop")


def test_endpoint_when_described_then_its_types_are_the_ones_that_check() -> None:
    """Bodies and answers refer to the schemas that msgspec makes of their types."""
    endpoint = replace(
        PLAIN,
        method="POST",
        body=Thing,
        body_example={"size": 1, "marks": {}},
        body_types=("application/json", FORM_TYPE),
        replies={200: json_reply("It.", list[Thing]), 404: said("No.")},
    )
    document = build(endpoint)
    operation = document["paths"]["/things/{id}"]["post"]
    assert operation["operationId"] == "post_things_id"
    assert operation["parameters"][0]["required"] is True
    content = operation["requestBody"]["content"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/Thing"}
    assert content["application/json"]["example"] == {"size": 1, "marks": {}}
    assert content[FORM_TYPE]["schema"] == {"$ref": "#/components/schemas/ThingForm"}
    assert content[FORM_TYPE]["encoding"] == {"marks": {"style": "deepObject", "explode": True}}
    schemas = document["components"]["schemas"]
    assert schemas["Thing"]["properties"]["size"] == {"type": "integer", "minimum": 1}
    form = schemas["ThingForm"]["properties"]
    assert form["marks"] == schemas["Thing"]["properties"]["marks"] | {"minProperties": 1}
    assert form["size"] == schemas["Thing"]["properties"]["size"]
    responses = operation["responses"]
    assert list(responses) == ["200", "400", "404", "408", "413", "417", "500", "503"]
    words = responses["404"]["content"]["text/html; charset=utf-8"]
    assert words == {"schema": {"enum": ["No."]}, "example": "No."}


def test_endpoint_when_not_legacy_then_it_stands_at_the_root_alone() -> None:
    """Only the legacy ones are under the mount; none is when there is no mount."""
    document = build(PLAIN, replace(PLAIN, path="/own", parameters=(), legacy=False))
    assert [one["url"] for one in document["servers"]] == ["/", "/shop/{campus}"]
    assert "servers" not in document["paths"]["/things/{id}"]
    assert [one["url"] for one in document["paths"]["/own"]["servers"]] == ["/"]
    assert len(build_document([PLAIN], mount="")["servers"]) == 1


def test_endpoint_when_limited_or_for_a_role_then_what_that_answers_is_described() -> None:
    """429 with the limit's headers on everything; 401 and 403 with the key that is wanted."""
    plain = build(PLAIN)["paths"]["/things/{id}"]["get"]
    assert "security" not in plain
    assert not {"401", "403", "429"} & set(plain["responses"])
    replies = {200: json_reply("It.", int), 422: replace(said("No."), or_problem=True)}
    guarded = replace(PLAIN, limited=True, role="editor", replies=replies)
    document = build(guarded)
    operation = document["paths"]["/things/{id}"]["get"]
    assert operation["security"] == [{"apiKey": ["editor"]}]
    assert {"401", "403", "429"} <= set(operation["responses"])
    assert "RateLimit" in operation["responses"]["200"]["headers"]
    content = operation["responses"]["422"]["content"]
    assert list(content) == ["text/html; charset=utf-8", "application/problem+json"]
    too_many = document["components"]["responses"]["TooMany"]
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(too_many["headers"])


def test_reply_when_it_has_several_content_types_then_each_has_its_schema_and_example() -> None:
    """A stream of documents or a file; and a list that stands in one parameter."""
    ids = Parameter("ids", "query", list[int], "Which.", example=[1, 2], joined=True)
    stream = replace(
        json_reply("All.", Thing, {"size": 1, "marks": {}}),
        also=(Content("text/csv; charset=utf-8", str, "size\n1\n"),),
    )
    document = build(replace(PLAIN, parameters=(ID, ids), replies={200: stream}))
    operation = document["paths"]["/things/{id}"]["get"]
    content = operation["responses"]["200"]["content"]
    assert list(content) == ["application/json; charset=utf-8", "text/csv; charset=utf-8"]
    assert content["text/csv; charset=utf-8"] == {
        "schema": {"type": "string"},
        "example": "size\n1\n",
    }
    named = {one["name"]: one for one in operation["parameters"] if "name" in one}
    assert named["ids"]["style"] == "form"
    assert named["ids"]["explode"] is False
    assert "explode" not in named["id"]


def test_endpoint_when_it_has_no_body_then_it_cannot_be_slow_to_send_one() -> None:
    """Common answers are named where they can come."""
    assert "408" not in build(PLAIN)["paths"]["/things/{id}"]["get"]["responses"]


@pytest.mark.parametrize(
    ("endpoints", "words"),
    [
        ([PLAIN, PLAIN], "twice"),
        ([replace(PLAIN, group="nothing")], "'nothing' is not described"),
        ([replace(PLAIN, parameters=())], "parameters are described otherwise"),
        ([replace(PLAIN, replies={200: Reply("It.", headers=("X-No",))})], "X-No"),
        (
            [
                replace(
                    PLAIN,
                    body=Thing,
                    replies={
                        200: json_reply("It.", msgspec.defstruct("Thing", [("other", int)])),
                    },
                )
            ],
            "two types are named Thing",
        ),
    ],
)
def test_endpoint_when_described_wrongly_then_the_start_fails(
    endpoints: list[Endpoint], words: str
) -> None:
    """A description that cannot be published is a bug that no start survives."""
    with pytest.raises(DocumentError, match=words):
        build(*endpoints)
