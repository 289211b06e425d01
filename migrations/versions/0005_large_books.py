"""What a list shows stands in an index in the list's order, so that it costs the same however long the list is.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

IS_HERE = sa.text("archived_at IS NULL")
HAS_RESULT = sa.text("closed_at IS NOT NULL AND cancel_reason IS NULL")


def upgrade():
    for name, columns in (
        ("ix_candidates_centre_login", ["centre_id", "login"]),
        ("ix_candidates_centre_name", ["centre_id", sa.text("lower(name)"), "login"]),
        ("ix_candidates_centre_trade_login", ["centre_id", "trade_id", "login"]),
    ):
        op.create_index(name, "candidates", columns, unique=False, postgresql_where=IS_HERE, sqlite_where=IS_HERE)
    op.create_index("ix_candidates_shift_login", "candidates", ["shift_id", "centre_id", "login"], unique=False)
    # each is the beginning of another one
    op.drop_index("ix_candidates_centre_trade", table_name="candidates")
    op.drop_index("ix_candidates_shift_id", table_name="candidates")
    op.create_index(
        "ix_attempts_handed_in",
        "attempts",
        ["closed_at", "id"],
        unique=False,
        postgresql_where=HAS_RESULT,
        sqlite_where=HAS_RESULT,
    )


def downgrade():
    op.drop_index("ix_attempts_handed_in", table_name="attempts")
    op.create_index("ix_candidates_shift_id", "candidates", ["shift_id"], unique=False)
    op.create_index("ix_candidates_centre_trade", "candidates", ["centre_id", "trade_id"], unique=False)
    for name in ("shift_login", "centre_trade_login", "centre_name", "centre_login"):
        op.drop_index(f"ix_candidates_{name}", table_name="candidates")
