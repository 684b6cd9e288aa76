"""Every setting is in a README with the default it really has."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from catalog_api.settings import ApiSettings
from etl.settings import EtlSettings
from ring import RingSettings
from ring.monitoring.settings import ExporterSettings
from ring.operations.advice import AdviseSettings
from ring.settings import PREFIX

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = {"catalog_api": ApiSettings, "ring": RingSettings, "etl": EtlSettings}
TABLES = {
    "catalog_api/README.md": (ApiSettings,),
    "ring/monitoring/README.md": (ExporterSettings, AdviseSettings),
}


def _fields(settings: Any) -> list[str]:
    return [PREFIX + field.name.upper() for field in dataclasses.fields(settings)]


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("readme", ["README.md", "{room}/README.md"])
def test_readme_when_a_setting_exists_then_it_is_listed(room: str, readme: str) -> None:
    """The repository's README lists every setting, and each room's its own."""
    text = (REPOSITORY / readme.format(room=room)).read_text(encoding="utf-8")
    missing = [name for name in _fields(ROOMS[room]) if not re.search(rf"\b{name}\b", text)]
    assert not missing


@pytest.mark.parametrize("readme", TABLES)
def test_readme_when_it_lists_a_setting_then_it_exists_with_that_default(readme: str) -> None:
    """The table of such a README is `setting | default | what for`."""
    text = (REPOSITORY / readme).read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(CATALOG_\w+)` \| `?(.*?)`? \|", text, re.MULTILINE))
    defaults = {
        PREFIX + field.name.upper(): str(field.default)
        for settings in TABLES[readme]
        for field in dataclasses.fields(settings)
    }
    assert listed == {name: default or "empty" for name, default in defaults.items()}


@pytest.mark.parametrize("settings", [*ROOMS.values(), ExporterSettings, AdviseSettings])
def test_field_when_it_is_a_setting_then_it_says_what_for(settings: Any) -> None:
    """Settings are documented where they are defined."""
    assert all(field.metadata.get("doc") for field in dataclasses.fields(settings))
