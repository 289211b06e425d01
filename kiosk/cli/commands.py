"""Commands for setting up, sample data and the sweeper."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from kiosk import clock
from kiosk.cli.manners import plainly
from kiosk.jobs import errands, sweeper
from kiosk.services import demo, outages, setting_up

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
    outages.recover(now=clock.now())
    if once:
        click.echo(f"Ended: {sweeper.sweep(now=clock.now())}")
        errands.do(current_app._get_current_object())  # type: ignore[attr-defined]
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
