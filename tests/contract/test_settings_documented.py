"""Every setting is in a README with the default it really has."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from catalog_api.settings import ApiSettings
from etl.settings import EtlSettings
from ring import RingSettings
from ring.settings import PREFIX

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = {"catalog_api": ApiSettings, "ring": RingSettings, "etl": EtlSettings}


def _fields(settings: Any) -> list[str]:
    return [PREFIX + field.name.upper() for field in dataclasses.fields(settings)]


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("readme", ["README.md", "{room}/README.md"])
def test_readme_when_a_setting_exists_then_it_is_listed(room: str, readme: str) -> None:
    """The repository's README lists every setting, and each room's its own."""
    text = (REPOSITORY / readme.format(room=room)).read_text(encoding="utf-8")
    missing = [name for name in _fields(ROOMS[room]) if not re.search(rf"\b{name}\b", text)]
    assert not missing


def test_readme_when_it_lists_a_setting_of_the_app_server_then_it_exists_with_that_default() -> (
    None
):
    """The table of this room's README is `setting | default | what for`."""
    text = (REPOSITORY / "catalog_api" / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(CATALOG_\w+)` \| `?(.*?)`? \|", text, re.MULTILINE))
    fields = {PREFIX + field.name.upper(): field for field in dataclasses.fields(ApiSettings)}
    assert listed == {name: str(field.default) or "empty" for name, field in fields.items()}


@pytest.mark.parametrize("room", ROOMS)
def test_field_when_it_is_a_setting_then_it_says_what_for(room: str) -> None:
    """Settings are documented where they are defined."""
    assert all(field.metadata.get("doc") for field in dataclasses.fields(ROOMS[room]))
