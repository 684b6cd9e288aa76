"""Files on their way to and from a store, with their checksums."""

import asyncio
import hashlib
from pathlib import Path

from ring.backups.archive import object_name
from ring.backups.errors import DamagedBackupError
from ring.backups.store import CHUNK_BYTES, Store


async def fetch_object(store: Store, sha256: str, target: Path) -> None:
    """Write what the store keeps under a checksum into a file here, and check it.

    Raises:
        StoreError: the store does not have it, or failed.
        DamagedBackupError: it has other contents; the file here is removed.
    """
    digest = hashlib.sha256()
    with target.open("wb") as file:
        async for chunk in store.read(object_name(sha256)):
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
    if digest.hexdigest() != sha256:
        await asyncio.to_thread(target.unlink)
        raise DamagedBackupError(
            f"{store.place}: {object_name(sha256)} has other contents than were put there",
            advice="catalog-ring backup --verify PLACE names all such files and the backups that "
            "have them; restore another backup.",
        )


async def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits."""
    return await asyncio.to_thread(_sha256_of, path)


def _sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
