import re
import subprocess
import sys
from pathlib import Path

import pytest

from ring import transport

README = Path(str(transport.__file__)).with_name("README.md")


@pytest.mark.timeout(60)
def test_example_when_run_as_it_stands_then_it_prints_the_version(
    contact_points: tuple[str, ...],
) -> None:
    """The transport's README works, but for the address of the node."""
    (example,) = re.findall(
        r"^```python\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert '"127.0.0.1"' in example
    program = example.replace("127.0.0.1", contact_points[0])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        cwd=README.parents[2],
    )
    assert done.stderr == ""
    assert re.search(r"^10 tables$", done.stdout, re.MULTILINE)
    assert re.search(r"^Cassandra \d+\.\d+", done.stdout, re.MULTILINE)
