"""The one file that runs on a host: the agent and what it needs, as a Python archive.

It is named by its content, so each operator finds the agent of the checkout that speaks to it.
"""

import functools
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Final

ROOM: Final = Path(__file__).parents[1]
# What the agent imports besides itself; all of it needs the standard library only.
_OF_NODES: Final = (
    "bulk_loader",
    "errors",
    "java",
    "locks",
    "nodetool",
    "probes",
    "process",
    "start_failure",
    "usage",
)
# The packages' own files import more than a host has.
_EMPTY: Final = ("ring/__init__.py", "ring/nodes/__init__.py", "ring/hosts/__init__.py")
_MAIN: Final = """\
import sys
if sys.version_info < (3, 11):
    sys.stderr.write("Python 3.11 or later is needed, this is " + sys.version.split()[0] + "\\n")
    sys.exit(69)
from ring.hosts.agent.commands import main
sys.exit(main())
"""


@functools.cache
def agent_archive() -> bytes:
    """Return the archive; the same sources give the same bytes."""
    texts = dict.fromkeys(_EMPTY, b"") | {"__main__.py": _MAIN.encode()}
    for source in (ROOM / "nodes" / f"{name}.py" for name in _OF_NODES):
        texts[f"ring/nodes/{source.name}"] = source.read_bytes()
    for source in (ROOM / "hosts" / "agent").glob("*.py"):
        texts[f"ring/hosts/agent/{source.name}"] = source.read_bytes()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(texts.items()):
            # A date of its own would be part of the content.
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


@functools.cache
def agent_name() -> str:
    """Return the archive's file name on a host."""
    return f"agent-{hashlib.sha256(agent_archive()).hexdigest()[:16]}.pyz"
