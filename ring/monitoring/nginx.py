"""Reads nginx's own figures from its `stub_status` page."""

import asyncio
import http.client
import re
import urllib.parse
from typing import Final

from ring.hosts.errors import HostError
from ring.monitoring.picture import Nginx

_OK: Final = 200
_PAGE: Final = re.compile(
    r"server accepts handled requests\s+(\d+)\s+(\d+)\s+(\d+)\s+"
    r"Reading: (\d+)\s+Writing: (\d+)\s+Waiting: (\d+)"
)


async def fetch_nginx(url: str, *, timeout_seconds: float) -> Nginx:
    """Return the figures that a `stub_status` page shows now.

    Raises:
        HostError: it does not answer, or shows something else.
    """
    try:
        status, text = await asyncio.to_thread(_get, url, timeout_seconds)
    except (OSError, http.client.HTTPException) as error:
        raise HostError(
            f"nginx: {url}: {error!r}",
            advice="Start it (make up); CATALOG_EXPORTER_NGINX_URL says where it tells.",
        ) from error
    found = _PAGE.search(text)
    if status != _OK or found is None:
        raise HostError(
            f"nginx: {url} answers {status} and no figures",
            advice="Let CATALOG_EXPORTER_NGINX_URL name its stub_status page.",
        )
    return Nginx(*(int(figure) for figure in found.groups()))


def _get(url: str, timeout_seconds: float) -> tuple[int, str]:
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=timeout_seconds
    )
    try:
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        return response.status, response.read(65_536).decode("latin-1")
    finally:
        connection.close()
