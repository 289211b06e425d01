"""The command line: thin over the same services as the screens."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from kiosk import clock
from kiosk.errors import KioskError
from kiosk.extensions import db
from kiosk.services import demo, setting_up, system

USAGE_ERROR = 2


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    from kiosk.cli_doctor import doctor
    from kiosk.cli_slots import clear_incomplete_sessions, sets_group, slots_group

    for command in (demo_group, doctor, setup, sweep, clear_incomplete_sessions, slots_group, sets_group, user_group):
        app.cli.add_command(command)


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


demo_group = AppGroup("demo", help="Sample data.")


@demo_group.command("load")
@plainly
def demo_load() -> None:
    """Load the sample organisation into an empty database."""
    demo.load_demo(clock.now())
    click.echo("Demo data loaded.")


@click.command("sweep")
@click.option("--once", is_flag=True, help="One round, then end.")
@plainly
def sweep(once: bool) -> None:
    """End overdue attempts and mend timer keys."""
    from flask import current_app

    from kiosk.jobs import sweeper
    from kiosk.services import outages

    outages.recover(now=clock.now())
    if once:
        click.echo(f"Ended: {sweeper.sweep(now=clock.now())}")
        return
    sweeper.run(current_app._get_current_object())  # type: ignore[attr-defined]


@click.command("setup")
@click.option("--organisation", required=True, help="Name of the organisation.")
@click.option("--centre", required=True, help="CODE:NAME of the first centre.")
@click.option("--admin", required=True, help="Login of the first admin.")
@plainly
def setup(organisation: str, centre: str, admin: str) -> None:
    """Make the first organisation, centre and admin, with a one-time password."""
    password = setting_up.set_up(organisation=organisation, centre=centre, admin=admin, now=clock.now())
    click.echo(f"Organisation made. Sign in as {admin} with the one-time password: {password}")


user_group = AppGroup("user", help="Staff accounts.")


@user_group.command("create")
@click.option("--login", required=True)
@click.option("--name", required=True)
@click.option("--role", required=True)
@click.option("--centre", help="Code of the centre, for a centre's people.")
@plainly
def user_create(login: str, name: str, role: str, centre: str | None) -> None:
    """Add a staff member, with a one-time password."""
    password = setting_up.add_user(login=login, name=name, role=role, centre=centre, now=clock.now())
    click.echo(f"{login} can sign in with the one-time password: {password}")


def only_organisation() -> Any:
    """Return the one organisation of this installation. Ends with exit code 2 if there is none or several."""
    from kiosk.models import Organisation

    found = db.session.execute(select(Organisation).limit(2)).scalars().all()
    if len(found) != 1:
        fail("There must be exactly one organisation.", USAGE_ERROR)
    return found[0]
