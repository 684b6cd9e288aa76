"""The rows that `bench_api` reads: a generated catalog, and one product with very many reviews."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.cql_load import LoadError
from benchmarks.node import Node
from benchmarks.paths import NODE_STATE, REPOSITORY
from benchmarks.seeding import KEYSPACE
from ring import RingClient, RingSettings
from ring.apply_schema import apply_schema
from schema.statements import API_STATEMENTS
from schema.statements.reviews import SELECT_FIRST_REVIEWS

FEW: Final = 10
FEW_ID: Final = 900_000_001
MANY_ID: Final = 900_000_002
_FIRST_REVIEW_ID: Final = 900_000_000
_LOAD_SECONDS: Final = 1_800.0
_READY_SECONDS: Final = 60.0


def load_api_rows(node: Node, *, products: int, many: int) -> None:
    """Apply the schema and load everything by the offline writer.

    Raises:
        LoadError: a load failed.
    """
    settings = RingSettings(contact_points=(node.address,), keyspace=KEYSPACE)
    asyncio.run(apply_schema(settings, REPOSITORY / "schema", replication_factor=1))
    catalog = NODE_STATE / "api_rows" / f"catalog-{products}"
    if not (catalog / "product.csv").exists():
        _etl("generate", str(catalog), "--products", str(products), "--seed", "3", node=node)
    _etl("load", str(catalog), "--via", "sstable", node=node)
    reviewed = NODE_STATE / "api_rows" / f"reviewed-{many}"
    _write_reviewed(reviewed, many)
    _etl("load", str(reviewed), "--via", "sstable", node=node)


async def newest_review_id(node: Node) -> int:
    """Return the id of a review of the product with few.

    Raises:
        LoadError: it has none.
        RingError: the node does not answer.
    """
    settings = RingSettings(contact_points=(node.address,), keyspace=KEYSPACE)
    ring = await RingClient.open(settings, API_STATEMENTS)
    try:
        await ring.wait_ready(_READY_SECONDS)
        rows = await ring.execute(SELECT_FIRST_REVIEWS.name, (FEW_ID,))
    finally:
        await ring.aclose()
    if not rows:
        raise LoadError(f"product {FEW_ID} has no reviews")
    return int(rows[0][0])


def _write_reviewed(folder: Path, many: int) -> None:
    """Two products with equal reviews: few of one, many of the other."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "product.csv").write_text(
        "id,name,slogan,description,category,default_price\n"
        + "".join(f"{key},name,slogan,description,category,10\n" for key in (FEW_ID, MANY_ID)),
        encoding="utf-8",
    )
    source = random.Random(5)  # noqa: S311 -- the same rows each time, no secrets
    with (folder / "reviews.csv").open("w", encoding="utf-8") as file:
        file.write(
            "id,product_id,rating,date,summary,body,recommend,reported,reviewer_name,"
            "reviewer_email,response,helpfulness\n"
        )
        for number in range(FEW + many):
            product_id = FEW_ID if number < FEW else MANY_ID
            file.write(
                f"{_FIRST_REVIEW_ID + number},{product_id},{source.randint(1, 5)},"
                f'{1_500_000_000_000 + source.randrange(10**11)},"Summary {number}",'
                f'"{"It does what it should. " * 12}",true,false,"reviewer","r@example.org",null,'
                f"{source.randrange(40)}\n"
            )


def _etl(*arguments: str, node: Node) -> None:
    environ = os.environ | {
        "CATALOG_CONTACT_POINTS": node.address,
        "CATALOG_KEYSPACE": KEYSPACE,
    }
    done = subprocess.run(
        [sys.executable, "-m", "etl", *arguments],
        cwd=REPOSITORY,
        env=environ,
        capture_output=True,
        text=True,
        timeout=_LOAD_SECONDS,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise LoadError(f"catalog-etl {arguments[0]}: {done.stderr[-2000:]}")
