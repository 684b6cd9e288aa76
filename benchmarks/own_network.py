"""A network of the benchmark's own, so that packets can be dropped and no address is taken.

The program starts itself again under `unshare --net`: every loopback address is then its own, and
routing rules made here are gone when it ends.
"""

import os
import shutil
import subprocess
import sys
from typing import Final

from benchmarks.cql_load import LoadError

MARK: Final = "CATALOG_BENCHMARK_NETWORK"
LOCAL_RULE: Final = "100"
DROP_RULE: Final = "10"


def enter_own_network(module: str, *, own_mounts: bool = False) -> None:
    """Continue in a network of its own: returns there, and only there.

    Args:
        module: the program, which is started again with its arguments.
        own_mounts: whether file systems that it mounts are its own as well.

    Raises:
        LoadError: `unshare` (util-linux) or `ip` (iproute2) is missing, or the kernel refuses.
    """
    if in_own_network():
        _ip("link", "set", "lo", "up")
        # The rules of a cut come before the one that finds local addresses.
        _ip("rule", "add", "pref", LOCAL_RULE, "lookup", "local")
        _ip("rule", "del", "pref", "0")
        return
    mounts = ["--mount"] if own_mounts else []
    command = [*unshare_command(), *mounts, sys.executable, "-m", module, *sys.argv[1:]]
    sys.stdout.flush()
    os.execve(command[0], command, {**os.environ, MARK: "1"})  # noqa: S606 -- no shell is wanted


def unshare_command() -> list[str]:
    """Return what runs the command behind it in a network of its own.

    Raises:
        LoadError: `unshare` (util-linux) or `ip` (iproute2) is missing.
    """
    unshare = shutil.which("unshare")
    if unshare is None or shutil.which("ip") is None:
        raise LoadError("unshare (util-linux) and ip (iproute2) are needed")
    # Without root, a user namespace of one's own gives the right to have a network of one's own.
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return [unshare, "--net", *rights]


def cut_off(address: str, port: int) -> None:
    """Drop every packet that the server at `address:port` sends: open connections hang."""
    rule = ["from", address, "ipproto", "tcp", "sport", str(port), "blackhole"]
    _ip("rule", "add", "pref", DROP_RULE, *rule)


def heal(address: str, port: int) -> None:
    """Let the packets through again."""
    _ip("rule", "del", "pref", DROP_RULE, "from", address, "ipproto", "tcp", "sport", str(port))


def cut_off_marked(mark: int) -> None:
    """Drop every packet of sockets that bear a mark (SO_MARK): who has them is cut off."""
    _ip("rule", "add", "pref", DROP_RULE, "fwmark", str(mark), "blackhole")


def heal_marked(mark: int) -> None:
    """Let the packets through again."""
    _ip("rule", "del", "pref", DROP_RULE, "fwmark", str(mark))


def in_own_network() -> bool:
    """Whether this program runs in a network of its own."""
    return os.environ.get(MARK) == "1"


def _ip(*arguments: str) -> None:
    done = subprocess.run(
        ["ip", *arguments], capture_output=True, text=True, timeout=10, check=False
    )
    if done.returncode != 0:
        raise LoadError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
