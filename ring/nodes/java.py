"""Finds the Java 17 that Cassandra 5.0 runs on, even where another Java is the default."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ring.nodes.errors import MissingProgramError

JAVA_VERSION = 17
ADVICE = (
    "Install Java 17 (Debian and Ubuntu: sudo apt-get install openjdk-17-jre-headless), or set "
    "JAVA_HOME to one."
)


def find_java_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of a Java 17: JAVA_HOME, else the one on PATH, else one in /usr/lib/jvm.

    Raises:
        MissingProgramError: there is none; the message names those of other versions.
    """
    seen: list[str] = []
    for home in _candidates(environ):
        version = java_version(home)
        if version == JAVA_VERSION:
            return home
        if version is not None:
            seen.append(f"{home} is Java {version}")
    found = "; ".join(dict.fromkeys(seen)) or "no Java was found"
    raise MissingProgramError(f"Cassandra needs Java {JAVA_VERSION}: {found}", advice=ADVICE)


def java_version(home: Path) -> int | None:
    """Return the feature version (17, 21, …) of a Java folder; None when it cannot be run."""
    try:
        done = subprocess.run(
            [home / "bin" / "java", "-version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    return int(match[1]) if match else None


def tool_command(
    java_home: Path,
    install_directory: Path,
    main: str,
    *arguments: str,
    heap_mib: int,
    options: Sequence[str] = (),
    classes: Sequence[Path] = (),
) -> list[str]:
    """Return the command that runs a program of Cassandra's classes, or of ours beside them.

    Args:
        java_home: a Java 17.
        install_directory: a Cassandra laid out as Apache's tarball.
        main: the class to run.
        arguments: for it.
        heap_mib: the most that its heap takes.
        options: of the JVM, besides.
        classes: folders of classes that come before Cassandra's.
    """
    conf = install_directory / "conf"
    modules = (conf / "jvm17-modules.options").read_text(encoding="utf-8").splitlines()
    class_path = [*classes, conf, install_directory / "lib" / "*"]
    return [
        str(java_home / "bin" / "java"),
        f"-Xmx{heap_mib}m",
        # The least memory; collections take a few hundredths of the time, whoever does them.
        "-XX:+UseSerialGC",
        *(line for line in modules if line.startswith("-")),
        *options,
        "-cp",
        ":".join(map(str, class_path)),
        main,
        *arguments,
    ]


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    if environ.get("JAVA_HOME"):
        yield Path(environ["JAVA_HOME"])
    on_path = shutil.which("java", path=environ.get("PATH"))
    if on_path:
        yield Path(on_path).resolve().parent.parent
    yield from sorted(Path("/usr/lib/jvm").glob(f"*{JAVA_VERSION}*"))
