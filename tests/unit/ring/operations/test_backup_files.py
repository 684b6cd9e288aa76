from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from ring.backups.archive import Archive
from ring.backups.errors import BackupError, StoreError
from ring.hosts.host import Host
from ring.operations.backup_files import NodeFile, copy_missing, list_snapshot
from ring.operations.progress import Progress
from tests.support.backups import FailingStore, FolderHost, table_named

TAG = "catalog-backup-1"
TABLES = [table_named("one"), table_named("two")]
SAID: list[str] = []
PROGRESS = Progress(SAID.append)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FailingStore]:
    """A place that takes nothing until a test says how many files it may take."""
    opened = cast("FailingStore", FailingStore.open(tmp_path / "place"))
    yield opened
    opened.close()


@pytest.fixture
def host(tmp_path: Path) -> FolderHost:
    """A host with snapshots of two tables, and what else lies beside them."""
    made = FolderHost("node1", tmp_path / "data")
    for table, number in ((table, number) for table in TABLES for number in (1, 2)):
        folder = made.data / "catalog" / table.folder / "snapshots" / TAG
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"da-{number}-bti-Data.db").write_bytes(f"{table.name} {number}".encode() * 99)
        (folder / f"da-{number}-bti-Rows.db").write_bytes(b"")
        (folder / f"da-{number}-bti-SAI+aa+Meta.db").write_bytes(b"an index")
        (folder / "manifest.json").write_bytes(b"Cassandra's own")
        (folder / ".index").mkdir(exist_ok=True)
        (folder / ".index" / f"da-{number}-bti-Data.db").write_bytes(b"an older index")
        (folder.parent.parent / f"da-{number}-bti-Data.db").write_bytes(b"not in the snapshot")
    return made


async def _files(host: FolderHost) -> list[NodeFile]:
    return await list_snapshot(cast("Host", host), TAG, TABLES, PROGRESS)


async def test_list_when_snapshots_are_read_then_sstables_alone_with_their_checksums(
    host: FolderHost,
) -> None:
    """Not the parts of indexes, which nodes build anew, nor Cassandra's notes, nor live files."""
    files = await _files(host)
    assert [(one.file.table, one.file.name) for one in files] == [
        (table, f"da-{number}-bti-{part}.db")
        for table in ("one", "two")
        for number in (1, 2)
        for part in ("Data", "Rows")
    ]
    assert len({one.file.sha256 for one in files}) == 5
    assert {one.file.size_bytes for one in files} == {0, 99 * 5}


async def test_copy_when_it_was_interrupted_then_what_came_is_not_copied_again(
    store: FailingStore, host: FolderHost
) -> None:
    """Nothing but the store says how far it was; equal contents are copied once."""
    files = await _files(host)
    archive = Archive(store)
    store.takes = 3
    with pytest.raises(StoreError):
        await copy_missing(store, files, await archive.objects(), PROGRESS)
    assert len(await archive.objects()) == 3
    store.takes = 99
    assert (await copy_missing(store, files, await archive.objects(), PROGRESS))[0] == 2
    assert await archive.objects() == {one.file.sha256: one.file.size_bytes for one in files}
    assert await copy_missing(store, files, await archive.objects(), PROGRESS) == (0, 0)


async def test_copy_when_a_later_snapshot_shares_files_then_only_new_ones_are_copied(
    store: FailingStore, host: FolderHost
) -> None:
    """Incremental by itself, also where a file has another name by now."""
    store.takes = 99
    archive = Archive(store)
    await copy_missing(store, await _files(host), await archive.objects(), PROGRESS)
    folder = host.data / "catalog" / TABLES[0].folder / "snapshots" / TAG
    (folder / "da-1-bti-Data.db").rename(folder / "da-7-bti-Data.db")
    (folder / "da-8-bti-Data.db").write_bytes(b"new")
    copied = await copy_missing(store, await _files(host), await archive.objects(), PROGRESS)
    assert copied == (1, 3)


async def test_copy_when_the_store_holds_half_a_file_then_it_is_copied_again(
    store: FailingStore, host: FolderHost
) -> None:
    """A right name is not enough; the size must be right too."""
    store.takes = 99
    archive = Archive(store)
    files = await _files(host)
    await copy_missing(store, files, {}, PROGRESS)
    held = await archive.objects()
    damaged = max(held, key=lambda sha: held[sha])
    (Path(store.place) / "objects" / damaged[:2] / damaged).write_bytes(b"half")
    assert await copy_missing(store, files, await archive.objects(), PROGRESS) == (1, 495)


async def test_copy_when_a_file_changes_after_it_was_read_then_the_backup_fails(
    store: FailingStore, host: FolderHost
) -> None:
    """What arrives is held to the checksum that its host computed."""
    store.takes = 99
    files = await _files(host)
    (host.data / files[0].path).write_bytes(b"other contents of the file")
    with pytest.raises(BackupError, match="did not come as it is there"):
        await copy_missing(store, files, {}, PROGRESS)
    assert files[0].file.sha256 not in await Archive(store).objects()


async def test_copy_when_the_place_has_no_room_then_nothing_is_copied(
    store: FailingStore, host: FolderHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known before the first byte."""

    async def nothing() -> int:
        return 100

    store.takes = 99
    monkeypatch.setattr(store, "free_bytes", nothing)
    with pytest.raises(BackupError, match="100 bytes free, the backup needs 1,980"):
        await copy_missing(store, await _files(host), {}, PROGRESS)
    assert await Archive(store).objects() == {}
    assert not list(store.scratch.iterdir())
