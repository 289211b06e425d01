"""What an exam day needs: jobs, mail, incidents, photos, enrolment of kiosks, and seals on the audit log.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_results_attempt", "results", ["attempt_id"], unique=False)
    op.create_table(
        "audit_seals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("hash_before", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_seals")),
        sa.UniqueConstraint("last_id", name=op.f("uq_audit_seals_last_id")),
        sa.UniqueConstraint("hash_before", name=op.f("uq_audit_seals_hash_before")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("params", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("input_name", sa.String(length=200), nullable=True),
        sa.Column("input_file", sa.LargeBinary(), nullable=True),
        sa.Column("photos_id", sa.Uuid(), nullable=True),
        sa.Column("steps_done", sa.Integer(), nullable=False),
        sa.Column("steps_total", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("output_name", sa.String(length=200), nullable=True),
        sa.Column("output_file", sa.LargeBinary(), nullable=True),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('queued', 'running', 'done', 'refused', 'failed')", name=op.f("ck_jobs_status")),
        sa.ForeignKeyConstraint(["centre_id"], ["centres.id"], name=op.f("fk_jobs_centre_id_centres")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_jobs_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_organisation_made", "jobs", ["organisation_id", "made_at"], unique=False)
    op.create_index("ix_jobs_status", "jobs", ["status"], unique=False)
    op.create_table(
        "staged_candidates",
        sa.Column("stage_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.String(length=40), nullable=False),
        sa.Column("service_no", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("rank", sa.String(length=40), nullable=True),
        sa.Column("trade_id", sa.Uuid(), nullable=True),
        sa.Column("centre_id", sa.Uuid(), nullable=True),
        sa.Column("moves", sa.Boolean(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.String(length=40), nullable=True),
        sa.Column("extra_minutes_per_hour", sa.Integer(), nullable=True),
        sa.Column("photo", sa.String(length=200), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("audit_tail", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("stage_id", "line", name=op.f("pk_staged_candidates")),
    )
    op.create_table(
        "staged_photos",
        sa.Column("stage_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("audit_tail", sa.String(length=20), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("stage_id", "line", name=op.f("pk_staged_photos")),
    )
    op.create_table(
        "upload_chunks",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", "number", name=op.f("pk_upload_chunks")),
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('waiting', 'sent', 'failed')", name=op.f("ck_mails_status")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_mails_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_mails_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    op.create_index("ix_mails_organisation_made", "mails", ["organisation_id", "made_at"], unique=False)
    op.create_index("ix_mails_status", "mails", ["status", "next_try_at"], unique=False)
    op.create_index(op.f("ix_mails_user_id"), "mails", ["user_id"], unique=False)
    is_about = sa.text("about <> ''")
    op.create_index(
        "uq_mails_once",
        "mails",
        ["user_id", "kind", "about"],
        unique=True,
        postgresql_where=is_about,
        sqlite_where=is_about,
    )
    op.create_index("ix_audit_events_actor", "audit_events", ["actor_id", "at"], unique=False)
    op.create_index("ix_audit_events_action", "audit_events", ["action", "at"], unique=False)
    op.create_table(
        "candidate_photos",
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("mime", sa.String(length=40), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidates.id"], name=op.f("fk_candidate_photos_candidate_id_candidates")
        ),
        sa.PrimaryKeyConstraint("candidate_id", name=op.f("pk_candidate_photos")),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("candidate_id", sa.Uuid(), nullable=True),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("seconds_lost", sa.Integer(), nullable=False),
        sa.Column("seconds_granted", sa.Integer(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint("seconds_lost >= 0", name=op.f("ck_incidents_seconds_lost")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name=op.f("fk_incidents_attempt_id_attempts")),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidates.id"], name=op.f("fk_incidents_candidate_id_candidates")),
        sa.ForeignKeyConstraint(["centre_id"], ["centres.id"], name=op.f("fk_incidents_centre_id_centres")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_incidents_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["shift_id"], ["shifts.id"], name=op.f("fk_incidents_shift_id_shifts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(op.f("ix_incidents_candidate_id"), "incidents", ["candidate_id"], unique=False)
    op.create_index("ix_incidents_centre_at", "incidents", ["centre_id", "happened_at"], unique=False)
    op.add_column("candidates", sa.Column("checked_in_by", sa.String(length=200), nullable=True))
    op.add_column("candidates", sa.Column("late_entry_shift_id", sa.Uuid(), nullable=True))
    op.create_index("uq_candidates_shift_seat", "candidates", ["shift_id", "seat"], unique=True)
    op.add_column("kiosks", sa.Column("enrolment_code_hash", sa.String(length=64), nullable=True))
    op.add_column("kiosks", sa.Column("enrolment_ends_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_kiosks_enrolment_code_hash"), "kiosks", ["enrolment_code_hash"], unique=False)
    op.add_column("attempts", sa.Column("trouble", sa.String(length=200), nullable=True))
    op.add_column("attempts", sa.Column("unsaved", sa.Integer(), server_default="0", nullable=False))
    op.add_column("users", sa.Column("email", sa.String(length=200), nullable=True))
    op.add_column("users", sa.Column("mail_wishes", sa.JSON(none_as_null=True), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_seals_no_{verb.lower()} BEFORE {verb} ON audit_seals "
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )
        return
    # every running attempt is stamped every few seconds: with room on its page that touches no index and takes a fifth
    # of the log (docs/scale.md)
    op.execute("ALTER TABLE attempts SET (fillfactor = 50)")
    op.execute(
        "CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
    )


def downgrade():
    op.drop_index("ix_results_attempt", table_name="results")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_seals_no_update")
        op.execute("DROP TRIGGER audit_seals_no_delete")
    else:
        op.execute("DROP TRIGGER audit_seals_append_only ON audit_seals")
        op.execute("ALTER TABLE attempts RESET (fillfactor)")
    op.drop_index("ix_audit_events_action", table_name="audit_events")
    op.drop_index("ix_audit_events_actor", table_name="audit_events")
    with op.batch_alter_table("attempts") as batch_op:
        batch_op.drop_column("unsaved")
        batch_op.drop_column("trouble")
    with op.batch_alter_table("users") as batch_op:
        batch_op.drop_column("mail_wishes")
        batch_op.drop_column("email")
    op.drop_index(op.f("ix_kiosks_enrolment_code_hash"), table_name="kiosks")
    with op.batch_alter_table("kiosks") as batch_op:
        batch_op.drop_column("enrolment_ends_at")
        batch_op.drop_column("enrolment_code_hash")
    op.drop_index("uq_candidates_shift_seat", table_name="candidates")
    with op.batch_alter_table("candidates") as batch_op:
        batch_op.drop_column("late_entry_shift_id")
        batch_op.drop_column("checked_in_by")
    for table in ("upload_chunks", "staged_photos", "staged_candidates"):
        op.drop_table(table)
    for table in ("incidents", "candidate_photos", "mails", "jobs", "audit_seals"):
        op.drop_table(table)
