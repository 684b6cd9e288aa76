"""What nginx's own status page (`stub_status`) says."""

import re
from typing import Final

from ring.hosts.errors import HostError
from ring.hosts.front import Front
from ring.monitoring.picture import Nginx

_PAGE: Final = re.compile(
    r"server accepts handled requests\s+(\d+)\s+(\d+)\s+(\d+)\s+"
    r"Reading: (\d+)\s+Writing: (\d+)\s+Waiting: (\d+)"
)


async def fetch_nginx(front: Front) -> Nginx:
    """Return nginx's figures as they are now.

    Raises:
        HostError: it does not tell, or something else answers in its place.
    """
    found = _PAGE.search(await front.read_figures())
    if found is None:
        raise HostError(
            "what answers in nginx's place tells no figures",
            advice="Let status_port of the inventory's [nginx] be that of its stub_status page.",
        )
    return Nginx(*(int(figure) for figure in found.groups()))
