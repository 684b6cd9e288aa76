"""Who calls, behind proxies: the address that counts, and whether the caller came by https."""

import ipaddress
from collections.abc import Sequence
from typing import Final

from aiohttp import web
from multidict import istr

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

FORWARDED_FOR: Final = istr("X-Forwarded-For")
FORWARDED_PROTO: Final = istr("X-Forwarded-Proto")
UNKNOWN: Final = "unknown"
_IPV6_PREFIX: Final = 64
# More proxies stand before nobody; a longer header is read no further.
_MOST_HOPS: Final = 32


class Callers:
    """Tells callers apart.

    Args:
        trusted: proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
    """

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted

    def caller_of(self, request: web.BaseRequest) -> str:
        """Return the caller's IPv4 address or IPv6 network (/64, what one customer is given).

        X-Forwarded-For is read from the right, past trusted proxies; it ends at the first address
        that is not trusted, or before the first entry that is none. Never fails.
        """
        address = read_address(request.remote or "")
        if address is None:
            return UNKNOWN
        if self._is_trusted(address):
            address = self._beyond(address, request.headers.getall(FORWARDED_FOR, ()))
        if address.version == 6:
            return str(ipaddress.IPv6Network((address, _IPV6_PREFIX), strict=False))
        return str(address)

    def is_secure(self, request: web.BaseRequest) -> bool:
        """Whether the caller came by https: the first entry of X-Forwarded-Proto says so."""
        address = read_address(request.remote or "")
        if address is None or not self._is_trusted(address):
            return False
        told = request.headers.get(FORWARDED_PROTO, "")
        return told.partition(",")[0].strip().lower() == "https"

    def _beyond(self, address: Address, lines: Sequence[str]) -> Address:
        """Return the first untrusted address from the right, or the last that was readable."""
        entries = ",".join(lines).rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]
        for entry in reversed(entries):
            told = read_address(entry.strip())
            if told is None:
                break
            address = told
            if not self._is_trusted(address):
                break
        return address

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def read_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a comma-separated list; an address stands for itself.

    Raises:
        ValueError: one of them is no network.
    """
    parts = (part.strip() for part in text.split(","))
    return tuple(ipaddress.ip_network(part) for part in parts if part)


def read_address(text: str) -> Address | None:
    """Return an address; None when it is none. A port and the brackets around IPv6 are left out.

    IPv4 in IPv6 (`::ffff:192.0.2.1`) is the IPv4 address.
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        # A scope (`fe80::1%eth0`) has no place in a network.
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if address.version == 6 else None
    return mapped or address
