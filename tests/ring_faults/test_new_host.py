"""Hosts that must not be taken as they are: used, of another ring, of another version."""

from collections.abc import Callable

import pytest

from tests.ring_faults.scene import KEYSPACE, Scene

pytestmark = [pytest.mark.ring_faults, pytest.mark.timeout(900)]

REFUSED = 3


def use(scene: Scene, host: str) -> None:
    """Leave data of some node on the host."""
    folder = scene.folder_of(host) / "data0" / KEYSPACE / "products_by_id-1"
    folder.mkdir(parents=True)
    (folder / "da-1-bti-Data.db").write_bytes(bytes(100_000))


def rename(scene: Scene, host: str) -> None:
    """Configure the host for another ring."""
    folder = scene.folder_of(host) / "conf"
    folder.mkdir(parents=True)
    (folder / "cassandra.yaml").write_text("cluster_name: somebody else's\n")


def install_other(scene: Scene, host: str) -> None:
    """Install another version on the host."""
    file = scene.stack.state / "hosts" / f"{host}.version"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("5.0.2\n")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (use, "of a node's data"),
        (rename, "somebody else's"),
        (install_other, "5.0.2"),
    ],
)
def test_add_when_the_host_is_not_fit_then_refused_and_nothing_changed(
    scene: Scene, spoil: Callable[[Scene, str], None], reason: str
) -> None:
    """The reason and what to do are told; with the reason gone, the same command adds it."""
    members, spare = scene.settle(2), scene.spare()
    name = f"the new host: {(spoil.__doc__ or '').split('.')[0].lower()}"
    with scene.episode(name, ends_with=members) as episode:
        spoil(scene, spare)
        done = scene.run("add", spare)
        assert done.code == REFUSED, done.output
        assert reason in done.output
        assert "What to do:" in done.output
        episode.told.append("refused")
        scene.clear_host(spare)
