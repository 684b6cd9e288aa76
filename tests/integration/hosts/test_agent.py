"""The agent of a host, with real processes in a folder of its own; no ssh, no Cassandra."""

import fcntl
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from ring.hosts.agent.wire import GREETING
from ring.nodes.process import command_line
from tests.support.host_agent import APP_MAIN, HostAgent

ADDRESS: Final = "127.0.77.1"
WAIT_SECONDS: Final = 30.0
NEVER_READY: Final = APP_MAIN.replace('"/readyz"', '"/never"')


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[HostAgent]:
    """An agent in an empty folder, where systemd has no say; what it started is stopped."""
    agent = HostAgent(tmp_path / "a place")
    if agent.call("machine")["systemd"]:
        pytest.skip("systemd runs here, so the agent would make units of this machine")
    yield agent
    agent.stop_all()


def test_node_when_it_is_started_then_it_runs_from_what_is_installed(agent: HostAgent) -> None:
    """With the files that were asked for beside those that were shipped."""
    assert agent.install_node()["sent"] == 2
    assert not _facts(agent)["node_runs"]
    assert agent.start_node() == {"started": True}
    facts = _facts(agent)
    assert facts["node_runs"]
    assert (facts["installed_version"], facts["cluster_name"]) == ("5.0.9", "tests")
    assert (agent.place.conf / "cassandra-env.sh").read_text(encoding="ascii") == "# shipped\n"
    log = (agent.place.log / "node.log").read_text(encoding="ascii")
    assert log == "a node with 512M, told -Da=b\n"
    pid = agent.record("node").pid
    assert agent.start_node() == {"started": False}
    assert agent.record("node").pid == pid


def test_node_when_its_supervisor_is_killed_then_it_goes_on_and_can_be_stopped(
    agent: HostAgent,
) -> None:
    """It is found by its own record."""
    agent.install_node()
    agent.start_node()
    node = agent.record("node")
    agent.record("node", "supervisor").signal(signal.SIGKILL)
    assert _facts(agent)["node_runs"]
    assert agent.call("stop_node", seconds=5) == {}
    assert not node.alive


def test_node_when_it_is_killed_then_it_stays_down_and_its_end_is_told(agent: HostAgent) -> None:
    """Somebody should see why, before it is started again."""
    agent.install_node()
    agent.start_node()
    supervisor = agent.record("node", "supervisor")
    agent.record("node").signal(signal.SIGKILL)
    _until(lambda: not supervisor.alive)
    assert not _facts(agent)["node_runs"]
    ended = (agent.place.run / "node.ended").read_text(encoding="ascii")
    assert ended.startswith("by SIGKILL at ")


def test_node_when_it_is_frozen_then_it_runs_and_is_stopped_all_the_same(
    agent: HostAgent,
) -> None:
    """Supervisor and node alike."""
    agent.install_node()
    agent.start_node()
    node, supervisor = agent.record("node"), agent.record("node", "supervisor")
    for record in (node, supervisor):
        record.signal(signal.SIGSTOP)
    assert _facts(agent)["node_runs"]
    agent.call("stop_node", seconds=5)
    assert not node.alive
    assert not supervisor.alive


def test_node_when_it_ends_at_once_then_its_last_words_are_the_error(agent: HostAgent) -> None:
    """Nobody has to look for a log on a host."""
    agent.install_node()
    answer = agent.start_node(conf={"fails": ""})
    assert "node ended while starting: with exit status 3" in answer["error"]
    assert "Error: no such option" in answer["error"]


def test_node_when_another_version_is_installed_then_the_next_start_takes_it(
    agent: HostAgent,
) -> None:
    """What runs keeps its files; what nothing uses any more goes."""
    agent.install_node()
    agent.start_node()
    other = agent.install_node("6.1.0-rc1-two", **{"lib/new.jar": "new"})
    assert other["sent"] == 1
    assert _facts(agent)["installed_version"] == "6.1.0-rc1"
    old = agent.place.directory / "cassandra" / "5.0.9-one"
    assert str(agent.place.in_use("cassandra", "node").resolve()) == str(old)
    agent.call("stop_node", seconds=5)
    agent.start_node()
    assert agent.place.in_use("cassandra", "node").resolve().name == "6.1.0-rc1-two"
    agent.install_node("6.2.0-three", **{"lib/new.jar": "newer"})
    assert not old.exists()


def test_wipe_when_the_node_runs_then_refused_and_else_all_of_it_goes(agent: HostAgent) -> None:
    """What is installed stays."""
    agent.install_node()
    agent.start_node()
    (agent.place.data / "row").write_text("x" * 100, encoding="ascii")
    assert _facts(agent)["data_bytes"] == 100
    assert "the node runs" in agent.call("wipe_node")["error"]
    agent.call("stop_node", seconds=5)
    (agent.place.directory / ".wiped.1").mkdir()
    agent.place.node_log.write_text("why", encoding="ascii")
    assert agent.call("wipe_node") == {}
    assert sorted(path.name for path in agent.place.directory.iterdir()) == [
        agent.archive.name,
        "cassandra",
        "log",
        "run",
    ]
    assert (agent.place.log / "wiped-system.log").read_text(encoding="ascii") == "why"
    facts = _facts(agent)
    assert (facts["data_bytes"], facts["cluster_name"]) == (0, None)
    assert facts["installed_version"] == "5.0.9"


