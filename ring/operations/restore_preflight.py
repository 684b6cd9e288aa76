"""What must hold before a backup is restored: rules besides those of every operation. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from ring.backups.manifest import Manifest, MappedNode
from ring.backups.placement import sources_by_target
from ring.operations.errors import Refusal
from ring.operations.tables import Table
from ring.operations.view import RingView
from ring.token_ring import Replication

_NUMBER: Final = re.compile(r"\d+")


def refuse_older(view: RingView, manifest: Manifest) -> list[Refusal]:
    """Refuse a ring that runs an older Cassandra than the backup's: it may not read its files."""
    newest = max((node.version for node in manifest.nodes), key=_parts)
    return [
        Refusal(
            f"the backup is of Cassandra {newest}, the ring runs {version}",
            f"Bring the ring to {newest} first: catalog-ring upgrade {newest}",
        )
        for version in sorted(view.versions)
        if _parts(version) < _parts(newest)
    ]


def refuse_unlike(tables: Sequence[Table], manifest: Manifest) -> list[Refusal]:
    """Refuse when a table that is there cannot take the backup's files."""
    there = {(table.keyspace, table.name): table for table in tables}
    refusals = []
    for backed in manifest.tables:
        table = there.get((backed.keyspace, backed.name))
        problem = table.unlike(backed) if table is not None else ""
        if problem:
            refusals.append(
                Refusal(
                    f"{backed.keyspace}.{backed.name} is not as it was backed up: {problem}",
                    "Drop that table, or the keyspace: the restore makes it as it was.",
                )
            )
    return refusals


def received_bytes(
    nodes: Sequence[MappedNode], manifest: Manifest, replications: Mapping[str, Replication]
) -> dict[str, int]:
    """Return about how many bytes each node of a ring will receive, by host id.

    Args:
        nodes: of the ring.
        manifest: of the backup.
        replications: of the backup's keyspaces in the ring.
    """
    received = dict.fromkeys((node.host_id for node in nodes), 0)
    for keyspace in manifest.keyspaces:
        held = {
            host_id: sum(one.size_bytes for one in files if one.keyspace == keyspace.name)
            for host_id, files in manifest.files.items()
        }
        backed = Replication.from_options(keyspace.replication)
        replication = replications[keyspace.name]
        sources = sources_by_target(manifest.nodes, backed, nodes, replication)
        copies = sum(replication.factors.values())
        for host_id in received:
            if sources is None:
                # Every replica of a row that was backed up comes to every replica that is to be.
                received[host_id] += sum(held.values()) * copies // len(nodes)
            else:
                received[host_id] += sum(held.get(source, 0) for source in sources[host_id])
    return received


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBER.findall(version)[:3])
