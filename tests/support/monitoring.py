"""An exporter and a Prometheus, as they are started by a person, for tests."""

import asyncio
import contextlib
import http.client
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from ring.monitoring.prometheus import Prometheus
from ring.nodes.settings import REPOSITORY
from tests.support.alert_rules import MONITORING, RULES

_PATIENCE_SECONDS: Final = 60.0
SCRAPE_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running `catalog-ring exporter`."""

    process: subprocess.Popen[str]
    port: int

    def page(self, path: str = "/metrics", *, timeout_seconds: float = 30.0) -> tuple[int, str]:
        """Return the status and the text of a page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_seconds)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def figures(self) -> dict[str, float]:
        """Return every sample of the page by its name with its labels, as the page has it."""
        lines = self.page()[1].splitlines()
        samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}


@contextmanager
def running_exporter(environ: Mapping[str, str], port: int, log: Path) -> Iterator[Exporter]:
    """Yield an exporter that runs for as long as the block; it must end well when asked to."""
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            [sys.executable, "-m", "ring", "exporter", "--port", str(port)],
            cwd=REPOSITORY,
            env=dict(environ),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        exporter = Exporter(process, port)
        try:
            _wait_until_answered(port, "/healthz", process, log)
            yield exporter
        finally:
            process.terminate()
            try:
                ended = process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    assert ended == 0, log.read_text(encoding="utf-8")


@contextmanager
def running_prometheus(folder: Path, port: int, exporter_port: int) -> Iterator[Prometheus]:
    """Yield a real Prometheus with our configuration, but for its ports and its pace."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.fail("prometheus is missing: sh ring/nodes/install_packages.sh prometheus")
    text = (MONITORING / "prometheus.yml").read_text(encoding="utf-8")
    for ours, here in (
        ("127.0.0.1:9180", f"127.0.0.1:{exporter_port}"),
        ("interval: 15s", f"interval: {SCRAPE_SECONDS}s"),
        ("timeout: 12s", f"timeout: {SCRAPE_SECONDS}s"),
        ("interval: 30s", f"interval: {SCRAPE_SECONDS}s"),
    ):
        assert ours in text
        text = text.replace(ours, here)
    config = folder / "prometheus.yml"
    config.write_text(text, encoding="utf-8")
    shutil.copyfile(RULES, folder / RULES.name)
    log = folder / "prometheus.log"
    with (
        log.open("w", encoding="utf-8") as output,
        subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            _wait_until_answered(port, "/-/ready", process, log)
            yield Prometheus(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_answered(
    port: int, path: str, process: "subprocess.Popen[str] | subprocess.Popen[bytes]", log: Path
) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                connection.close()
                return
        connection.close()
        time.sleep(0.1)
    pytest.fail(f"nothing answers on port {port}: {log.read_text(encoding='utf-8')}")


async def wait_for(prometheus: Prometheus, expression: str) -> float:
    """Return the first value that an expression has, as soon as it has one that is not zero."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            samples = await prometheus.query(expression)
            if samples and samples[0].value:
                return samples[0].value
            await asyncio.sleep(0.5)
