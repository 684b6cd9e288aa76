"""The one scene of a run of fault tests, and the table that a run ends with.

A run can be split (`make test-ring ARGS="-k add"`) and taken up again: what passed at this commit
is kept, and `--go-on` leaves it out. The table shows everything that was kept.
"""

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.paths import NODE_STATE, REPOSITORY
from benchmarks.results import markdown_table
from tests.ring_faults.scene import Episode, Scene

KEPT = NODE_STATE / "ring_faults"
HEADER = (
    "fault",
    "seconds",
    "reads",
    "failed reads",
    "longest gap s",
    "writes not acknowledged",
    "answers checked",
    "lost writes",
    "back from deletion",
    "what the scripts did",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that takes a run up again."""
    parser.addoption("--go-on", action="store_true", help="leave out what passed at this commit")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what passed before, where that is asked for."""
    if config.getoption("--go-on", default=False):
        passed = {
            node for node, kept in read_kept().items() if not any(one.problem for one in kept)
        }
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in passed])
        items[:] = [item for item in items if item.nodeid not in passed]


@pytest.fixture(scope="session")
def whole_scene() -> Iterator[Scene]:
    """One catalog for all tests of the run."""
    scene = Scene()
    try:
        yield scene
    finally:
        scene.stack.remove()


@pytest.fixture
def scene(whole_scene: Scene, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """The scene; what happens in a test is kept under the test's name."""
    before = len(whole_scene.episodes)
    yield whole_scene
    keep(request.node.nodeid, whole_scene.episodes[before:])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print everything that is known of this commit."""
    rows = [row(one) for kept in read_kept().values() for one in kept]
    if rows:
        terminalreporter.write_line("\n" + markdown_table(HEADER, rows))


def row(one: Episode) -> list[str]:
    """Return an episode's line of the table."""
    told = "; ".join(one.told)
    return [
        one.name,
        f"{one.seconds:.0f}",
        str(one.reads),
        str(one.bad_reads),
        f"{one.longest_gap_seconds:.2f}",
        str(one.unsure_writes),
        str(one.keys),
        str(one.lost),
        str(one.resurrected),
        f"FAILED: {one.problem.splitlines()[0][:80]}" if one.problem else told,
    ]


def keep(node_id: str, episodes: list[Episode]) -> None:
    """Keep what happened in a test, in the place of what an earlier run of it did."""
    if not episodes:
        return
    kept = read_kept() | {node_id: episodes}
    content = {name: [dataclasses.asdict(one) for one in some] for name, some in kept.items()}
    KEPT.mkdir(parents=True, exist_ok=True)
    kept_file().write_text(json.dumps(content, indent=1), encoding="utf-8")


def read_kept() -> dict[str, list[Episode]]:
    """Return what is kept of this commit."""
    file = kept_file()
    if not file.exists():
        return {}
    content = json.loads(file.read_text(encoding="utf-8"))
    return {name: [Episode(**one) for one in some] for name, some in content.items()}


def kept_file() -> Path:
    """Return the file of what happened at this commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return KEPT / f"{commit.stdout.strip() or 'unknown'}.json"
