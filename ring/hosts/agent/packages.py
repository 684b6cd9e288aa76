"""The app's packages on a host: how they are run, and whether they can be."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from ring.nodes.errors import InstallError

CHECK_SECONDS: Final = 60.0
# -s: no packages of the account; -P: none of the folder it is started in.
PYTHON: Final = (sys.executable, "-s", "-P")


def check_packages(packages: Path) -> None:
    """Import what the app server and nginx's renderer are made of.

    Raises:
        InstallError: this Python cannot run them; the message says why.
    """
    done = subprocess.run(
        [*PYTHON, "-c", "import catalog_api.__main__, nginx.render"],
        env=python_environment(packages),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=CHECK_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise InstallError(
            f"the app's packages do not run on {sys.executable}: {done.stderr.strip()[-500:]}",
            advice="The host needs the Python and the C library that the operator's machine has.",
        )


def python_environment(packages: Path) -> dict[str, str]:
    """Return the environment in which our own programs find their packages."""
    path = os.environ.get("PATH", "/usr/bin:/bin")
    return {"PATH": path, "PYTHONPATH": str(packages), "PYTHONUNBUFFERED": "1"}
