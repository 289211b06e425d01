"""Demo data: an organisation that looks like a real one, with nobody's real data."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from kiosk.demo import (
    CANDIDATES,
    FIRST_CENTRE,
    FIRST_NAMES,
    LAST_NAMES,
    LONG_PAPER,
    PARTS,
    PASSWORD,
    QUESTIONS,
    RANKS,
    SET_FILES,
    STAFF,
    START_CODE,
    TRADES,
)
from kiosk.errors import BadInput, NotAllowed
from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import Attempt, Candidate, Centre, Kiosk, Organisation, Paper, Part, Shift, Slot, Trade
from kiosk.services import accounts, audit, papers, sets, slots
from kiosk.services.audit import SYSTEM, Actor, Change
from kiosk.services.exchange import questions
from kiosk.services.system import settings
from kiosk.states import OPEN_ATTEMPT, SlotStatus


def load_demo(now: datetime) -> None:
    """Fill an empty database. Raises NotAllowed in production, BadInput if there is data already."""
    if settings().is_production:
        raise NotAllowed
    with transaction():
        if db.session.execute(select(Organisation.id)).first():
            raise BadInput(problem="There is data already; demo data goes into an empty database only.")
        organisation = Organisation(
            id=uuid7(), code="DEMO", name="Trade Test Directorate (demo)", is_demo=True, created_at=now
        )
        db.session.add(organisation)
        db.session.flush()
        centres = _centres(organisation.id)
        trades = _trades(organisation.id)
        made = _papers(organisation.id, trades)
        db.session.flush()
        audit.record([Change("organisation", organisation.id, "load_demo", None, "active")], by=SYSTEM, now=now)
        active = _sets(made, now)
        shifts = {code: _day_shift(centre, now) for code, centre in centres.items()}
        _staff(organisation.id, centres, now)
        candidates = _candidates(organisation.id, centres, trades, shifts, now)
        ids = {code: trade.id for code, trade in trades.items()}
        organisation_id = organisation.id
    by = Actor("system", "demo data", organisation_id=organisation_id)
    _activate(active, ids, organisation_id, by=by, now=now)
    slots.assign(candidates, by=by, now=now)


def roll_demo_shift(now: datetime) -> None:
    """Make the day's shift in each demo centre that has none, and move waiting candidates into it."""
    with transaction():
        rows = db.session.execute(
            select(Centre).join(Organisation, Organisation.id == Centre.organisation_id).where(Organisation.is_demo)
        ).scalars()
        for centre in list(rows):
            start = _day_start(centre, now)
            found = db.session.execute(
                select(Shift.id).where(Shift.centre_id == centre.id, Shift.starts_at == start)
            ).scalar_one_or_none()
            if found is None:
                _move_waiting(centre, _day_shift(centre, now), now)


def _day_start(centre: Centre, now: datetime) -> datetime:
    zone = ZoneInfo(centre.time_zone)
    return datetime.combine(now.astimezone(zone).date(), time(0), zone)


def _day_shift(centre: Centre, now: datetime) -> Shift:
    start = _day_start(centre, now)
    shift = Shift(
        id=uuid7(),
        centre_id=centre.id,
        starts_at=start,
        # who starts around midnight may: the next day's shift comes a moment after it
        latest_entry_at=start + timedelta(hours=26),
        status="open",
        capacity=centre.seats,
        start_code=START_CODE,
        opened_at=now,
    )
    db.session.add(shift)
    db.session.flush()
    audit.record([Change("shift", shift.id, "open_shift", "planned", "open")], by=SYSTEM, now=now)
    return shift


def _move_waiting(centre: Centre, shift: Shift, now: datetime) -> None:
    """Candidates with an available slot go to the new shift; who is in an attempt stays in theirs."""
    waiting = select(Slot.candidate_id).where(Slot.closed_at.is_(None), Slot.status == SlotStatus.AVAILABLE)
    busy = select(Attempt.candidate_id).where(Attempt.status.in_(OPEN_ATTEMPT))
    moved = db.session.execute(
        update(Candidate)
        .where(Candidate.centre_id == centre.id, Candidate.id.in_(waiting), Candidate.id.not_in(busy))
        .values(shift_id=shift.id, seat=None, checked_in_at=None, checked_in_by=None, late_entry_shift_id=None)
        .returning(Candidate.id)
        .execution_options(synchronize_session=False)
    ).scalars()
    audit.record([Change("candidate", i, "move_to_shift", None, str(shift.id)) for i in moved], by=SYSTEM, now=now)


def _centres(organisation_id: UUID) -> dict[str, Centre]:
    centres = {}
    for code, name, command, seats in (
        ("C01", "Exam Centre North", "Northern", 60),
        ("C02", "Exam Centre South", "Southern", 40),
    ):
        centre = Centre(
            id=uuid7(),
            organisation_id=organisation_id,
            code=code,
            name=name,
            command=command,
            time_zone=settings().time_zone,
            seats=seats,
        )
        db.session.add(centre)
        db.session.flush()
        db.session.add_all(Kiosk(centre_id=centre.id, name=f"K-{seat:03}", seat=str(seat)) for seat in range(1, 11))
        centres[code] = centre
    return centres


