"""Loads what the bots work on: the sample papers, a centre of their own, and any number of candidates, set-based."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import Flask
from sqlalchemy import insert, select

from kiosk import clock
from kiosk.capabilities import Role
from kiosk.extensions import db, transaction
from kiosk.ids import uuid7
from kiosk.models import Candidate, Centre, Organisation, Shift, Trade
from kiosk.services import accounts, demo, hashing, slots
from kiosk.services.audit import SYSTEM
from tests.bench.bots import START_CODE, Person

BATCH = 1000
LATEST_ENTRY = timedelta(days=2)


@dataclass(frozen=True)
class Place:
    """Where the bots write."""

    organisation_id: UUID
    centre_id: UUID
    shift_id: UUID
    trade_id: UUID


def prepare(app: Flask) -> Place:
    """Make the schema, the sample papers and a centre with an open shift; its admin is `bench`, the password too."""
    import flask_migrate

    with app.app_context():
        flask_migrate.upgrade(directory=app.config["MIGRATIONS_DIR"])
        now = clock.now()
        demo.load_demo(now)
        with transaction():
            organisation_id = db.session.scalars(select(Organisation.id)).one()
            trade_id = db.session.scalars(select(Trade.id).where(Trade.code == "TTC")).one()
            centre = Centre(id=uuid7(), organisation_id=organisation_id, code="BENCH", name="Bench", time_zone="UTC")
            db.session.add(centre)
            db.session.flush()
            shift = Shift(
                id=uuid7(),
                centre_id=centre.id,
                starts_at=now - timedelta(hours=1),
                latest_entry_at=now + LATEST_ENTRY,
                status="open",
                start_code=START_CODE,
                opened_at=now,
            )
            db.session.add(shift)
            db.session.flush()
            place = Place(organisation_id, centre.id, shift.id, trade_id)
            accounts.create_user(
                organisation_id=organisation_id,
                login="bench",
                name="Bench",
                role=Role.CENTRE_ADMIN,
                centre_id=centre.id,
                password_hash=hashing.hash_generated("bench"),
                must_change_password=False,
                by=SYSTEM,
                now=now,
            )
        _settle()
        return place


def add_candidates(
    app: Flask,
    place: Place,
    count: int,
    *,
    prefix: str,
    kind: str = "candidate",
    chosen: bool = False,
    seated: bool = True,
) -> list[Person]:
    """Add so many candidates with available slots, and return who they are.

    All share one password. `chosen`: as if they had chosen it, so that a sign-in costs an argon2 hash; else as if it
    had been generated. Not `seated`: they are on the books of the centre, in no shift.
    """
    with app.app_context():
        password = hashing.new_password()
        password_hash = hashing.hash_password(password) if chosen else hashing.hash_generated(password)
        now, people = clock.now(), [Person(kind, f"{prefix}{number:06}", password) for number in range(count)]
        for first in range(0, count, BATCH):
            rows = [row_of(place, person.login, password_hash, now) for person in people[first : first + BATCH]]
            if not seated:
                rows = [row | {"shift_id": None} for row in rows]
            with transaction():
                db.session.execute(insert(Candidate), rows)
            slots.assign([row["id"] for row in rows], by=SYSTEM, now=now)  # type: ignore[misc]
        _settle()
    return people


def row_of(place: Place, login: str, password_hash: str, now: object) -> dict[str, object]:
    """The row of one candidate."""
    return {
        "id": uuid7(),
        "organisation_id": place.organisation_id,
        "centre_id": place.centre_id,
        "trade_id": place.trade_id,
        "shift_id": place.shift_id,
        "service_no": login,
        "login": accounts.fold_login(login),
        "name": f"Candidate {login}",
        "rank": "Naik",
        "password_hash": password_hash,
        "created_at": now,
    }


def _settle() -> None:
    """Leave no connection open, and do what autovacuum would do within a minute."""
    db.session.remove()
    if db.engine.dialect.name == "postgresql":
        with db.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    db.engine.dispose()
