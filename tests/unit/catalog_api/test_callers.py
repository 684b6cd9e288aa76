import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from catalog_api.callers import Callers, read_networks

CALLERS = Callers(read_networks("127.0.0.0/8, ::1/128, 10.1.0.0/16,2001:db8:ffff::/48"))


def caller(peer: str, *forwarded: str) -> str:
    """Return who calls from this address with these X-Forwarded-For lines."""
    headers = CIMultiDict([("X-Forwarded-For", line) for line in forwarded])
    return CALLERS.caller_of(make_mocked_request("PUT", "/", headers).clone(remote=peer))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        # Nobody is believed but the proxies.
        ("192.0.2.7", ["203.0.113.9"], "192.0.2.7"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        # What the caller claims stands left of what the proxies saw.
        ("127.0.0.1", ["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["203.0.113.9", "192.0.2.7,10.1.2.3"], "192.0.2.7"),
        ("127.0.0.1", ["10.1.0.9 , 10.1.2.3"], "10.1.0.9"),
        # Malformed entries end the way; the last good one counts.
        ("127.0.0.1", ["192.0.2.7, what"], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.7, , 10.1.2.3"], "10.1.2.3"),
        ("127.0.0.1", ["what, 192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["\xff" * 3000], "127.0.0.1"),
        ("127.0.0.1", ["1" * 5000 + ",192.0.2.7," * 500], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.9," + "10.1.0.1," * 500 + "10.1.0.2"], "10.1.0.1"),
        # Ports, brackets, scopes, IPv4 in IPv6.
        ("127.0.0.1", ["192.0.2.7:4711"], "192.0.2.7"),
        ("127.0.0.1", ["[2001:db8:1:2:3:4:5:6]:4711"], "2001:db8:1:2::/64"),
        ("::ffff:127.0.0.1", ["::ffff:192.0.2.7"], "192.0.2.7"),
        ("fe80::1%eth0", [], "fe80::/64"),
        # IPv6 callers have a whole /64.
        ("::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("::1", ["2001:db8:1:3::1,2001:db8:ffff::5"], "2001:db8:1:3::/64"),
        ("", ["192.0.2.7"], "unknown"),
        ("/run/socket", [], "unknown"),
    ],
)
def test_caller_when_proxies_stand_before_us_then_the_first_that_is_not_trusted(
    peer: str, forwarded: list[str], expected: str
) -> None:
    """From the right, past trusted proxies, whatever callers write into the header."""
    assert caller(peer, *forwarded) == expected


@pytest.mark.parametrize("text", ["10.0.0.1/8", "localhost", "10.0.0.0/33"])
def test_networks_when_one_is_none_then_they_are_refused(text: str) -> None:
    """A mistake in the setting is told at the start."""
    with pytest.raises(ValueError, match=text.partition("/")[0]):
        read_networks(text)
