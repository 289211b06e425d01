"""The command line: thin over the same services as the screens."""

from __future__ import annotations

from flask import Flask

from kiosk.cli.backups import backup, restore
from kiosk.cli.commands import demo_group, setup, sweep
from kiosk.cli.doctor import doctor
from kiosk.cli.files import export_group, import_group
from kiosk.cli.slots import clear_incomplete_sessions, sets_group, slots_group
from kiosk.cli.users import user_group


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    commands = (clear_incomplete_sessions, demo_group, doctor, sets_group, setup, slots_group, sweep, user_group)
    for command in (*commands, backup, restore):
        app.cli.add_command(command)
    app.cli.add_command(import_group)
    app.cli.add_command(export_group)
