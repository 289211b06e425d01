"""What the candidate's screens are given: plain, frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from kiosk.errors import KioskError

CellState = Literal["none", "blank", "done", "mark", "both"]


@dataclass(frozen=True)
class Person:
    """Who sits at the kiosk."""

    candidate_id: UUID
    name: str
    service_no: str
    rank: str
    trade_code: str
    trade_name: str
    centre_name: str
    time_zone: str
    seat: str | None
    photo_url: str | None
    language: str


@dataclass(frozen=True)
class PartOutline:
    """One part of a paper as the instructions show it. Marks are plain numbers (int where whole)."""

    letter: str
    question_type: str
    question_count: int
    marks_each: float
    negative_marks: float
    min_words: int | None
    max_words: int | None
    first_number: int

    @property
    def marks(self) -> float:
        """Marks of the whole part."""
        return self.question_count * self.marks_each


@dataclass(frozen=True)
class PaperOutline:
    """A paper as the candidate meets it; seconds include nothing but what the names say."""

    paper_id: UUID
    title: str
    trade_code: str
    paper_type: str
    duration_seconds: int
    extra_seconds: int
    parts: tuple[PartOutline, ...]
    languages: tuple[str, ...]

    @property
    def allowed_seconds(self) -> int:
        """Duration with the candidate's extra time."""
        return self.duration_seconds + self.extra_seconds

    @property
    def question_count(self) -> int:
        """Questions in all parts."""
        return sum(part.question_count for part in self.parts)

    @property
    def marks(self) -> float:
        """Marks of all parts."""
        return sum(part.marks for part in self.parts)

    @property
    def has_negative_marks(self) -> bool:
        """Whether a wrong answer can cost marks."""
        return any(part.negative_marks for part in self.parts)


@dataclass(frozen=True)
class ShiftView:
    """The candidate's shift, times in UTC."""

    starts_at: datetime
    latest_entry_at: datetime | None
    status: str
    demands_start_code: bool


@dataclass(frozen=True)
class PauseView:
    """The pause that lasts: since when, and why in the words of whoever paused."""

    since: datetime
    is_outage: bool
    reason: str


@dataclass(frozen=True)
class AttemptView:
    """An attempt at one instant. `status` is that of the row; ask the properties instead."""

    attempt_id: UUID
    status: str
    remaining_ms: int
    deadline_at: datetime | None
    started_at: datetime | None
    closed_at: datetime | None
    is_time_over: bool
    cancel_reason: str | None
    reason_text: str | None
    pause: PauseView | None
    answered: int
    current_number: int
    total: int
    lease: int
    needs_approval: bool  # before another page may take it

    @property
    def is_running(self) -> bool:
        """The clock runs and time is left."""
        return self.status == "in_progress" and not self.is_time_over

    @property
    def is_paused(self) -> bool:
        """The clock stands still."""
        return self.status == "paused"

    @property
    def is_cancelled(self) -> bool:
        """Ended without a result."""
        return self.status == "cancelled"

    @property
    def is_handed_in(self) -> bool:
        """Handed in by the candidate or by the end of the time."""
        return self.status in ("submitted", "expired", "completed") or self.is_time_over


@dataclass(frozen=True)
class OptionView:
    """One option: its letter on the screen and its text in the chosen language."""

    key: str
    text: str


@dataclass(frozen=True)
class QuestionFace:
    """What a question shows to everybody who meets it in a language: `lang` is that of the text."""

    question_id: UUID
    part: str
    question_type: str
    text: str
    lang: str
    marks: float
    negative_marks: float
    min_words: int | None
    max_words: int | None

    @property
    def is_choice(self) -> bool:
        """Whether it is answered by choosing, not by writing."""
        return self.question_type in ("single", "multiple", "true_false")


@dataclass(frozen=True)
class QuestionView:
    """One question of an attempt: its face, where it stands in this paper, and what is stored for it."""

    face: QuestionFace
    number: int
    total: int
    options: tuple[OptionView, ...]
    response: object
    seq: int


@dataclass(frozen=True)
class Cell:
    """One button of the question palette."""

    number: int
    question_id: UUID
    part: str
    state: CellState
    is_current: bool


@dataclass(frozen=True)
class PartTab:
    """One part tab above the question."""

    letter: str
    question_type: str
    answered: int
    total: int
    first_number: int
    is_current: bool


@dataclass(frozen=True)
class ExamSheet:
    """The whole exam page, and with `counts` (by cell state) the summary too."""

    person: Person
    paper: PaperOutline
    attempt: AttemptView
    question: QuestionView
    cells: tuple[Cell, ...]
    parts: tuple[PartTab, ...]
    counts: dict[CellState, int]
    saved_at: datetime | None

    def counts_of(self, letter: str) -> dict[CellState, int]:
        """Counts by cell state for one part."""
        counts: dict[CellState, int] = {"none": 0, "blank": 0, "done": 0, "mark": 0, "both": 0}
        for cell in self.cells:
            if cell.part == letter:
                counts[cell.state] += 1
        return counts


@dataclass(frozen=True)
class ReceiptView:
    """What the candidate keeps. Score fields are None unless the paper releases them at the hand-in."""

    attempt_id: UUID
    code: str
    status: str
    ended_by: Literal["submitted", "expired"]
    closed_at: datetime
    answered: int
    total: int
    score: float | None
    max_score: float | None

    @property
    def percentage(self) -> float | None:
        """Score in per cent of the maximum, rounded to two places; None while no score is released."""
        if self.score is None or not self.max_score:
            return None
        return round(100 * self.score / self.max_score, 2)


@dataclass(frozen=True)
class ClockView:
    """What a time poll learns. `holds_lease`: this sign-in is still the one that may write."""

    status: str
    remaining_ms: int
    deadline_at: datetime | None
    holds_lease: bool
    is_time_over: bool

    @property
    def is_running(self) -> bool:
        """The clock runs, time (or grace) is left, and this page may write."""
        return self.status == "in_progress" and self.holds_lease and not self.is_time_over

    @property
    def is_paused(self) -> bool:
        """The clock stands still."""
        return self.status == "paused"


@dataclass(frozen=True)
class Standing:
    """Which screen a candidate belongs on, and what it shows."""

    kind: Literal["ready", "refused", "running", "paused", "handed_in", "cancelled"]
    person: Person
    paper: PaperOutline | None
    shift: ShiftView | None
    attempt: AttemptView | None
    receipt: ReceiptView | None
    refusal: KioskError | None
