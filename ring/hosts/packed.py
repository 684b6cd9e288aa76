"""What is copied to hosts: files with their digests, named by their content."""

import hashlib
import importlib.metadata
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from ring.hosts.agent.wire import file_digest
from ring.nodes.errors import InstallError
from ring.nodes.install import MANIFEST

OUR_PACKAGES: Final = ("catalog_api", "schema", "ring", "nginx")
"""What an app server and nginx's renderer are made of, of ours."""
_DISTRIBUTION: Final = "catalog"
# For loads and for rings on this machine; an app server does without their 80 MB.
_NOT_ON_HOSTS: Final = frozenset({"ccm", "duckdb", "setuptools"})
_NAME_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class PackedFile:
    """One file: where it shall be, where it is, and what it holds."""

    path: str
    source: Path
    mode: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Packed:
    """Files that are installed together.

    Attributes:
        kind: `cassandra` or `app`.
        label: before the digest in the installation's name; a version, or empty.
        files: by their paths.
    """

    kind: str
    label: str
    files: tuple[PackedFile, ...]

    @cached_property
    def name(self) -> str:
        """Its name on a host: other contents have other names."""
        digest = hashlib.sha256(repr(self.entries).encode()).hexdigest()[:_NAME_BYTES]
        return f"{self.label}-{digest}" if self.label else digest

    @cached_property
    def entries(self) -> list[tuple[str, int, int, str]]:
        """What the agent is told of each file."""
        return [(file.path, file.mode, file.size, file.sha256) for file in self.files]

    def sources(self, digests: Iterable[str]) -> list[Path]:
        """Return a file for each of these contents, in their order."""
        by_digest = {file.sha256: file.source for file in self.files}
        return [by_digest[digest] for digest in digests]


def pack_cassandra(folder: Path, version: str) -> Packed:
    """Pack an installed Cassandra: ours, or an unpacked tarball.

    Raises:
        InstallError: there is none.
    """
    if not (folder / "bin" / "cassandra").is_file():
        raise InstallError(f"{folder} is no Cassandra: it has no bin/cassandra")
    parts = [folder / part for part in ("bin", "conf", "lib", "0.version.txt")]
    files = (path for part in parts for path in ([part] if part.is_file() else part.rglob("*")))
    wanted = ((path, path.relative_to(folder)) for path in files if path.name != MANIFEST)
    return Packed("cassandra", version, _pack(wanted))


def pack_app() -> Packed:
    """Pack our own packages of this checkout, and the libraries that they run with here.

    They are the files that this Python imports, so a host needs the same one: no package index is
    asked, here or there.

    Raises:
        InstallError: a library is missing here.
    """
    return Packed("app", "", _pack([*_own_files(), *_library_files()]))


def _own_files() -> Iterator[tuple[Path, Path]]:
    root = Path(__file__).parents[2]
    for package in OUR_PACKAGES:
        for path in (root / package).rglob("*"):
            yield path, path.relative_to(root)


def _library_files() -> Iterator[tuple[Path, Path]]:
    for distribution in _libraries():
        files = distribution.files
        if files is None:
            raise InstallError(f"{distribution.name} does not say which files it has")
        for file in files:
            # Programs of a library stand beside the packages, and are not needed.
            if ".." not in file.parts:
                yield Path(str(file.locate())), Path(*file.parts)


def _libraries() -> Iterator[importlib.metadata.Distribution]:
    """Yield what our packages require here, and what that requires in turn."""
    waiting = [
        name
        for name, _ in _requirements(importlib.metadata.distribution(_DISTRIBUTION))
        if name not in _NOT_ON_HOSTS
    ]
    seen = set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        found = importlib.metadata.distribution(name)
        yield found
        waiting += [
            name for name, optional in _requirements(found) if not optional or _is_here(name)
        ]


def _requirements(distribution: importlib.metadata.Distribution) -> Iterator[tuple[str, bool]]:
    """Yield the name of each requirement, and whether it may be absent on some Pythons."""
    for text in distribution.requires or ():
        wanted, _, condition = text.partition(";")
        name = re.match(r"[A-Za-z0-9._-]+", wanted.strip())
        if name is not None and "extra" not in condition:
            yield re.sub(r"[-_.]+", "-", name[0]).lower(), bool(condition)


def _is_here(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _pack(files: Iterable[tuple[Path, Path]]) -> tuple[PackedFile, ...]:
    packed = {}
    for source, path in files:
        if not source.is_file() or "__pycache__" in path.parts:
            continue
        found = source.stat()
        mode = 0o755 if found.st_mode & stat.S_IXUSR else 0o644
        packed[str(path)] = PackedFile(str(path), source, mode, found.st_size, file_digest(source))
    return tuple(packed[path] for path in sorted(packed))
