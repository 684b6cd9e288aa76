"""A shop for each test of this folder."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ring import RingSettings
from tests.support.api import HOST, running_catalog
from tests.support.browser import running_browser
from tests.support.front import running_front
from tests.support.shop import Shop
from tests.support.shop_rows import CATALOG, FEEDBACK
from tests.support.stored_feedback import write_feedback


@pytest_asyncio.fixture
async def shop(
    ring_settings: RingSettings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shop]:
    """The whole way from Chromium to Cassandra, with the rows of `tests/support/shop_rows.py`."""
    await write_feedback(ring_settings, FEEDBACK)
    async with running_catalog(ring_settings, CATALOG) as api, running_browser() as browser:
        with running_front(tmp_path_factory.mktemp("front"), [(HOST, api.port)]) as plan:
            yield Shop(api, browser, f"http://{plan.host}:{plan.port}")
