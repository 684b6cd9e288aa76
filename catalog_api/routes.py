"""The whole URL map.

Every path answers with and without a trailing slash. The catalog's paths answer at the root and,
for clients that keep the original's prefix, under `<mount>/<any campus>`. The three reads by
product id are taken by the fast lane when their target has its plain shape; the routes here are
for all other shapes, such as percent-encoded ids, and for OPTIONS and 405.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from catalog_api.handlers.health import HealthHandler
from catalog_api.handlers.products import PRODUCT, RELATED, STYLES, ProductsHandler

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_routes(
    app: web.Application, products: ProductsHandler, health: HealthHandler, *, mount: str
) -> dict[str, str]:
    """Register every route; returns the routes' names by the canonical paths of their resources."""
    operations: dict[str, Handler] = {
        "/healthz": health.alive,
        "/readyz": health.ready,
        "/metrics": health.metrics,
    }
    catalog: dict[str, Handler] = {
        "/products": products.list,
        PRODUCT.route: products.by_id(PRODUCT),
        STYLES.route: products.by_id(STYLES),
        RELATED.route: products.by_id(RELATED),
    }
    homes = [("", operations), ("", catalog)]
    if mount:
        homes.append((f"{mount}/{{campus}}", catalog))
    names = {}
    for home, handlers in homes:
        for route, handler in handlers.items():
            # aiohttp's own {id} takes no braces, but a path may hold anything but a slash.
            path = home + route.replace("{id}", "{id:[^/]+}")
            for form in (path, path + "/"):
                resource = app.router.add_get(form, handler).resource
                if resource is not None:
                    names[resource.canonical] = route
    return names
