"""What a store holds: manifests by the backups' names, files by their SHA-256.

    backups/20261122T015400Z    a manifest: there is a backup as soon as it is there
    objects/ab/abcdef…          a file; backups that have it in common share it

A file is put there before any manifest that names it and deleted after the last one.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ring.backups.bounded import side_by_side
from ring.backups.errors import BackupError, DamagedBackupError, NotInStoreError
from ring.backups.manifest import Manifest, decode_manifest, encode_manifest
from ring.backups.store import Store, read_whole

_BACKUPS: Final = "backups"
_OBJECTS: Final = "objects"
AT_ONCE: Final = 4
"""Files that move, or are read, side by side."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What pruning removed."""

    backups: tuple[str, ...]
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Damage:
    """A file, or a manifest, that is not what it was, and the backups that have it."""

    name: str
    problem: str
    backups: tuple[str, ...]


class Archive:
    """The backups of one ring in one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __repr__(self) -> str:
        return f"<Archive {self.store.place}>"

    async def list_names(self) -> list[str]:
        """Return the names of all backups, oldest first."""
        return sorted(name.partition("/")[2] for name in await self.store.list_sizes(_BACKUPS))

    async def read(self, name: str) -> Manifest:
        """Return a backup's manifest.

        Raises:
            StoreError: there is none of that name, or the store failed.
            DamagedBackupError: it is not whole.
        """
        try:
            manifest = decode_manifest(await read_whole(self.store, f"{_BACKUPS}/{name}"))
        except NotInStoreError as error:
            known = ", ".join((await self.list_names())[-5:]) or "none"
            raise NotInStoreError(
                f"{self.store.place} holds no backup {name}",
                advice=f"The last that it holds: {known}.",
            ) from error
        except DamagedBackupError as error:
            raise DamagedBackupError(
                f"backup {name} in {self.store.place}: {error}",
                advice=error.advice or "Restore another one, and make a new one.",
            ) from error
        if manifest.name != name:
            raise DamagedBackupError(f"{name} in {self.store.place} is backup {manifest.name}")
        return manifest

    async def read_last(self) -> Manifest:
        """Return the manifest of the last backup; raises BackupError when there is none."""
        names = await self.list_names()
        if not names:
            raise BackupError(
                f"{self.store.place} holds no backup",
                advice="Look at the place's name. One is made by: catalog-ring backup PLACE",
            )
        return await self.read(names[-1])

    async def ring(self) -> str:
        """Return the name of the ring whose backups these are; empty while there is none.

        Manifests that are damaged are passed over.
        """
        for name in reversed(await self.list_names()):
            with contextlib.suppress(DamagedBackupError):
                return (await self.read(name)).ring
        return ""

    async def write(self, manifest: Manifest) -> None:
        """Make a backup of what was put: look that all is there, then write the manifest.

        Raises:
            BackupError: a file is missing, or has not its size.
        """
        missing = await self.missing(manifest)
        if missing:
            raise BackupError(
                f"{self.store.place} lacks {len(missing)} of the files that were put there",
                advice="Run the backup again: it copies what is missing.",
            )
        await self.store.write(f"{_BACKUPS}/{manifest.name}", encode_manifest(manifest))

    async def missing(self, manifest: Manifest) -> list[str]:
        """Return the SHA-256 of the files of a backup that are not held in their whole size."""
        held = await self.objects()
        return [sha for sha, size in manifest.objects.items() if held.get(sha) != size]

    async def objects(self) -> dict[str, int]:
        """Return the SHA-256 of every file that is held, with its bytes."""
        sizes = await self.store.list_sizes(_OBJECTS)
        return {name.rpartition("/")[2]: size for name, size in sizes.items()}

    async def prune(self, keep: int) -> Removed:
        """Remove all backups but the newest, then the files that no backup has any more.

        No backup may be made meanwhile: hold what forbids it.

        Raises:
            DamagedBackupError: a manifest that stays cannot be read, so nobody knows which files it
                needs; nothing was removed.
        """
        names = await self.list_names()
        gone = names[: max(0, len(names) - keep)]
        needed: set[str] = set()
        for name in names[len(gone) :]:
            needed |= (await self.read(name)).objects.keys()
        await self.store.delete([f"{_BACKUPS}/{name}" for name in gone])
        held = await self.objects()
        unneeded = [sha for sha in held if sha not in needed]
        await self.store.delete([object_name(sha) for sha in unneeded])
        return Removed(tuple(gone), len(unneeded), sum(held[sha] for sha in unneeded))

    async def verify(
        self, names: Iterable[str], on_bytes: Callable[[int, int], None]
    ) -> list[Damage]:
        """Read every file of some backups again and compare its checksum.

        Args:
            names: of the backups.
            on_bytes: hears how many bytes of how many have been read.
        """
        damages, users, sizes = await self._expected(names)
        total, done = sum(sizes.values()), 0

        async def check(sha: str) -> None:
            nonlocal done
            problem = await self._problem(sha, sizes[sha])
            if problem:
                damages.append(Damage(object_name(sha), problem, tuple(users[sha])))
            done += sizes[sha]
            on_bytes(done, total)

        await side_by_side(AT_ONCE, sizes, check)
        return damages

    async def _expected(
        self, names: Iterable[str]
    ) -> tuple[list[Damage], dict[str, list[str]], dict[str, int]]:
        damages: list[Damage] = []
        users: dict[str, list[str]] = {}
        sizes: dict[str, int] = {}
        for name in names:
            try:
                objects = (await self.read(name)).objects
            except DamagedBackupError as error:
                damages.append(Damage(f"{_BACKUPS}/{name}", str(error), (name,)))
                continue
            sizes |= objects
            for sha in objects:
                users.setdefault(sha, []).append(name)
        return damages, users, sizes

    async def _problem(self, sha: str, size_bytes: int) -> str:
        digest, read_bytes = hashlib.sha256(), 0
        try:
            async for chunk in self.store.read(object_name(sha)):
                digest.update(chunk)
                read_bytes += len(chunk)
        except NotInStoreError:
            return "is missing"
        if read_bytes != size_bytes:
            return f"has {read_bytes} bytes in the place of {size_bytes}"
        return "" if digest.hexdigest() == sha else "has other contents"

    async def discard(self, damages: Sequence[Damage]) -> None:
        """Delete damaged files, so that the next backup brings those that nodes still have."""
        await self.store.delete([damage.name for damage in damages])


def object_name(sha256: str) -> str:
    """Return where a file lies in the store: 256 folders, so that none becomes too large."""
    return f"{_OBJECTS}/{sha256[:2]}/{sha256}"
