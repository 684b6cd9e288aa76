"""Keeps ids that files bring apart from those that the API gives to what is created."""

import asyncio
from collections.abc import Mapping

import duckdb

from etl.writers.patient import PatientRing
from schema.ids import FILE_OF_KIND, FIRST_NEW_ID
from schema.statements.ids import CREATE_ID_KIND, RAISE_NEXT_ID


def highest_ids(database: duckdb.DuckDBPyConnection) -> Mapping[str, int]:
    """Return the highest id of each kind among the cleaned rows, unless it is a legacy one."""
    highest = {}
    for kind, file in FILE_OF_KIND.items():
        found = database.execute(f"SELECT max(id) FROM {file}_clean").fetchone()  # noqa: S608
        if found is not None and found[0] is not None and found[0] >= FIRST_NEW_ID:
            highest[kind] = int(found[0])
    return highest


async def reserve_ids(ring: PatientRing, database: duckdb.DuckDBPyConnection) -> None:
    """Let new ids begin above those of the files. Nothing is asked of the ring for legacy ids.

    Consistency: SERIAL and QUORUM.

    Raises:
        WriteError: no node answered in `load_give_up_seconds`.
    """
    for kind, highest in (await asyncio.to_thread(highest_ids, database)).items():
        await ring.execute(CREATE_ID_KIND.name, (kind, FIRST_NEW_ID))
        await ring.execute(RAISE_NEXT_ID.name, (highest + 1, kind, highest + 1))
