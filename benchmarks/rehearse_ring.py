"""Everything that an operator does to a ring, on real processes, while shoppers read and write.

    python -m benchmarks.rehearse_ring [--products 5000] [--load-share 1] [--quick]

One node becomes three; one is killed with its app server and replaced; all are restarted in turn;
one is removed; the ring is repaired, backed up, and restored into a fresh ring of another size.
Each by its one command of `catalog-ring`, under 200 reads/s and 50 QUORUM writes/s. Exit code 1
unless no read failed and no acknowledged write was lost.
"""

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks.paths import NODE_STATE
from benchmarks.processes import stop_on_sigterm
from benchmarks.results import machine_line, markdown_table, write_result, write_text
from benchmarks.ring_load.check import Checked
from benchmarks.ring_load.figures import Figures
from benchmarks.ring_load.running import RingLoad
from benchmarks.ring_stack import RingStack, StackPlace

PRODUCTS: Final = 5_000
QUIET_SECONDS: Final = 15.0
DEAD_SECONDS: Final = 10.0
STEP_SECONDS: Final = 1800.0
QUICK_PRODUCTS: Final = 500
QUICK_SECONDS: Final = 4.0
RESTORED_NODES: Final = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for; `quiet_seconds` before and after each step."""

    products: int
    quiet_seconds: float
    load_share: float
    quick: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What one step took, and what users saw of it.

    Attributes:
        exit_code: of its command.
        streamed_bytes: what nodes received from each other meanwhile.
        before, during, after: what users saw.
        lost, resurrected: acknowledged writes that a quorum does not know; deleted rows that it
            does.
    """

    name: str
    exit_code: int
    seconds: float
    streamed_bytes: int
    before: Figures | None
    during: Figures | None
    after: Figures | None
    lost: int
    resurrected: int

    @property
    def holds(self) -> bool:
        """Whether it did what it says and nobody noticed."""
        seen = [figures for figures in (self.before, self.during, self.after) if figures]
        noticed = sum(figures.bad_reads for figures in seen) + self.lost + self.resurrected
        return self.exit_code == 0 and not noticed


class Rehearsal:
    """The steps, one after the other, on one stack under one load."""

    def __init__(self, plan: Plan, stack: RingStack, load: RingLoad) -> None:
        self.steps: list[Step] = []
        self._plan = plan
        self._stack = stack
        self._load = load
        self._log = NODE_STATE / "rehearse_ring.log"

    def __repr__(self) -> str:
        """Steps done, for messages."""
        return f"<Rehearsal {len(self.steps)} steps>"

    @property
    def holds(self) -> bool:
        """Whether every step held."""
        return all(step.holds for step in self.steps)

    def run(self, *arguments: str, first: Callable[[], None] | None = None) -> None:
        """Run one command under load and see what it cost.

        Args:
            arguments: of `catalog-ring`.
            first: what goes wrong before it is run.

        Raises:
            StepFailedError: the command did not end with 0; with what it printed.
        """
        start = time.time()
        time.sleep(self._plan.quiet_seconds)
        received = self._load.received()
        begun = time.time()
        if first is not None:
            first()
        exit_code = self._run(arguments)
        ended = time.time()
        streamed = self._load.received_since(received)
        time.sleep(self._plan.quiet_seconds)
        # The last second is not in the record yet, nor are requests that still wait.
        end = time.time() - 1.0
        checked = self._load.check_quorum()
        self._load.check_alive()
        self._add(
            Step(
                name=" ".join(arguments),
                exit_code=exit_code,
                seconds=ended - begun,
                streamed_bytes=streamed,
                before=self._load.figures(start, begun),
                during=self._load.figures(begun, ended),
                after=self._load.figures(ended, end),
                lost=checked.lost,
                resurrected=checked.resurrected,
            ),
            checked,
        )
        if exit_code != 0:
            raise StepFailedError(f"{' '.join(arguments)} ended with {exit_code}; {self._log}")

    def check_all(self, name: str, *checks: Callable[[], Checked]) -> None:
        """Read everything back, and enter that as a step."""
        begun = time.time()
        found = [one() for one in checks]
        lost = max(checked.lost for checked in found)
        resurrected = max(checked.resurrected for checked in found)
        seconds = time.time() - begun
        step = Step(name, 0, seconds, 0, None, None, None, lost, resurrected)
        self._add(step, *found)

    def restore(self, fresh: RingStack, directory: Path, backed_up_at: float) -> None:
        """Restore into another ring, and read there what was acknowledged before the backup."""
        begun = time.time()
        exit_code = self._run(("restore", str(directory)), stack=fresh)
        step = Step("restore", exit_code, time.time() - begun, 0, None, None, None, 0, 0)
        self._add(step)
        if exit_code != 0:
            raise StepFailedError(f"restore ended with {exit_code}; {self._log}")
        point = fresh.address(1)
        self.check_all(
            f"read back from {RESTORED_NODES} restored nodes",
            lambda: self._load.check_quorum(point, firm_until=backed_up_at),
            lambda: self._load.check_replicas(point, firm_until=backed_up_at),
        )

    def _run(self, arguments: Sequence[str], *, stack: RingStack | None = None) -> int:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"\n$ catalog-ring {' '.join(arguments)}\n")
        running = (stack or self._stack).start(*arguments, log=self._log)
        try:
            return running.wait(timeout=STEP_SECONDS)
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()

    def _add(self, step: Step, *checks: Checked) -> None:
        self.steps.append(step)
        print(f"{time.strftime('%H:%M:%S')} {step.name}: {step.seconds:.0f} s", flush=True)
        for phase in ("before", "during", "after"):
            if (seen := getattr(step, phase)) is not None:
                print(f"  {phase}: {seen.text()}", flush=True)
        for checked in checks:
            print(f"  {checked.text()}", flush=True)


