"""Commands for accounts: staff are created here, and everybody is unlocked, signed out and freed of a lost phone."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from kiosk import clock
from kiosk.capabilities import Role
from kiosk.cli.manners import USAGE_ERROR, fail, only_organisation, plainly
from kiosk.errors import NotFound
from kiosk.models import Candidate, User
from kiosk.services import accounts, second_factor, setting_up, sign_ins
from kiosk.services.audit import COMMAND_LINE

user_group = AppGroup("user", help="Accounts of staff, and sign-ins of everybody.")


@user_group.command("create")
@click.option("--login", required=True)
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--centre", help="Code of the centre, for a centre's people.")
@plainly
def create(login: str, name: str, role: str, centre: str | None) -> None:
    """Add a staff member, with a one-time password."""
    password = setting_up.add_user(login=login, name=name, role=role, centre=centre, now=clock.now())
    click.echo(f"{login} can sign in with the one-time password: {password}")


@user_group.command("unlock")
@click.argument("login")
@plainly
def unlock(login: str) -> None:
    """Let a candidate or staff member try again at once after wrong tries."""
    person = _account(login)
    was_locked = sign_ins.unlock(type(person), person.id, by=COMMAND_LINE, now=clock.now())
    click.echo(f"{login} is unlocked." if was_locked else f"{login} is not locked.")


@user_group.command("sign-out")
@click.argument("login")
@plainly
def sign_out(login: str) -> None:
    """End every sign-in of a candidate or staff member."""
    person = _account(login)
    sign_ins.end_all(type(person), person.id, by=COMMAND_LINE, now=clock.now())
    click.echo(f"Every sign-in of {login} has ended.")


@user_group.command("totp-off")
@click.argument("login")
@plainly
def totp_off(login: str) -> None:
    """Switch a staff member's second factor off: the phone is lost."""
    person = _account(login)
    if isinstance(person, Candidate):
        fail(f"{login} is a candidate; candidates have no second factor.", USAGE_ERROR)
    was_on = second_factor.switch_off(person.id, by=COMMAND_LINE, now=clock.now(), forced=True)
    click.echo(f"The second factor of {login} is off." if was_on else f"{login} has no second factor.")


@user_group.command("totp-roles")
@click.argument("roles")
@plainly
def totp_roles(roles: str) -> None:
    """Demand a second factor of ROLES (with commas between them, or none), from their next sign-in on."""
    wanted = [] if roles == "none" else [role.strip() for role in roles.split(",")]
    if any(role not in list(Role) for role in wanted):
        fail(f"The roles are {', '.join(Role)}; none demands it of nobody.", USAGE_ERROR)
    second_factor.demand_of(only_organisation().id, wanted, by=COMMAND_LINE, now=clock.now())
    click.echo(f"A second factor is demanded of: {', '.join(sorted(wanted)) or 'nobody'}.")


def _account(login: str) -> Candidate | User:
    """The account with this login (CODE/login where there are several organisations). Ends with exit code 2."""
    try:
        return accounts.find(login)
    except NotFound:
        fail(f"There is no account {login}.", USAGE_ERROR)
        raise
