import resource
from pathlib import Path

import pytest

from ring.backups.errors import NotInStoreError, StoreError
from ring.backups.folder_store import FolderStore
from ring.backups.s3_store import S3Store
from ring.backups.store import open_store, read_whole


async def test_folder_when_files_come_and_go_then_it_lists_those_that_are_there_whole(
    tmp_path: Path,
) -> None:
    """What is on its way is not listed, and nobody else may read what is kept."""
    store = open_store(str(tmp_path / "kept"))
    (store.scratch / "on its way").write_bytes(b"half of")
    (tmp_path / "elsewhere").write_bytes(b"copied")
    await store.put_file(tmp_path / "elsewhere", "objects/aa/copied")
    await store.put_file(store.scratch / "on its way", "objects/bb/renamed")
    await store.write("objects/written", b"x" * 5_000_000)
    (store.scratch / "still on its way").write_bytes(b"half of")
    assert await store.list_sizes("objects") == {
        "objects/aa/copied": 6,
        "objects/bb/renamed": 7,
        "objects/written": 5_000_000,
    }
    assert await store.list_sizes("none") == {}
    assert await read_whole(store, "objects/written") == b"x" * 5_000_000
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0
    assert (tmp_path / "kept" / "objects" / "written").stat().st_mode & 0o077 == 0
    await store.delete(["objects/aa/copied", "objects/not there"])
    assert "objects/aa/copied" not in await store.list_sizes("objects")
    with pytest.raises(NotInStoreError):
        await read_whole(store, "objects/aa/copied")
    scratch = store.scratch
    store.close()
    assert not scratch.exists()


async def test_folder_when_a_file_cannot_be_written_then_the_error_says_what_to_do(
    tmp_path: Path,
) -> None:
    """And nothing half-written appears under the name."""
    source = tmp_path / "source"
    source.write_bytes(b"x" * 10_000)
    store = FolderStore.open(tmp_path / "kept")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # As a full disk would, the kernel takes no more.
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1]))
    try:
        with pytest.raises(StoreError, match="kept") as failed:
            await store.put_file(source, "objects/a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "space" in failed.value.advice
    assert await store.list_sizes("objects") == {}
    await store.put_file(source, "objects/a")
    assert await store.list_sizes("objects") == {"objects/a": 10_000}


def test_folder_when_it_is_a_file_then_it_is_refused(tmp_path: Path) -> None:
    """Before anything is asked of the ring."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="file"):
        open_store(str(tmp_path / "file"))


@pytest.mark.parametrize("place", ["gs://bucket/x", "http://host/x", "s3:///prefix"])
def test_open_when_the_place_is_none_that_we_know_then_it_is_refused(place: str) -> None:
    """With the two ways that there are."""
    with pytest.raises(StoreError) as refused:
        open_store(place)
    assert "s3://" in refused.value.advice


def test_s3_when_the_credentials_file_is_wrong_then_it_is_named(tmp_path: Path) -> None:
    """A profile without a secret; one that is whole; and keys in the environment win."""
    file = tmp_path / "credentials"
    file.write_text(
        "[half]\naws_access_key_id = a\n[whole]\naws_access_key_id = a\n"
        "aws_secret_access_key = b%c\n"
    )
    environ = {"AWS_SHARED_CREDENTIALS_FILE": str(file)}
    with pytest.raises(StoreError, match="profile half") as refused:
        S3Store.open("bucket", "/one/two/", environ | {"AWS_PROFILE": "half"})
    assert "aws_secret_access_key" in refused.value.advice
    store = S3Store.open("bucket", "/one/two/", environ | {"AWS_PROFILE": "whole"})
    assert store.place == "s3://bucket/one/two"
    store.close()
    S3Store.open("bucket", "", {**environ, "AWS_PROFILE": "half", "AWS_ACCESS_KEY_ID": "a"}).close()
