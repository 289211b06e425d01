"""The model of the first day, and an audit log that the database keeps from being changed.

Revision ID: 0001
Revises: 
Create Date: 2026-11-21 11:36:02.348890

"""
from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('answer_saves',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('attempt_id', sa.Uuid(), nullable=False),
    sa.Column('question_id', sa.Uuid(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('response', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('arrived_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('lease', sa.BigInteger(), nullable=True),
    sa.Column('is_counted', sa.Boolean(), nullable=False),
    sa.Column('refusal', sa.String(length=40), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_answer_saves'))
    )
    with op.batch_alter_table('answer_saves', schema=None) as batch_op:
        batch_op.create_index('ix_answer_saves_attempt_question', ['attempt_id', 'question_id'], unique=False)

    op.create_table('audit_events',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_kind', sa.String(length=40), nullable=False),
    sa.Column('actor_id', sa.Uuid(), nullable=True),
    sa.Column('actor_name', sa.String(length=200), nullable=False),
    sa.Column('action', sa.String(length=40), nullable=False),
    sa.Column('object_kind', sa.String(length=40), nullable=False),
    sa.Column('object_id', sa.Uuid(), nullable=False),
    sa.Column('from_state', sa.String(length=40), nullable=True),
    sa.Column('to_state', sa.String(length=40), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('details', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('request_id', sa.String(length=40), nullable=True),
    sa.Column('address', sa.String(length=40), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_events'))
    )
    with op.batch_alter_table('audit_events', schema=None) as batch_op:
        batch_op.create_index('ix_audit_events_at', ['at'], unique=False)
        batch_op.create_index('ix_audit_events_object', ['object_kind', 'object_id'], unique=False)

    op.create_table('organisations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('is_demo', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organisations')),
    sa.UniqueConstraint('code', name=op.f('uq_organisations_code'))
    )
    op.create_table('process_stamps',
    sa.Column('process', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('stamped_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('details', sa.JSON(none_as_null=True), nullable=True),
    sa.PrimaryKeyConstraint('process', name=op.f('pk_process_stamps'))
    )
    op.create_table('centres',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('command', sa.String(length=200), nullable=False),
    sa.Column('time_zone', sa.String(length=40), nullable=False),
    sa.Column('seats', sa.Integer(), nullable=False),
    sa.Column('demands_check_in', sa.Boolean(), nullable=False),
    sa.Column('demands_seat', sa.Boolean(), nullable=False),
    sa.Column('kiosk_rule', sa.String(length=40), nullable=False),
    sa.Column('takeover', sa.String(length=40), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kiosk_rule IN ('any', 'enrolled', 'locked_down')", name=op.f('ck_centres_kiosk_rule')),
    sa.CheckConstraint("takeover IN ('free', 'approval')", name=op.f('ck_centres_takeover')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_centres_organisation_id_organisations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_centres')),
    sa.UniqueConstraint('organisation_id', 'code', name=op.f('uq_centres_organisation_id'))
    )
    op.create_table('trades',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('has_primary', sa.Boolean(), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_trades_organisation_id_organisations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_trades')),
    sa.UniqueConstraint('organisation_id', 'code', name=op.f('uq_trades_organisation_id'))
    )
    op.create_table('kiosks',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('centre_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('seat', sa.String(length=40), nullable=True),
    sa.Column('token_hash', sa.String(length=64), nullable=True),
    sa.Column('enrolled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['centre_id'], ['centres.id'], name=op.f('fk_kiosks_centre_id_centres')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kiosks')),
    sa.UniqueConstraint('centre_id', 'name', name=op.f('uq_kiosks_centre_id'))
    )
    op.create_table('papers',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.Column('trade_id', sa.Uuid(), nullable=True),
    sa.Column('paper_type', sa.String(length=40), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('duration_seconds', sa.Integer(), nullable=False),
    sa.Column('written_marks', sa.Integer(), nullable=False),
    sa.Column('practical_marks', sa.Integer(), nullable=False),
    sa.Column('viva_marks', sa.Integer(), nullable=False),
    sa.Column('pass_percentage', sa.Integer(), nullable=False),
    sa.Column('max_attempts', sa.Integer(), nullable=False),
    sa.Column('counting_attempt', sa.String(length=40), nullable=False),
    sa.Column('score_release', sa.String(length=40), nullable=False),
    sa.Column('languages', sa.String(length=40), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("counting_attempt IN ('last', 'best', 'first')", name=op.f('ck_papers_counting_attempt')),
    sa.CheckConstraint("paper_type IN ('primary', 'secondary')", name=op.f('ck_papers_paper_type')),
    sa.CheckConstraint("score_release IN ('never', 'at_submit', 'when_published')", name=op.f('ck_papers_score_release')),
    sa.CheckConstraint("status IN ('draft', 'in_use', 'archived')", name=op.f('ck_papers_status')),
    sa.CheckConstraint('duration_seconds BETWEEN 60 AND 86400', name=op.f('ck_papers_duration')),
    sa.CheckConstraint('max_attempts >= 1', name=op.f('ck_papers_max_attempts')),
    sa.CheckConstraint('written_marks + practical_marks + viva_marks = 100', name=op.f('ck_papers_marks_make_100')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_papers_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['trade_id'], ['trades.id'], name=op.f('fk_papers_trade_id_trades')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_papers'))
    )
    op.create_table('shifts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('centre_id', sa.Uuid(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('latest_entry_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('capacity', sa.Integer(), nullable=False),
    sa.Column('start_code', sa.String(length=40), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status IN ('planned', 'gate', 'open', 'closed')", name=op.f('ck_shifts_status')),
    sa.ForeignKeyConstraint(['centre_id'], ['centres.id'], name=op.f('fk_shifts_centre_id_centres')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shifts')),
    sa.UniqueConstraint('centre_id', 'starts_at', name=op.f('uq_shifts_centre_id'))
    )
    op.create_table('users',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.Column('centre_id', sa.Uuid(), nullable=True),
    sa.Column('login', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('role', sa.String(length=40), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=False),
    sa.Column('must_change_password', sa.Boolean(), nullable=False),
    sa.Column('session_epoch', sa.Integer(), nullable=False),
    sa.Column('failed_sign_ins', sa.Integer(), nullable=False),
    sa.Column('locked_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deactivated_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("role IN ('invigilator', 'centre_admin', 'marks_officer', 'admin', 'auditor')", name=op.f('ck_users_role')),
    sa.ForeignKeyConstraint(['centre_id'], ['centres.id'], name=op.f('fk_users_centre_id_centres')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_users_organisation_id_organisations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users')),
    sa.UniqueConstraint('organisation_id', 'login', name=op.f('uq_users_organisation_id'))
    )
    op.create_table('candidates',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.Column('centre_id', sa.Uuid(), nullable=False),
    sa.Column('trade_id', sa.Uuid(), nullable=False),
    sa.Column('shift_id', sa.Uuid(), nullable=True),
    sa.Column('service_no', sa.String(length=40), nullable=False),
    sa.Column('login', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('rank', sa.String(length=40), nullable=False),
    sa.Column('language', sa.String(length=40), nullable=False),
    sa.Column('extra_minutes_per_hour', sa.Integer(), nullable=False),
    sa.Column('photo', sa.String(length=200), nullable=True),
    sa.Column('seat', sa.String(length=40), nullable=True),
    sa.Column('checked_in_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('primary_bypassed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('primary_bypassed_by', sa.String(length=200), nullable=True),
    sa.Column('primary_bypass_reason', sa.Text(), nullable=True),
    sa.Column('password_hash', sa.String(length=200), nullable=False),
    sa.Column('session_epoch', sa.Integer(), nullable=False),
    sa.Column('failed_sign_ins', sa.Integer(), nullable=False),
    sa.Column('locked_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("language IN ('en', 'hi')", name=op.f('ck_candidates_language')),
    sa.CheckConstraint('extra_minutes_per_hour BETWEEN 0 AND 60', name=op.f('ck_candidates_extra_minutes_per_hour')),
    sa.ForeignKeyConstraint(['centre_id'], ['centres.id'], name=op.f('fk_candidates_centre_id_centres')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisations.id'], name=op.f('fk_candidates_organisation_id_organisations')),
    sa.ForeignKeyConstraint(['shift_id'], ['shifts.id'], name=op.f('fk_candidates_shift_id_shifts')),
    sa.ForeignKeyConstraint(['trade_id'], ['trades.id'], name=op.f('fk_candidates_trade_id_trades')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_candidates')),
    sa.UniqueConstraint('organisation_id', 'login', name=op.f('uq_candidates_organisation_id'))
    )
    with op.batch_alter_table('candidates', schema=None) as batch_op:
        batch_op.create_index('ix_candidates_centre_trade', ['centre_id', 'trade_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_candidates_shift_id'), ['shift_id'], unique=False)

    op.create_table('parts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('paper_id', sa.Uuid(), nullable=False),
    sa.Column('letter', sa.String(length=1), nullable=False),
    sa.Column('question_type', sa.String(length=40), nullable=False),
    sa.Column('question_count', sa.Integer(), nullable=False),
    sa.Column('marks_each', sa.Numeric(precision=6, scale=2), nullable=False),
    sa.Column('negative_marks', sa.Numeric(precision=6, scale=2), nullable=False),
    sa.Column('min_words', sa.Integer(), nullable=True),
    sa.Column('max_words', sa.Integer(), nullable=True),
    sa.CheckConstraint("question_type IN ('single', 'multiple', 'true_false', 'numeric', 'fill', 'short', 'long')", name=op.f('ck_parts_question_type')),
    sa.CheckConstraint('question_count >= 1 AND marks_each > 0 AND negative_marks >= 0', name=op.f('ck_parts_numbers')),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_parts_paper_id_papers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_parts')),
    sa.UniqueConstraint('paper_id', 'letter', name=op.f('uq_parts_paper_id'))
    )
    op.create_table('question_sets',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('paper_id', sa.Uuid(), nullable=False),
    sa.Column('label', sa.String(length=40), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status IN ('draft', 'published', 'retired')", name=op.f('ck_question_sets_status')),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_question_sets_paper_id_papers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_question_sets')),
    sa.UniqueConstraint('paper_id', 'label', 'version', name=op.f('uq_question_sets_paper_id'))
    )
    op.create_table('shift_trades',
    sa.Column('shift_id', sa.Uuid(), nullable=False),
    sa.Column('trade_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['shift_id'], ['shifts.id'], name=op.f('fk_shift_trades_shift_id_shifts')),
    sa.ForeignKeyConstraint(['trade_id'], ['trades.id'], name=op.f('fk_shift_trades_trade_id_trades')),
    sa.PrimaryKeyConstraint('shift_id', 'trade_id', name=op.f('pk_shift_trades'))
    )
    op.create_table('activations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('trade_id', sa.Uuid(), nullable=False),
    sa.Column('paper_type', sa.String(length=40), nullable=False),
    sa.Column('question_set_id', sa.Uuid(), nullable=False),
    sa.Column('activated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('activated_by', sa.String(length=200), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("paper_type IN ('primary', 'secondary')", name=op.f('ck_activations_paper_type')),
    sa.ForeignKeyConstraint(['question_set_id'], ['question_sets.id'], name=op.f('fk_activations_question_set_id_question_sets')),
    sa.ForeignKeyConstraint(['trade_id'], ['trades.id'], name=op.f('fk_activations_trade_id_trades')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_activations'))
    )
    with op.batch_alter_table('activations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_activations_question_set_id'), ['question_set_id'], unique=False)
        batch_op.create_index('uq_activations_one_active_set', ['trade_id', 'paper_type'], unique=True, postgresql_where=sa.text('ended_at IS NULL'), sqlite_where=sa.text('ended_at IS NULL'))

    op.create_table('questions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('question_set_id', sa.Uuid(), nullable=False),
    sa.Column('part', sa.String(length=1), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('question_type', sa.String(length=40), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('text_hi', sa.Text(), nullable=True),
    sa.Column('options', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('answer', sa.JSON(none_as_null=True), nullable=False),
    sa.Column('marks', sa.Numeric(precision=6, scale=2), nullable=False),
    sa.Column('negative_marks', sa.Numeric(precision=6, scale=2), nullable=False),
    sa.Column('topic', sa.String(length=200), nullable=False),
    sa.CheckConstraint("question_type IN ('single', 'multiple', 'true_false', 'numeric', 'fill', 'short', 'long')", name=op.f('ck_questions_question_type')),
    sa.ForeignKeyConstraint(['question_set_id'], ['question_sets.id'], name=op.f('fk_questions_question_set_id_question_sets')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_questions')),
    sa.UniqueConstraint('question_set_id', 'number', name=op.f('uq_questions_question_set_id'))
    )
    op.create_table('slots',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('candidate_id', sa.Uuid(), nullable=False),
    sa.Column('paper_id', sa.Uuid(), nullable=False),
    sa.Column('paper_type', sa.String(length=40), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('assigned_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('assigned_by', sa.String(length=200), nullable=False),
    sa.Column('extra_attempts', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('consumed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('consumed_how', sa.String(length=40), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_by', sa.String(length=200), nullable=True),
    sa.Column('closed_as', sa.String(length=40), nullable=True),
    sa.Column('close_reason', sa.Text(), nullable=True),
    sa.CheckConstraint("(status = 'consumed') = (consumed_at IS NOT NULL)", name=op.f('ck_slots_consumed')),
    sa.CheckConstraint("closed_as IN ('done', 'reset', 'reassigned')", name=op.f('ck_slots_closed_as')),
    sa.CheckConstraint("status IN ('available', 'attempting', 'consumed')", name=op.f('ck_slots_status')),
    sa.CheckConstraint('(closed_at IS NULL) = (closed_as IS NULL)', name=op.f('ck_slots_closed')),
    sa.ForeignKeyConstraint(['candidate_id'], ['candidates.id'], name=op.f('fk_slots_candidate_id_candidates')),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_slots_paper_id_papers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slots'))
    )
    with op.batch_alter_table('slots', schema=None) as batch_op:
        batch_op.create_index('ix_slots_candidate_paper', ['candidate_id', 'paper_id'], unique=False)
        batch_op.create_index('uq_slots_one_current', ['candidate_id'], unique=True, postgresql_where=sa.text('closed_at IS NULL'), sqlite_where=sa.text('closed_at IS NULL'))

    op.create_table('attempts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('candidate_id', sa.Uuid(), nullable=False),
    sa.Column('slot_id', sa.Uuid(), nullable=False),
    sa.Column('paper_id', sa.Uuid(), nullable=False),
    sa.Column('question_set_id', sa.Uuid(), nullable=False),
    sa.Column('centre_id', sa.Uuid(), nullable=False),
    sa.Column('shift_id', sa.Uuid(), nullable=True),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(length=40), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('lease', sa.BigInteger(), nullable=False),
    sa.Column('seed', sa.String(length=32), nullable=False),
    sa.Column('allowed_seconds', sa.Integer(), nullable=False),
    sa.Column('language', sa.String(length=40), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('consented_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deadline_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('remaining_ms', sa.BigInteger(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_by', sa.String(length=40), nullable=True),
    sa.Column('cancel_reason', sa.String(length=40), nullable=True),
    sa.Column('reason_text', sa.Text(), nullable=True),
    sa.Column('receipt', sa.String(length=19), nullable=True),
    sa.Column('marked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('marking_tries', sa.Integer(), nullable=False),
    sa.Column('retry_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(status = 'cancelled') = (cancel_reason IS NOT NULL)", name=op.f('ck_attempts_cancelled')),
    sa.CheckConstraint("(status = 'in_progress') = (deadline_at IS NOT NULL AND closed_at IS NULL)", name=op.f('ck_attempts_deadline')),
    sa.CheckConstraint("(status IN ('initiated', 'in_progress', 'paused')) = (closed_at IS NULL)", name=op.f('ck_attempts_closed')),
    sa.CheckConstraint("cancel_reason IN ('slot_reset', 'slot_reassigned', 'set_switched', 'cleared', 'not_started', 'staff')", name=op.f('ck_attempts_cancel_reason')),
    sa.CheckConstraint("status <> 'in_progress' OR remaining_ms IS NULL", name=op.f('ck_attempts_running')),
    sa.CheckConstraint("status <> 'paused' OR (remaining_ms IS NOT NULL AND deadline_at IS NULL)", name=op.f('ck_attempts_paused')),
    sa.CheckConstraint("status IN ('initiated', 'in_progress', 'paused', 'submitted', 'expired', 'cancelled', 'completed')", name=op.f('ck_attempts_status')),
    sa.ForeignKeyConstraint(['candidate_id'], ['candidates.id'], name=op.f('fk_attempts_candidate_id_candidates')),
    sa.ForeignKeyConstraint(['centre_id'], ['centres.id'], name=op.f('fk_attempts_centre_id_centres')),
    sa.ForeignKeyConstraint(['paper_id'], ['papers.id'], name=op.f('fk_attempts_paper_id_papers')),
    sa.ForeignKeyConstraint(['question_set_id'], ['question_sets.id'], name=op.f('fk_attempts_question_set_id_question_sets')),
    sa.ForeignKeyConstraint(['shift_id'], ['shifts.id'], name=op.f('fk_attempts_shift_id_shifts')),
    sa.ForeignKeyConstraint(['slot_id'], ['slots.id'], name=op.f('fk_attempts_slot_id_slots')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attempts'))
    )
    with op.batch_alter_table('attempts', schema=None) as batch_op:
        batch_op.create_index('ix_attempts_candidate_paper', ['candidate_id', 'paper_id'], unique=False)
        batch_op.create_index('ix_attempts_changed', ['changed_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_attempts_question_set_id'), ['question_set_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attempts_receipt'), ['receipt'], unique=False)
        batch_op.create_index(batch_op.f('ix_attempts_shift_id'), ['shift_id'], unique=False)
        batch_op.create_index('ix_attempts_slot', ['slot_id'], unique=False)
        batch_op.create_index('ix_attempts_status_deadline', ['status', 'deadline_at'], unique=False)
        batch_op.create_index('uq_attempts_one_open_per_candidate', ['candidate_id'], unique=True, postgresql_where=sa.text("status IN ('initiated', 'in_progress', 'paused')"), sqlite_where=sa.text("status IN ('initiated', 'in_progress', 'paused')"))
        batch_op.create_index('uq_attempts_one_open_per_slot', ['slot_id'], unique=True, postgresql_where=sa.text("status IN ('initiated', 'in_progress', 'paused')"), sqlite_where=sa.text("status IN ('initiated', 'in_progress', 'paused')"))

    op.create_table('answers',
    sa.Column('attempt_id', sa.Uuid(), nullable=False),
    sa.Column('question_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('part', sa.String(length=1), nullable=False),
    sa.Column('option_order', sa.String(length=26), nullable=False),
    sa.Column('response', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('visited_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_marked', sa.Boolean(), nullable=False),
    sa.Column('marks', sa.Numeric(precision=6, scale=2), nullable=True),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempts.id'], name=op.f('fk_answers_attempt_id_attempts')),
    sa.ForeignKeyConstraint(['question_id'], ['questions.id'], name=op.f('fk_answers_question_id_questions')),
    sa.PrimaryKeyConstraint('attempt_id', 'question_id', name=op.f('pk_answers'))
    )
    with op.batch_alter_table('answers', schema=None) as batch_op:
        batch_op.create_index('ix_answers_attempt_number', ['attempt_id', 'number'], unique=True)

    op.create_table('feedback',
    sa.Column('attempt_id', sa.Uuid(), nullable=False),
    sa.Column('rating', sa.Integer(), nullable=True),
    sa.Column('comment', sa.Text(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('rating BETWEEN 1 AND 5', name=op.f('ck_feedback_rating')),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempts.id'], name=op.f('fk_feedback_attempt_id_attempts')),
    sa.PrimaryKeyConstraint('attempt_id', name=op.f('pk_feedback'))
    )
    op.create_table('pauses',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('attempt_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('from_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('to_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paused_by', sa.String(length=200), nullable=False),
    sa.Column('resumed_by', sa.String(length=200), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempts.id'], name=op.f('fk_pauses_attempt_id_attempts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pauses'))
    )
    with op.batch_alter_table('pauses', schema=None) as batch_op:
        batch_op.create_index('ix_pauses_attempt', ['attempt_id'], unique=False)

    op.create_table('results',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('attempt_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('score', sa.Numeric(precision=8, scale=2), nullable=False),
    sa.Column('max_score', sa.Numeric(precision=8, scale=2), nullable=False),
    sa.Column('computed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('superseded_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempts.id'], name=op.f('fk_results_attempt_id_attempts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_results'))
    )
    with op.batch_alter_table('results', schema=None) as batch_op:
        batch_op.create_index('uq_results_one_current', ['attempt_id'], unique=True, postgresql_where=sa.text('superseded_at IS NULL'), sqlite_where=sa.text('superseded_at IS NULL'))

    op.create_table('time_grants',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('attempt_id', sa.Uuid(), nullable=False),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('granted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('granted_by', sa.String(length=200), nullable=False),
    sa.CheckConstraint('seconds > 0', name=op.f('ck_time_grants_seconds')),
    sa.ForeignKeyConstraint(['attempt_id'], ['attempts.id'], name=op.f('fk_time_grants_attempt_id_attempts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_time_grants'))
    )
    with op.batch_alter_table('time_grants', schema=None) as batch_op:
        batch_op.create_index('ix_time_grants_attempt', ['attempt_id'], unique=False)


    keep_audit_log()


def keep_audit_log():
    """Make the database refuse to update or delete audit rows."""
    if op.get_bind().dialect.name == 'sqlite':
        for verb in ('UPDATE', 'DELETE'):
            op.execute(
                f"CREATE TRIGGER audit_events_no_{verb.lower()} BEFORE {verb} ON audit_events "
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    op.execute(
        'CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events '
        'FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()'
    )


def downgrade():
    if op.get_bind().dialect.name == 'sqlite':
        op.execute('DROP TRIGGER audit_events_no_update')
        op.execute('DROP TRIGGER audit_events_no_delete')
    else:
        op.execute('DROP TRIGGER audit_events_append_only ON audit_events')
        op.execute('DROP FUNCTION refuse_audit_change()')
    with op.batch_alter_table('time_grants', schema=None) as batch_op:
        batch_op.drop_index('ix_time_grants_attempt')

    op.drop_table('time_grants')
    with op.batch_alter_table('results', schema=None) as batch_op:
        batch_op.drop_index('uq_results_one_current', postgresql_where=sa.text('superseded_at IS NULL'), sqlite_where=sa.text('superseded_at IS NULL'))

    op.drop_table('results')
    with op.batch_alter_table('pauses', schema=None) as batch_op:
        batch_op.drop_index('ix_pauses_attempt')

    op.drop_table('pauses')
    op.drop_table('feedback')
    with op.batch_alter_table('answers', schema=None) as batch_op:
        batch_op.drop_index('ix_answers_attempt_number')

    op.drop_table('answers')
    with op.batch_alter_table('attempts', schema=None) as batch_op:
        batch_op.drop_index('uq_attempts_one_open_per_slot', postgresql_where=sa.text("status IN ('initiated', 'in_progress', 'paused')"), sqlite_where=sa.text("status IN ('initiated', 'in_progress', 'paused')"))
        batch_op.drop_index('uq_attempts_one_open_per_candidate', postgresql_where=sa.text("status IN ('initiated', 'in_progress', 'paused')"), sqlite_where=sa.text("status IN ('initiated', 'in_progress', 'paused')"))
        batch_op.drop_index('ix_attempts_status_deadline')
        batch_op.drop_index('ix_attempts_slot')
        batch_op.drop_index(batch_op.f('ix_attempts_shift_id'))
        batch_op.drop_index(batch_op.f('ix_attempts_receipt'))
        batch_op.drop_index(batch_op.f('ix_attempts_question_set_id'))
        batch_op.drop_index('ix_attempts_changed')
        batch_op.drop_index('ix_attempts_candidate_paper')

    op.drop_table('attempts')
    with op.batch_alter_table('slots', schema=None) as batch_op:
        batch_op.drop_index('uq_slots_one_current', postgresql_where=sa.text('closed_at IS NULL'), sqlite_where=sa.text('closed_at IS NULL'))
        batch_op.drop_index('ix_slots_candidate_paper')

    op.drop_table('slots')
    op.drop_table('questions')
    with op.batch_alter_table('activations', schema=None) as batch_op:
        batch_op.drop_index('uq_activations_one_active_set', postgresql_where=sa.text('ended_at IS NULL'), sqlite_where=sa.text('ended_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_activations_question_set_id'))

    op.drop_table('activations')
    op.drop_table('shift_trades')
    op.drop_table('question_sets')
    op.drop_table('parts')
    with op.batch_alter_table('candidates', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_candidates_shift_id'))
        batch_op.drop_index('ix_candidates_centre_trade')

    op.drop_table('candidates')
    op.drop_table('users')
    op.drop_table('shifts')
    op.drop_table('papers')
    op.drop_table('kiosks')
    op.drop_table('trades')
    op.drop_table('centres')
    op.drop_table('process_stamps')
    op.drop_table('organisations')
    with op.batch_alter_table('audit_events', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_events_object')
        batch_op.drop_index('ix_audit_events_at')

    op.drop_table('audit_events')
    with op.batch_alter_table('answer_saves', schema=None) as batch_op:
        batch_op.drop_index('ix_answer_saves_attempt_question')

    op.drop_table('answer_saves')
