from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from ring.backups.archive import Archive, object_name
from ring.backups.errors import BackupError, DamagedBackupError, NotInStoreError
from ring.backups.files import fetch_object, sha256_of
from ring.backups.folder_store import FolderStore
from tests.support.backups import make_backup, manifest_of


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An archive without a backup."""
    store = FolderStore.open(tmp_path / "backups")
    yield Archive(store)
    store.close()


def _nothing(_done: int, _total: int) -> None:
    pass


def _path(archive: Archive, content: bytes) -> Path:
    return Path(archive.store.place) / object_name(sha256(content).hexdigest())


async def test_archive_when_files_were_put_but_no_manifest_then_there_is_no_backup(
    archive: Archive,
) -> None:
    """A backup that was killed on its way cannot be restored by mistake."""
    await make_backup(archive, "20260101T000000Z", b"one")
    (await archive.store.write("objects/ab/ab", b"of the next one"))
    assert await archive.list_names() == ["20260101T000000Z"]
    assert (await archive.read_last()).name == "20260101T000000Z"


async def test_archive_when_it_is_empty_then_it_says_so(archive: Archive) -> None:
    """And the words name the place."""
    with pytest.raises(BackupError, match="holds no backup"):
        await archive.read_last()
    with pytest.raises(NotInStoreError, match="no backup 20260101T000000Z"):
        await archive.read("20260101T000000Z")


@pytest.mark.parametrize("held", [None, b"shorter"])
async def test_write_when_a_file_is_not_there_whole_then_there_is_no_backup(
    archive: Archive, held: bytes | None
) -> None:
    """Sizes are looked at once more before the manifest is written."""
    sha = sha256(b"the whole file").hexdigest()
    if held is not None:
        await archive.store.write(object_name(sha), held)
    with pytest.raises(BackupError, match="lacks 1 of the files"):
        await archive.write(manifest_of("20260101T000000Z", {sha: 14}))
    assert await archive.list_names() == []


async def test_prune_when_backups_share_files_then_only_files_of_none_are_removed(
    archive: Archive,
) -> None:
    """Also what an interrupted backup left; the newest backups stay whole."""
    await make_backup(archive, "20260101T000000Z", b"old", b"shared")
    await make_backup(archive, "20260102T000000Z", b"shared", b"middle")
    await make_backup(archive, "20260103T000000Z", b"shared", b"new")
    await archive.store.write(object_name("f" * 64), b"of an interrupted backup")
    removed = await archive.prune(2)
    assert removed.backups == ("20260101T000000Z",)
    assert (removed.files, removed.size_bytes) == (2, len(b"old") + 24)
    assert await archive.list_names() == ["20260102T000000Z", "20260103T000000Z"]
    assert await archive.verify(await archive.list_names(), _nothing) == []
    assert len(await archive.objects()) == 3
    assert (await archive.prune(2)).backups == ()


async def test_prune_when_a_manifest_that_stays_is_damaged_then_nothing_is_removed(
    archive: Archive,
) -> None:
    """Nobody knows which files it needs."""
    await make_backup(archive, "20260101T000000Z", b"old")
    await make_backup(archive, "20260102T000000Z", b"new")
    manifest = Path(archive.store.place) / "backups" / "20260102T000000Z"
    manifest.write_bytes(manifest.read_bytes()[:-1])
    with pytest.raises(DamagedBackupError, match="20260102T000000Z"):
        await archive.prune(1)
    assert len(await archive.list_names()) == 2
    assert len(await archive.objects()) == 2


async def test_verify_when_files_are_damaged_then_each_is_named_with_its_backups(
    archive: Archive,
) -> None:
    """Other contents of the same size, a wrong size, a file that is gone; and a sound one."""
    await make_backup(archive, "20260101T000000Z", b"shared", b"cut off", b"sound")
    await make_backup(archive, "20260102T000000Z", b"shared", b"gone")
    _path(archive, b"shared").write_bytes(b"SHARED")
    _path(archive, b"cut off").write_bytes(b"cut")
    _path(archive, b"gone").unlink()
    heard: list[tuple[int, int]] = []
    damages = await archive.verify(
        await archive.list_names(), lambda done, total: heard.append((done, total))
    )
    assert {damage.problem: damage.backups for damage in damages} == {
        "has other contents": ("20260101T000000Z", "20260102T000000Z"),
        "has 3 bytes in the place of 7": ("20260101T000000Z",),
        "is missing": ("20260102T000000Z",),
    }
    assert heard[-1] == (22, 22)


async def test_verify_when_a_manifest_is_damaged_then_the_others_are_still_read(
    archive: Archive,
) -> None:
    """It is named as a damage of its own."""
    await make_backup(archive, "20260101T000000Z", b"one")
    await make_backup(archive, "20260102T000000Z", b"two")
    (Path(archive.store.place) / "backups" / "20260101T000000Z").write_bytes(b"nothing")
    _path(archive, b"two").unlink()
    damages = await archive.verify(await archive.list_names(), _nothing)
    assert [damage.backups for damage in damages] == [("20260101T000000Z",), ("20260102T000000Z",)]


async def test_discard_when_files_are_damaged_then_a_later_backup_brings_them_again(
    archive: Archive,
) -> None:
    """A damaged file would otherwise pass for one that is there already."""
    await make_backup(archive, "20260101T000000Z", b"shared", b"other")
    _path(archive, b"shared").write_bytes(b"SHARED")
    await archive.discard(await archive.verify(await archive.list_names(), _nothing))
    assert sha256(b"shared").hexdigest() not in await archive.objects()
    await make_backup(archive, "20260102T000000Z", b"shared")
    assert await archive.verify(await archive.list_names(), _nothing) == []


async def test_fetch_when_a_file_is_damaged_then_it_does_not_get_out(
    archive: Archive, tmp_path: Path
) -> None:
    """Nothing that has other contents than were put is ever restored."""
    await make_backup(archive, "20260101T000000Z", b"sound", b"damaged")
    _path(archive, b"damaged").write_bytes(b"DAMAGED")
    await fetch_object(archive.store, sha256(b"sound").hexdigest(), tmp_path / "sound")
    assert await sha256_of(tmp_path / "sound") == sha256(b"sound").hexdigest()
    with pytest.raises(DamagedBackupError, match="has other contents"):
        await fetch_object(archive.store, sha256(b"damaged").hexdigest(), tmp_path / "damaged")
    assert not (tmp_path / "damaged").exists()
