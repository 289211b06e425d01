"""A start doesn't lock the questions that all others start with.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TO_QUESTIONS = "fk_answers_question_id_questions"


def upgrade():
    with op.batch_alter_table("answers", reflect_kwargs={"resolve_fks": False}) as answers:
        answers.drop_constraint(TO_QUESTIONS, type_="foreignkey")


def downgrade():
    with op.batch_alter_table("answers", reflect_kwargs={"resolve_fks": False}) as answers:
        answers.create_foreign_key(TO_QUESTIONS, "questions", ["question_id"], ["id"])
