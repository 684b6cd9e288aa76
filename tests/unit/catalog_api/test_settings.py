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
