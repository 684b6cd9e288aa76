"""Products of the load's own: what is sent to the API, and which version a stored body is."""

import json
import re
from typing import Final

FIRST_ID: Final = 500_000_000
_NAME: Final = re.compile(r"ring load (\d+)\Z")


def document(version: int) -> dict[str, object]:
    """Return the product's document in a version."""
    return {
        "name": f"ring load {version}",
        "slogan": "written while the ring changes",
        "description": "of a load that reads everything back",
        "category": "ring load",
        "default_price": "1.00",
    }


def version_of(body: bytes) -> int | None:
    """Return the version that a stored body holds.

    Returns:
        None for the empty body, which is what a deleted product leaves.

    Raises:
        ValueError: nobody of ours wrote it.
    """
    if not body:
        return None
    match = _NAME.fullmatch(str(json.loads(body).get("name")))
    if match is None:
        raise ValueError(f"not a product of the load: {body[:80]!r}")
    return int(match[1])
