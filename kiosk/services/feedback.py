"""What candidates say of the computer after the exam."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select

from kiosk.extensions import db, transaction
from kiosk.models import Attempt, Feedback
from kiosk.states import HANDED_IN

LONGEST_COMMENT = 2000


def send(attempt_id: UUID, *, candidate_id: UUID, rating: int | None, comment: str, now: datetime) -> bool:
    """Keep the first feedback of a handed-in attempt; return whether it was kept. An empty one is a skip."""
    comment = comment.strip()[:LONGEST_COMMENT].replace("\0", "")
    if rating is None and not comment:
        return False
    with transaction():
        may_send = db.session.execute(
            select(Attempt.id).where(
                Attempt.id == attempt_id,
                Attempt.candidate_id == candidate_id,
                Attempt.status.in_(HANDED_IN),
                ~exists().where(Feedback.attempt_id == attempt_id),
            )
        ).first()
        if not may_send:
            return False
        db.session.add(Feedback(attempt_id=attempt_id, rating=rating, comment=comment, sent_at=now))
    return True
