from pathlib import Path

import pytest

from ring.errors import RingSettingsError
from ring.nodes.install import VERSION
from ring.nodes.settings import StackSettings


def test_settings_when_nothing_is_set_then_the_documented_addresses() -> None:
    """Node N is 127.0.0.N with 9042 and 8080; nginx is on 127.0.0.1:8000."""
    settings = StackSettings(state_directory="/nowhere")
    assert settings.node_addresses == ("127.0.0.1",)
    assert (settings.cql_port, settings.app_port, settings.nginx_port) == (9042, 8080, 8000)
    assert settings.nginx_host == "127.0.0.1"
    assert settings.install_directory == Path("/nowhere/cassandra") / VERSION
    assert settings.node_heap_mib == 1024


def test_settings_when_three_nodes_then_smaller_heaps() -> None:
    """Three nodes share a machine; an explicit heap wins."""
    settings = StackSettings.from_environ({"CATALOG_NODES": "3"})
    assert settings.node_addresses == ("127.0.0.1", "127.0.0.2", "127.0.0.3")
    assert settings.node_heap_mib == 600
    assert StackSettings(nodes=3, heap_mib=800).node_heap_mib == 800


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NODES", "three"),
        ("NODES", "-1"),
        ("NODES", "101"),
        ("NGINX_PORT", "0"),
        ("APP_PORT", "65536"),
        ("ADDRESS_PREFIX", "10.0.0."),
        ("ADDRESS_PREFIX", "host"),
        ("SAMPLE_PRODUCTS", "0"),
    ],
)
def test_settings_when_value_cannot_be_used_then_error_names_it(name: str, value: str) -> None:
    """The message says which setting is wrong."""
    with pytest.raises(RingSettingsError, match=f"CATALOG_{name}"):
        StackSettings.from_environ({f"CATALOG_{name}": value})
