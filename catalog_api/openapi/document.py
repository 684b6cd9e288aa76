"""Makes the document: OpenAPI 3.1, from the endpoints and msgspec's own schemas of their types.

The schema of a body is generated from the very definition that checks it, so the two cannot differ.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from catalog_api.answers import MSGPACK_TYPE, PROBLEM_TYPE
from catalog_api.bodies import FORM_TYPE
from catalog_api.domain.shapes import Problem
from catalog_api.endpoints import Endpoint, Parameter, Reply
from catalog_api.openapi.texts import (
    COMMON,
    EVERYWHERE,
    GROUPS,
    HEADERS,
    INTRODUCTION,
    ONLY_WHEN_LIMITED,
    ONLY_WITH_BODY,
    ONLY_WITH_ROLE,
    SECURITY_SCHEME,
    SECURITY_SCHEMES,
    TITLE,
    VERSION,
)

OPENAPI_VERSION: Final = "3.1.0"
_ROOT: Final = {"url": "/", "description": "This server."}
_SCHEMA_REF: Final = "#/components/schemas/{name}"
_IN_BRACES: Final = re.compile(r"\{([^}]+)\}")

Json = dict[str, Any]


class DocumentError(Exception):
    """An endpoint is described wrongly; the message says which and how. A bug of ours."""


def build_document(endpoints: Iterable[Endpoint], *, mount: str) -> Json:
    """Return the document, ready to be encoded as JSON.

    Args:
        endpoints: all that are served.
        mount: second home of the legacy ones, as `<mount>/<any campus>/…`; empty for none.

    Raises:
        DocumentError: an endpoint names a group, a header or a path parameter that is not
            described, or two types have one name.
    """
    schemas = _Schemas()
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        path = paths.setdefault(endpoint.path, {} if endpoint.legacy else {"servers": [_ROOT]})
        method = endpoint.method.lower()
        if method in path:
            raise DocumentError(f"{endpoint.method} {endpoint.path} is described twice")
        path[method] = _operation(endpoint, schemas)
    common = {name: _reply(reply, schemas) for name, reply in COMMON.values()}
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": TITLE, "version": VERSION, "description": INTRODUCTION},
        "servers": [_ROOT, *([_mounted(mount)] if mount else [])],
        "tags": [{"name": name, "description": text} for name, text in GROUPS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.known.items())),
            "responses": common,
            "parameters": {one.name: _parameter(one, schemas) for one in EVERYWHERE},
            "headers": HEADERS,
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


class _Schemas:
    """The schemas that were asked for so far, by name."""

    def __init__(self) -> None:
        self.known: dict[str, Json] = {}

    def of(self, kind: Any) -> Json:
        """Return the schema of a type, or a reference to it.

        Raises:
            DocumentError: another type has its name.
        """
        (schema,), found = msgspec.json.schema_components([kind], ref_template=_SCHEMA_REF)
        for name, definition in found.items():
            if self.known.setdefault(name, definition) != definition:
                raise DocumentError(f"two types are named {name}")
        return schema

    def form(self, schema: Json) -> Json:
        """Return the content of a form that carries what this reference names.

        It is a schema of its own, since clients are generated with one way to send each. What is
        within something is sent as `characteristics[14]=5`.
        """
        name = schema["$ref"].rpartition("/")[2]
        form = f"{name}Form"
        properties = dict(self.known[name]["properties"])
        within = [key for key, of in properties.items() if of.get("type") == "object"]
        for key in within:
            # A form has no way to say that there is nothing within.
            properties[key] = {"minProperties": 1, **properties[key]}
        self.known[form] = self.known[name] | {"title": form, "properties": properties}
        return {
            "schema": {"$ref": _SCHEMA_REF.format(name=form)},
            "encoding": {key: {"style": "deepObject", "explode": True} for key in within},
        }


def _mounted(mount: str) -> Json:
    return {
        "url": f"{mount}/{{campus}}",
        "description": "For clients that keep the original's prefix; only the legacy routes.",
        "variables": {"campus": {"default": "any", "description": "Any segment; not looked at."}},
    }


def _operation(endpoint: Endpoint, schemas: _Schemas) -> Json:
    if endpoint.group not in GROUPS:
        raise DocumentError(f"{endpoint.path}: the group {endpoint.group!r} is not described")
    operation: Json = {
        "operationId": _operation_id(endpoint),
        "tags": [endpoint.group],
        "summary": endpoint.summary,
    }
    if endpoint.description:
        operation["description"] = endpoint.description
    operation["parameters"] = [
        *(_parameter(one, schemas) for one in endpoint.parameters),
        *({"$ref": f"#/components/parameters/{one.name}"} for one in EVERYWHERE),
    ]
    described = {one.name for one in endpoint.parameters if one.place == "path"}
    if described != set(_IN_BRACES.findall(endpoint.path)):
        raise DocumentError(f"{endpoint.path}: its parameters are described otherwise")
    if endpoint.body is not None:
        operation["requestBody"] = _body(endpoint, schemas)
    operation["responses"] = _responses(endpoint, schemas)
    if endpoint.role:
        operation["security"] = [{SECURITY_SCHEME: [endpoint.role]}]
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    """Return `get_products_id_styles`: generated clients name their functions by it."""
    return "_".join([endpoint.method.lower(), *re.findall(r"[a-z0-9]+", endpoint.path)])


def _parameter(parameter: Parameter, schemas: _Schemas) -> Json:
    schema = schemas.of(parameter.kind)
    if parameter.default is not None:
        schema = schema | {"default": parameter.default}
    described: Json = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required or parameter.place == "path",
        "schema": schema,
    }
    if parameter.joined:
        described |= {"style": "form", "explode": False}
    if parameter.example is not None:
        described["example"] = parameter.example
    return described


def _body(endpoint: Endpoint, schemas: _Schemas) -> Json:
    schema = schemas.of(endpoint.body)
    content: dict[str, Json] = {
        content_type: schemas.form(schema) if content_type == FORM_TYPE else {"schema": schema}
        for content_type in endpoint.body_types
    }
    if endpoint.body_example is not None:
        content[endpoint.body_types[0]]["example"] = endpoint.body_example
    return {"required": endpoint.body_required, "content": content}


def _responses(endpoint: Endpoint, schemas: _Schemas) -> Json:
    told = ("RateLimit", "RateLimit-Policy") if endpoint.limited else ()
    responses = {
        status: _reply(replace(reply, headers=(*reply.headers, *told)), schemas)
        for status, reply in endpoint.replies.items()
    }
    left_out: set[int] = set()
    for holds, statuses in (
        (endpoint.body is not None, ONLY_WITH_BODY),
        (endpoint.role, ONLY_WITH_ROLE),
        (endpoint.limited, ONLY_WHEN_LIMITED),
    ):
        left_out |= set() if holds else statuses
    for status, (name, _) in COMMON.items():
        if status not in left_out:
            responses.setdefault(status, {"$ref": f"#/components/responses/{name}"})
    return {str(status): response for status, response in sorted(responses.items())}


def _reply(reply: Reply, schemas: _Schemas) -> Json:
    headers = ("X-Request-Id", *reply.headers)
    if unknown := set(headers) - set(HEADERS):
        raise DocumentError(f"{reply.description}: headers {sorted(unknown)} are not described")
    described: Json = {
        "description": reply.description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
    }
    if reply.content_type is not None:
        content = _content(reply, schemas)
        described["content"] = {reply.content_type: content}
        if reply.or_problem:
            described["content"][PROBLEM_TYPE] = {"schema": schemas.of(Problem)}
        if reply.packed:
            described["content"][MSGPACK_TYPE] = {"schema": content["schema"]}
        for one in reply.also:
            described["content"][one.content_type] = {
                "schema": schemas.of(one.kind),
                "example": one.example,
            }
    return described


def _content(reply: Reply, schemas: _Schemas) -> Json:
    kind = Problem if reply.content_type == PROBLEM_TYPE else reply.kind
    kinds: Sequence[Any] = [one for one in (kind, reply.kind_2020) if one is not None]
    known = [schemas.of(kind) for kind in kinds] or [{}]
    content: Json = {"schema": known[0] if len(known) == 1 else {"anyOf": known}}
    if reply.example_2020 is not None:
        content["examples"] = {
            "2021": {"summary": "Profile 2021", "value": reply.example},
            "2020": {"summary": "Profile 2020", "value": reply.example_2020},
        }
    elif reply.example is not None:
        content["example"] = reply.example
    return content
