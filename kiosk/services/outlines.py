"""The pieces of the candidate's screens that don't change while they write: person, paper, shift, part tabs."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Uuid, bindparam, select

from kiosk.extensions import read
from kiosk.models import Candidate, Centre, Paper, Part, Trade
from kiosk.prepared import Prepared
from kiosk.services import photos, shapes
from kiosk.services.entry import Entry
from kiosk.services.screens import Cell, PaperOutline, PartOutline, PartTab, Person, ShiftView

# where candidates get their own photo; the address holds nobody's id
OWN_PHOTO = "/candidate/photo"


def person(candidate: Candidate, centre: Centre, trade: Trade) -> Person:
    """Return who sits at the kiosk: one statement, for the photo."""
    version = photos.version(candidate.id)
    return Person(
        candidate_id=candidate.id,
        name=candidate.name,
        service_no=candidate.service_no,
        rank=candidate.rank,
        trade_code=trade.code,
        trade_name=trade.name,
        centre_name=centre.name,
        time_zone=centre.time_zone,
        seat=candidate.seat,
        photo_url=f"{OWN_PHOTO}?v={version}" if version else None,
        language=candidate.language,
    )


def outline(paper: Paper, trade: Trade, extra_seconds: int) -> PaperOutline:
    """Return a paper as the candidate meets it: one statement for its parts."""
    parts: list[PartOutline] = []
    for part in read(_parts(), {"p_paper": paper.id}):
        parts.append(
            PartOutline(
                letter=part.letter,
                question_type=part.question_type,
                question_count=part.question_count,
                marks_each=shapes.number(part.marks_each),
                negative_marks=shapes.number(part.negative_marks),
                min_words=part.min_words,
                max_words=part.max_words,
                first_number=sum(before.question_count for before in parts) + 1,
            )
        )
    return PaperOutline(
        paper_id=paper.id,
        title=paper.title,
        trade_code=trade.code,
        paper_type=paper.paper_type,
        duration_seconds=paper.duration_seconds,
        extra_seconds=extra_seconds,
        parts=tuple(parts),
        languages=tuple(paper.languages.split(",")),
    )


@cache
def _parts() -> Prepared:
    wanted = select(*Part.__table__.c).where(Part.paper_id == bindparam("p_paper", type_=Uuid)).order_by(Part.letter)
    return Prepared(wanted)


def shift_view(found: Entry) -> ShiftView | None:
    """Return the candidate's shift; None without one."""
    shift = found.shift
    if shift is None:
        return None
    return ShiftView(shift.starts_at, shift.latest_entry_at, shift.status, bool(shift.start_code))


def tabs(paper: PaperOutline, cells: tuple[Cell, ...]) -> tuple[PartTab, ...]:
    """Return the part tabs of these palette cells."""
    tabs = []
    for part in paper.parts:
        own = [cell for cell in cells if cell.part == part.letter]
        if own:
            answered = sum(cell.state in ("done", "both") for cell in own)
            here = any(cell.is_current for cell in own)
            tabs.append(PartTab(part.letter, part.question_type, answered, len(own), own[0].number, here))
    return tuple(tabs)
