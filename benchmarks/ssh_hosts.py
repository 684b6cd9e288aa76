"""Hosts to rehearse on: network namespaces on a bridge, each with its own address and sshd.

A program enters a network, a mount table and a process table of its own (`enter_own_machine`), and
makes hosts there (`HostNetwork`). A host sees neither the checkout nor the account's home, so only
what was installed on it can run; its folder `/srv` is its own. Everything ends with the program,
however that ends: the kernel takes the processes with the process table.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.cql_load import LoadError
from ring.nodes.java import find_java_home
from ring.nodes.probes import listens
from ring.nodes.process import command_line
from ring.nodes.settings import REPOSITORY

MARK: Final = "CATALOG_BENCHMARK_MACHINE"
PREFIX: Final = "10.77.2."
OPERATOR: Final = "operator"
DIRECTORY: Final = "/srv/catalog"
SSH_PORT: Final = 22
FIRST_HOST: Final = 11
COMES_UP_SECONDS: Final = 60.0
HOSTS_PYTHON: Final = os.path.realpath(sys.executable)
"""What hosts see of this machine's Python: the interpreter, without the packages beside it."""
_BRIDGE: Final = "catalog0"
_LOCAL_RULE: Final = "100"
_DROP_RULE: Final = "10"

_BOOT: Final = """\
set -eu
hostname {name}
mount --bind {folder} /srv
{keep}mount -t tmpfs tmpfs /run
mkdir /run/sshd
{hide}{restore}ip link set lo up
until ip link show eth0 >/dev/null 2>&1; do sleep 0.02; done
ip address add {address}/24 dev eth0
ip link set eth0 up
{rules}cd /
exec {sshd} -D -f /srv/sshd/config -E /srv/sshd/log
"""
_SSHD_CONFIG: Final = """\
Port {port}
HostKey /srv/sshd/host_key
AuthorizedKeysFile /srv/sshd/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PidFile none
LogLevel ERROR
"""
# The rules of a cut come before the one that finds local addresses.
_RULES: Final = (
    f"ip rule add pref {_LOCAL_RULE} lookup local\n",
    "ip rule del pref 0\n",
)


def machine_command() -> list[str]:
    """Return what runs the command behind it with network, mounts and processes of its own.

    Raises:
        LoadError: only root may do that, or a program is missing.
    """
    if os.geteuid() != 0:
        raise LoadError("only root can make hosts with an sshd of their own")
    for program, package in (
        ("unshare", "util-linux"),
        ("ip", "iproute2"),
        ("sshd", "openssh-server"),
    ):
        if _which(program) is None:
            raise LoadError(f"{program} is missing ({package})")
    return [
        "unshare",
        "--net",
        "--mount",
        "--uts",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]


def enter_own_machine(module: str) -> None:
    """Continue on a machine of its own, as far as this program can see: returns there only.

    Raises:
        LoadError: see `machine_command`.
    """
    if os.environ.get(MARK) == "1":
        return
    command = [*machine_command(), sys.executable, "-m", module, *sys.argv[1:]]
    sys.stdout.flush()
    os.execvpe(command[0], command, {**os.environ, MARK: "1"})  # noqa: S606 -- no shell is wanted


