"""GET /products/{id} with aiohttp on uvloop and a constant body: what any aiohttp server costs."""

import os

import uvloop
from aiohttp import web

from benchmarks.peers.forking import run_workers

BODY = (b'{"id":1,"description":"' + b"constant " * 80)[:648] + b'"}'


async def product(_request: web.Request) -> web.Response:
    """Answer with 650 bytes that were there before."""
    return web.Response(body=BODY, content_type="application/json", charset="utf-8")


def serve() -> None:
    """Serve until the process is told to end."""
    app = web.Application()
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