def _trades(organisation_id: UUID) -> dict[str, Trade]:
    trades = {
        code: Trade(id=uuid7(), organisation_id=organisation_id, code=code, name=name, has_primary=has_primary)
        for code, name, has_primary in TRADES
    }
    db.session.add_all(trades.values())
    db.session.flush()
    return trades


def _papers(organisation_id: UUID, trades: dict[str, Trade]) -> dict[tuple[str | None, str], UUID]:
    """All papers of the domain's table: one primary for each trade that has one, and the common secondary."""
    made = {}
    wanted: list[tuple[str | None, str]] = [(code, "primary") for code, trade in trades.items() if trade.has_primary]
    for code, paper_type in [*wanted, (None, "secondary")]:
        is_long = code in LONG_PAPER
        written, practical, viva = (75, 20, 5) if is_long else (60, 30, 10)
        paper = Paper(
            id=uuid7(),
            organisation_id=organisation_id,
            trade_id=trades[code].id if code else None,
            paper_type=paper_type,
            title=f"{code} · Primary paper" if code else "Secondary paper (common)",
            status="in_use",
            duration_seconds=3 * 3600,
            written_marks=written,
            practical_marks=practical,
            viva_marks=viva,
        )
        db.session.add(paper)
        db.session.flush()
        db.session.add_all(_part(paper.id, row, is_long) for row in PARTS)
        made[(code, paper_type)] = paper.id
    return made


def _part(paper_id: UUID, row: tuple[Any, ...], is_long: bool) -> Part:
    letter, question_type, count, long_count, marks, least, most = row
    return Part(
        paper_id=paper_id,
        letter=letter,
        question_type=question_type,
        question_count=long_count if is_long else count,
        marks_each=marks,
        negative_marks=0,
        min_words=least,
        max_words=most,
    )


def _sets(made: dict[tuple[str | None, str], UUID], now: datetime) -> dict[tuple[str | None, str], UUID]:
    """Publish sets A, B and C of each paper that ships questions; return set A of each."""
    active = {}
    for paper, name in SET_FILES.items():
        for label in "CBA":
            file = QUESTIONS / f"{name}-{label.lower()}.csv"
            read = questions.read(file.read_bytes())
            if read.problems:
                first = read.problems[0]
                raise BadInput(problem=f"{file.name}, line {first.line}, {first.column}: {first.text}")
            active[paper] = papers.add_set(made[paper], label, read.questions, publish=True, by=SYSTEM, now=now)
    return active


def _staff(organisation_id: UUID, centres: dict[str, Centre], now: datetime) -> None:
    for login, name, role, centre in STAFF:
        accounts.create_user(
            organisation_id=organisation_id,
            login=login,
            name=name,
            role=role,
            centre_id=centres[centre].id if centre else None,
            password_hash=accounts.hash_password(PASSWORD),
            must_change_password=False,
            by=SYSTEM,
            now=now,
        )


def _candidates(
    organisation_id: UUID, centres: dict[str, Centre], trades: dict[str, Trade], shifts: dict[str, Shift], now: datetime
) -> list[UUID]:
    # one hash for all: the password is printed on the screen, and 60 hashes would cost the first start 2 s
    password_hash = accounts.hash_password(PASSWORD)
    rows = []
    for place in range(CANDIDATES):
        centre = "C01" if place < FIRST_CENTRE else "C02"
        service_no = f"TEST{place + 1:06}"
        rows.append(
            Candidate(
                id=uuid7(),
                organisation_id=organisation_id,
                centre_id=centres[centre].id,
                trade_id=trades[("TTC", "OCC", "MUSICIAN")[place % 3]].id,
                shift_id=shifts[centre].id,
                service_no=service_no,
                login=accounts.fold_login(service_no),
                name=f"{FIRST_NAMES[place % 12]} {LAST_NAMES[place % 13]}",
                rank=RANKS[place % 4],
                seat=str(place % FIRST_CENTRE + 1),
                password_hash=password_hash,
                created_at=now,
            )
        )
    db.session.add_all(rows)
    db.session.flush()
    return [row.id for row in rows]


def _activate(
    active: dict[tuple[str | None, str], UUID],
    trades: dict[str, UUID],
    organisation_id: UUID,
    *,
    by: Actor,
    now: datetime,
) -> None:
    for (code, _type), set_id in active.items():
        sets.activate(
            set_id,
            [trades[code]] if code else list(trades.values()),
            organisation_id=organisation_id,
            keep_running=False,
            reason="demo data",
            confirmed=True,
            by=by,
            now=now,
        )
