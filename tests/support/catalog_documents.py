"""Sends and reads product documents of /v1, and what legacy reads make of them."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

from ring import RingClient, RingSettings
from schema.statements import API_STATEMENTS
from tests.support.api import RunningApi, running_api
from tests.support.editor import AS_EDITOR
from tests.support.stored_catalog import READY_SECONDS

PROPERTIES = {"sizes": ["S", "M"], "organic": True, "weight_grams": 240.5, "origin": "Peru"}
NEW: dict[str, object] = {
    "name": "Onesie",
    "default_price": "70.00",
    "features": [{"feature": "Cut", "value": None}],
    "styles": [
        {"original_price": "70.00", "is_default": True, "skus": [{"size": "M", "quantity": 3}]}
    ],
    "related": [1],
    "properties": PROPERTIES,
}
LIST_KEYS = ("id", "name", "slogan", "description", "category", "default_price")


class Answered:
    """What came back."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        """The decoded body."""
        return orjson.loads(self.body)

    @property
    def etag(self) -> str:
        """With its quotes."""
        return str(self.headers["ETag"])


async def send(
    api: RunningApi, method: str, path: str, body: object = None, **headers: str
) -> Answered:
    """Send a document, as a merge patch when that is the method."""
    sent = AS_EDITOR | {name.replace("_", "-"): value for name, value in headers.items()}
    data = None
    if body is not None:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        kind = "merge-patch+json" if method == "PATCH" else "json"
        sent.setdefault("Content-Type", f"application/{kind}")
    async with api.client.request(method, path, data=data, headers=sent) as response:
        return Answered(response.status, response.headers, await response.read())


async def legacy(api: RunningApi, path: str) -> Any:
    """Return the decoded body of a legacy read, None for its 404."""
    answer = await send(api, "GET", path)
    return None if answer.status == 404 else answer.json


@asynccontextmanager
async def second_server(settings: RingSettings) -> AsyncIterator[RunningApi]:
    """Another app server with a ring client of its own."""
    ring = await RingClient.open(settings, API_STATEMENTS)
    await ring.wait_ready(READY_SECONDS)
    async with running_api(ring) as api:
        yield api


async def until(api: RunningApi, path: str, expected: Any) -> None:
    """Wait until a legacy read answers this, a second at the most."""
    deadline_at = time.monotonic() + 1.0
    while True:
        found = await legacy(api, path)
        if found == expected or time.monotonic() > deadline_at:
            break
        await asyncio.sleep(0.02)
    assert found == expected


def listed(document: Mapping[str, object]) -> dict[str, object]:
    """Return the product as pages of all products show it."""
    return {key: document[key] for key in LIST_KEYS}
