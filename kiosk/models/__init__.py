"""The model: one module per family of nouns."""

from kiosk.models.attempts import Answer, AnswerSave, Attempt, Pause, TimeGrant, Visit
from kiosk.models.marks import Feedback, Result
from kiosk.models.organisation import Centre, Kiosk, Organisation, Shift, ShiftTrade
from kiosk.models.papers import Activation, Paper, Part, Question, QuestionSet, Trade
from kiosk.models.people import Candidate, CandidatePhoto, SignInTries, User
from kiosk.models.records import AuditEvent, AuditSeal, IdempotencyKey, Incident, ProcessStamp
from kiosk.models.slots import Slot
from kiosk.models.staging import StagedCandidate, StagedPhoto, UploadChunk
from kiosk.models.work import Job, Mail

__all__ = [
    "Activation",
    "Answer",
    "AnswerSave",
    "Attempt",
    "AuditEvent",
    "AuditSeal",
    "Candidate",
    "CandidatePhoto",
    "Centre",
    "Feedback",
    "IdempotencyKey",
    "Incident",
    "Job",
    "Kiosk",
    "Mail",
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
    "StagedCandidate",
    "StagedPhoto",
    "TimeGrant",
    "Trade",
    "UploadChunk",
    "User",
    "Visit",
]
