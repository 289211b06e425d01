"""From what services return to what programs are sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kiosk.services.screens import ReceiptView
from kiosk.services.sitting_reports import TimeView


def iso(instant: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds and Z."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if instant else None


def seconds(milliseconds: int) -> int:
    """Whole seconds, rounded up, never negative."""
    return max(-(-milliseconds // 1000), 0)


def remaining(time: TimeView) -> dict[str, Any]:
    """The body of *remaining*."""
    return {
        "attempt_id": str(time.attempt_id),
        "status": str(time.status),
        "remaining_seconds": seconds(time.remaining_ms),
        "deadline_at": iso(time.deadline_at),
    }


def receipt(view: ReceiptView) -> dict[str, Any]:
    """The body of a hand-in; the status is how it ended, before and after the marking."""
    body = {
        "attempt_id": str(view.attempt_id),
        "status": view.ended_by,
        "submitted_at": iso(view.closed_at),
        "receipt": view.code,
        "answered": view.answered,
        "total_questions": view.total,
    }
    if view.score is None:
        return body
    return body | {"score": view.score, "max_score": view.max_score, "percentage": view.percentage}


def saved_answers(rows: list[Any]) -> dict[str, Any]:
    """What is stored: responses by question, and the numbers from which the client counts on."""
    return {
        "saved_answers": {str(row.question_id): row.response for row in rows if row.response is not None},
        "saved_seqs": {str(row.question_id): row.seq for row in rows if row.seq},
    }