@dataclass(slots=True)
class NamespaceHost:
    """One host.

    Attributes:
        name: its hostname.
        address: on the bridge.
        folder: what the host sees as `/srv`.
    """

    name: str
    address: str
    folder: Path
    _machine: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def directory(self) -> Path:
        """What the host sees as `/srv/catalog`, seen from the operator."""
        return self.folder / "catalog"

    def power_on(self) -> None:
        """Start the host, and wait until its sshd answers.

        Raises:
            LoadError: it does not; the message has what it said.
        """
        veth = f"veth-{self.name}"
        log = self.folder / "sshd" / "boot.log"
        with log.open("wb") as out:
            self._machine = subprocess.Popen(
                [*machine_command(), "/bin/sh", str(self.folder / "sshd" / "boot.sh")],
                stdin=subprocess.DEVNULL,
                stderr=out,
            )
        while self._namespace() == _namespace_of(os.getpid()):
            time.sleep(0.01)
        peer = ["type", "veth", "peer", "name", "eth0", "netns", str(self._machine.pid)]
        # The same after a power failure, or others would go on to send to the address of before.
        _ip("link", "add", veth, *peer[:3], "address", _hardware_address(self.address), *peer[3:])
        _ip("link", "set", veth, "master", _BRIDGE, "up")
        give_up_at = time.monotonic() + COMES_UP_SECONDS
        while not listens(self.address, SSH_PORT, timeout_seconds=0.2):
            if self._machine.poll() is not None or time.monotonic() > give_up_at:
                self.power_off()
                raise LoadError(f"{self.name} did not come up: {log.read_text('utf-8')}")
            time.sleep(0.05)

    def power_off(self) -> None:
        """End all of the host's processes at once."""
        if self._machine is not None and self._machine.poll() is None:
            # Not left to the kernel, so that the host can be started again at once.
            subprocess.run(
                ["ip", "link", "del", f"veth-{self.name}"], capture_output=True, check=False
            )
            self._machine.kill()
            self._machine.wait()

    def pids(self, words: str) -> list[int]:
        """Return the processes on the host whose command line contains these words."""
        own = self._namespace()
        machine = self._machine.pid if self._machine else 0
        found = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
        return [
            pid
            for pid in sorted(found)
            if pid != machine and _namespace_of(pid) == own and words in " ".join(command_line(pid))
        ]

    def signal(self, words: str, number: signal.Signals) -> int:
        """Send a signal to the host's processes whose command line contains these words."""
        pids = self.pids(words)
        for pid in pids:
            os.kill(pid, number)
        return len(pids)

    def run(self, *command: str) -> None:
        """Run a command in the host's network and among its mounts.

        Raises:
            LoadError: it failed.
        """
        assert self._machine is not None
        _run(["nsenter", f"--target={self._machine.pid}", "--net", "--mount", *command])

    def _namespace(self) -> str:
        return _namespace_of(self._machine.pid) if self._machine else ""


