"""`catalog-ring advise`: says whether the load asks for a node more or spares one, and why.

With `--apply` it runs the command that it advises, `add` or `remove`, with all their own refusals.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ring.errors import RingError
from ring.hosts.host import HostEntry
from ring.hosts.hosts import open_inventory
from ring.monitoring.prometheus import Prometheus
from ring.nodes.errors import NodesError
from ring.operations.advice import Action, Advice, AdviseSettings, decide
from ring.operations.commands import DONE, EXIT_CODES, FAILED, REFUSED, USAGE
from ring.operations.errors import Refusal, RefusedError
from ring.operations.figures import RingFigures, rack_sizes, read_figures, write_figures
from ring.operations.measured import fetch_figures
from ring.settings import describe_settings, load_settings

_WORDS: Final = "say whether the load asks for a node more or spares one, and why; --apply does it"


def register(subparsers: Any) -> None:
    """Add the subcommand; it sets `run`, which takes the arguments and returns an exit code."""
    parser = subparsers.add_parser(
        "advise",
        help=_WORDS,
        epilog=f"{describe_settings(AdviseSettings)}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--prometheus", metavar="URL", help="where to read the figures")
    source.add_argument("--figures", type=Path, metavar="FILE", help="figures that were recorded")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--apply", action="store_true", help="do it: add or remove")
    parser.add_argument("--dry-run", action="store_true", help="with --apply: print its plan")

    def run(args: argparse.Namespace) -> int:
        return _run(args, subparsers.choices)

    parser.set_defaults(run=run)


def _run(args: argparse.Namespace, commands: dict[str, argparse.ArgumentParser]) -> int:
    if args.apply and args.figures:
        return _fail(
            "Wrong usage", "the ring is changed only by figures of now: --prometheus", USAGE
        )
    if args.dry_run and not args.apply:
        return _fail("Wrong usage", "--dry-run goes with --apply: advice changes nothing", USAGE)
    try:
        settings = load_settings(AdviseSettings, os.environ)
        figures = _figures(args, settings)
        if args.record:
            write_figures(figures, args.record)
        advice = decide(figures, settings)
        _say(advice, as_json=args.json)
        if not args.apply or advice.action is Action.NOTHING:
            return DONE
        command = [advice.action.value, _host(advice, figures)]
    except RefusedError as error:
        return _fail("No advice", str(error), REFUSED, error.advice)
    except (NodesError, RingError) as error:
        return _fail("Failed", str(error), FAILED, getattr(error, "advice", ""))
    if args.dry_run:
        command.append("--dry-run")
    sys.stdout.write(f"catalog-ring {' '.join(command)}\n")
    sys.stdout.flush()
    chosen = commands[command[0]].parse_args(command[1:])
    result: int = chosen.run(chosen)
    return result


def _figures(args: argparse.Namespace, settings: AdviseSettings) -> RingFigures:
    if args.figures:
        return read_figures(args.figures)
    return asyncio.run(fetch_figures(Prometheus(args.prometheus), settings))


def _host(advice: Advice, figures: RingFigures) -> str:
    if advice.action is Action.REMOVE:
        return _address(advice.node)
    return next_host(open_inventory(os.environ).inventory.hosts, figures).name


def next_host(hosts: Sequence[HostEntry], figures: RingFigures) -> HostEntry:
    """Return the host to add: of the rack with the fewest nodes, the first that has none.

    Raises:
        RefusedError: every host of the inventory has a node.
    """
    used = {_address(node.node) for node in figures.nodes}
    free = [host for host in hosts if host.address not in used]
    if not free:
        refusal = Refusal(
            "the inventory has no host without a node",
            "Add a host to the inventory, and ask again.",
        )
        raise RefusedError([refusal])
    sizes = rack_sizes(figures.nodes)
    return min(free, key=lambda host: sizes.get(host.rack, 0))


def _address(node: str) -> str:
    return node.rpartition(":")[0]


def _say(advice: Advice, *, as_json: bool) -> None:
    words = {"action": advice.action.value, "node": advice.node, "reasons": advice.reasons}
    if as_json:
        sys.stdout.write(json.dumps(words) + "\n")
    else:
        first = f"{advice.action.value} {_address(advice.node)}".rstrip()
        sys.stdout.write("\n  ".join((first, *advice.reasons)) + "\n")
    sys.stdout.flush()


def _fail(word: str, what: str, code: int, advice: str = "") -> int:
    sys.stderr.write(f"{word}. {what}\n")
    if advice:
        sys.stderr.write(f"What to do: {advice}\n")
    return code
