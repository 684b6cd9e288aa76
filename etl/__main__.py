"""`catalog-etl`: load legacy CSV files, or generate files of their shape."""

import argparse
from collections.abc import Sequence

from etl import generate, load, verify


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code (see `etl/exit_status.py`)."""
    parser = argparse.ArgumentParser(
        prog="catalog-etl",
        description="Legacy product files: load them, verify what is stored, or generate a set.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    load.register(commands)
    generate.register(commands)
    verify.register(commands)
    given = parser.parse_args(arguments)
    return int(given.run(given))


if __name__ == "__main__":
    raise SystemExit(main())
