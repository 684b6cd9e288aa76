"""Manifests and stores for tests of backups."""

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ring.backups.archive import Archive, object_name
from ring.backups.errors import StoreError
from ring.backups.folder_store import FolderStore
from ring.backups.manifest import (
    BackedFile,
    BackedKeyspace,
    BackedTable,
    Manifest,
    MappedNode,
    SampledRow,
    SchemaPart,
)
from ring.hosts.data_files import DataFiles
from ring.hosts.host import HostEntry
from ring.operations.tables import Table

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


class FolderHost:
    """A host whose node's data is a folder of the test: its files alone, no node."""

    def __init__(self, name: str, data: Path) -> None:
        self.entry = HostEntry(name, "127.0.0.1")
        self.data = data
        self._files = DataFiles(data)

    async def list_files(self, folder: PurePosixPath) -> dict[PurePosixPath, int]:
        """As `Host` says."""
        return self._files.list(folder)

    async def hash_files(
        self, folder: PurePosixPath, names: Sequence[PurePosixPath]
    ) -> dict[PurePosixPath, str]:
        """As `Host` says."""
        return self._files.hash(folder, names)

    async def fetch_file(self, path: PurePosixPath, target: Path) -> None:
        """As `Host` says."""
        self._files.fetch(path, target)


class FailingStore(FolderStore):
    """A folder that fails after so many files, as a disk or a network does; then it is well."""

    def __init__(self, root: Path, scratch: Path) -> None:
        """Take nothing, until a test says how many files."""
        super().__init__(root, scratch)
        self.takes = self.begun = self.taken = 0
        self._all_taken = asyncio.Event()

    async def put_file(self, source: Path, name: str) -> None:
        """Take a file, or fail once all that may be taken are there."""
        self.begun += 1
        if self.begun <= self.takes:
            await super().put_file(source, name)
            self.taken += 1
            if self.taken == self.takes:
                self._all_taken.set()
            return
        await self._all_taken.wait()
        raise StoreError("the test says so", advice="Run it again.")


def table_named(name: str, **changes: Any) -> Table:
    """A table of keyspace `catalog` with one key and one cell."""
    table = Table("catalog", name, f"{name}-0123", ("k",), (), ("v",), {"k": "int", "v": "int"}, 0)
    return dataclasses.replace(table, **changes)
