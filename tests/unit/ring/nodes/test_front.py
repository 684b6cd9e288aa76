from pathlib import Path

from ring.inventory import local_inventory
from ring.nodes.front import app_server, keep_session_secret, session_secret_file
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
    services = [app_server(settings, host, ()) for host in hosts]
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
        service = app_server(named, local_inventory(named).hosts[0], ())
        assert "CATALOG_SESSION_SECRET_FILE" not in service.environ
