"""What programs are sent, in JSON Schema."""

from __future__ import annotations

from typing import Any

from kiosk.blueprints.api.fields import RESPONSE_SCHEMA
from kiosk.states import AttemptStatus, SlotStatus

Schema = dict[str, Any]

ID: Schema = {"type": "string", "format": "uuid"}
INSTANT: Schema = {"type": "string", "format": "date-time", "description": "ISO 8601, UTC"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SECONDS: Schema = COUNT | {"description": "rounded up"}
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
STATUS: Schema = {"type": "string", "enum": [str(status) for status in AttemptStatus]}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    return schema | {"type": [schema["type"], "null"]}


def ref(name: str) -> Schema:
    """A reference to a schema of this document."""
    return {"$ref": f"#/components/schemas/{name}"}


def obj(optional: tuple[str, ...] = (), /, **fields: Schema) -> Schema:
    """An object of these fields."""
    return {"type": "object", "properties": fields, "required": [name for name in fields if name not in optional]}


def by_id(schema: Schema) -> Schema:
    """An object from question ids to values."""
    return {"type": "object", "additionalProperties": schema}


REMAINING = {
    "attempt_id": ID,
    "status": STATUS,
    "remaining_seconds": SECONDS,
    "deadline_at": nullable(INSTANT),
}
SAVED = {"saved_answers": by_id(ref("Response")), "saved_seqs": by_id(COUNT)}
PROGRESS = {
    "current_question_index": COUNT,
    "answered": COUNT,
    "marked_for_review": COUNT,
    "not_visited": COUNT,
    "total_questions": COUNT,
    "percentage": NUMBER,
    "time_spent": by_id(COUNT),
}

SCHEMAS: dict[str, Schema] = {
    "Problem": obj(
        ("attempt_status", "reason"),
        type=TEXT,
        title=TEXT,
        status={"type": "integer"},
        detail=TEXT,
        code=TEXT | {"description": "a stable word"},
        request_id=nullable(TEXT),
        attempt_status=STATUS | {"description": "with attempt_not_running"},
        reason=TEXT | {"description": "with attempt_not_running, of a cancelled attempt"},
    )
    | {"description": "RFC 9457"},
    "Response": RESPONSE_SCHEMA,
    "Token": obj(access_token=TEXT, token_type={"const": "Bearer"}, expires_in=COUNT),
    "Papers": obj(
        items={
            "type": "array",
            "maxItems": 1,
            "items": obj(
                paper_id=ID,
                title=TEXT,
                trade=TEXT,
                paper_type={"enum": ["primary", "secondary"]},
                duration_seconds=COUNT | {"description": "extra time included"},
                total_questions=COUNT,
                slot_status={"enum": [str(status) for status in SlotStatus if status is not SlotStatus.NONE]},
                attempt_id=nullable(ID),
            ),
        }
    ),
    "Remaining": obj(**REMAINING),
    "Started": obj(**REMAINING, total_questions=COUNT, resumed=FLAG),
    "Prepared": obj(**REMAINING, paper_id=ID, total_questions=COUNT),
    "Saved": obj(
        ("response",),
        saved=FLAG,
        seq=COUNT,
        saved_at=INSTANT,
        remaining_seconds=SECONDS,
        response=ref("Response") | {"description": "what is stored, where this save was not newer"},
    ),
    "Receipt": obj(
        ("score", "max_score", "percentage"),
        attempt_id=ID,
        status={"enum": ["submitted", "expired"]},
        submitted_at=INSTANT,
        receipt=TEXT | {"pattern": "^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$"},
        answered=COUNT,
        total_questions=COUNT,
        score=NUMBER,
        max_score=NUMBER,
        percentage=nullable(NUMBER),
    ),
    "Question": obj(
        question_id=ID,
        number=COUNT,
        part=TEXT,
        type={"enum": ["single", "multiple", "true_false", "numeric", "fill", "short", "long"]},
        text=TEXT,
        text_hi=nullable(TEXT),
        options={"type": "array", "items": obj(key=TEXT, text=TEXT, text_hi=nullable(TEXT))},
        marks=NUMBER,
        negative_marks=NUMBER,
    ),
    "Questions": obj(
        attempt_id=ID,
        questions={"type": "array", "items": ref("Question")},
        **SAVED,
        remaining_seconds=SECONDS,
    ),
    "Progress": obj(**PROGRESS),
    "Status": obj(**REMAINING, progress=ref("Progress")),
    "Recovery": obj(**REMAINING, can_resume=FLAG, current_question_index=COUNT, **SAVED),
}
