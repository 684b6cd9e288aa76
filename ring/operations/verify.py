"""`catalog-ring verify`: whether the ring is well, and replicas hold the same rows."""

from ring.operations.checks import compare_replicas
from ring.operations.context import Context
from ring.operations.status import fetch_status, status_lines


async def verify(context: Context, *, rows: int) -> bool:
    """Print the ring's status and what sampled rows of each table came to.

    Args:
        context: of the ring.
        rows: how many of each table are read from each of their replicas.

    Returns:
        Whether all is well: nothing to complain of, and no replica differs from the others.

    Raises:
        OperationError: no node answers, or a replica does not.
    """
    status = await fetch_status(context)
    for line in status_lines(status):
        context.say(line)
    view = await context.reader.read()
    compared, differing = 0, 0
    for table in sorted(view.tables):
        outcome = await compare_replicas(context, view, table, rows=rows)
        compared += outcome.rows
        differing += len(outcome.differences)
        for difference in outcome.differences:
            context.say(f"DIFFERS      {table}, {difference}")
    context.say(f"rows         {compared} read from every replica of theirs, {differing} differ")
    if differing:
        context.say("What to do: catalog-ring repair")
    return bool(status["well"]) and not differing
