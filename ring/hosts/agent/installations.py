"""Installed files, side by side: a folder for each content, and links to those in use.

A folder appears whole under its final name or not at all; every file is held to its SHA-256. What
other installations have already is copied here rather than sent again.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ring.hosts.agent.call import Answer, Call
from ring.hosts.agent.packages import check_packages
from ring.hosts.agent.place import Place
from ring.hosts.agent.services import APP
from ring.hosts.agent.wire import Exchange, TransferError, file_digest
from ring.nodes.errors import InstallError

MANIFEST: Final = ".manifest.json"
DISK_BYTES_LEFT: Final = 200 * 1024**2


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of an installation."""

    path: PurePosixPath
    mode: int
    size: int
    sha256: str

    def is_in(self, folder: Path) -> bool:
        """Whether the file is there, unharmed."""
        file = folder / self.path
        try:
            return file.stat().st_size == self.size and file_digest(file) == self.sha256
        except OSError:
            return False


def read_entries(request: Mapping[str, Any]) -> tuple[FileEntry, ...]:
    """Return the files of a request: `[path, mode, bytes, sha256]` each.

    Raises:
        InstallError: a path leads out of the folder.
    """
    entries = tuple(
        FileEntry(PurePosixPath(path), mode, size, sha256)
        for path, mode, size, sha256 in request["files"]
    )
    for entry in entries:
        if entry.path.is_absolute() or ".." in entry.path.parts:
            raise InstallError(f"{entry.path} leads out of the installation")
    return entries


def find_missing(call: Call) -> Answer:
    """Answer whether an installation is complete, and what has to be sent for it.

    An installation that is complete becomes the one that the next start takes.
    """
    place, request = call.place, call.request
    kind, name = request["kind"], request["name"]
    entries = read_entries(request)
    folder = place.installations(kind) / name
    if _is_whole(folder) and all(entry.is_in(folder) for entry in entries):
        changed = _link(place.installed(kind), name)
        return {"complete": True, "changed": changed, "missing": []}
    here = _contents_here(place.installations(kind))
    missing = dict.fromkeys(entry.sha256 for entry in entries if entry.sha256 not in here)
    return {"complete": False, "changed": True, "missing": list(missing)}


def install(call: Call) -> Answer:
    """Build an installation of what is sent (`sent`: digests, in order) and what is here.

    Raises:
        InstallError: no room, a file that is neither here nor sent, or packages that do not run.
        TransferError: a file did not arrive as it was sent.
    """
    place, request = call.place, call.request
    kind, name = request["kind"], request["name"]
    entries = read_entries(request)
    root = place.installations(kind)
    root.mkdir(parents=True, exist_ok=True)
    # What an installation that was killed left behind; the lock says that nobody works on it.
    for left in root.glob(".new.*"):
        shutil.rmtree(left, ignore_errors=True)
    _check_room(root, entries)
    partial = Path(tempfile.mkdtemp(prefix=".new.", dir=root))
    try:
        sources = _receive(call.exchange, entries, partial)
        _arrange(root, entries, partial, sources)
        if kind == APP:
            check_packages(partial / "files")
        target = root / name
        if target.exists():
            # Harmed, and maybe in use: what runs finds the same files at the same paths again.
            target.rename(partial / "harmed")
        (partial / "files").rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _link(place.installed(kind), name)
    _remove_unused(root)
    return {}


def use_installed(place: Place, kind: str, service: str) -> Path:
    """Note that a service is started from what is installed, and return that folder.

    Raises:
        InstallError: nothing is installed.
    """
    installed = place.installed(kind)
    if not installed.is_dir():
        raise InstallError(
            f"{kind} is not installed below {place.directory}", advice="Install the host first."
        )
    folder = installed.resolve()
    _link(place.in_use(kind, service), folder.name)
    return folder


def installed_version(place: Place) -> str | None:
    """Return the version of the Cassandra that the next start takes; None when there is none."""
    link = place.installed("cassandra")
    if not link.is_dir():
        return None
    # Named VERSION-DIGEST; a version may have a hyphen of its own.
    return link.readlink().name.rpartition("-")[0]


def _receive(exchange: Exchange, entries: tuple[FileEntry, ...], partial: Path) -> dict[str, Path]:
    """Take what is sent; return where each content lies."""
    sizes = {entry.sha256: entry.size for entry in entries}
    sources = {}
    for number, sha256 in enumerate(exchange.request["sent"]):
        target = partial / str(number)
        if exchange.receive(sizes[sha256], target) != sha256:
            raise TransferError(f"a file of {exchange.request['name']} came changed")
        sources[sha256] = target
    return sources


def _arrange(
    root: Path, entries: tuple[FileEntry, ...], partial: Path, sources: dict[str, Path]
) -> None:
    here = _contents_here(root)
    files = partial / "files"
    for entry in entries:
        target = files / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        source = sources.get(entry.sha256) or here.get(entry.sha256)
        if source is None:
            raise InstallError(f"{entry.path} was not sent", advice="Run the same command again.")
        shutil.copyfile(source, target)
        target.chmod(entry.mode)
        if not entry.is_in(files):
            raise InstallError(f"{entry.path} was harmed meanwhile", advice="Is the disk sound?")
    for folder in (files, *(path for path in files.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    content = {"files": [[str(e.path), e.mode, e.size, e.sha256] for e in entries]}
    (files / MANIFEST).write_text(json.dumps(content), encoding="utf-8")


def _contents_here(root: Path) -> dict[str, Path]:
    """Return the unharmed files of all installations, by what they hold."""
    found = {}
    for manifest in sorted(root.glob(f"*/{MANIFEST}")):
        folder = manifest.parent
        if folder.is_symlink():
            continue
        for entry in read_entries(json.loads(manifest.read_text(encoding="utf-8"))):
            if entry.is_in(folder):
                found[entry.sha256] = folder / entry.path
    return found


def _is_whole(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def _check_room(root: Path, entries: tuple[FileEntry, ...]) -> None:
    # Twice: as it is sent, and in its place.
    needed = 2 * sum(entry.size for entry in entries) + DISK_BYTES_LEFT
    free = shutil.disk_usage(root).free
    if free < needed:
        raise InstallError(
            f"{root} has {free // 1024**2} MiB free, an installation needs {needed // 1024**2} MiB",
            advice="Free some disk space and run the same command again.",
        )


def _link(link: Path, name: str) -> bool:
    """Let a link lead to a folder beside it; return whether it led elsewhere."""
    if link.is_symlink() and str(link.readlink()) == name:
        return False
    partial = link.with_name(f".{link.name}.partial")
    partial.unlink(missing_ok=True)
    partial.symlink_to(name)
    partial.replace(link)
    return True


def _remove_unused(root: Path) -> None:
    used = {str(link.readlink()) for link in root.iterdir() if link.is_symlink()}
    for folder in root.iterdir():
        if folder.is_dir() and not folder.is_symlink() and folder.name not in used:
            shutil.rmtree(folder, ignore_errors=True)
