"""A migration while candidates write (M1): bounded, additive, and never against newer code's schema."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from sqlalchemy.exc import OperationalError

from tests.faults.bots import writing
from tests.faults.checks import app_on
from tests.faults.processes import Server
from tests.faults.site import Site
from tests.runtime.conftest import ROOT

pytestmark = pytest.mark.postgresql
ADDS_A_COLUMN = """
from alembic import op
import sqlalchemy as sa

revision, down_revision = "9999", "{head}"


def upgrade():
    op.add_column("attempts", sa.Column("of_the_future", sa.String(10), nullable=True))


def downgrade():
    op.drop_column("attempts", "of_the_future")
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of a version that comes after this one."""
    folder = tmp_path / "migrations"
    shutil.copytree(ROOT / "migrations", folder)
    head = max(path.name[:4] for path in (folder / "versions").glob("0*.py"))
    (folder / "versions" / "9999_future.py").write_text(ADDS_A_COLUMN.format(head=head))
    return folder


@pytest.fixture
def upgrade(country: Site, newer: Path) -> Iterator[object]:
    """Applies the newer migrations as a command beside the running servers; they are taken back at the end."""
    app = app_on(country.database_url)

    def run() -> None:
        with app.app_context():
            flask_migrate.upgrade(directory=str(newer))

    yield run
    with app.app_context():
        flask_migrate.downgrade(directory=str(newer), revision="-1")


def test_M1_a_migration_that_must_wait_gives_up_and_one_that_need_not_is_noticed_by_nobody(
    country: Site, upgrade: object, newer: Path
) -> None:
    assert callable(upgrade)
    bots = country.bots(3)
    with writing(bots):
        with country.console() as somebody, somebody.transaction():
            somebody.execute("SELECT count(*) FROM attempts")  # a long report
            country.log.faults += 1
            begun_at = time.monotonic()
            with pytest.raises(OperationalError, match="lock timeout"):
                upgrade()
            assert 2 < time.monotonic() - begun_at < 6
        time.sleep(0.3)
        upgrade()
        time.sleep(0.3)
        assert {bot.save().status for bot in bots} == {200}, "workers that run go on through it"
    assert country.log.statuses() <= {200, 201, 503}

    old = Server(country.server.folder.parent / "old", **country.server.settings)
    old.folder.mkdir(exist_ok=True)
    refused = subprocess.run(old.command, cwd=ROOT, env=old.environment(), capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1
    assert "newer" in (refused.stdout + refused.stderr).strip().splitlines()[-1], "old code never starts on it"