class HostNetwork:
    """A bridge with hosts on it; this program is the operator's machine, at `.1`."""

    def __init__(self, directory: Path, count: int, *, disk_mib: int = 0) -> None:
        """Prepare folders and keys.

        Args:
            directory: of the hosts' folders, the operator's key and the inventory.
            count: of hosts: `host1`, `host2`, …
            disk_mib: size of each host's disk, in memory; 0: the disk below `directory`.
        """
        if os.environ.get(MARK) != "1":
            raise LoadError(
                "hosts are made on a machine of their own: call enter_own_machine first"
            )
        self.directory = directory
        self.key_file = directory / "operator_key"
        self.known_hosts_file = directory / "known_hosts"
        directory.mkdir(parents=True, exist_ok=True)
        self.key_file.unlink(missing_ok=True)
        make_key(self.key_file)
        self._java_home = find_java_home()
        self.hosts = tuple(self._prepare(number, disk_mib) for number in range(1, count + 1))
        keys = (
            f"{host.address} {(host.folder / 'sshd' / 'host_key.pub').read_text('ascii')}"
            for host in self.hosts
        )
        self.known_hosts_file.write_text("".join(keys), encoding="ascii")

    @contextmanager
    def running(self) -> Iterator["HostNetwork"]:
        """Start the bridge and all hosts; end them with the block."""
        _ip("link", "set", "lo", "up")
        _ip("link", "add", _BRIDGE, "type", "bridge")
        _ip("address", "add", f"{PREFIX}1/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        for line in _RULES:
            _run(line.split())
        try:
            for host in self.hosts:
                host.power_on()
            yield self
        finally:
            for host in self.hosts:
                host.power_off()
            _ip("link", "del", _BRIDGE)

    def write_inventory(self, path: Path, *, ring: str = "catalog", heap_mib: int = 384) -> Path:
        """Write an inventory of all hosts, nginx on the first; return its path."""
        first = self.hosts[0]
        text = f"""\
[ring]
way = "ssh"
name = "{ring}"
directory = "{DIRECTORY}"
heap_mib = {heap_mib}

[ssh]
user = "root"
key_file = "{self.key_file}"
known_hosts_file = "{self.known_hosts_file}"
config_file = "/dev/null"
python = "{HOSTS_PYTHON}"

[nginx]
runs_on = "{first.name}"
host = "{first.address}"
"""
        for host in self.hosts:
            text += f'\n[[hosts]]\nname = "{host.name}"\naddress = "{host.address}"\n'
        path.write_text(text, encoding="utf-8")
        return path

    def cut(self, one: str, other: str) -> None:
        """Drop every packet between two hosts, or a host and the operator, silently."""
        self._on_both("add", one, other)

    def heal(self, one: str, other: str) -> None:
        """Let the packets through again."""
        self._on_both("del", one, other)

    def host(self, name: str) -> NamespaceHost:
        """Return a host by its name."""
        return next(host for host in self.hosts if host.name == name)

    def _on_both(self, action: str, one: str, other: str) -> None:
        # What comes is dropped; what goes is dropped where it comes.
        for here, there in ((one, other), (other, one)):
            rule = ["ip", "rule", action, "pref", _DROP_RULE, "from", self._address(there)]
            command = [*rule, "blackhole"]
            if here == OPERATOR:
                _run(command)
            else:
                self.host(here).run(*command)

    def _address(self, name: str) -> str:
        return f"{PREFIX}1" if name == OPERATOR else self.host(name).address

    def _prepare(self, number: int, disk_mib: int) -> NamespaceHost:
        name = f"host{number}"
        host = NamespaceHost(name, f"{PREFIX}{FIRST_HOST - 1 + number}", self.directory / name)
        host.folder.mkdir(exist_ok=True)
        if disk_mib:
            size = f"size={disk_mib}m"
            _run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(host.folder)])
        shutil.rmtree(host.folder / "sshd", ignore_errors=True)
        sshd = host.folder / "sshd"
        sshd.mkdir()
        make_key(sshd / "host_key")
        shutil.copyfile(self.key_file.with_suffix(".pub"), sshd / "authorized_keys")
        (sshd / "config").write_text(_SSHD_CONFIG.format(port=SSH_PORT), encoding="ascii")
        (sshd / "boot.sh").write_text(_boot_script(host, self._java_home), encoding="utf-8")
        return host


def _boot_script(host: NamespaceHost, java_home: Path) -> str:
    """Return what the first process of a host does before it becomes its sshd."""
    hidden = [Path("/tmp"), REPOSITORY, Path.home()]  # noqa: S108 -- an empty one of its own
    # Python and Java may lie in what is hidden; a host has both.
    kept = [
        path
        for path in (Path(sys.base_prefix), java_home)
        if any(path.is_relative_to(folder) for folder in hidden)
    ]
    keep, restore = "", ""
    for number, path in enumerate(kept):
        quoted = shlex.quote(str(path))
        keep += f"mkdir -p /srv/kept{number}\nmount --bind {quoted} /srv/kept{number}\n"
        restore += f"mkdir -p {quoted}\nmount --move /srv/kept{number} {quoted}\n"
    # One may lie in another, and be hidden with it.
    hide = (
        f"[ ! -d {d} ] || mount -t tmpfs tmpfs {d}\n" for d in map(shlex.quote, map(str, hidden))
    )
    return _BOOT.format(
        name=host.name,
        folder=shlex.quote(str(host.folder)),
        keep=keep,
        hide="".join(hide),
        restore=restore,
        address=host.address,
        rules="".join(_RULES),
        sshd=_which("sshd"),
    )


def _hardware_address(address: str) -> str:
    """Return an Ethernet address that only we give."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def make_key(path: Path) -> None:
    """Make a pair of keys without a passphrase."""
    _run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)])


def _namespace_of(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""


def _which(program: str) -> str | None:
    # Debian keeps sshd where no account looks.
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


def _ip(*arguments: str) -> None:
    _run(["ip", *arguments])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    if done.returncode != 0:
        raise LoadError(f"{' '.join(command)}: {done.stderr.strip()}")
