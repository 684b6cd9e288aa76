"""An upgrade between two patch versions, killed on its way, while the catalog is read from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ring.nodes.install import VERSION, install_cassandra
from ring.nodes.java import find_java_home
from ring.statements import Consistency
from tests.support.ccm import installed_cassandra
from tests.support.operated_ring import OperatedRing, operated_ring
from tests.support.steady_reader import reading

pytestmark = [pytest.mark.ring_faults, pytest.mark.timeout(5400)]

OLDER = "5.0.8"
PRODUCTS = 100
TABLE = "products_by_id"


@pytest.fixture
def older_ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatedRing]:
    """Three nodes of the version before ours, three replicas; ours is installed beside it."""
    state = tmp_path_factory.mktemp("older")
    versions = installed_versions()
    (state / "cassandra").symlink_to(versions)
    with operated_ring(
        state,
        prefix="127.0.77.",
        jmx_port=7770,
        ports=(7775, 7776),
        nodes=3,
        products=PRODUCTS,
        settings={"CATALOG_CASSANDRA_DIRECTORY": str(versions / OLDER)},
    ) as ring:
        ring.environ["CATALOG_CASSANDRA_DIRECTORY"] = ""
        yield ring


def installed_versions() -> Path:
    """Return the folder of all versions, with both in it."""
    folder = installed_cassandra({}).parent
    install_cassandra(folder / OLDER, java_home=find_java_home(), version=OLDER)
    return folder


def versions_of(ring: OperatedRing) -> list[str]:
    """What each node says that it runs."""
    return [node["version"] for node in ring.status()["nodes"]]


def test_upgrade_when_killed_on_its_way_then_it_goes_on_and_no_read_fails(
    older_ring: OperatedRing,
) -> None:
    """While two versions run, the ring says so, and takes no other change."""
    ring = older_ring
    rows = ring.count(1, TABLE, consistency=Consistency.ALL)
    assert versions_of(ring) == [OLDER] * 3
    with reading(ring.base, products=PRODUCTS) as reader:
        # Between stop and start of the first node; then when it has come back.
        for point in ("upgrade.start", "upgrade.warm"):
            ring.kill_at(point, "upgrade", VERSION)
            ring.run("unlock")
        status = ring.status()
        assert sorted({node["version"] for node in status["nodes"]}) == [OLDER, VERSION]
        assert f"the nodes run 2 versions: {OLDER}, {VERSION}" in status["problems"]
        for command in (("repair",), ("remove", "node3"), ("add", "node4")):
            code, output = ring.run(*command)
            assert code == 3, output
            assert "catalog-ring upgrade" in output
        code, output = ring.run("upgrade", OLDER)
        assert code == 3, output
        assert "a step back" in output
        code, output = ring.run("upgrade", VERSION)
        assert code == 0, output
    assert not reader.failures
    assert versions_of(ring) == [VERSION] * 3
    assert "not needed" in output
    assert ring.status()["well"]
    assert ring.count(1, TABLE, consistency=Consistency.ALL) == rows
    code, output = ring.run("upgrade", VERSION)
    assert code == 0, output
    assert output.count("done already") == 3 + 3 * 7
