"""`flask backup` and `flask restore`: one file with everything, and back."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from kiosk import clock
from kiosk.cli.manners import fail, plainly
from kiosk.runtime import backup as backups
from kiosk.runtime import restore as restores
from kiosk.runtime.archive import BackupRefused
from kiosk.services import noting
from kiosk.services.system import settings

YES = click.option("--yes", is_flag=True, expose_value=False, help="Answer yes; this command asks nothing.")


@click.command("backup")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file; by default one in KIOSK_BACKUP_DIR.")
@YES
@plainly
def backup(output: Path | None) -> None:
    """Write database, uploads and keys into one file, beside a running server too."""
    try:
        made = backups.make(settings(), output, now=clock.now())
    except (BackupRefused, OSError) as refusal:
        fail(_words(refusal))
    noting.note("make_backup", {"file": str(made)}, now=clock.now())
    click.echo(
        f"{made} ({made.stat().st_size / 1e6:.1f} MB). It holds keys and answers: keep it where nobody else reads."
    )


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@YES
@with_appcontext
def restore(file: Path) -> None:
    """Put a backup in the place of what is there. The server must have ended; the old data is kept."""
    # the clock of the machine: the database that is there may be the very reason to restore
    try:
        done = restores.restore(settings(), file, now=clock.now())
    except (BackupRefused, OSError) as refusal:
        fail(_words(refusal))
    except SQLAlchemyError as error:
        fail(f"the database refused: {str(error.__cause__ or error).splitlines()[0]}")
    try:
        noting.note("restore_backup", {"file": str(file), "made_at": done.manifest["made_at"]}, now=clock.now())
    except SQLAlchemyError:
        done.warnings.append("the audit log of the restored database could not take a note of it")
    for warning in done.warnings:
        click.echo(f"Warning: {warning}.", err=True)
    click.echo(f"Restored the backup of {done.manifest['made_at']}. Everybody has to sign in again.")
    click.echo(f"The old data is in {done.kept}. Now: python3 manage.py run")


def _words(refusal: BackupRefused | OSError) -> str:
    if isinstance(refusal, OSError):
        return f"{refusal.filename or 'the backup'}: {refusal.strerror or refusal}"
    return str(refusal)
