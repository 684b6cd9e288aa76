"""Everything that an operator does to a ring, on real processes, while shoppers read and write.

    python -m benchmarks.rehearse_ring [--ssh] [--products 5000] [--load-share 1] [--quick]

One node becomes three; one is killed with its app server and replaced; all are restarted in turn;
one is removed; the ring is repaired, backed up, and restored into a fresh ring of another size.
Each by its one command of `catalog-ring`, under 200 reads/s and 50 QUORUM writes/s. Exit code 1
unless no read failed and no acknowledged write was lost.

With --ssh nodes are added and replaced on hosts of their own, which only ssh reaches: network
namespaces on a bridge, each with an sshd; the dead one loses its power.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.catalog_stack import CatalogStack
from benchmarks.paths import NODE_STATE
from benchmarks.processes import stop_on_sigterm
from benchmarks.rehearsal_report import Plan, Step, report
from benchmarks.ring_load.check import Checked
from benchmarks.ring_load.running import RingLoad
from benchmarks.ring_stack import RingStack, StackPlace
from benchmarks.ssh_hosts import enter_own_machine
from benchmarks.ssh_stack import SshStack, network_of

MODULE: Final = "benchmarks.rehearse_ring"
PRODUCTS: Final = 5_000
QUIET_SECONDS: Final = 15.0
DEAD_SECONDS: Final = 10.0
STEP_SECONDS: Final = 1800.0
QUICK_PRODUCTS: Final = 500
QUICK_SECONDS: Final = 4.0
RESTORED_NODES: Final = 3
LOG: Final = NODE_STATE / "rehearse_ring.log"
BACKUP: Final = NODE_STATE / "rehearse_ring_backup"


class Rehearsal:
    """The steps, one after the other.

    Attributes:
        steps: those that were done.
        stack, load: on which, and under which.
    """

    def __init__(self, plan: Plan, stack: CatalogStack, load: RingLoad) -> None:
        self.steps: list[Step] = []
        self.stack = stack
        self.load = load
        self._plan = plan

    def __repr__(self) -> str:
        """Steps done, for messages."""
        return f"<Rehearsal {len(self.steps)} steps>"

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
        received = self.load.received()
        begun = time.time()
        if first is not None:
            first()
        exit_code = self._run(arguments)
        ended = time.time()
        streamed = self.load.received_since(received)
        time.sleep(self._plan.quiet_seconds)
        # The last second is not in the record yet, nor are requests that still wait.
        end = time.time() - 1.0
        checked = self.load.check_quorum()
        self.load.check_alive()
        self._add(
            Step(
                name=" ".join(arguments),
                exit_code=exit_code,
                seconds=ended - begun,
                streamed_bytes=streamed,
                before=self.load.figures(start, begun),
                during=self.load.figures(begun, ended),
                after=self.load.figures(ended, end),
                lost=checked.lost,
                resurrected=checked.resurrected,
            ),
            checked,
        )
        if exit_code != 0:
            raise StepFailedError(f"{' '.join(arguments)} ended with {exit_code}; {LOG}")

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
        # The sample is in its tables.
        exit_code = self._run(("restore", str(directory), "--replace"), stack=fresh)
        step = Step("restore", exit_code, time.time() - begun, 0, None, None, None, 0, 0)
        self._add(step)
        if exit_code != 0:
            raise StepFailedError(f"restore ended with {exit_code}; {LOG}")
        point = fresh.address(1)
        self.check_all(
            f"read back from {RESTORED_NODES} restored nodes",
            lambda: self.load.check_quorum(point, firm_until=backed_up_at),
            lambda: self.load.check_replicas(point, firm_until=backed_up_at),
        )

    def _run(self, arguments: Sequence[str], *, stack: CatalogStack | None = None) -> int:
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"\n$ catalog-ring {' '.join(arguments)}\n")
        running = (stack or self.stack).start(*arguments, log=LOG)
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
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}")
    parser.add_argument("--products", type=int, default=PRODUCTS)
    parser.add_argument("--quick", action="store_true", help="whether it all works; few products")
    parser.add_argument("--ssh", action="store_true", help="add and replace, on hosts over ssh")
    parser.add_argument(
        "--load-share", type=float, default=1.0, help="of the load, on a machine that others use"
    )
    given = parser.parse_args()
    plan = Plan(given.products, QUIET_SECONDS, given.load_share, quick=given.load_share != 1)
    if given.quick:
        plan = Plan(QUICK_PRODUCTS, QUICK_SECONDS, given.load_share, quick=True)
    LOG.unlink(missing_ok=True)
    if given.ssh:
        enter_own_machine(MODULE)
        with network_of(NODE_STATE / "ssh_stack_hosts").running() as network:
            rehearsal = rehearse(plan, SshStack(network, products=plan.products), over_ssh)
    else:
        rehearsal = rehearse(plan, RingStack(StackPlace(), products=plan.products), everything)
    sys.exit(report(plan, rehearsal.steps, "rehearse_ring_ssh" if given.ssh else "rehearse_ring"))


def rehearse(plan: Plan, stack: CatalogStack, steps: Callable[[Rehearsal], None]) -> Rehearsal:
    """Start one node, and go through the steps; the first that fails ends it."""
    try:
        stack.up(1)
        rehearsal = Rehearsal(plan, stack, RingLoad(stack.plan().scaled(plan.load_share)))
        try:
            steps(rehearsal)
        except StepFailedError as error:
            print(error)
    finally:
        stack.remove()
    return rehearsal


def everything(rehearsal: Rehearsal) -> None:
    """All that is done to a ring, and to its backup."""
    stack, load = rehearsal.stack, rehearsal.load
    shutil.rmtree(BACKUP, ignore_errors=True)
    with load.running():
        add_and_replace(rehearsal)
        rehearsal.run("restart")
        # Three replicas need three nodes.
        rehearsal.run("replication", "catalog", "2", "--accept-outage")
        rehearsal.run("remove", stack.host(3))
        rehearsal.run("repair")
        backed_up_at = time.time()
        rehearsal.run("backup", str(BACKUP))
    rehearsal.check_all("read back from all nodes", load.check_quorum, load.check_replicas)
    stack.run("down")
    fresh = RingStack(StackPlace.second(), products=stack.products)
    try:
        fresh.up(RESTORED_NODES)
        rehearsal.restore(fresh, BACKUP, backed_up_at)
    finally:
        fresh.remove()


def over_ssh(rehearsal: Rehearsal) -> None:
    """What differs most where a host is a machine of its own."""
    load = rehearsal.load
    with load.running():
        add_and_replace(rehearsal)
        rehearsal.run("repair")
    rehearsal.check_all("read back from all nodes", load.check_quorum, load.check_replicas)


def add_and_replace(rehearsal: Rehearsal) -> None:
    """One node becomes three; the second dies, and a fourth takes its place."""
    host = rehearsal.stack.host

    def lose_second() -> None:
        rehearsal.stack.kill_place(2)
        time.sleep(DEAD_SECONDS)

    rehearsal.run("add", host(2))
    rehearsal.run("add", host(3))
    rehearsal.run("replace", host(2), host(4), first=lose_second)


if __name__ == "__main__":
    stop_on_sigterm()
    main()
