"""Manifests and stores for tests of backups."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from ring.backups.archive import Archive, object_name
from ring.backups.manifest import (
    BackedFile,
    BackedKeyspace,
    BackedTable,
    Manifest,
    MappedNode,
    SampledRow,
    SchemaPart,
)

MOMENT: Final = datetime(2026, 11, 22, 1, 54, 1, tzinfo=UTC)


def manifest_of(name: str, objects: Mapping[str, int]) -> Manifest:
    """Return a manifest of one node that has these files, by SHA-256 with their bytes."""
    return Manifest(
        name=name,
        ring="tests",
        snapshot_began_at=MOMENT,
        snapshot_ended_at=MOMENT,
        nodes=(MappedNode("host", "127.0.0.1", "dc1", "rack1", "5.0.9", (-(2**63) + 1, 0)),),
        keyspaces=(
            BackedKeyspace(
                "catalog",
                {"class": "NetworkTopologyStrategy", "dc1": "1"},
                (SchemaPart("table", "rows", "CREATE TABLE catalog.rows (k int PRIMARY KEY)"),),
            ),
        ),
        tables=(
            BackedTable(
                "catalog",
                "rows",
                ("k",),
                (),
                {"k": "int"},
                7,
                0,
                may_expire=False,
                samples=(SampledRow({"k": "1"}, "aa"),),
            ),
        ),
        files={
            "host": tuple(
                BackedFile("catalog", "rows", f"da-{number}-bti-Data.db", size, sha)
                for number, (sha, size) in enumerate(objects.items())
            )
        },
    )


async def make_backup(archive: Archive, name: str, *contents: bytes) -> Manifest:
    """Put files, and a manifest that names them."""
    objects = {}
    for content in contents:
        sha = sha256(content).hexdigest()
        objects[sha] = len(content)
        source = archive.store.scratch / sha
        source.write_bytes(content)
        await archive.store.put_file(source, object_name(sha))
    manifest = manifest_of(name, objects)
    await archive.write(manifest)
    return manifest
