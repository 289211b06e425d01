"""How a deletion is said: what goes along, what is cut loose, what stands in the way, each with its number."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from flask_babel import ngettext

from kiosk.services.removing import Removal
from kiosk.web.asking import Ask, Counted

# what weighs most is said first
ORDER = ("attempts", "candidates", "papers", "question_sets", "slots", "shifts", "kiosks", "incidents")
# what belongs to a test needs no number of its own: where it is, there are attempts
INSIDE_ATTEMPTS = ("answers", "answer_saves", "pauses", "time_grants", "visits", "results", "feedback")


def counted(rows: Mapping[str, int]) -> Counted:
    """Return numbers and words for rows by table."""
    shown = {table: count for table, count in rows.items() if table not in INSIDE_ATTEMPTS} or rows
    weighty = sorted(shown, key=lambda table: ORDER.index(table) if table in ORDER else len(ORDER))
    return tuple((shown[table], _words(table, shown[table])) for table in weighty)


def question(found: Removal, *, title: str, code: str, back: str, nav: str, says: tuple[str, ...] = ()) -> Ask:
    """Return the question before a deletion; with something in the way it says so, and what to do instead."""
    if not found.is_possible:
        instead = _("Nothing that was written or happened is deleted. Archive it instead: it is then offered nowhere.")
        return Ask(title, _("Delete"), back, nav, says=(instead,), stands=counted(found.stands))
    goes = counted(found.takes)
    loose = tuple(
        ngettext(
            "%(num)s staff account is deactivated and has no centre any more; it can be given another one.",
            "%(num)s staff accounts are deactivated and have no centre any more; they can be given another one.",
            found.clears["users"],
        )
        for _table in ("users",)
        if "users" in found.clears
    )
    first = _("What goes along for good:") if goes else _("Nothing else goes along.")
    return Ask(
        title,
        _("Delete for good"),
        back,
        nav,
        says=(*says, *loose, first),
        numbers=goes,
        word=code,
        is_danger=True,
    )


def _words(table: str, count: int) -> str:
    words = {
        "attempts": lambda: ngettext("test that was sat", "tests that were sat", count),
        "candidates": lambda: ngettext("candidate", "candidates", count),
        "candidate_photos": lambda: ngettext("photo", "photos", count),
        "slots": lambda: ngettext("slot that was not used", "slots that were not used", count),
        "shifts": lambda: ngettext("shift", "shifts", count),
        "shift_trades": lambda: ngettext("shift that names this trade", "shifts that name this trade", count),
        "kiosks": lambda: ngettext("kiosk", "kiosks", count),
        "incidents": lambda: ngettext("incident", "incidents", count),
        "jobs": lambda: ngettext("job with its files", "jobs with their files", count),
        "papers": lambda: ngettext("paper", "papers", count),
        "parts": lambda: ngettext("part", "parts", count),
        "question_sets": lambda: ngettext("question set", "question sets", count),
        "questions": lambda: ngettext("question", "questions", count),
        "activations": lambda: ngettext("activation of a set", "activations of sets", count),
    }
    return words.get(table, lambda: ngettext("other record", "other records", count))()
