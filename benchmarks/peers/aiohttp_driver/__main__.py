"""GET /products/{id} with aiohttp on uvloop and the plain cassandra-driver."""

import os

import uvloop
from aiohttp import web

from benchmarks.peers.driver_reads import ProductReads
from benchmarks.peers.forking import run_workers

READS = web.AppKey("reads", ProductReads)
INVALID_ID = "Error: invalid product id provided"


async def product(request: web.Request) -> web.Response:
    """Answer with the stored body as it is."""
    text = request.match_info["product_id"]
    if not text.isascii() or not text.isdigit():
        return web.Response(status=404, text=INVALID_ID)
    body = await request.app[READS].fetch(int(text))
    if body is None:
        return web.Response(status=404, text=INVALID_ID)
    return web.Response(body=body, content_type="application/json", charset="utf-8")


def serve() -> None:
    """Serve until the process is told to end."""
    app = web.Application()
    app[READS] = ProductReads()
    app.router.add_get("/products/{product_id}", product)
    web.run_app(
        app,
        host=os.environ["BENCH_HOST"],
        port=int(os.environ["BENCH_PORT"]),
        access_log=None,
        print=None,
        reuse_port=True,
        loop=uvloop.new_event_loop(),
    )


if __name__ == "__main__":
    run_workers(serve)
