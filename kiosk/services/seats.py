"""Seats: given by hand or at random, one person each in a shift. The database's unique index decides races."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from kiosk.errors import BadInput, KioskError, NotFound
from kiosk.extensions import db, retried, transaction
from kiosk.models import Attempt, Candidate, Centre, Kiosk
from kiosk.services import audit, check_in, shifts
from kiosk.services.audit import Actor, Change
from kiosk.states import AttemptStatus

LONGEST_SEAT = 12


class SeatTaken(KioskError):
    status, code = 409, "seat_taken"
    message = _l("Seat %(seat)s is given to somebody else in this shift.")


@dataclass(frozen=True)
class SeatReport:
    """What giving seats did, or would do: people who get one, and people for whom there is none."""

    given: int
    left_out: int


def seats_of(centre_id: UUID) -> list[str]:
    """Return the seats of a centre in their order: those of its kiosks where it demands kiosks, else all of them."""
    centre = db.session.execute(select(Centre.seats, Centre.kiosk_rule).where(Centre.id == centre_id)).one()
    of_kiosks = db.session.execute(
        select(Kiosk.seat).where(
            Kiosk.centre_id == centre_id,
            Kiosk.archived_at.is_(None),
            Kiosk.seat.is_not(None),
            *([Kiosk.token_hash.is_not(None)] if centre.kiosk_rule != "any" else []),
        )
    ).scalars()
    numbered = () if centre.kiosk_rule != "any" else (str(number) for number in range(1, centre.seats + 1))
    return sorted({*numbered, *(str(seat) for seat in of_kiosks)}, key=lambda seat: (len(seat), seat))


def free_seats(shift_id: UUID, centre_id: UUID) -> list[str]:
    """Return the seats of the centre that nobody has in this shift."""
    taken = set(db.session.execute(select(Candidate.seat).where(Candidate.shift_id == shift_id)).scalars())
    return [seat for seat in seats_of(centre_id) if seat not in taken]


@retried
def give(candidate_id: UUID, seat: str, *, by: Actor, now: datetime) -> None:
    """Give a candidate who is in a shift a seat; an empty text takes it back.

    Raises NotFound, BadInput (no such seat), SeatTaken, IsWriting.
    """
    wanted = seat.strip()
    try:
        with transaction():
            row = locked(candidate_id)
            if row.seat == (wanted or None):
                return
            check_in.refuse_writing(candidate_id)
            put(row, wanted, by=by, now=now)
    except IntegrityError:
        raise SeatTaken(seat=wanted) from None


def give_at_random(shift_id: UUID, *, by: Actor, now: datetime, dry_run: bool = False) -> SeatReport:
    """Give everybody who is present without a seat one of the free seats, at random. Raises NotFound.

    A seat that another desk gives away at the same moment is not taken twice: we look again.
    """
    for _attempt in range(3):
        try:
            return _give_at_random(shift_id, by, now, dry_run)
        except IntegrityError:
            continue
    return _give_at_random(shift_id, by, now, dry_run)


@retried
def _give_at_random(shift_id: UUID, by: Actor, now: datetime, dry_run: bool) -> SeatReport:
    with transaction():
        shift = shifts.locked(shift_id)  # two desks that press at once come one after the other
        present, taken = _present(shift_id)
        free = [seat for seat in seats_of(shift.centre_id) if seat not in taken]
        waiting = [row.id for row in present]
        secrets.SystemRandom().shuffle(waiting)
        chosen = secrets.SystemRandom().sample(free, min(len(free), len(waiting)))
        if not dry_run:
            _write(list(zip(waiting, chosen, strict=False)), by, now)
    return SeatReport(len(chosen), len(waiting) - len(chosen))


def locked(candidate_id: UUID) -> Any:
    """Return id, seat, shift and centre of a candidate, locked in the caller's transaction. Raises NotFound."""
    row = db.session.execute(
        select(Candidate.id, Candidate.seat, Candidate.shift_id, Candidate.centre_id, Candidate.name)
        .where(Candidate.id == candidate_id, Candidate.archived_at.is_(None))
        .with_for_update()
    ).one_or_none()
    if row is None or row.shift_id is None:
        raise NotFound
    return row


def put(row: Any, seat: str, *, by: Actor, now: datetime, reason: str | None = None) -> None:
    """Write a locked candidate's seat inside the caller's transaction. Raises BadInput; IntegrityError if taken."""
    known = seats_of(row.centre_id)  # none: this centre does not number its seats
    if seat and (len(seat) > LONGEST_SEAT or not seat.isprintable() or (known and seat not in known)):
        raise BadInput(problem=_("There is no seat %(seat)s in this centre.", seat=seat[:LONGEST_SEAT]))
    db.session.execute(update(Candidate).where(Candidate.id == row.id).values(seat=seat or None))
    audit.record([Change("candidate", row.id, "give_seat", row.seat, seat or None, reason)], by=by, now=now)


def _present(shift_id: UUID) -> tuple[Sequence[Any], set[str]]:
    """Who is present without a seat and not writing, and the seats that are taken."""
    rows = db.session.execute(
        select(Candidate.id, Candidate.seat, Candidate.checked_in_at, Attempt.id.label("attempt_id"))
        .outerjoin(
            Attempt,
            (Attempt.candidate_id == Candidate.id)
            & Attempt.status.in_((AttemptStatus.IN_PROGRESS, AttemptStatus.PAUSED)),
        )
        .where(Candidate.shift_id == shift_id)
        .order_by(Candidate.id)
        .with_for_update(of=Candidate)
    ).all()
    waiting = [row for row in rows if row.checked_in_at and not row.seat and not row.attempt_id]
    return waiting, {row.seat for row in rows if row.seat}


def _write(pairs: list[tuple[UUID, str]], by: Actor, now: datetime) -> None:
    if not pairs:
        return
    table = Candidate.__table__
    db.session.connection().execute(
        table.update().where(table.c.id == bindparam("b_id")).values(seat=bindparam("b_seat")),  # type: ignore[attr-defined]
        [{"b_id": candidate_id, "b_seat": seat} for candidate_id, seat in pairs],
    )
    audit.record([Change("candidate", who, "give_seat", None, seat) for who, seat in pairs], by=by, now=now)