def test_app_when_its_settings_change_then_it_is_started_anew(agent: HostAgent) -> None:
    """And only then: other contact points are for the next start."""
    agent.install_app()
    asked = _app(environ={"CATALOG_KEYSPACE": "one"})
    assert agent.call("start_app", **asked) == {"started": True}
    assert agent.call("app_ready", **asked)["ready"]
    pid = agent.record("app").pid
    asked["at_start"] = {"CATALOG_CONTACT_POINTS": "10.1.0.2"}
    assert agent.call("start_app", **asked) == {"started": False}
    other = asked["environ"] | {"CATALOG_KEYSPACE": "two"}
    for change in ({"secrets": {"password": "other"}}, {"environ": other}):
        asked |= change
        assert agent.call("start_app", **asked) == {"started": True}
        assert agent.record("app").pid != pid
        pid = agent.record("app").pid
    agent.install_app("two", APP_MAIN + "\n")
    assert agent.call("start_app", **asked) == {"started": True}
    assert agent.call("stop_app") == {}
    assert not agent.call("app_ready", **asked)["ready"]


def test_app_when_it_is_killed_then_it_is_started_again_until_it_is_stopped(
    agent: HostAgent,
) -> None:
    """By its supervisor, with nobody connected."""
    agent.install_app()
    asked = _app()
    agent.call("start_app", **asked)
    first = agent.record("app")
    first.signal(signal.SIGKILL)
    _until(lambda: bool(agent.call("app_ready", **asked)["ready"]))
    second = agent.record("app")
    assert second.pid != first.pid
    supervisor = agent.record("app", "supervisor")
    agent.call("stop_app")
    assert not second.alive
    assert not supervisor.alive


def test_app_when_it_has_secrets_then_only_their_owner_can_read_them(agent: HostAgent) -> None:
    """In a file; neither in the start script nor on a command line."""
    agent.install_app()
    agent.call("start_app", **_app(secrets={"session_secret": "hush" * 8}))
    file = agent.place.secrets / "session_secret"
    assert file.read_text(encoding="ascii") == "hush" * 8
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    script = (agent.place.run / "app.sh").read_text(encoding="utf-8")
    assert f"CATALOG_SESSION_SECRET_FILE={file}" in script
    assert "hush" not in script
    assert "hush" not in " ".join(command_line(agent.record("app").pid))


def test_app_when_it_is_not_ready_in_time_then_it_is_stopped_with_its_last_words(
    agent: HostAgent,
) -> None:
    """Nothing half-started stays behind."""
    agent.install_app(main=NEVER_READY)
    answer = agent.call("start_app", **_app(seconds=1))
    assert "not ready in time" in answer["error"]
    assert not _facts(agent)["app_runs"]


def test_packages_when_they_cannot_be_imported_then_nothing_is_started_from_them(
    agent: HostAgent,
) -> None:
    """The app that runs goes on with what it has."""
    agent.install_app()
    answer = agent.install_app("two", "import no_such_library\n")
    assert "No module named 'no_such_library'" in answer["error"]
    assert agent.place.installed("app").resolve().name == "one"
    assert [path.name for path in (agent.place.directory / "app").glob("[!.i]*")] == ["one"]


def test_install_when_a_file_comes_changed_then_nothing_is_installed(agent: HostAgent) -> None:
    """Every file is held to its digest."""
    what: dict[str, Any] = {"kind": "cassandra", "name": "5.0.9-one"}
    what["files"] = [("lib/a.jar", 0o644, 3, "0" * 64)]
    answer = agent.call("install", b"abc", sent=["0" * 64], **what)
    assert "came changed" in answer["error"]
    assert _facts(agent)["installed_version"] is None
    assert list((agent.place.directory / "cassandra").iterdir()) == []


@pytest.mark.parametrize("path", ["../a.jar", "/etc/a.jar"])
def test_install_when_a_path_leads_elsewhere_then_it_is_refused(
    agent: HostAgent, path: str
) -> None:
    """Whoever sent it."""
    what: dict[str, Any] = {
        "kind": "cassandra",
        "name": "one",
        "files": [(path, 0o644, 3, "0" * 64)],
    }
    assert "leads out of the installation" in agent.call("missing", **what)["error"]


def test_command_when_nobody_waits_for_it_any_more_then_it_is_not_carried_out(
    agent: HostAgent,
) -> None:
    """It had to wait for its turn, and its operator was gone before."""
    agent.install_node()
    with agent.place.lock.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        late = agent.start("start_node", conf={}, environ={}, heap_mib=512, jvm_arguments=[])
        assert late.stdout is not None
        assert late.stdout.readline() == GREETING
        assert late.stdin is not None
        late.stdin.close()
    assert late.stdout.read() == b""
    late.stdout.close()
    assert late.wait(timeout=WAIT_SECONDS) == 0
    assert not _facts(agent)["node_runs"]


def test_request_when_unknown_or_impossible_then_the_answer_is_an_error(agent: HostAgent) -> None:
    """In words, for the operator; no traceback."""
    assert "not installed" in agent.start_node()["error"]
    assert "no node was ever started" in agent.call("nodetool", arguments=["info"])["error"]
    assert "No such file" in agent.call("send_file", path="nothing")["error"]
    assert "not a path below" in agent.call("list_files", folder="../run")["error"]


def _facts(agent: HostAgent) -> dict[str, Any]:
    return agent.call("facts")


def _app(**changes: Any) -> dict[str, Any]:
    """Return what an app server is started with, on a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port = probe.getsockname()[1]
    values: dict[str, Any] = {
        "environ": {},
        "at_start": {},
        "secrets": {},
        "seconds": WAIT_SECONDS,
        "address": ADDRESS,
        "port": port,
    }
    values |= changes
    values["environ"] |= {"CATALOG_HOST": ADDRESS, "CATALOG_PORT": str(port)}
    return values


def _until(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
