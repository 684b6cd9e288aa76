"""`catalog-ring backup` and `restore` on the command line."""

import argparse
from typing import Any

from ring.backups.archive import Archive
from ring.backups.store import open_store
from ring.operations.backup import Backup, run_backup
from ring.operations.commands import (
    DONE,
    EXIT_CODES,
    FAILED,
    run_in_context,
    run_to_exit_code,
    say,
)
from ring.operations.context import Context
from ring.operations.preflight import megabytes
from ring.operations.progress import Progress
from ring.operations.restore import Restore, run_restore

_PLACE = "a folder, or s3://bucket/prefix (endpoint and keys from the variables AWS_…)"


def register(subparsers: Any) -> None:
    """Add the subcommands; each sets `run`, which takes the arguments and returns an exit code."""
    backup = subparsers.add_parser(
        "backup", help="keep all rows, the schema and the token map elsewhere", epilog=EXIT_CODES
    )
    backup.add_argument("place", metavar="PLACE", help=_PLACE)
    backup.add_argument("--dry-run", action="store_true", help="print the plan, change nothing")
    backup.add_argument(
        "--keep", type=_at_least_one, default=0, metavar="N", help="then remove all but the last N"
    )
    backup.add_argument("--list", action="store_true", help="only print which backups there are")
    backup.add_argument(
        "--verify",
        nargs="*",
        metavar="BACKUP",
        help="only read the files of these backups (default: all) again and compare checksums",
    )
    backup.add_argument(
        "--discard-damaged",
        action="store_true",
        help="with --verify: delete damaged files, so that the next backup brings them again",
    )
    backup.set_defaults(run=_run_backup)
    restore = subparsers.add_parser(
        "restore", help="bring a backup into a ring, whatever its size", epilog=EXIT_CODES
    )
    restore.add_argument("place", metavar="PLACE", help=_PLACE)
    restore.add_argument("--dry-run", action="store_true", help="print the plan, change nothing")
    restore.add_argument("--backup", default="", metavar="BACKUP", help="default: the last one")
    restore.add_argument(
        "--replace", action="store_true", help="remove the rows that are in the tables"
    )
    restore.add_argument(
        "--replication-factor",
        type=_at_least_one,
        default=0,
        metavar="N",
        help="of keyspaces that are not there yet; default: 3, or the number of nodes when fewer",
    )
    restore.add_argument(
        "--compare", action="store_true", help="only compare the ring with the backup"
    )
    restore.set_defaults(run=_run_restore)


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _run_backup(args: argparse.Namespace) -> int:
    async def look() -> int:
        archive = Archive(open_store(args.place))
        try:
            if args.list:
                return await list_backups(archive)
            return await verify_backups(
                archive, args.verify or await archive.list_names(), discard=args.discard_damaged
            )
        finally:
            archive.store.close()

    async def act(context: Context) -> int:
        archive = Archive(open_store(args.place))
        try:
            await run_backup(context, Backup(archive, keep=args.keep), dry_run=args.dry_run)
        finally:
            archive.store.close()
        return DONE

    is_look = args.list or args.verify is not None
    return run_to_exit_code(look) if is_look else run_in_context(act)


def _run_restore(args: argparse.Namespace) -> int:
    async def act(context: Context) -> int:
        archive = Archive(open_store(args.place))
        try:
            manifest = await (archive.read(args.backup) if args.backup else archive.read_last())
            restore = Restore(
                archive, manifest, replace=args.replace, factor=args.replication_factor
            )
            if args.compare:
                await restore.compare(context)
            else:
                await run_restore(context, restore, dry_run=args.dry_run)
        finally:
            archive.store.close()
        return DONE

    return run_in_context(act)


async def list_backups(archive: Archive) -> int:
    """Print a line for each backup.

    Raises:
        BackupError: the place, or a manifest in it, cannot be read.
    """
    for name in await archive.list_names():
        manifest = await archive.read(name)
        say(
            f"{name}  {manifest.ring}, {len(manifest.nodes)} nodes, {manifest.rows:,} rows, "
            f"{len(manifest.objects)} files, {megabytes(sum(manifest.objects.values()))}"
        )
    held = await archive.objects()
    say(f"{archive.store.place} holds {len(held)} files, {megabytes(sum(held.values()))}")
    return DONE


async def verify_backups(archive: Archive, names: list[str], *, discard: bool) -> int:
    """Read every file of these backups again, and print which are damaged; 1 when one is.

    Raises:
        BackupError: the place cannot be read.
    """
    progress = Progress(say)
    damages = await archive.verify(names, lambda done, total: progress.show("reading", done, total))
    for damage in damages:
        say(f"DAMAGED  {damage.name} {damage.problem}; needed by {', '.join(damage.backups)}")
    bad = {name for damage in damages for name in damage.backups}
    say(f"{len(names) - len(bad)} of {len(names)} backups are whole")
    if damages and discard:
        await archive.discard(damages)
        say("Removed what is damaged; the next backup brings those files that nodes still have.")
    elif damages:
        say("What to do: --discard-damaged, then make a new backup; restore one that is whole.")
    return FAILED if damages else DONE
