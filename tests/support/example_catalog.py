"""The small catalog that the document's examples work against: product 1, review 1 and so on."""

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from catalog_api.settings import ApiSettings
from ring import RingClient, RingSettings
from schema.statements import API_STATEMENTS
from tests.support.api import RunningApi, running_api
from tests.support.editor import write_editor_key
from tests.support.legacy_files import write_files
from tests.support.stored_catalog import READY_SECONDS
from tests.support.stored_tables import load_directory

PRODUCT_IDS: Final = range(1, 13)
ITEM_IDS: Final = range(1, 41)
"""Ids of reviews, questions and answers; product 1 has most of each."""

_PRODUCTS: Final = "".join(
    f'{number},"Product {number}","Slogan","Text",'
    f'"{("Jackets", "Shoes")[number % 2]}",{100 + number}\n'
    for number in PRODUCT_IDS
)
_FILES: Final = {
    "product": _PRODUCTS,
    "features": '1,1,"Fabric","Canvas"\n2,1,"Buttons",null\n3,2,"Sole","Rubber"\n',
    "styles": '1,1,"Forest Green",null,140,1\n2,1,"Ocean Blue",99.50,140,0\n3,2,"Red",0,65,1\n',
    "photos": '1,1,"https://images.test/1","https://images.test/1s"\n',
    "skus": '37,1,"XS",8\n38,1,"S",16\n39,3,"7",0\n',
    "related": "1,1,2\n2,1,3\n3,2,1\n",
    "reviews": "".join(
        f'{number},{1 + number % 7 // 6},{1 + number % 5},{1596080481467 + number},"Fine",'
        f'"It does.",{"true" if number % 3 else "false"},false,"jo","jo@shop.test",'
        f"{('Thanks', 'null')[number % 2]},{number % 11}\n"
        for number in ITEM_IDS
    ),
    "reviews_photos": '1,1,"https://images.test/9"\n',
    "characteristics": '5,1,"Fit"\n6,1,"Length"\n7,2,"Size"\n',
    "characteristic_reviews": "1,5,1,4\n2,5,2,3\n3,6,1,2\n",
    "questions": "".join(
        f'{number},{1 + number % 7 // 6},"Is it warm?",{1596080481467 + number},"jo",'
        f'"jo@shop.test",0,{number % 4}\n'
        for number in ITEM_IDS
    ),
    "answers": "".join(
        f'{number},{1 + number % 3},"It is.",{1596080481467 + number},"al","al@shop.test",0,'
        f"{number % 4}\n"
        for number in ITEM_IDS
    ),
    "answers_photos": '4,1,"https://images.test/4"\n',
}


async def load_example(ring_settings: RingSettings) -> None:
    """Load the catalog into an empty keyspace, by the real load."""
    with tempfile.TemporaryDirectory() as name:
        await load_directory(write_files(Path(name), _FILES), ring_settings)


@contextlib.asynccontextmanager
async def running_example(
    ring_settings: RingSettings, settings: ApiSettings | None = None
) -> AsyncIterator[RunningApi]:
    """Load the catalog, then serve it from the real ring."""
    await load_example(ring_settings)
    ring = await RingClient.open(ring_settings, API_STATEMENTS)
    await ring.wait_ready(READY_SECONDS)
    await write_editor_key(ring)
    async with running_api(ring, settings) as api:
        yield api
