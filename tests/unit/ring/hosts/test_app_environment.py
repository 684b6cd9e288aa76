"""What an app server on a host is told."""

from pathlib import Path

import pytest

from ring.hosts.app_environment import AppEnvironment, app_environment
from ring.hosts.errors import HostError
from ring.hosts.host import HostEntry
from ring.inventory import Inventory
from ring.nodes.settings import StackSettings
from ring.settings import PREFIX

ENTRY = HostEntry("shop2", "10.1.0.12")
PASSWORD = PREFIX + "PASSWORD"
INVENTORY = Inventory(way="ssh", hosts=(ENTRY,), app_port=8081, cql_port=9043)


def _environment(tmp_path: Path, **environ: str) -> AppEnvironment:
    settings = StackSettings(state_directory=str(tmp_path / "state"))
    points = ("10.1.0.11", "10.1.0.12")
    return app_environment(environ, settings, INVENTORY, ENTRY, points)


def test_environment_when_the_operator_sets_things_then_only_the_apps_travel(
    tmp_path: Path,
) -> None:
    """Settings of the stack, of loads and of the shell are the operator's own."""
    own = _environment(
        tmp_path,
        CATALOG_WORKERS="4",
        CATALOG_KEYSPACE="shop",
        CATALOG_NODES="3",
        CATALOG_STATE_DIRECTORY="/mine",
        CATALOG_LOAD_CONCURRENCY="9",
        CATALOG_INVENTORY="/mine.toml",
        CATALOG_RING_FAULT_POINT="add.join",
        CATALOG_HOST="127.0.0.1",
        PATH="/mine",
    )
    assert own.environ == {
        "CATALOG_WORKERS": "4",
        "CATALOG_KEYSPACE": "shop",
        "CATALOG_HOST": "10.1.0.12",
        "CATALOG_PORT": "8081",
        "CATALOG_CQL_PORT": "9043",
        "CATALOG_LOCAL_ADDRESS": "10.1.0.12",
    }
    # The node beside it is the first that it asks.
    assert own.at_start == {"CATALOG_CONTACT_POINTS": "10.1.0.12,10.1.0.11"}


def test_environment_when_a_setting_names_a_file_then_its_content_travels(tmp_path: Path) -> None:
    """It is no part of the environment, nor is a secret that was given as a variable."""
    authority = tmp_path / "ca.pem"
    authority.write_text("certificate", encoding="ascii")
    own = _environment(
        tmp_path,
        CATALOG_TLS_CA_FILE=str(authority),
        **{PASSWORD: "hush"},
        CATALOG_SESSION_SECRET="s" * 40,
    )
    assert own.secrets == {
        "tls_ca": "certificate",
        "password": "hush\n",
        "session_secret": "s" * 40 + "\n",
    }
    told = str(own.environ) + repr(own)
    assert "hush" not in told
    assert "ssss" not in told
    assert str(authority) not in told


def test_environment_when_a_file_and_a_variable_are_given_then_the_file_wins(
    tmp_path: Path,
) -> None:
    """As everywhere."""
    file = tmp_path / "password"
    file.write_text("from the file\n", encoding="ascii")
    own = _environment(tmp_path, **{PASSWORD: "other", f"{PASSWORD}_FILE": str(file)})
    assert own.secrets == own.secrets | {"password": "from the file\n"}
    assert "CATALOG_PASSWORD" not in own.environ


def test_environment_when_there_is_no_session_secret_then_all_hosts_get_one(
    tmp_path: Path,
) -> None:
    """Made once, for whoever asks again."""
    first = _environment(tmp_path).secrets["session_secret"]
    assert len(first.strip()) >= 32
    assert _environment(tmp_path).secrets["session_secret"] == first


def test_environment_when_a_file_cannot_be_read_then_the_setting_is_named(tmp_path: Path) -> None:
    """Before anything is done on a host."""
    with pytest.raises(HostError, match=r"CATALOG_PASSWORD_FILE: .*No such file"):
        _environment(tmp_path, CATALOG_PASSWORD_FILE=str(tmp_path / "nothing"))
