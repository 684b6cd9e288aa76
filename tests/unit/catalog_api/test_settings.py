from pathlib import Path

import pytest

from catalog_api.settings import ApiSettings
from ring import RingSettingsError, load_settings


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CATALOG_PORT", "70000"),
        ("CATALOG_PORT", "many"),
        ("CATALOG_WORKERS", "0"),
        ("CATALOG_PROFILE", "2019"),
        ("CATALOG_MOUNT", "api/fec2"),
        ("CATALOG_MOUNT", "/api/fec2/"),
        ("CATALOG_LOG_SAMPLE", "nan"),
        ("CATALOG_LOG_SAMPLE", "2"),
        ("CATALOG_MAX_PAGE_ROWS", "0"),
        ("CATALOG_REQUEST_DEADLINE_SECONDS", "0"),
        ("CATALOG_DRAIN_SECONDS", "-1"),
        ("CATALOG_CACHE_CONTROL", "no-cache\r\nSet-Cookie: a=b"),
        ("CATALOG_SESSION_SECRET", "too short"),
        ("CATALOG_SESSION_DAYS", "0"),
        ("CATALOG_CART_DAYS", "7301"),
        ("CATALOG_TRUSTED_PROXIES", "10.0.0.0/8,localhost"),
    ],
)
def test_load_when_a_value_cannot_be_used_then_the_setting_is_named(
    variable: str, value: str
) -> None:
    """A wrong setting is refused before any socket is opened, by name."""
    with pytest.raises(RingSettingsError, match=variable):
        load_settings(ApiSettings, {variable: value})


def test_load_when_nothing_is_set_then_only_loopback_is_listened_on() -> None:
    """Defaults are safe: nothing outside this machine can connect."""
    assert load_settings(ApiSettings, {}).host == "127.0.0.1"


def test_session_secret_when_none_is_named_then_it_is_random_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each start has another; nobody is left in the dark about it."""
    first, second = (ApiSettings().with_session_secret().session_secret for _ in range(2))
    assert len(first) >= 32
    assert first != second
    assert "no CATALOG_SESSION_SECRET" in caplog.text
    caplog.clear()
    assert ApiSettings(session_secret=first).with_session_secret().session_secret == first
    assert not caplog.text
    assert first not in repr(ApiSettings(session_secret=first))


def test_session_secret_when_a_file_is_named_then_it_wins(tmp_path: Path) -> None:
    """The first line signs, the second is still accepted; a bad file is refused by name."""
    file = tmp_path / "secret"
    settings = ApiSettings(session_secret="v" * 32, session_secret_file=str(file))
    with pytest.raises(RingSettingsError, match="CATALOG_SESSION_SECRET_FILE"):
        settings.with_session_secret()
    for wrong in ("", "  \n", "too short", f"{'n' * 32}\nshort"):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(RingSettingsError, match="CATALOG_SESSION_SECRET_FILE"):
            settings.with_session_secret()
    file.write_text(f"{'n' * 32}\n{'o' * 40}\n", encoding="utf-8")
    known = settings.with_session_secret()
    assert known.session_secret.split() == ["n" * 32, "o" * 40]
    assert known == known.with_session_secret()


@pytest.mark.parametrize(
    ("origins", "allowed"),
    [
        ("*", None),
        ("https://a.test, https://b.test", {"https://a.test", "https://b.test"}),
        ("", set()),
    ],
)
def test_allowed_origins_then_a_star_means_all(origins: str, allowed: set[str] | None) -> None:
    """One list of origins, or everyone."""
    assert ApiSettings(cors_origins=origins).allowed_origins == allowed
