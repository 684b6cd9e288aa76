"""Where the benchmarks keep what they build and what they find."""

from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
REPOSITORY: Final = HERE.parent
PEERS: Final = HERE / "peers"
RESULTS: Final = HERE / "results"

# State on disk that is not part of the repository.
STATE: Final = REPOSITORY / ".catalog"
PEER_STATE: Final = STATE / "peers"
NODE_STATE: Final = STATE / "benchmarks"
