"""What a candidate file would do: every entry held against trades, centres, shifts and the candidates there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select

from kiosk.extensions import db
from kiosk.models import Candidate, Centre, Slot, Trade, User
from kiosk.services.accounts import fold_login
from kiosk.services.candidate_photos import Photos
from kiosk.services.candidate_rooms import Rooms
from kiosk.services.exchange.candidates import CandidateFile, Entry
from kiosk.services.exchange.photo_zips import PhotoWrong
from kiosk.services.exchange.problems import FileRefused, Problem, Problems
from kiosk.states import SlotStatus

BATCH = 1000
FIELDS = (
    "service_no",
    "name",
    "rank",
    "trade_id",
    "centre_id",
    "shift_id",
    "language",
    "extra_minutes_per_hour",
    "photo",
)
NAMED = {"trade_id": "trade", "centre_id": "centre", "shift_id": "shift"}

Tick = Callable[[int], None]
OpenPhotos = Callable[[], Photos]  # raises FileRefused


@dataclass(frozen=True)
class Scope:
    """Whose candidates a file may hold: an organisation's, or those of one of its centres."""

    organisation_id: UUID
    centre_id: UUID | None = None


@dataclass(slots=True)
class Step:
    """What one entry comes to: a new candidate, a change of one that is there (`values`), or nothing."""

    entry: Entry
    candidate_id: UUID | None
    values: dict[str, Any]
    changed: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """new, changed or unchanged."""
        if self.candidate_id is None:
            return "new"
        return "changed" if self.changed else "unchanged"


@dataclass
class Plan:
    """Everything that a file would do, or its problems."""

    steps: list[Step] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)
    photos: Photos | None = None

    def count(self, outcome: str) -> int:
        """How many entries come to this."""
        return sum(step.outcome == outcome for step in self.steps)


@dataclass(frozen=True)
class _Place:
    centre_id: UUID
    zone: ZoneInfo


def plan(content: bytes, scope: Scope, tick: Tick, photos: OpenPhotos | None = None) -> Plan:
    """Return what this file would do; `tick` is told the number of entries looked at. Changes nothing.

    With `photos`, every photo that the file names must be in the ZIP; `photos` opens it.
    """
    file = CandidateFile(content)
    found = Plan(problems=file.problems)
    known = _Known(scope, file, _opened(photos, found))
    for batch in _batches(file.entries()):
        existing = _existing(scope.organisation_id, [entry.login for entry in batch])
        busy = _busy([row.id for row in existing.values()])
        staff = _staff(scope.organisation_id, [entry.login for entry in batch])
        db.session.rollback()  # no snapshot is held open while a large file is read
        for entry in batch:
            step = known.step(entry, existing.get(entry.login), busy, is_staff=entry.login in staff)
            # once anything is wrong nothing will be done: only the problems matter from there on
            if step is not None and not file.problems.lines:
                found.steps.append(step)
            tick(1)
    known.check_rooms()
    db.session.rollback()
    if file.problems.lines:
        found.steps.clear()
    found.photos = known.photos
    return found


def _opened(photos: OpenPhotos | None, found: Plan) -> Photos | None:
    try:
        return photos() if photos else None
    except FileRefused as refused:
        found.problems.add(Problem(0, "photo", refused.text))
        return None


