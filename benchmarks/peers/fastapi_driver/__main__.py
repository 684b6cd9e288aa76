"""GET /products/{id} with FastAPI on uvicorn (uvloop, httptools) and the plain cassandra-driver."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn  # type: ignore[import-not-found]  # only the peer has it
from fastapi import (  # type: ignore[import-not-found]  # only the peer has it
    FastAPI,
    Request,
    Response,
)

from benchmarks.peers.driver_reads import ProductReads

INVALID_ID = "Error: invalid product id provided"


@asynccontextmanager
async def reads_open(application: FastAPI) -> AsyncIterator[None]:
    """Hold one session of the driver while the worker lives."""
    application.state.reads = ProductReads()
    yield
    application.state.reads.close()


async def product(request: Request, product_id: int) -> Response:
    """Answer with the stored body as it is."""
    body = await request.app.state.reads.fetch(product_id)
    if body is None:
        return Response(INVALID_ID, status_code=404)
    return Response(body, media_type="application/json; charset=utf-8")


app = FastAPI(lifespan=reads_open)
app.add_api_route("/products/{product_id}", product, methods=["GET"], response_model=None)


def main() -> None:
    """Serve until the process is told to end."""
    uvicorn.run(
        "benchmarks.peers.fastapi_driver.__main__:app",
        host=os.environ["BENCH_HOST"],
        port=int(os.environ["BENCH_PORT"]),
        workers=int(os.environ.get("BENCH_WORKERS", "1")),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
