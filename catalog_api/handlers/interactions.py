"""What people clicked."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from catalog_api.answers import Answer
from catalog_api.bodies import read_body
from catalog_api.domain.errors import InvalidBodyError
from catalog_api.domain.submissions import NewInteraction
from catalog_api.endpoints import Endpoint, said
from catalog_api.handlers.legacy import CREATED, LEGACY_BODY_TYPES, refusal
from catalog_api.repositories.interactions import InteractionsRepository

INVALID_INTERACTION: Final = "Error: interaction must have element, widget and time"


class InteractionsHandler:
    """Takes interactions.

    Args:
        interactions: where they are stored.
        body_seconds: longest that a caller may take to send a body.
    """

    def __init__(self, interactions: InteractionsRepository, *, body_seconds: float) -> None:
        self._interactions = interactions
        self._body_seconds = body_seconds

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoint of interactions."""
        return [
            Endpoint(
                "POST",
                "/interactions",
                self._post,
                "Tell what was clicked",
                "interactions",
                body=NewInteraction,
                body_example={"element": "button", "widget": "cart", "time": "12:30:05"},
                body_types=LEGACY_BODY_TYPES,
                replies={201: said("Created"), 422: said(INVALID_INTERACTION)},
            )
        ]

    async def _post(self, request: web.Request) -> Answer:
        try:
            new = await read_body(
                request, NewInteraction, timeout_seconds=self._body_seconds, lenient=True
            )
        except InvalidBodyError:
            return refusal(422, INVALID_INTERACTION)
        await self._interactions.write(new)
        return CREATED
