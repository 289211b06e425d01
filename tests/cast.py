"""The cast of the tests: one organisation with two centres, its staff and a few candidates, in a running shift."""

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
from kiosk.models import AuditEvent, Candidate, Centre, Organisation, Shift, Trade, User
from kiosk.services import accounts, papers, sets, slots
from kiosk.services.accounts import SignedIn
from kiosk.services.audit import SYSTEM, Actor
from tests import short_papers
from tests.player import START_CODE, Player

PASSWORD = "a password of the tests"
_HASH: dict[str, str] = {}


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
        return short_papers.add_paper(self.organisation_id, trade_id, paper_type, duration=self.DURATION, **values)

    def add_set(self, label: str, paper_id: UUID, *, publish: bool = True, leave_out: int = 0) -> UUID:
        """Add a set with the right answers of `short_papers`; leave out so many questions at its end."""
        rows = short_papers.questions(label)
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
