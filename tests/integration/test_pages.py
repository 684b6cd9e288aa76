"""The pages for people as nginx serves them from disk, with no app server behind it."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from nginx.render import ROOM
from tests.support.front import free_port, running_front

STATIC = ROOM / "static"
PAGES = {"/": "index.html", "/about": "about.html", "/docs": "docs.html"}
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
ASSETS = sorted(
    f"/{path.relative_to(STATIC)}" for path in (STATIC / "assets").rglob("*") if path.is_file()
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run nginx before nobody; yield its address."""
    nobody = ("127.0.0.1", free_port("127.0.0.1"))
    with running_front(tmp_path_factory.mktemp("pages"), [nobody]) as plan:
        yield f"http://{plan.host}:{plan.port}"


@pytest_asyncio.fixture
async def client(base: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of that nginx which gives up after ten seconds."""
    async with aiohttp.ClientSession(base, timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


def policy_of(answer: aiohttp.ClientResponse) -> dict[str, set[str]]:
    """Return the directives of an answer's Content-Security-Policy with their sources."""
    header = answer.headers["Content-Security-Policy"]
    words = [directive.split() for directive in header.split(";")]
    return {name: set(sources) for name, *sources in words}


@pytest.mark.parametrize("path", [*PAGES, "/?product=1", "/?page=2", "/?cart", "/about/", "/docs/"])
async def test_page_when_asked_then_the_file_and_nothing_from_elsewhere(
    client: aiohttp.ClientSession, path: str
) -> None:
    """Each address gives its page; whatever the page names is at this very origin."""
    file = PAGES[path.partition("?")[0].rstrip("/") or "/"]
    async with client.get(path) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "public, no-cache"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        text = await answer.text()
    assert text == (STATIC / file).read_text(encoding="utf-8")
    targets = re.findall(r'(?:href|src)="([^"]+)"', text)
    assert targets
    assert all(re.match(r"/(?!/)|#|data:,$", target) for target in targets)


@pytest.mark.parametrize("path", PAGES)
async def test_page_when_asked_then_policy_allows_no_inline_and_no_foreign_code(
    client: aiohttp.ClientSession, path: str
) -> None:
    """Nothing is allowed but what the page needs; scripts and styles only from here."""
    async with client.get(path) as answer:
        policy = policy_of(answer)
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == {"'none'"}
    for directive in ("script-src", "style-src", "connect-src", "form-action"):
        assert policy.get(directive, set()) <= {"'self'", "'none'"}


async def test_store_when_asked_then_photos_from_anywhere_safe_and_no_html_from_text(
    client: aiohttp.ClientSession,
) -> None:
    """Photos may come over https; the browser itself refuses to make HTML out of a text."""
    async with client.get("/") as answer:
        policy = policy_of(answer)
    assert policy["img-src"] == {"https:", "data:"}
    assert policy["require-trusted-types-for"] == {"'script'"}
    assert policy["trusted-types"] == {"'none'"}


async def test_about_when_asked_then_links_to_the_api_and_the_store(
    client: aiohttp.ClientSession,
) -> None:
    """The page that explains the API leads to its reads, and the pages lead to each other."""
    async with client.get("/about") as answer:
        about = set(re.findall(r'href="([^"]+)"', await answer.text()))
    assert {"/", "/docs", "/products/1", "/products/1/styles", "/products/1/related"} <= about
    async with client.get("/") as answer:
        store = set(re.findall(r'href="([^"]+)"', await answer.text()))
    assert {"/about", "/docs"} <= store
    async with client.get("/docs") as answer:
        docs = set(re.findall(r'href="([^"]+)"', await answer.text()))
    assert {"/", "/about", "/openapi.json"} <= docs


@pytest.mark.parametrize("path", ASSETS)
async def test_asset_when_asked_then_its_type_and_a_tag_that_holds(
    client: aiohttp.ClientSession, path: str
) -> None:
    """Every file below assets/ is served with its type, and not sent again while it is the same."""
    async with client.get(path) as answer:
        assert answer.status == 200
        kind = TYPES.get(Path(path).suffix, "application/octet-stream")
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Cache-Control"] == "public, no-cache"
        assert await answer.read() == (STATIC / path[1:]).read_bytes()
        tag = answer.headers["ETag"]
    async with client.get(path, headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/assets/none.js", 404),
        ("/assets/", 404),
        ("/assets/store", 404),
        # Pages have one address each; these are the app servers' to answer, and none runs.
        ("/index.html", 502),
        ("/about.html", 502),
    ],
)
async def test_file_when_not_to_be_served_then_it_is_not(
    client: aiohttp.ClientSession, path: str, status: int
) -> None:
    """Only pages at their own addresses and files below assets/ come from the disk."""
    async with client.get(path) as answer:
        assert answer.status == status
