"""Fixtures that every kind of test may use: one ring per run, one keyspace per test."""

import os
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from types import FrameType

import pytest
import pytest_asyncio

from ring.nodes.errors import NodesError
from ring.nodes.settings import REPOSITORY
from ring.settings import RingSettings
from tests.support.ccm import running_ring

CONTACT_POINTS = pytest.StashKey[tuple[str, ...]]()
RING_ERROR = pytest.StashKey[NodesError]()


def pytest_configure() -> None:
    """Let interrupts reach the programs that tests start, and let no load slow this process down.

    A shell that starts pytest in its background has it ignore SIGINT, and what is ignored stays so
    in every process that it starts in turn.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # A load in this process would leave it nice for all tests that follow.
    os.environ.setdefault("CATALOG_LOAD_NICENESS", "0")


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    """Start the ring before the first test, if any collected test needs it, and stop it at the end.

    Not in a fixture: starting three nodes may take longer than one test is allowed to.
    """
    wanted = any("contact_points" in getattr(item, "fixturenames", ()) for item in session.items)
    with ExitStack() as running:
        if wanted and not session.config.option.collectonly:
            # A terminated run must stop its ring as an interrupted one does.
            signal.signal(signal.SIGTERM, _interrupt)
            try:
                session.config.stash[CONTACT_POINTS] = running.enter_context(running_ring())
            except NodesError as error:
                session.config.stash[RING_ERROR] = error
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def _loads_work_in_the_runs_own_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever a load leaves that a test stops goes with the test run's folders."""
    os.environ["CATALOG_LOAD_TEMP_DIRECTORY"] = str(tmp_path_factory.mktemp("loads"))


@pytest.fixture(scope="session")
def contact_points(pytestconfig: pytest.Config) -> tuple[str, ...]:
    """Addresses of the run's ring: a real Cassandra of three nodes, or the developer's own."""
    error = pytestconfig.stash.get(RING_ERROR, None)
    if error is not None:
        pytest.fail(f"The tests' ring did not start: {error}\n{error.advice}", pytrace=False)
    return pytestconfig.stash[CONTACT_POINTS]


@pytest_asyncio.fixture
async def keyspace(contact_points: tuple[str, ...]) -> AsyncIterator[str]:
    """Yield the name of a keyspace of this test alone, with the whole schema; dropped after it."""
    async with _own_keyspace(contact_points) as name:
        yield name


@pytest_asyncio.fixture
async def second_ring_settings(contact_points: tuple[str, ...]) -> AsyncIterator[RingSettings]:
    """Settings of a second keyspace of this test alone, to compare with."""
    async with _own_keyspace(contact_points) as name:
        yield _settings(contact_points, name)


@asynccontextmanager
async def _own_keyspace(contact_points: tuple[str, ...]) -> AsyncIterator[str]:
    from ring.apply_schema import apply_schema, drop_keyspace

    name = f"test_{uuid.uuid4().hex[:16]}"
    settings = _settings(contact_points, name)
    await apply_schema(
        settings, REPOSITORY / "schema", replication_factor=min(3, len(contact_points))
    )
    yield name
    await drop_keyspace(settings)


@pytest.fixture
def ring_settings(contact_points: tuple[str, ...], keyspace: str) -> RingSettings:
    """Settings that reach the run's ring and this test's keyspace."""
    return _settings(contact_points, keyspace)


def _settings(contact_points: tuple[str, ...], keyspace: str) -> RingSettings:
    """Return settings with deadlines for three nodes and a test on two shared cores."""
    names = ("CATALOG_USERNAME", "CATALOG_PASSWORD", "CATALOG_PASSWORD_FILE")
    environ = {name: os.environ[name] for name in names if name in os.environ}
    return RingSettings.from_environ(
        environ, contact_points=contact_points, keyspace=keyspace, request_timeout_seconds=10.0
    )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
