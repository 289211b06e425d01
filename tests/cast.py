"""The cast of the tests: one organisation with two centres, a few candidates, and short papers with known keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from kiosk.capabilities import Role
from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import (
    Answer,
    Attempt,
    AuditEvent,
    Candidate,
    Centre,
    Organisation,
    Paper,
    Part,
    Shift,
    Slot,
    Trade,
    User,
)
from kiosk.services import accounts, answers, attempts, papers, sets, slots
from kiosk.services.accounts import SignedIn
from kiosk.services.attempts import Started
from kiosk.services.audit import SYSTEM, Actor

PASSWORD = "a password of the tests"
START_CODE = "246810"
_HASH: dict[str, str] = {}

# one question of each type, so that every kind of answer is tried everywhere
PARTS = (
    ("A", "single", 3, 1, 0),
    ("B", "multiple", 1, 2, 1),
    ("C", "short", 1, 2, 0),
    ("D", "fill", 2, 1, 0),  # the second one is numeric
    ("E", "long", 1, 5, 0),
    ("F", "true_false", 2, 1, 0),
)


class Player:
    """A candidate at a kiosk: a sign-in of their own, acting through the services."""

    def __init__(self, hall: Hall, candidate_id: UUID, login_no: int) -> None:
        self.hall, self.id, self.lease = hall, candidate_id, login_no
        self.actor = Actor("candidate", "Test Candidate", candidate_id, hall.organisation_id)

    def start(self, *, at: datetime | None = None, code: str = START_CODE) -> Started:
        """Start, or go on with what runs."""
        return attempts.start(self.id, lease=self.lease, by=self.actor, now=at or self.hall.MORNING, start_code=code)

    def resume(self, *, at: datetime | None = None) -> Started:
        """Take the lease for this sign-in."""
        return attempts.resume(self.id, lease=self.lease, by=self.actor, now=at or self.hall.MORNING)

    def save(
        self, number: int, response: Any, *, seq: int | None = None, at: datetime | None = None
    ) -> answers.SavedAnswer:
        """Save a response to the question with this number."""
        attempt = self.attempt
        question_id = db.session.execute(
            select(Answer.question_id).where(Answer.attempt_id == attempt.id, Answer.number == number)
        ).scalar_one()
        return answers.save(
            attempt.id, question_id, response, seq=seq, lease=self.lease, by=self.actor, now=at or self.hall.MORNING
        )

    def submit(self, *, at: datetime | None = None) -> None:
        """Hand in."""
        attempts.submit(self.attempt.id, by=self.actor, now=at or self.hall.MORNING)

    @property
    def attempt(self) -> Attempt:
        """The newest attempt, read afresh."""
        db.session.expire_all()
        return db.session.execute(
            select(Attempt).where(Attempt.candidate_id == self.id).order_by(Attempt.id.desc()).limit(1)
        ).scalar_one()

    @property
    def slot(self) -> Slot | None:
        """The current slot, read afresh."""
        db.session.expire_all()
        return db.session.execute(
            select(Slot).where(Slot.candidate_id == self.id, Slot.closed_at.is_(None))
        ).scalar_one_or_none()

    def paper(self) -> list[tuple[Any, ...]]:
        """Questions, order, option order and answers: what must survive everything."""
        db.session.expire_all()
        rows = db.session.execute(
            select(Answer.number, Answer.question_id, Answer.option_order, Answer.response)
            .where(Answer.attempt_id == self.attempt.id)
            .order_by(Answer.number)
        ).all()
        return [tuple(row) for row in rows]


class Hall:
    """One organisation (and a stranger's) in a running shift at MORNING, with sets A, B and C published, A active."""

    MORNING = datetime(2026, 11, 21, 4, 30, tzinfo=UTC)  # 10:00 in the centre
    DURATION = timedelta(hours=3)
    CANDIDATES = 6

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._logins = 1000
        now = self.MORNING
        with transaction():
            self.organisation_id = self._organisation("ORG", now)
            self.centre_id = self._centre(self.organisation_id, "C01")
            self.other_centre_id = self._centre(self.organisation_id, "C02")
            self.shift_id = self._shift(self.centre_id, now)
            self.trade_id = self._add(
                Trade(id=uuid7(), organisation_id=self.organisation_id, code="TTC", name="Telecom")
            )
            self.paper_id = self.add_paper(self.trade_id, "primary")
            self.secondary_id = self.add_paper(None, "secondary")
            self.sets = {label: self.add_set(label, self.paper_id) for label in "ABC"}
            self.secondary_sets = {label: self.add_set(label, self.secondary_id) for label in "AB"}
            self.candidate_ids = [self.add_candidate(f"N{place:03}") for place in range(1, self.CANDIDATES + 1)]
            self._staff(now)
        self.admin = self._actor_of("admin")
        self.centre_admin = self._actor_of("centre")
        self.activate("A")
        self.activate_set(self.secondary_sets["A"])
        slots.assign(self.candidate_ids, by=self.centre_admin, now=now)

    # --- building -----------------------------------------------------------------------------

    def add_paper(self, trade_id: UUID | None, paper_type: str, **values: Any) -> UUID:
        """Add a paper with one question or a few of each type."""
        paper_id = self._add(
            Paper(
                id=uuid7(),
                organisation_id=self.organisation_id,
                trade_id=trade_id,
                paper_type=paper_type,
                title=f"TTC · {paper_type.capitalize()} paper",
                status="in_use",
                duration_seconds=int(self.DURATION.total_seconds()),
                written_marks=60,
                practical_marks=30,
                viva_marks=10,
                **values,
            )
        )
        for letter, kind, count, marks, negative in PARTS:
            self._add(
                Part(
                    id=uuid7(),
                    paper_id=paper_id,
                    letter=letter,
                    question_type=kind,
                    question_count=count,
                    marks_each=marks,
                    negative_marks=negative,
                    min_words=20 if kind == "short" else None,
                    max_words=30 if kind == "short" else None,
                )
            )
        return paper_id

    def add_set(self, label: str, paper_id: UUID, *, publish: bool = True, leave_out: int = 0) -> UUID:
        """Add a set; the right answers are own key B, own keys A and C, true, 'ohm' and so on."""
        rows, number = [], 0
        for letter, kind, count, marks, negative in PARTS:
            for place in range(count):
                number += 1
                rows.append(self._question(label, letter, kind, number, place, marks, negative))
        return papers.add_set(
            paper_id, label, rows[: len(rows) - leave_out], publish=publish, by=SYSTEM, now=self.MORNING
        )

    def add_candidate(self, service_no: str, **values: Any) -> UUID:
        """Add a candidate of TTC in C01 and the running shift."""
        place = {"centre_id": self.centre_id, "trade_id": self.trade_id, "shift_id": self.shift_id} | values
        return self._add(
            Candidate(
                id=uuid7(),
                organisation_id=self.organisation_id,
                service_no=service_no,
                login=accounts.fold_login(service_no),
                name=f"Candidate {service_no}",
                rank="Naik",
                password_hash=self._hash(),
                created_at=self.MORNING,
                **place,
            )
        )

    def activate(self, label: str, *, at: datetime | None = None, **how: Any) -> sets.Switched:
        """Switch TTC's primary paper to a set."""
        return self.activate_set(self.sets[label], at=at, **how)

    def activate_set(self, set_id: UUID, *, at: datetime | None = None, **how: Any) -> sets.Switched:
        """Switch to a set; void and confirmed unless told otherwise."""
        chosen = {"keep_running": False, "confirmed": True, "reason": "the tests want it"} | how
        return sets.activate(
            set_id,
            [self.trade_id],
            organisation_id=self.organisation_id,
            by=self.admin,
            now=at or self.MORNING,
            **chosen,
        )

    # --- acting ---------------------------------------------------------------------------------

    def player(self, place: int = 0) -> Player:
        """The candidate at `place`, with a new sign-in."""
        self._logins += 1
        return Player(self, self.candidate_ids[place], self._logins)

    def after(self, **delta: float) -> datetime:
        """MORNING and so much later."""
        return self.MORNING + timedelta(**delta)

    def audit(self, object_id: UUID) -> list[tuple[str, str | None, str | None]]:
        """The audit rows of an object, oldest first: action, from, to."""
        rows = db.session.execute(
            select(AuditEvent.action, AuditEvent.from_state, AuditEvent.to_state)
            .where(AuditEvent.object_id == object_id)
            .order_by(AuditEvent.at, AuditEvent.id)
        ).all()
        return [tuple(row) for row in rows]

    def sign_in(self, client: FlaskClient, login: str) -> SignedIn | None:
        """Sign a browser in through the login page."""
        page = client.get("/login").get_data(as_text=True)
        answer = client.post("/login", data={"csrf_token": csrf_of(page), "username": login, "password": PASSWORD})
        assert answer.status_code in (200, 302, 303), answer.get_data(as_text=True)
        return None

    def forget(self) -> None:
        """Forget what a test added; the database has been put back."""
        self.__dict__.pop("stranger", None)

    # --- inside ---------------------------------------------------------------------------------

    @cached_property
    def stranger(self) -> dict[str, UUID]:
        """Another organisation with a centre, a trade and a candidate."""
        with transaction():
            organisation_id = self._organisation("OTHER", self.MORNING)
            centre_id = self._centre(organisation_id, "C01")
            trade_id = self._add(Trade(id=uuid7(), organisation_id=organisation_id, code="TTC", name="Telecom"))
            candidate_id = self._add(
                Candidate(
                    id=uuid7(),
                    organisation_id=organisation_id,
                    centre_id=centre_id,
                    trade_id=trade_id,
                    service_no="X001",
                    login="x001",
                    name="Stranger",
                    rank="",
                    password_hash=self._hash(),
                    created_at=self.MORNING,
                )
            )
        return {"organisation": organisation_id, "centre": centre_id, "trade": trade_id, "candidate": candidate_id}

    def _organisation(self, code: str, now: datetime) -> UUID:
        return self._add(Organisation(id=uuid7(), code=code, name=code, created_at=now))

    def _centre(self, organisation_id: UUID, code: str) -> UUID:
        return self._add(
            Centre(
                id=uuid7(),
                organisation_id=organisation_id,
                code=code,
                name=f"Centre {code}",
                time_zone="Asia/Kolkata",
                seats=60,
            )
        )

    def _shift(self, centre_id: UUID, now: datetime) -> UUID:
        return self._add(
            Shift(
                id=uuid7(),
                centre_id=centre_id,
                starts_at=now,
                status="open",
                start_code=START_CODE,
                latest_entry_at=now + timedelta(hours=12),
                capacity=60,
                opened_at=now,
            )
        )

    def _staff(self, now: datetime) -> None:
        for login, role, centre in (
            ("admin", Role.ADMIN, None),
            ("auditor", Role.AUDITOR, None),
            ("marks", Role.MARKS_OFFICER, None),
            ("centre", Role.CENTRE_ADMIN, self.centre_id),
            ("centre2", Role.CENTRE_ADMIN, self.other_centre_id),
            ("invigilator", Role.INVIGILATOR, self.centre_id),
        ):
            accounts.create_user(
                organisation_id=self.organisation_id,
                login=login,
                name=login.capitalize(),
                role=role,
                centre_id=centre,
                password_hash=self._hash(),
                must_change_password=False,
                by=SYSTEM,
                now=now,
            )

    def _actor_of(self, login: str) -> Actor:
        user = db.session.execute(select(User).where(User.login == login)).scalar_one()
        return Actor("user", user.name, user.id, self.organisation_id)

    def _question(
        self, label: str, letter: str, kind: str, number: int, place: int, marks: int, negative: int
    ) -> dict[str, Any]:
        has_options = kind in ("single", "multiple")
        if kind == "fill" and place:
            kind = "numeric"
        options = [{"key": key, "text": f"option {key} of {label}{number}", "text_hi": ""} for key in "ABCD"]
        key: Any = {
            "single": "B",
            "multiple": ["A", "C"],
            "true_false": place == 0,
            "fill": ["ohm", "ओम"],
            "numeric": {"value": "12.5", "tolerance": "0.1"},
            "short": "A model answer.",
            "long": "A long model answer.",
        }[kind]
        return {
            "part": letter,
            "number": number,
            "question_type": kind,
            "text": f"Question {number} of set {label}?",
            "text_hi": f"सेट {label} का प्रश्न {number}?" if label == "A" else None,
            "options": options if has_options else None,
            "answer": key,
            "marks": marks,
            "negative_marks": negative,
            "topic": "test",
        }

    def _hash(self) -> str:
        # one hash for the whole run: argon2 costs 22 ms, and no test is about that
        return _HASH.setdefault("hash", accounts.hash_password(PASSWORD))

    def _add(self, row: Any) -> UUID:
        db.session.add(row)
        db.session.flush()
        return row.id


def csrf_of(page: str) -> str:
    """The CSRF token of a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page) or re.search(
        r'name="csrf-token"[^>]*content="([^"]+)"', page
    )
    assert found, "the page has no CSRF token"
    return found[1]
