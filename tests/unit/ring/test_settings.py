from pathlib import Path

import pytest

from ring.errors import RingSettingsError
from ring.settings import RingSettings


def test_settings_when_nothing_is_set_then_defaults_reach_one_local_node() -> None:
    """Loopback, no TLS, no user."""
    settings = RingSettings.from_environ({})
    assert settings.contact_points == ("127.0.0.1",)
    assert settings.tls_context() is None
    assert settings.read_password() == ""


def test_settings_when_set_thrice_then_override_beats_environment_beats_file(
    tmp_path: Path,
) -> None:
    """And an empty variable leaves the setting alone."""
    file = tmp_path / "settings.toml"
    file.write_text('keyspace = "of_file"\ncql_port = 9999\ncontact_points = ["a", "b"]\n')
    environ = {
        "CATALOG_SETTINGS_FILE": str(file),
        "CATALOG_CQL_PORT": "9043",
        "CATALOG_KEYSPACE": "",
    }
    settings = RingSettings.from_environ(environ, cql_port=9044, keyspace=None)
    assert settings.keyspace == "of_file"
    assert settings.cql_port == 9044
    assert settings.contact_points == ("a", "b")
    assert RingSettings.from_environ(environ).cql_port == 9043


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CONTACT_POINTS", " , "),
        ("CQL_PORT", "0"),
        ("CQL_PORT", "65536"),
        ("CQL_PORT", "many"),
        ("KEYSPACE", 'a"; DROP'),
        ("KEYSPACE", "é"),
        ("PROTOCOL_VERSION", "3"),
        ("COMPRESSION", "snappy"),
        ("REQUEST_TIMEOUT_SECONDS", "-1"),
        ("REQUEST_TIMEOUT_SECONDS", "nan"),
        ("REQUEST_TIMEOUT_SECONDS", "inf"),
        ("MAX_IN_FLIGHT", "0"),
        ("QUEUE_REQUESTS", "-1"),
        ("SETTINGS_FILE", "/no/such/file"),
    ],
)
def test_settings_when_a_value_cannot_be_used_then_error_names_it(
    variable: str, value: str
) -> None:
    """Refused at the start, not at the first request."""
    with pytest.raises(RingSettingsError):
        RingSettings.from_environ({f"CATALOG_{variable}": value})


def test_password_when_it_stands_in_a_file_then_its_first_line_counts(tmp_path: Path) -> None:
    """The file wins over the variable, and neither is ever shown."""
    file = tmp_path / "password"
    file.write_text("of the file\nnot this\n")
    environ = {"CATALOG_PASSWORD": "of the variable", "CATALOG_PASSWORD_FILE": str(file)}
    settings = RingSettings.from_environ(environ)
    assert settings.read_password() == "of the file"
    assert "of the variable" not in repr(settings)


@pytest.mark.parametrize("variable", ["PASSWORD_FILE", "TLS_CA_FILE"])
def test_secret_when_its_file_is_missing_then_settings_error(tmp_path: Path, variable: str) -> None:
    """An error of ours that names the setting."""
    settings = RingSettings.from_environ({f"CATALOG_{variable}": str(tmp_path / "none")})
    with pytest.raises(RingSettingsError, match="CATALOG_"):
        settings.read_password() if variable == "PASSWORD_FILE" else settings.tls_context()
