"""Installs Cassandra from Maven Central, laid out as Apache's tarball would be.

Apache publishes the server's jars there, but no tarball: Maven fetches `cassandra-all` with all
that it needs at run time and verifies each checksum; scripts and configuration are our own and
stand in `ring/nodes/cassandra/`. The folder appears whole under its final name or not at all.
"""

import hashlib
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ring.nodes.errors import InstallError, MissingProgramError
from ring.nodes.locks import locked

SOURCE = Path(__file__).parent / "cassandra"
VERSION = (SOURCE / "version.txt").read_text(encoding="ascii").strip()
MANIFEST = "installed.json"
COPIED_FOLDERS = ("bin", "conf")
DISK_BYTES_NEEDED = 400 * 1024**2
MAVEN_TIMEOUT_SECONDS = 900.0
# A repository that fails once usually answers a moment later.
MAVEN_PAUSES_SECONDS = (2.0, 10.0)
LOCK_TIMEOUT_SECONDS = 960.0
# In full: the short form makes Maven look for the plugin in lists that it fetches first.
COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies"


@dataclass(frozen=True, slots=True)
class Installed:
    """A whole installation: its version, and a digest of the files of ours in it."""

    version: str
    source: str


def install_cassandra(directory: Path, *, java_home: Path, version: str = VERSION) -> bool:
    """Install a Cassandra into `directory`; return whether anything had to be done.

    Safe to call again and from two processes at once: what is complete is left alone, new scripts
    or configuration are copied over, and a damaged folder is built anew.

    Raises:
        InstallError: no disk space, no answer from the repository, …; with advice.
        MissingProgramError: Maven is not there.
    """
    lock = directory.parent / ".lock"
    busy = "another process is installing Cassandra"
    with locked(lock, timeout_seconds=LOCK_TIMEOUT_SECONDS, busy=busy):
        installed = read_installed(directory)
        fingerprint = _source_fingerprint()
        if installed is None or installed.version != version:
            _build(directory, version, fingerprint, java_home)
            return True
        if installed.source != fingerprint:
            _copy_own_files(directory)
            _write_manifest(directory, version, fingerprint)
            return True
        return False


def _build(directory: Path, version: str, fingerprint: str, java_home: Path) -> None:
    free_bytes = shutil.disk_usage(directory.parent).free
    if free_bytes < DISK_BYTES_NEEDED:
        raise InstallError(
            f"{directory.parent} has {free_bytes // 1024**2} MB free, Cassandra's files need "
            f"{DISK_BYTES_NEEDED // 1024**2} MB",
            advice="Free some disk space and run the same command again.",
        )
    # What an installation that was killed left behind; the lock says that nobody works on it.
    for left in directory.parent.glob(f".{directory.name}.*"):
        shutil.rmtree(left, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        _fetch_jars(partial / "lib", version, java_home)
        _copy_own_files(partial)
        (partial / "0.version.txt").write_text(version + "\n", encoding="ascii")
        _write_manifest(partial, version, fingerprint)
        partial.chmod(0o755)
        if directory.exists():
            shutil.rmtree(directory)
        partial.rename(directory)
    except OSError as error:
        raise InstallError(
            f"Cassandra could not be written to {directory}: {error}",
            advice="Check free disk space and permissions, then run the same command again.",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fetch_jars(lib: Path, version: str, java_home: Path) -> None:
    """Let Maven fetch and verify the server and its libraries (100 jars, 67 MB)."""
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingProgramError(
            "Maven (mvn) is not installed; it fetches Cassandra from Maven Central",
            advice="Debian and Ubuntu: sudo apt-get install maven",
        )
    # --strict-checksums: a jar whose checksum does not match fails the installation.
    # --update-snapshots: what failed to transfer is asked for again, not remembered as absent.
    command = [maven, "--batch-mode", "--quiet", "--strict-checksums", "--update-snapshots"]
    command += ["--file", str(SOURCE / "pom.xml"), f"-Dcassandra.version={version}"]
    command += [f"-DoutputDirectory={lib}", COPY_GOAL]
    if not _home_is_writable():
        # Maven keeps what it fetches in the account's home, whatever HOME says.
        command.insert(1, f"-Dmaven.repo.local={lib.parent.parent / 'maven'}")
    ends_at = time.monotonic() + MAVEN_TIMEOUT_SECONDS
    for pause_seconds in (*MAVEN_PAUSES_SECONDS, None):
        done = _run_maven(command, lib, java_home, ends_at)
        if done.returncode == 0 and any(lib.glob("cassandra-all-*.jar")):
            return
        if pause_seconds is not None:
            time.sleep(pause_seconds)
    tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
    raise InstallError(
        f"Maven could not fetch Cassandra {version}:\n{tail}",
        advice="Check the network, the disk and Maven's settings.xml (mirrors, proxies).",
    )


def _run_maven(
    command: list[str], lib: Path, java_home: Path, ends_at: float
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            cwd=lib.parent,
            env={**os.environ, "JAVA_HOME": str(java_home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=max(1.0, ends_at - time.monotonic()),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InstallError(
            f"Maven did not finish in {MAVEN_TIMEOUT_SECONDS:.0f} s",
            advice="Check the network, then run the same command again; Maven keeps what it has.",
        ) from error


def _home_is_writable() -> bool:
    try:
        home = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return False
    return os.access(home, os.W_OK | os.X_OK)


def _copy_own_files(directory: Path) -> None:
    """Copy scripts and configuration, each file replaced whole: a node may be reading it."""
    for source in _own_files():
        target = directory / source.relative_to(SOURCE)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        shutil.copyfile(source, partial)
        partial.chmod(0o755 if target.parent.name == "bin" else 0o644)
        partial.replace(target)


def _own_files() -> list[Path]:
    return sorted(
        path for folder in COPIED_FOLDERS for path in (SOURCE / folder).iterdir() if path.is_file()
    )


def _source_fingerprint() -> str:
    digest = hashlib.sha256()
    for path in _own_files():
        digest.update(str(path.relative_to(SOURCE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _write_manifest(directory: Path, version: str, fingerprint: str) -> None:
    jars = {path.name: path.stat().st_size for path in sorted((directory / "lib").iterdir())}
    content = {"version": version, "source": fingerprint, "jars": jars}
    partial = directory / f".{MANIFEST}.partial"
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    partial.replace(directory / MANIFEST)


def read_installed(directory: Path) -> Installed | None:
    """Return what is installed; None when nothing is, or when a file is missing or cut."""
    try:
        content = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        lib = directory / "lib"
        whole = all((lib / jar).stat().st_size == size for jar, size in content["jars"].items())
        own = all((directory / path.relative_to(SOURCE)).is_file() for path in _own_files())
        installed = Installed(str(content["version"]), str(content["source"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return installed if whole and own else None


def tarball_version(directory: Path) -> str | None:
    """Return which Cassandra lies in a folder, ours or an unpacked tarball; None when none does."""
    for jar in directory.glob("lib/apache-cassandra-*.jar"):
        return jar.stem.removeprefix("apache-cassandra-")
    try:
        return (directory / "0.version.txt").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
