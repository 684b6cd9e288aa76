from collections.abc import Callable

import pytest

from ring.backups.errors import DamagedBackupError
from ring.backups.manifest import backup_name, decode_manifest, encode_manifest
from tests.support.backups import MOMENT, manifest_of


def test_manifest_when_read_again_then_it_says_the_same() -> None:
    """Nothing is lost on the way: tokens of 64 bits, times, empty and odd texts."""
    manifest = manifest_of("20261122T015400Z", {"a" * 64: 5, "b" * 64: 2**40})
    assert decode_manifest(encode_manifest(manifest)) == manifest
    assert manifest.objects == {"a" * 64: 5, "b" * 64: 2**40}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _text: b"", id="empty"),
        pytest.param(lambda text: text[:-2], id="cut off"),
        pytest.param(lambda text: text[: len(text) // 2], id="half"),
        pytest.param(lambda text: text.replace(b'"rows": 7', b'"rows": 8'), id="changed"),
        pytest.param(lambda text: text.replace(b"backup 1 ", b"backup 2 "), id="later format"),
        pytest.param(lambda text: text[1:], id="no head"),
    ],
)
def test_manifest_when_it_is_not_what_was_written_then_it_is_refused(
    damage: Callable[[bytes], bytes],
) -> None:
    """An unfinished or damaged backup never passes for one."""
    text = encode_manifest(manifest_of("20261122T015400Z", {"a" * 64: 5}))
    changed = damage(text)
    assert changed != text
    with pytest.raises(DamagedBackupError):
        decode_manifest(changed)


def test_name_when_backups_follow_each_other_then_names_sort_alike() -> None:
    """The newest is the last by name."""
    later = MOMENT + (MOMENT - MOMENT.replace(second=MOMENT.second - 1))
    assert backup_name(MOMENT) == "20261122T015401Z"
    assert backup_name(MOMENT) < backup_name(later)
