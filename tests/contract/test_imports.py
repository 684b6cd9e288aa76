"""Who may import whom: data runs one way and imports never point back."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = ("catalog_api", "schema", "etl", "ring", "nginx", "benchmarks", "tests")
# What each room may import of the others; `benchmarks` and `tests` look at everything.
MAY_IMPORT = {
    "catalog_api": {"schema", "ring"},
    "etl": {"schema", "ring"},
    "schema": {"ring"},
    "ring": set[str](),
    "nginx": {"ring"},
}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def _modules(room: str) -> list[Path]:
    return sorted((REPOSITORY / room).rglob("*.py"))


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_room_when_it_imports_another_then_it_is_allowed_to(room: str) -> None:
    """catalog_api and etl meet only in schema; ring knows nobody; nobody knows the tests."""
    assert _modules(room)
    wrong = [
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in _modules(room)
        for name in _imports(path)
        if (other := name.split(".")[0]) in ROOMS
        and other != room
        and other not in MAY_IMPORT[room]
    ]
    assert not wrong


def test_schema_when_it_imports_ring_then_only_what_a_statement_is() -> None:
    """A stored row depends on no client."""
    names = {
        name for path in _modules("schema") for name in _imports(path) if name.startswith("ring")
    }
    assert names <= {"ring.statements"}


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("catalog_api/domain", (*ROOMS, "aiohttp", "asyncio")),
        (
            "catalog_api/repositories",
            ("aiohttp", "catalog_api.handlers", "catalog_api.services", "catalog_api.app"),
        ),
        ("catalog_api/services", ("aiohttp", "catalog_api.handlers", "catalog_api.app")),
        ("catalog_api/handlers", ("ring.client", "catalog_api.app")),
        ("ring/transport", ("ring.client", "ring.dispatcher", "ring.membership", "ring.settings")),
    ],
)
def test_layer_when_it_imports_then_never_backwards(
    folder: str, forbidden: tuple[str, ...]
) -> None:
    """Domain imports nothing of ours but itself, repositories no HTTP, the transport no ring."""
    assert _modules(folder)
    wrong = [
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in _modules(folder)
        for name in _imports(path)
        if not name.startswith(folder.replace("/", "."))
        and any(name == other or name.startswith(f"{other}.") for other in forbidden)
    ]
    assert not wrong


@pytest.mark.parametrize("library", ["cassandra", "duckdb", "aiohttp"])
def test_library_when_it_belongs_to_one_room_then_no_other_imports_it(library: str) -> None:
    """Only ring/ knows the driver, only etl/ the SQL engine, only catalog_api/ the web server."""
    owner = {"cassandra": "ring", "duckdb": "etl", "aiohttp": "catalog_api"}[library]
    wrong = [
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for room in MAY_IMPORT
        if room != owner
        for path in _modules(room)
        for name in _imports(path)
        if name.split(".")[0] == library
    ]
    assert not wrong
