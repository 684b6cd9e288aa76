"""ccm's own files of a ring: read, written whole, and held against who else would write them."""

import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import yaml  # type: ignore[import-untyped]  # PyYAML comes with ccm, without types
from ccmlib import cluster as cluster_module
from ccmlib import common
from ccmlib import node as node_module
from ccmlib.cluster import Cluster
from ccmlib.cluster_factory import ClusterFactory

from ring.hosts.host import HostEntry
from ring.nodes.ring_on_disk import damaged, ring_files_held
from ring.nodes.ring_plan import RingPlan


@contextmanager
def _written_whole(path: str) -> Iterator[IO[str]]:
    partial = Path(f"{path}.partial")
    with partial.open("w", encoding="utf-8") as file:
        yield file
    partial.replace(path)


def _open(file: str, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
    """Open a file for ccm, which writes in place: one killed meanwhile would leave half a file."""
    if mode == "w" and file.endswith(_OF_CCM):
        return _written_whole(file)
    return open(file, mode, *args, **kwargs)  # noqa: PTH123


_OF_CCM = ("cluster.conf", "node.conf", "cassandra.yaml")
cluster_module.open = _open
node_module.open = _open


@contextmanager
def ccm_at_work(plan: RingPlan) -> Iterator[None]:
    """Keep what ccm does to its files whole, and what Python has to say of its ways to itself.

    Raises:
        LockedError: another process has been at work on them for long.
    """
    with ring_files_held(plan.directory), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "distutils", DeprecationWarning)
        warnings.filterwarnings("ignore", "unclosed file", ResourceWarning)
        yield


def load_cluster(plan: RingPlan) -> Any:
    """Return ccm's view of the ring on disk, one without nodes when there is none.

    Raises:
        RingStartError: its files are damaged.
    """
    if not (plan.directory / plan.name / "cluster.conf").exists():
        plan.directory.mkdir(parents=True, exist_ok=True)
        cluster = Cluster(str(plan.directory), plan.name, install_dir=str(plan.install_directory))
        # So that `ccm --config-dir DIRECTORY status` finds it.
        common.switch_cluster(str(plan.directory), plan.name)
    else:
        try:
            _forget_missing(plan.directory / plan.name)
            cluster = ClusterFactory.load(str(plan.directory), plan.name)
        except (OSError, TypeError, KeyError, yaml.YAMLError, common.CCMError) as error:
            raise damaged(plan.directory, error) from error
    cluster.use_vnodes = True
    return cluster


def add_node(
    cluster: Any, plan: RingPlan, entry: HostEntry, tokens: Sequence[int], *, auto_bootstrap: bool
) -> None:
    """Write the files of a node on one of the plan's hosts.

    Args:
        cluster: of `load_cluster`.
        plan: of the same ring.
        entry: the host.
        tokens: that it starts with; none: Cassandra allocates them.
        auto_bootstrap: whether it has yet to stream its ranges; one that has not is a member.
    """
    number = [host.name for host in plan.entries].index(entry.name)
    # What one that was killed in the middle of this has left; it holds no data.
    shutil.rmtree(Path(cluster.get_path()) / entry.name, ignore_errors=True)
    node = cluster.create_node(
        name=entry.name,
        auto_bootstrap=auto_bootstrap,
        thrift_interface=None,
        storage_interface=(entry.address, plan.storage_port),
        jmx_port=str(plan.jmx_port + number),
        remote_debug_port="0",
        initial_token=",".join(map(str, tokens)) or None,
        binary_interface=(entry.address, plan.cql_port),
    )
    # Seeds are named node by node, see LocalNode.
    cluster.add(node, is_seed=False)


def remove_node(cluster: Any, name: str) -> None:
    """Forget a node that does not run, and remove its folder with all data."""
    # ccm's own way would signal a process id that may be another program's by now.
    if cluster.nodes.pop(name, None) is not None:
        cluster._update_config()  # noqa: SLF001  # what ccm itself calls after each change
    shutil.rmtree(Path(cluster.get_path()) / name, ignore_errors=True)


def _forget_missing(folder: Path) -> None:
    """Take out nodes whose folder is gone, as with a lost disk: ccm would load none of the ring."""
    file = folder / "cluster.conf"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    present = [node for node in content["nodes"] if (folder / node / "node.conf").exists()]
    if present != content["nodes"]:
        partial = file.with_suffix(".partial")
        partial.write_text(yaml.safe_dump(content | {"nodes": present}), encoding="utf-8")
        partial.replace(file)
