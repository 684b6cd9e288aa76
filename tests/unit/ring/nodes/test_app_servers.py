from pathlib import Path

from ring.inventory import local_inventory
from ring.nodes.app_servers import (
    app_server,
    app_server_name,
    keep_session_secret,
    session_secret_file,
)
from ring.nodes.settings import StackSettings


def test_session_secret_when_kept_then_all_app_servers_share_it_and_it_stays(
    tmp_path: Path,
) -> None:
    """Made once, read by its owner only."""
    settings = StackSettings(nodes=3, state_directory=str(tmp_path))
    keep_session_secret(settings)
    file = session_secret_file(settings)
    secret = file.read_text(encoding="ascii")
    assert len(secret.strip()) >= 32
    assert file.stat().st_mode & 0o777 == 0o600
    keep_session_secret(settings)
    assert file.read_text(encoding="ascii") == secret
    hosts = local_inventory(settings).hosts[:3]
    services = [app_server(settings, {}, host, ()) for host in hosts]
    files = [service.environ["CATALOG_SESSION_SECRET_FILE"] for service in services]
    assert files == [str(file)] * 3
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


def test_session_secret_when_one_is_named_then_none_is_made(tmp_path: Path) -> None:
    """The user's own goes on to the app servers as it is."""
    for name in ("CATALOG_SESSION_SECRET", "CATALOG_SESSION_SECRET_FILE"):
        named = StackSettings.from_environ(
            {"CATALOG_STATE_DIRECTORY": str(tmp_path), name: str(tmp_path / "secret")}
        )
        keep_session_secret(named)
        assert not list(tmp_path.iterdir())
        service = app_server(named, {}, local_inventory(named).hosts[0], ())
        assert "CATALOG_SESSION_SECRET_FILE" not in service.environ


def test_app_server_when_hosts_differ_then_named_after_its_host() -> None:
    """Not by position: a ring may have lost the nodes before it."""
    names = ["node4", "node40", "alpha", "node-4", "nodes"]
    assert [app_server_name(name) for name in names] == [
        "app4",
        "app40",
        "app-alpha",
        "app-node-4",
        "app-nodes",
    ]


def test_app_server_when_only_its_contact_points_change_then_it_runs_as_asked(
    tmp_path: Path,
) -> None:
    """One that runs follows the ring by itself; those of an existing Cassandra are another ring."""
    own = StackSettings(state_directory=str(tmp_path))
    other = StackSettings(state_directory=str(tmp_path), contact_points=("10.0.0.1",))
    host = local_inventory(own).hosts[1]
    before, after = (
        app_server(own, {}, host, points) for points in ((), ("127.0.0.1", "127.0.0.2"))
    )
    assert after.environ["CATALOG_CONTACT_POINTS"] == "127.0.0.2,127.0.0.1"
    assert before._fingerprint() == after._fingerprint()
    first, second = (app_server(other, {}, host, (point,)) for point in ("10.0.0.1", "10.0.0.2"))
    assert first._fingerprint() != second._fingerprint() != after._fingerprint()


def test_app_server_when_a_command_has_settings_then_they_are_not_its_own(tmp_path: Path) -> None:
    """What is meant for commands, the nodes or nginx would look like a change of the server."""
    settings = StackSettings(state_directory=str(tmp_path))
    host = local_inventory(settings).hosts[0]
    names = ("RING_FAULT_POINT", "INVENTORY", "NODES", "HEAP_MIB", "NGINX_PORT", "JVM_ARGUMENTS")
    others = {f"CATALOG_{name}": "1" for name in names}
    own = {"CATALOG_PROFILE": "2020", "CATALOG_KEYSPACE": "shop", "PATH": "/bin"}
    service = app_server(settings, own | others, host, ())
    assert service.environ == app_server(settings, own, host, ()).environ
    assert own.items() - {("PATH", "/bin")} <= service.environ.items()
