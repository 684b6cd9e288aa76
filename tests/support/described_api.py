"""The OpenAPI document as tests use it: example requests, and answers held to what it says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote

import jsonschema_rs
import msgpack  # type: ignore[import-untyped]
import orjson

MSGPACK: Final = "application/msgpack"
_DOCUMENT_URI: Final = "urn:openapi"


@dataclass(frozen=True)
class ExampleRequest:
    """A request put together from examples.

    Attributes:
        path: as the document has it, with braces.
        target: with the examples in place of them.
        body: encoded; None for none. Its type is among the headers.
    """

    method: str
    path: str
    target: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


class DescribedApi:
    """The document of a server."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._registry = jsonschema_rs.Registry([(_DOCUMENT_URI, document)])

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield (method, path, operation) of each operation."""
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method != "servers":
                    yield method.upper(), path, operation

    def examples(self) -> Iterator[ExampleRequest]:
        """Yield, for each operation, its least request and those with all its examples.

        A body is sent in each type that can carry it; an example of a NDJSON body is one line.
        """
        for method, path, operation in self.operations():
            least = self._request(method, path, operation, only_required=True)
            whole = self._request(method, path, operation, only_required=False)
            yield least
            if method == "DELETE":
                continue
            yield whole
            if "X-Legacy-Profile" in whole.headers:
                yield replace(whole, headers={**whole.headers, "X-Legacy-Profile": "2020"})
                yield replace(whole, headers={**whole.headers, "Accept": "application/msgpack"})
            content = operation.get("requestBody", {}).get("content", {})
            if MSGPACK in content and whole.body is not None:
                headers = dict(whole.headers) | {"Content-Type": MSGPACK, "Accept": MSGPACK}
                # Under the key of another request it would be refused.
                headers.pop("Idempotency-Key", None)
                packed = msgpack.packb(orjson.loads(whole.body))
                yield replace(whole, headers=headers, body=packed)

    def _request(
        self, method: str, path: str, operation: dict[str, Any], *, only_required: bool
    ) -> ExampleRequest:
        places: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
        for listed in operation["parameters"]:
            parameter = self._at(listed["$ref"][1:]) if "$ref" in listed else listed
            if parameter["required"] or ("example" in parameter and not only_required):
                places[parameter["in"]][parameter["name"]] = _in_a_target(parameter["example"])
        target = path
        for name, value in places["path"].items():
            target = target.replace(f"{{{name}}}", value)
        body = None
        for content_type, content in operation.get("requestBody", {}).get("content", {}).items():
            if "example" in content:
                body = orjson.dumps(content["example"])
                places["header"]["Content-Type"] = content_type
        return ExampleRequest(method, path, target, places["query"], places["header"], body)

    def check(
        self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> Any:
        """Return the decoded body of an answer that is as the document says.

        Raises:
            AssertionError: its status, its content type or a header is not described.
            jsonschema_rs.ValidationError: its body is not as described.
        """
        where = f"{method} {path} {status}"
        pointer = f"/paths/{_escaped(path)}/{method.lower()}/responses/{status}"
        response = self._at(pointer)
        assert response is not None, f"{where} is not described"
        pointer = self._resolved(pointer)
        for name in self._at(pointer).get("headers", {}):
            header = self._resolved(f"{pointer}/headers/{_escaped(name)}")
            if name not in headers:
                assert not self._at(header).get("required"), f"{where}: no {name}"
                continue
            schema, text = f"{header}/schema", headers[name]
            typed = int(text) if self._at(schema)["type"] == "integer" else text
            self._validate(schema, typed)
        content = self._at(pointer).get("content")
        if content is None:
            assert body == b"", where
            return None
        content_type = headers["Content-Type"]
        assert content_type in content, f"{where}: {content_type} is not described"
        schema = f"{pointer}/content/{_escaped(content_type)}/schema"
        # A stream's schema is that of each line.
        is_stream = "ndjson" in content_type
        for part in body.splitlines() if is_stream else [body]:
            decoded = decode(content_type, part)
            self._validate(schema, decoded)
        return decoded

    def validate_examples(self) -> int:
        """Hold all examples of bodies to their schemas; returns how many there were.

        Raises:
            jsonschema_rs.ValidationError: one is not as described.
        """
        found = 0
        for method, path, operation in self.operations():
            base = f"/paths/{_escaped(path)}/{method.lower()}"
            contents = [(f"{base}/requestBody", operation.get("requestBody", {}))]
            for status, response in operation["responses"].items():
                contents.append((f"{base}/responses/{status}", response))
            for place, holder in contents:
                for content_type, content in holder.get("content", {}).items():
                    named = [one["value"] for one in content.get("examples", {}).values()]
                    single = [content["example"]] if "example" in content else []
                    for example in named + single:
                        found += 1
                        schema = f"{place}/content/{_escaped(content_type)}/schema"
                        self._validate(schema, example)
        return found

    def _validate(self, pointer: str, value: object) -> None:
        schema = {"$ref": f"{_DOCUMENT_URI}#{quote(pointer)}"}
        jsonschema_rs.Draft202012Validator(schema, registry=self._registry).validate(value)

    def _resolved(self, pointer: str) -> str:
        reference: str = self._at(pointer).get("$ref", f"#{pointer}")
        return reference.removeprefix("#")

    def _at(self, pointer: str) -> Any:
        found: Any = self.document
        for step in pointer.split("/")[1:]:
            found = found.get(step.replace("~1", "/").replace("~0", "~"))
            if found is None:
                return None
        return found


def decode(content_type: str, body: bytes) -> Any:
    """Return what a body of this type holds; text as it is."""
    if "json" in content_type:
        return orjson.loads(body)
    if content_type == MSGPACK:
        return msgpack.unpackb(body)
    return body.decode()


def _in_a_target(example: object) -> str:
    """Return a value as queries, paths and headers have it."""
    if isinstance(example, list):
        return ",".join(map(_in_a_target, example))
    return example if isinstance(example, str) else orjson.dumps(example).decode()


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
