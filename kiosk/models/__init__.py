"""The model: one module per family of nouns."""

from kiosk.models.attempts import Answer, AnswerSave, Attempt, Pause, TimeGrant, Visit
from kiosk.models.marks import Feedback, Result
from kiosk.models.organisation import Centre, Kiosk, Organisation, Shift, ShiftTrade
from kiosk.models.papers import Activation, Paper, Part, Question, QuestionSet, Trade
from kiosk.models.people import Candidate, SignInTries, User
from kiosk.models.records import AuditEvent, IdempotencyKey, ProcessStamp
from kiosk.models.slots import Slot

__all__ = [
    "Activation",
    "Answer",
    "AnswerSave",
    "Attempt",
    "AuditEvent",
    "Candidate",
    "Centre",
    "Feedback",
    "IdempotencyKey",
    "Kiosk",
    "Organisation",
    "Paper",
    "Part",
    "Pause",
    "ProcessStamp",
    "Question",
    "QuestionSet",
    "Result",
    "Shift",
    "ShiftTrade",
    "SignInTries",
    "Slot",
    "TimeGrant",
    "Trade",
    "User",
    "Visit",
]
