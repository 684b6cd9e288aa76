import shutil
from pathlib import Path

import pytest

from etl.writers.node_access import NodeAccess, refuse_format
from ring import RingNode


@pytest.mark.parametrize(
    ("version", "facts", "refused"),
    [
        ("5.0.9", {"storage_compatibility_mode": "NONE"}, False),
        ("5.0.9", {}, False),
        ("5.0.9", {"storage_compatibility_mode": "CASSANDRA_4"}, True),
        ("4.1.3", {}, True),
        ("5.1.0", {}, True),
    ],
)
def test_node_when_it_cannot_read_the_format_then_it_is_refused_with_the_reason(
    version: str, facts: dict[str, str], *, refused: bool
) -> None:
    """Files of a newer format would lie in the table's folder and be seen by nobody."""
    node = RingNode("127.0.9.1", 9042, "host1", "dc1", "rack1", version, "v", (1,))
    reason = refuse_format(node, facts)
    assert bool(reason) == refused
    assert not refused or version in reason


def test_node_when_its_disk_has_no_room_for_copies_then_it_is_told_before(tmp_path: Path) -> None:
    """A disk that copies have filled ends the node that writes its commit log there."""
    node = RingNode("127.0.9.1", 9042, "host1", "dc1", "rack1", "5.0.9", "v", (1,))
    access = NodeAccess(node, 7000, 7100, tmp_path)
    free_bytes = shutil.disk_usage(tmp_path).free
    assert access.takes_links(tmp_path)
    assert not access.lacking_space(free_bytes // 2)
    assert "the disk of 127.0.9.1 is full" in access.lacking_space(free_bytes * 2)
    assert not NodeAccess(node, 7000).lacking_space(free_bytes * 2)
