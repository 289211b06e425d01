"""One writer by page, the way through the paper, second factors, and tries counted by source.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade():
    # plain ADD COLUMNs on both databases: no table is copied, running servers don't notice
    for name, kind in (("address", sa.String(length=40)), ("user_agent", sa.String(length=200))):
        op.add_column("attempts", sa.Column(name, kind, nullable=True))
    op.add_column("attempts", sa.Column("takeover_approved_at", sa.DateTime(timezone=True), nullable=True))
    # Alembic would add the key in a second statement, which SQLite doesn't know
    kind = "CHAR(32)" if op.get_bind().dialect.name == "sqlite" else "UUID"
    op.execute(
        f"ALTER TABLE attempts ADD COLUMN kiosk_id {kind} CONSTRAINT fk_attempts_kiosk_id_kiosks REFERENCES kiosks (id)"
    )
    op.create_index(op.f("ix_attempts_kiosk_id"), "attempts", ["kiosk_id"], unique=False)
    op.create_table(
        "visits",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
    )
    op.create_index("ix_visits_attempt", "visits", ["attempt_id", "at"], unique=False)
    op.add_column("organisations", sa.Column("totp_roles", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("users", sa.Column("totp_secret", sa.String(length=64), nullable=True))
    op.add_column("users", sa.Column("totp_on_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("totp_last_step", sa.BigInteger(), nullable=True))
    op.create_table(
        "sign_in_tries",
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_sign_in_tries")),
    )


def downgrade():
    op.drop_table("sign_in_tries")
    with op.batch_alter_table("users") as batch_op:
        for name in ("totp_last_step", "totp_on_at", "totp_secret"):
            batch_op.drop_column(name)
    with op.batch_alter_table("organisations") as batch_op:
        batch_op.drop_column("totp_roles")
    op.drop_index("ix_visits_attempt", table_name="visits")
    op.drop_table("visits")
    op.drop_index(op.f("ix_attempts_kiosk_id"), table_name="attempts")
    with op.batch_alter_table("attempts") as batch_op:
        for name in ("kiosk_id", "takeover_approved_at", "user_agent", "address"):
            batch_op.drop_column(name)
