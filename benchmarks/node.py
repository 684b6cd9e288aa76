"""A Cassandra node of the benchmarks' own: the shipped options and what a run changes in them."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from benchmarks.paths import NODE_STATE, STATE
from benchmarks.processes import Process, StartError, listens, process_cpu_seconds
from ring.nodes.install import VERSION, install_cassandra
from ring.nodes.java import find_java_home
from ring.nodes.local_ring import CORES_SHARED

CQL_PORT: Final = 9042
START_TIMEOUT_SECONDS: Final = 180.0
NODETOOL_TIMEOUT_SECONDS: Final = 900.0
SETTLE_SECONDS: Final = 30.0
# Of one core.
IDLE_SHARE: Final = 0.15


def installation() -> Path:
    """Return the folder of the pinned Cassandra, installed when it was missing."""
    directory = STATE / "cassandra" / VERSION
    install_cassandra(directory, java_home=find_java_home())
    return directory


class Node:
    """One node on one address, all its files in one folder; a context manager.

    `options` are top-level keys of cassandra.yaml with their values as YAML text; `jvm` are flags
    that come after the shipped ones; `seed` is the address of a node to join, itself by default.
    One that `shares_cores` with other nodes leaves them more of these: coarse timers, and code
    compiled quickly rather than thoroughly, so that a start does not take the cores for minutes.
    """

    def __init__(
        self,
        name: str,
        *,
        address: str = "127.0.30.1",
        options: Mapping[str, str] | None = None,
        jvm: tuple[str, ...] = (),
        heap: str = "1024M",
        jmx_port: int = 7330,
        seed: str = "",
        shares_cores: bool = False,
    ) -> None:
        self.address = address
        self.options = dict(options or {})
        self.jvm = (*jvm, "-XX:TieredStopAtLevel=1") if shares_cores else jvm
        self.heap = heap
        self.folder = NODE_STATE / name
        self._jmx_port = jmx_port
        self._seed = seed
        self._shared = CORES_SHARED if shares_cores else {}
        self._installation = installation()
        self._process: Process | None = None

    def __repr__(self) -> str:
        """Address and options, for logs."""
        return f"<Node {self.address} {self.options} {self.jvm}>"

    @property
    def contact(self) -> str:
        """Host and port of the CQL server."""
        return f"{self.address}:{CQL_PORT}"

    @property
    def pid(self) -> int:
        """The process id of the JVM."""
        if self._process is None:
            raise StartError("the node was not started")
        return self._process.pid

    def wipe(self) -> Self:
        """Remove all data of an earlier run; only while it is stopped."""
        shutil.rmtree(self.folder, ignore_errors=True)
        return self

    def start(self) -> Self:
        """Start and wait until the CQL port is open.

        Raises:
            StartError: it ended, or was not ready in `START_TIMEOUT_SECONDS`.
        """
        self.launch()
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def launch(self) -> None:
        """Start, and do not wait."""
        if listens(self.address, CQL_PORT):
            raise StartError(f"{self.contact} is taken: another benchmark runs")
        conf = self._write_configuration()
        logs = self.folder / "logs"
        self._process = Process(
            "cassandra",
            [
                self._installation / "bin" / "cassandra",
                "-f",
                "-R",
                *self._gossip_arguments(),
                f"-Dcassandra.logdir={logs}",
            ],
            log=logs / "startup.log",
            environ=self._environ(conf),
            stop_seconds=60,
        ).start()

    def wait(self) -> None:
        """Wait until the CQL port is open.

        Raises:
            StartError: it ended, or was not ready in `START_TIMEOUT_SECONDS`.
        """
        process = self._process
        if process is None:
            raise StartError("the node was not started")
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not listens(self.address, CQL_PORT):
            process.check_alive()
            if time.monotonic() > deadline:
                raise StartError(f"{self.contact} did not open; see {process.log}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop the node and wait for its end."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """End the JVM at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    @property
    def running(self) -> bool:
        """Whether it was started and not ended by this program."""
        return self._process is not None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the JVM."""
        os.kill(self.pid, number)

    def cpu_seconds(self) -> float:
        """CPU time the JVM has used so far."""
        return process_cpu_seconds(self.pid)

    def nodetool(self, *arguments: str) -> str:
        """Run nodetool against this node and return what it prints."""
        command = [str(self._installation / "bin" / "nodetool"), "-p", str(self._jmx_port)]
        done = subprocess.run(
            command + list(arguments),
            env=self._environ(self.folder / "conf"),
            capture_output=True,
            text=True,
            timeout=NODETOOL_TIMEOUT_SECONDS,
            check=True,
        )
        return done.stdout

    def disk_bytes(self, keyspace: str, table: str) -> int:
        """Return the size of a table's SSTables."""
        return sum(path.stat().st_size for path in self._table_files(keyspace, table))

    def sstables(self, keyspace: str, table: str) -> int:
        """Return how many SSTables a table has."""
        return sum(path.name.endswith("-Data.db") for path in self._table_files(keyspace, table))

    def settle(self) -> None:
        """Wait until the node idles, at most `SETTLE_SECONDS`: a start goes on for a while."""
        ends_at = time.monotonic() + SETTLE_SECONDS
        used = self.cpu_seconds()
        while time.monotonic() < ends_at:
            time.sleep(1.0)
            before, used = used, self.cpu_seconds()
            if used - before < IDLE_SHARE:
                return

    def __enter__(self) -> Self:
        """Start, unless it runs already."""
        return self if self._process is not None else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _table_files(self, keyspace: str, table: str) -> list[Path]:
        folders = (self.folder / "data" / keyspace).glob(f"{table}-*")
        return [path for folder in folders for path in folder.iterdir() if path.is_file()]

    def _gossip_arguments(self) -> list[str]:
        # Nobody to hear from: the eight seconds that gossip gets to settle are for others.
        alone = self._seed == "" and self.options.get("auto_bootstrap") is None
        return ["-Dcassandra.skip_wait_for_gossip_to_settle=0"] if alone else []

    def _environ(self, conf: Path) -> dict[str, str]:
        return {
            **os.environ,
            **self._shared,
            "JAVA_HOME": str(find_java_home()),
            "CASSANDRA_CONF": str(conf),
            "MAX_HEAP_SIZE": self.heap,
            # Glibc would keep up to eight arenas a core for a process of a hundred threads.
            "MALLOC_ARENA_MAX": "2",
            "JVM_EXTRA_OPTS": " ".join(self.jvm),
        }

    def _write_configuration(self) -> Path:
        conf = self.folder / "conf"
        shutil.copytree(self._installation / "conf", conf, dirs_exist_ok=True)
        yaml = conf / "cassandra.yaml"
        text = yaml.read_text(encoding="utf-8")
        for key, value in {**self._placement(), **self.options}.items():
            text = set_option(text, key, value)
        yaml.write_text(text, encoding="utf-8")
        env = conf / "cassandra-env.sh"
        ported = re.sub(r"(?m)^JMX_PORT=.*$", f"JMX_PORT={self._jmx_port}", env.read_text())
        env.write_text(ported, encoding="utf-8")
        return conf

    def _placement(self) -> dict[str, str]:
        """Return the options that say where the node lives."""
        seed = self._seed or self.address
        seeds = f'[{{class_name: "{SEED_PROVIDER}", parameters: [{{seeds: "{seed}"}}]}}]'
        return {
            "cluster_name": "benchmark",
            "listen_address": self.address,
            "rpc_address": self.address,
            "seed_provider": seeds,
            "data_file_directories": f'["{self.folder / "data"}"]',
            "commitlog_directory": f'"{self.folder / "commitlog"}"',
            "saved_caches_directory": f'"{self.folder / "saved_caches"}"',
            "hints_directory": f'"{self.folder / "hints"}"',
            "cdc_raw_directory": f'"{self.folder / "cdc_raw"}"',
        }


SEED_PROVIDER: Final = "org.apache.cassandra.locator.SimpleSeedProvider"


def set_option(yaml: str, key: str, value: str) -> str:
    """Return `yaml` with one top-level key, and all below it, replaced.

    The value goes on one line in YAML's flow style; an empty value removes the key.
    """
    kept = re.sub(rf"(?m)^{re.escape(key)}:.*\n(?:[ \t-].*\n)*", "", yaml)
    return f"{kept.rstrip()}\n{key}: {value}\n" if value else kept