class StepFailedError(Exception):
    """A command of the rehearsal did not do what it says."""


def main() -> None:
    """Rehearse, print the table, judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rehearse_ring")
    parser.add_argument("--products", type=int, default=PRODUCTS)
    parser.add_argument("--quick", action="store_true", help="whether it all works; few products")
    parser.add_argument(
        "--load-share", type=float, default=1.0, help="of the load, on a machine that others use"
    )
    given = parser.parse_args()
    plan = Plan(given.products, QUIET_SECONDS, given.load_share, quick=given.load_share != 1)
    if given.quick:
        plan = Plan(QUICK_PRODUCTS, QUICK_SECONDS, given.load_share, quick=True)
    stack = RingStack(StackPlace(), products=plan.products)
    (NODE_STATE / "rehearse_ring.log").unlink(missing_ok=True)
    try:
        stack.up(1)
        rehearsal = rehearse(plan, stack)
    finally:
        stack.remove()
    sys.exit(report(plan, rehearsal))


def rehearse(plan: Plan, stack: RingStack) -> Rehearsal:
    """Go through all steps; the first that fails ends it."""
    load = RingLoad(stack.plan().scaled(plan.load_share))
    rehearsal = Rehearsal(plan, stack, load)
    directory = NODE_STATE / "rehearse_ring_backup"
    shutil.rmtree(directory, ignore_errors=True)
    try:
        with load.running():
            rehearsal.run("add", "node2")
            rehearsal.run("add", "node3")
            rehearsal.run("replace", "node2", "node4", first=lambda: kill_place(stack, 2))
            rehearsal.run("restart")
            # Three replicas need three nodes.
            rehearsal.run("replication", "catalog", "2", "--accept-outage")
            rehearsal.run("remove", "node3")
            rehearsal.run("repair")
            backed_up_at = time.time()
            rehearsal.run("backup", str(directory))
        rehearsal.check_all("read back from all nodes", load.check_quorum, load.check_replicas)
        stack.run("down")
        restore(rehearsal, directory, backed_up_at, plan)
    except StepFailedError as error:
        print(error)
    return rehearsal


def restore(rehearsal: Rehearsal, directory: Path, backed_up_at: float, plan: Plan) -> None:
    """Restore the backup into a fresh ring of another size."""
    fresh = RingStack(StackPlace.second(), products=plan.products)
    try:
        fresh.up(RESTORED_NODES)
        rehearsal.restore(fresh, directory, backed_up_at)
    finally:
        fresh.remove()


def kill_place(stack: RingStack, number: int) -> None:
    """Kill a node with the app server beside it, as the loss of their machine would."""
    running = stack.processes()
    for name in (f"node{number}", f"app{number}"):
        running[name].signal(signal.SIGKILL)
    time.sleep(DEAD_SECONDS)


def report(plan: Plan, rehearsal: Rehearsal) -> int:
    """Print and keep the table; return the exit code."""
    header = (
        "step",
        "seconds",
        "streamed MB",
        "failed reads",
        "p99 before ms",
        "during",
        "after",
        "longest gap s",
        "writes not acknowledged",
        "lost writes",
        "back from deletion",
        "",
    )
    load = f"{200 * plan.load_share:g} reads/s and {50 * plan.load_share:g} QUORUM writes/s"
    about = f"{machine_line()}. {plan.products} products, {load}."
    table = markdown_table(header, [row(step) for step in rehearsal.steps])
    text = f"# Changing the ring under load\n\n{about}\n\n{table}\n"
    print(text)
    write_text("rehearse_ring.md", text, quick=plan.quick)
    steps = [asdict(step) for step in rehearsal.steps]
    kept = write_result("rehearse_ring", {"steps": steps}, quick=plan.quick)
    print(f"kept in {kept}")
    return 0 if rehearsal.holds else 1


def row(step: Step) -> list[str]:
    """Return one line of the table."""
    seen = [figures for figures in (step.before, step.during, step.after) if figures]
    unsure = sum(
        count
        for figures in seen
        for outcome, count in figures.writes.items()
        if outcome != "acknowledged"
    )
    return [
        step.name,
        f"{step.seconds:.0f}",
        f"{step.streamed_bytes / 1e6:.1f}",
        str(sum(figures.bad_reads for figures in seen)) if seen else "",
        *(f"{figures.p99:.1f}" for figures in seen),
        *([""] * (3 - len(seen))),
        f"{max(figures.longest_gap_seconds for figures in seen):.2f}" if seen else "",
        str(unsure) if seen else "",
        str(step.lost),
        str(step.resurrected),
        "holds" if step.holds else "FAILS",
    ]


if __name__ == "__main__":
    stop_on_sigterm()
    main()
