"""Rows to read: products of 650 bytes in the committed table, in a keyspace of their own."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.bodies import TEMPLATES, product_body, write_templates
from benchmarks.cql_load import write_rows
from benchmarks.node import CQL_PORT
from benchmarks.paths import NODE_STATE, REPOSITORY
from ring import RingSettings
from ring.apply_schema import apply_schema
from schema.statements.load import WRITE_PRODUCT

KEYSPACE: Final = "benchmark"
SCHEMA: Final = REPOSITORY / "schema"
# The order of WRITE_PRODUCT's values, its timestamp left to the server.
BINDS: Final = (
    "id",
    "product",
    "etag:product",
    "related",
    "etag:related",
    "source_rows",
    "styles",
    "etag:styles",
)


@dataclass(frozen=True, slots=True)
class Seed:
    """What was written, to check answers by."""

    rows: int
    templates: Path

    def body(self, product_id: int) -> bytes:
        """Return the stored body of one product."""
        lines = self.templates.read_text(encoding="utf-8").splitlines()
        return product_body(product_id, lines[product_id % TEMPLATES])


def seed_products(address: str, *, rows: int, replication_factor: int = 1) -> Seed:
    """Apply the schema and write ids 1 to `rows`; the same rows every time.

    Raises:
        RingError: the schema was refused.
        LoadError: a write failed.
    """
    settings = RingSettings(contact_points=(address,), keyspace=KEYSPACE)
    asyncio.run(apply_schema(settings, SCHEMA, replication_factor=replication_factor))
    templates = NODE_STATE / "templates.jsonl"
    write_templates(templates, with_styles=False)
    write_rows(
        f"{address}:{CQL_PORT}",
        KEYSPACE,
        WRITE_PRODUCT.cql.partition(" USING")[0],
        binds=BINDS,
        templates=templates,
        ids=rows,
    )
    return Seed(rows, templates)
