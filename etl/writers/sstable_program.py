"""The Java program in `etl/sstables/`: compiled once a version, started with bounded memory.

It is compiled by the compiler that Cassandra itself brings along (for functions in Java), so a Java
to run Cassandra is enough; no JDK is needed.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from etl.writers.staging import StagingError
from ring.nodes.bulk_loader import RingAccess, loader_command
from ring.nodes.java import find_java_home, tool_command

SOURCES: Final = Path(__file__).parents[1] / "sstables"
WRITER: Final = "catalog.sstables.Program"
IMPORTER: Final = "catalog.sstables.Importer"
# Cassandra is asked for nothing that its log is needed for but errors.
_LOGGING: Final = f"-Dlogback.configurationFile={SOURCES / 'logback.xml'}"
COMPILER: Final = "org.eclipse.jdt.internal.compiler.batch.Main"
COMPILE_TIMEOUT_SECONDS: Final = 120.0
# The libraries that the sources name. Not all: one brings a java.util of its own along, which the
# compiler does not accept beside Java's.
_NAMED: Final = ("apache-cassandra-", "cassandra-all-", "guava-", "jackson-", "slf4j-api-")


@dataclass(frozen=True, slots=True)
class SstableProgram:
    """How to run the program.

    Attributes:
        java_home: a Java 17.
        install_directory: a Cassandra laid out as Apache's tarball.
        classes: the compiled classes.
    """

    java_home: Path
    install_directory: Path
    classes: Path

    def command(
        self, main: str, *arguments: str, heap_mib: int, options: Sequence[str] = ()
    ) -> list[str]:
        """Return the command that runs one of the main classes.

        Args:
            main: its name.
            arguments: for it.
            heap_mib: the most that its heap takes.
            options: of the JVM, besides.
        """
        return tool_command(
            self.java_home,
            self.install_directory,
            main,
            *arguments,
            heap_mib=heap_mib,
            options=[_LOGGING, *options],
            classes=[self.classes],
        )

    def loader_command(
        self, folder: Path, ring: RingAccess, *, scratch: Path, ignored: Sequence[str]
    ) -> list[str]:
        """Return the command that streams a folder; see `ring.nodes.bulk_loader`."""
        return loader_command(
            self.install_directory,
            self.java_home,
            folder,
            ring,
            scratch=scratch,
            ignored=ignored,
            options=[_LOGGING],
        )


def prepare_program(
    install_directory: Path, cache_directory: Path, *, sources: Path = SOURCES
) -> SstableProgram:
    """Return the program, compiled when it was not.

    Args:
        install_directory: a Cassandra with `lib/` and `conf/`, see `ring.nodes.install`.
        cache_directory: keeps the classes by a hash of the sources and of Cassandra's version.
        sources: a folder of Java files.

    Raises:
        MissingProgramError: there is no Java 17.
        StagingError: there is no Cassandra, or it is one that the program does not fit.
    """
    java_home = find_java_home()
    jars = sorted((install_directory / "lib").glob("*.jar"))
    if not any(jar.name.startswith(_NAMED[:2]) for jar in jars):
        raise StagingError(f"{install_directory} holds no Cassandra")
    files = sorted(sources.glob("*.java"))
    classes = cache_directory / _fingerprint(files, jars)
    if not classes.is_dir():
        _compile(java_home, jars, files, classes)
    return SstableProgram(java_home, install_directory, classes)


def _fingerprint(sources: Sequence[Path], jars: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    for jar in jars:
        digest.update(f"{jar.name} {jar.stat().st_size}\n".encode())
    return digest.hexdigest()[:24]


def _compile(java_home: Path, jars: Sequence[Path], sources: Sequence[Path], classes: Path) -> None:
    """Compile into a folder that appears whole or not at all."""
    classes.parent.mkdir(parents=True, exist_ok=True)
    compiler = os.pathsep.join(str(jar) for jar in jars if jar.name.startswith("ecj-"))
    class_path = os.pathsep.join(str(jar) for jar in jars if jar.name.startswith(_NAMED))
    partial = Path(tempfile.mkdtemp(prefix=f".{classes.name}.", dir=classes.parent))
    command = [
        str(java_home / "bin" / "java"),
        "-Xmx256m",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        compiler,
        COMPILER,
    ]
    command += ["-17", "-nowarn", "-proc:none", "-encoding", "UTF-8", "-cp", class_path]
    command += ["-d", str(partial), *map(str, sources)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMPILE_TIMEOUT_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise StagingError(
                "the SSTable writer does not fit this Cassandra:\n"
                f"{(done.stdout + done.stderr).strip()[-2000:]}"
            )
        try:
            partial.rename(classes)
        except OSError:
            # Another load compiled the same in the meantime.
            if not classes.is_dir():
                raise
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StagingError(f"the SSTable writer could not be compiled: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
