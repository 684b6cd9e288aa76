"""The URL map: every endpoint with and without a trailing slash.

Legacy endpoints answer at the root and, for clients that keep the original's prefix, under
`<mount>/<any campus>`. Reads whose target has its plain shape are taken by the fast lane; the
routes here are for all other shapes, such as percent-encoded ids, and for OPTIONS and 405.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from aiohttp import web

from catalog_api.endpoints import Endpoint, Handler
from catalog_api.responses import AnswerResponse

# Digits only, so that `PUT /v1/products/bulk` is that path's 405 and no product of this name.
_ID: Final = "{id:[0-9]+}"
# A legacy id is read by its leading digits; aiohttp's own {id} would take no braces.
_LEGACY_ID: Final = "{id:[^/]+}"


def add_routes(
    app: web.Application, endpoints: Iterable[Endpoint], *, mount: str
) -> dict[str, str]:
    """Register endpoints; returns their paths by the canonical paths of their resources."""
    names = {}
    for endpoint in endpoints:
        homes = ["", f"{mount}/{{campus}}"] if endpoint.legacy and mount else [""]
        handler = _responding(endpoint.handle)
        for home in homes:
            path = home + endpoint.path.replace("{id}", _LEGACY_ID if endpoint.legacy else _ID)
            for form in (path, path + "/"):
                if endpoint.method == "GET":
                    route = app.router.add_get(form, handler)
                else:
                    route = app.router.add_route(endpoint.method, form, handler)
                if route.resource is not None:
                    names[route.resource.canonical] = endpoint.path
    return names


def _responding(handle: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def respond(request: web.Request) -> web.StreamResponse:
        return AnswerResponse(await handle(request))

    return respond
