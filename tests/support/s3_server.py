"""A real S3-compatible server: S3Proxy, which keeps objects in a folder and verifies signatures."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ring.nodes.java import find_java_home
from ring.nodes.locks import locked
from ring.nodes.settings import StackSettings

_SOURCE: Final = Path(__file__).parent / "s3proxy"
_START_SECONDS: Final = 120.0
_BUCKET: Final = "backups"
_KEY: Final = "catalog"
_SECRET: Final = "only for tests"  # noqa: S105 - of a server that lives as long as a test
_PROPERTIES: Final = """\
s3proxy.endpoint={endpoint}
s3proxy.authorization=aws-v4
s3proxy.identity={key}
s3proxy.credential={secret}
jclouds.provider=filesystem-nio2
jclouds.identity=none
jclouds.credential=none
jclouds.filesystem.basedir={folder}
"""


@contextmanager
def s3_server(directory: Path, address: str, port: int) -> Iterator[dict[str, str]]:
    """Run a server with one bucket, `s3://backups`; yield the variables that clients need.

    Args:
        directory: an empty folder; the bucket's objects are files below `objects/backups`.
        address: to listen on.
        port: to listen on.
    """
    folder = directory / "objects"
    (folder / _BUCKET).mkdir(parents=True)
    endpoint = f"http://{address}:{port}"
    properties = directory / "s3.properties"
    text = _PROPERTIES.format(endpoint=endpoint, key=_KEY, secret=_SECRET, folder=folder)
    properties.write_text(text, encoding="utf-8")
    java = find_java_home() / "bin" / "java"
    command = [str(java), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    command += [f"-Dlogback.configurationFile={_SOURCE / 'logback.xml'}"]
    command += ["-cp", f"{_libraries(os.environ)}/*", "org.gaul.s3proxy.Main"]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--properties", str(properties)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(server, address, port, directory / "log")
        yield {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": _KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
        }
    finally:
        server.kill()
        server.wait()


def _wait(server: subprocess.Popen[bytes], address: str, port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection((address, port), timeout=1.0).close()
        except OSError:
            assert server.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.2)
        else:
            return


def _libraries(environ: Mapping[str, str]) -> Path:
    """Return the folder of the server's jars, which Maven fetches once."""
    own = {name: value for name, value in environ.items() if name == "CATALOG_STATE_DIRECTORY"}
    folder = StackSettings.from_environ(own).state / "s3proxy"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock"), timeout_seconds=600.0, busy="another test fetches"):
        done = folder / "pom.xml"
        wanted = (_SOURCE / "pom.xml").read_bytes()
        if not done.exists() or done.read_bytes() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            command = ["mvn", "--batch-mode", "--quiet", "--file", str(_SOURCE / "pom.xml")]
            command += ["dependency:copy-dependencies", "-DincludeScope=runtime"]
            subprocess.run([*command, f"-DoutputDirectory={folder}"], check=True, timeout=600)
            # Last: a folder without it is not whole.
            done.write_bytes(wanted)
    return folder