class _Known:
    """Trades, centres and shifts by the names that a file gives them."""

    def __init__(self, scope: Scope, file: CandidateFile, photos: Photos | None) -> None:
        self._scope, self._file, self.photos = scope, file, photos
        trades = db.session.execute(
            select(Trade.id, Trade.code).where(
                Trade.organisation_id == scope.organisation_id, Trade.archived_at.is_(None)
            )
        ).all()
        centres = db.session.execute(
            select(Centre.id, Centre.code, Centre.time_zone).where(
                Centre.organisation_id == scope.organisation_id, Centre.archived_at.is_(None)
            )
        ).all()
        self._trades = {fold_login(row.code): row.id for row in trades}
        self._centres = {fold_login(row.code): _Place(row.id, ZoneInfo(row.time_zone)) for row in centres}
        self._rooms = Rooms([row.id for row in centres])

    def step(self, entry: Entry, existing: Any, busy: dict[UUID, str], *, is_staff: bool) -> Step | None:
        """What the entry comes to; None if it is wrong."""
        trade_id, place = self._trades.get(fold_login(entry.trade)), self._centres.get(fold_login(entry.centre))
        if entry.trade and trade_id is None:
            self._wrong(entry, "trade", _("there is no trade %(code)s", code=entry.trade))
        if entry.centre and place is None:
            self._wrong(entry, "centre", _("there is no centre %(code)s", code=entry.centre))
        if trade_id is None or place is None:
            return None
        if self._scope.centre_id not in (None, place.centre_id):
            self._wrong(entry, "centre", _("is not your centre"))
            return None
        shift_id = self._shift(entry, place)
        values = _values(entry, trade_id, place.centre_id, shift_id)
        if existing is None:
            if is_staff:
                self._wrong(entry, "service_no", _("is the login of a member of staff"))
            step = Step(entry, None, values)
        else:
            if not self._may_change(entry, existing):
                return None
            step = _changes(entry, existing, values)
            self._check_busy(entry, step, busy.get(existing.id))
        self._move(entry, step, existing, trade_id)
        self._take_photo(entry, step)
        return step

    def check_rooms(self) -> None:
        """Find the lines for which their shifts have no room."""
        for line, text in self._rooms.too_many():
            self._file.wrong(line, "shift", text)

    def _shift(self, entry: Entry, place: _Place) -> UUID | None:
        if entry.shift is None:
            return None
        found = self._rooms.find(place.centre_id, entry.shift.replace(tzinfo=place.zone).astimezone(UTC))
        if found is None:
            self._wrong(entry, "shift", _("%(centre)s has no shift at this time", centre=entry.centre))
        return found

    def _move(self, entry: Entry, step: Step, existing: Any, trade_id: UUID) -> None:
        leaves = existing.shift_id if existing is not None and "shift_id" in step.values else None
        why = self._rooms.move(entry.line, leaves, step.values.get("shift_id"), trade_id)
        if why:
            self._wrong(entry, "shift", why)

    def _take_photo(self, entry: Entry, step: Step) -> None:
        if self.photos is None or not entry.photo:
            return
        try:
            is_right = not self._file.problems.lines
            is_new = self.photos.of_line(entry.line, entry.photo, step.candidate_id, keep=is_right)
        except PhotoWrong as wrong:
            self._wrong(entry, "photo", wrong.text)
            return
        if is_new and step.candidate_id is not None and "photo" not in step.changed:
            step.changed = (*step.changed, "photo")

    def _may_change(self, entry: Entry, existing: Any) -> bool:
        if self._scope.centre_id not in (None, existing.centre_id):
            self._wrong(entry, "service_no", _("belongs to a candidate of another centre"))
            return False
        if existing.archived_at is not None:
            self._wrong(entry, "service_no", _("belongs to a candidate who is archived"))
            return False
        return True

    def _check_busy(self, entry: Entry, step: Step, slot: str | None) -> None:
        """A slot is for a paper of the trade, and a test is written in a centre."""
        if slot is not None and "trade" in step.changed:
            self._wrong(entry, "trade", _("cannot change while there is a slot; reset it first"))
        if slot == SlotStatus.ATTEMPTING and {"centre", "shift"} & set(step.changed):
            self._wrong(entry, "centre", _("cannot change while the candidate is writing"))

    def _wrong(self, entry: Entry, column: str, text: str) -> None:
        self._file.wrong(entry.line, column, text)


def _values(entry: Entry, trade_id: UUID, centre_id: UUID, shift_id: UUID | None) -> dict[str, Any]:
    return {
        "service_no": entry.service_no,
        "name": entry.name,
        "rank": entry.rank,
        "trade_id": trade_id,
        "centre_id": centre_id,
        "shift_id": shift_id,
        "language": entry.language or None,
        "extra_minutes_per_hour": entry.extra_minutes,
        "photo": entry.photo or None,
    }


def _changes(entry: Entry, existing: Any, values: dict[str, Any]) -> Step:
    """What differs. An empty field leaves things as they are: an import never takes anything away."""
    given = {name: value for name, value in values.items() if value not in (None, "")}
    differs = {name: value for name, value in given.items() if getattr(existing, name) != value}
    if "centre_id" in differs and "shift_id" not in given and existing.shift_id is not None:
        differs["shift_id"] = None  # a shift belongs to its centre
    names = [NAMED.get(name, name) for name in differs]
    if entry.password:
        names.append("password")
    return Step(entry, existing.id, differs, tuple(names))


def _existing(organisation_id: UUID, logins: list[str]) -> dict[str, Any]:
    columns = [getattr(Candidate, name) for name in FIELDS]
    rows = db.session.execute(
        select(Candidate.id, Candidate.login, Candidate.archived_at, *columns).where(
            Candidate.organisation_id == organisation_id, Candidate.login.in_(logins)
        )
    ).all()
    return {row.login: row for row in rows}


def _staff(organisation_id: UUID, logins: list[str]) -> set[str]:
    """Those that sign staff in: nobody else may have them."""
    query = select(User.login).where(User.organisation_id == organisation_id, User.login.in_(logins))
    return set(db.session.execute(query).scalars())


def _busy(candidate_ids: list[UUID]) -> dict[UUID, str]:
    """The slot that each of them holds and has not used up."""
    rows = db.session.execute(
        select(Slot.candidate_id, Slot.status).where(
            Slot.candidate_id.in_(candidate_ids), Slot.closed_at.is_(None), Slot.status != SlotStatus.CONSUMED
        )
    )
    return {row.candidate_id: row.status for row in rows}


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
