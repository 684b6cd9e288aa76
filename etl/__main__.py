"""`catalog-etl`: load legacy CSV files, or generate files of their shape."""

import argparse
from collections.abc import Sequence

from etl import generate, load


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code (see `etl/exit_status.py`)."""
    parser = argparse.ArgumentParser(
        prog="catalog-etl",
        description="Legacy product CSV files: load them into Cassandra, or generate a set.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    load.register(commands)
    generate.register(commands)
    given = parser.parse_args(arguments)
    return int(given.run(given))


if __name__ == "__main__":
    raise SystemExit(main())
