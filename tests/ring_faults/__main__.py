"""The fault list of the ring's scripts, in a network and with mounts of its own (make test-ring).

python -m tests.ring_faults [arguments of pytest]
"""

import sys
from pathlib import Path

import pytest

from benchmarks.own_network import enter_own_network


def main() -> None:
    """Run the long tests of this folder; what is given goes to pytest."""
    enter_own_network("tests.ring_faults", own_mounts=True)
    sys.exit(pytest.main(["-m", "ring_faults", str(Path(__file__).parent), *sys.argv[1:]]))


if __name__ == "__main__":
    main()
