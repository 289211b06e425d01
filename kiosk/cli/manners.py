"""How every command behaves: the right clock, one line instead of a traceback, a question before anybody is cut off."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from kiosk.errors import KioskError
from kiosk.extensions import db
from kiosk.models import Organisation
from kiosk.services import system

USAGE_ERROR = 2


def plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command: the database's clock first, and one line on stderr instead of a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            system.measure_clock()
            return command(*args, **kwargs)
        except KioskError as error:
            fail(error.sentence)
        except SQLAlchemyError as error:
            fail(f"the database refused: {str(error.__cause__ or error).splitlines()[0]}")

    return with_appcontext(run)


def fail(text: str, code: int = 1) -> None:
    """Say in one line on stderr why not, and end. Control characters of what came in are shown, not obeyed."""
    printable = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    click.echo(printable, err=True)
    raise SystemExit(code)


def asked(question: str, *, yes: bool) -> None:
    """Go on only after a yes; without a terminal the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail(f"{question} Nothing was changed; --yes answers yes.", USAGE_ERROR)
    if not click.confirm(question, default=False):
        fail("Nothing was changed.", USAGE_ERROR)


def ask_to_stop(writing: Callable[[], int], *, yes: bool) -> None:
    """Ask before people who write are stopped; after a yes there must not be more of them than were shown."""
    shown = writing()
    if not shown:
        return
    asked(f"{shown} candidates are writing and will be stopped. Go on?", yes=yes)
    db.session.rollback()  # look afresh
    if not yes and writing() > shown:
        fail("More people have begun since. Nothing was changed; look at the numbers again.")


def only_organisation() -> Any:
    """Return the one organisation of this installation. Ends with exit code 2 if there is none or several."""
    found = db.session.execute(select(Organisation).limit(2)).scalars().all()
    if len(found) != 1:
        fail("There must be exactly one organisation.", USAGE_ERROR)
    return found[0]
