"""The program as it is started: supervisor, workers, signals, port."""

import asyncio
import contextlib
import dataclasses
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from catalog_api.settings import ApiSettings
from ring import RingSettings

HOST = "127.0.0.1"
# Three interpreters start on two cores that others may be using.
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Program:
    """A running `catalog-api` and a client that opens a connection for each request."""

    process: asyncio.subprocess.Process
    client: aiohttp.ClientSession
    run_directory: Path

    async def metric(self, name: str) -> float:
        """Return a metric without labels, or the sum over its labels."""
        async with self.client.get("/metrics") as response:
            text = await response.text()
        values = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)
        return sum(float(value) for value in values)

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text(encoding="ascii").split()]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def _start(
    port: int, *, arguments: Sequence[str] = (), **settings: str
) -> asyncio.subprocess.Process:
    # Nothing listens at the contact point: the program must live with that.
    environ = {
        "CATALOG_CONTACT_POINTS": HOST,
        "CATALOG_CQL_PORT": "1",
        "CATALOG_PORT": str(port),
        "PATH": os.environ["PATH"],
        **settings,
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "catalog_api", *arguments),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                if await holds():
                    return
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def _running(tmp_path: Path, **settings: str) -> AsyncIterator[Program]:
    port = _free_port()
    directory = tmp_path / "run"
    process = await _start(port, CATALOG_RUN_DIRECTORY=str(directory), **settings)
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(f"http://{HOST}:{port}", connector=connector) as client:
        program = Program(process, client, directory)
        try:

            async def all_answer() -> bool:
                workers = int(settings.get("CATALOG_WORKERS", "1"))
                return await program.metric("catalog_workers") == workers

            await _until(all_answer)
            yield program
        finally:
            if process.returncode is None:
                process.terminate()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await process.communicate()


async def test_worker_when_killed_then_another_starts_and_counters_stay(tmp_path: Path) -> None:
    """The supervisor replaces a dead worker; no counter goes back; the port answers throughout."""
    async with _running(tmp_path, CATALOG_WORKERS="2") as program:
        for _ in range(40):
            async with program.client.get("/products/hello") as response:
                assert response.status == 404
        counted = 0.0

        async def all_counted() -> bool:
            # What the worker that is not asked counted last is told within a second.
            nonlocal counted
            counted = await program.metric("catalog_requests_total")
            return counted >= 40

        await _until(all_counted)
        first, second = program.workers()
        os.kill(first, signal.SIGKILL)

        async def replaced() -> bool:
            workers = program.workers()
            return len(workers) == 2 and first not in workers and second in workers

        await _until(replaced)

        async def both_answer() -> bool:
            now = await program.metric("catalog_requests_total")
            assert now >= counted
            return await program.metric("catalog_workers") == 2

        await _until(both_answer)


async def test_stop_when_terminated_then_all_end_and_the_exit_code_is_0(tmp_path: Path) -> None:
    """SIGTERM is passed on; nothing is left behind."""
    async with _running(tmp_path, CATALOG_WORKERS="2") as program:
        workers = program.workers()
        program.process.terminate()
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await program.process.wait() == 0
        assert not [pid for pid in workers if _lives(pid)]


async def test_supervisor_when_killed_then_its_workers_end_too(tmp_path: Path) -> None:
    """Without their supervisor workers stop by themselves and free the port."""
    async with _running(tmp_path, CATALOG_WORKERS="2") as program:
        workers = program.workers()
        program.process.kill()
        await program.process.wait()

        async def gone() -> bool:
            return not [pid for pid in workers if _lives(pid)]

        await _until(gone)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    # A zombie has ended; who inherits it here may not collect it.
    return state != "Z"


async def test_start_when_cassandra_is_down_then_the_program_lives_and_is_not_ready(
    tmp_path: Path,
) -> None:
    """/healthz is about the process, /readyz about Cassandra; reads are 503 with Retry-After."""
    async with _running(tmp_path) as program:
        async with program.client.get("/healthz") as response:
            assert response.status == 200
        for path in ("/readyz", "/products/1", "/products"):
            async with program.client.get(path) as response:
                assert response.status == 503
                assert "Retry-After" in response.headers


async def test_start_when_no_secret_is_named_then_all_workers_share_a_random_one(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """A cookie of one worker is known by the other; the log warns of what no restart survives."""
    ring = {
        "CATALOG_CONTACT_POINTS": ",".join(ring_settings.contact_points),
        "CATALOG_CQL_PORT": str(ring_settings.cql_port),
        "CATALOG_KEYSPACE": ring_settings.keyspace,
    }
    async with _running(tmp_path, CATALOG_WORKERS="2", **ring) as program:

        async def is_ready() -> bool:
            # Each connection goes to either worker.
            statuses = set()
            for _ in range(8):
                async with program.client.get("/readyz") as response:
                    statuses.add(response.status)
            return statuses == {200}

        await _until(is_ready)
        async with program.client.post("/cart", json={"sku_id": 37}) as response:
            assert response.status == 201
            cookie = response.headers["Set-Cookie"].partition(";")[0]
        program.client.cookie_jar.clear()
        for _ in range(12):
            async with program.client.get("/cart", headers={"Cookie": cookie}) as response:
                assert await response.json() == [{"sku_id": 37, "count": 1}]
        program.process.terminate()
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, told = await program.process.communicate()
    assert told.decode().count("no CATALOG_SESSION_SECRET") == 1


async def test_start_when_the_port_is_taken_then_it_is_refused_clearly(tmp_path: Path) -> None:
    """Neither a stranger's listener nor another catalog-api shares its port with us."""
    async with _running(tmp_path) as program:
        port = program.client._base_url.port  # type: ignore[union-attr]
        assert port is not None
        second = await _start(port)
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, told = await second.communicate()
        assert second.returncode == 3
        assert f"cannot listen on {HOST}:{port}: Address already in use" in told.decode()
        assert "Traceback" not in told.decode()


async def test_start_when_a_setting_is_wrong_then_it_is_named() -> None:
    """Settings are refused before anything is started."""
    process = await _start(0, CATALOG_PROFILE="1999")
    async with asyncio.timeout(PATIENCE_SECONDS):
        _, told = await process.communicate()
    assert process.returncode == 2
    assert told.decode().startswith("catalog-api: CATALOG_PROFILE must be 2020 or 2021")


async def test_help_when_asked_then_it_lists_every_setting() -> None:
    """`--help` is the list of settings with their defaults."""
    process = await _start(0, arguments=("--help",))
    async with asyncio.timeout(PATIENCE_SECONDS):
        told, _ = await process.communicate()
    assert process.returncode == 0
    for field in dataclasses.fields(ApiSettings):
        assert f"CATALOG_{field.name.upper()} ({field.default!r})" in told.decode()


async def test_access_log_when_on_then_one_json_line_a_request(tmp_path: Path) -> None:
    """Each request leaves one line on standard output, with its id."""
    async with _running(tmp_path, CATALOG_LOG_SAMPLE="1") as program:
        async with program.client.get("/products/1", headers={"X-Request-Id": "log-me"}):
            pass
        program.process.terminate()
        async with asyncio.timeout(PATIENCE_SECONDS):
            lines, _ = await program.process.communicate()
    mine = [line for line in lines.splitlines() if b'"log-me"' in line]
    assert len(mine) == 1
    assert b'"route":"/products/{id}","status":503' in mine[0]
