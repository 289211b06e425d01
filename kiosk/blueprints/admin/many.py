"""What is done to many records of a list at once: ticked, looked at with numbers, done, and reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from flask import request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from kiosk.blueprints.admin import bp
from kiosk.errors import BadInput, NotFound
from kiosk.services import deeds, office_jobs
from kiosk.services.deeds import Deed, Done
from kiosk.web.asking import Ask, ask_page, problems_of
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs, user_may
from kiosk.web.staff_pages import uuid_or_none

Row = TypeVar("Row")
MOST_CHOSEN = 1000  # by hand
MOST_AT_ONCE = 10_000  # of all that match


@dataclass(frozen=True)
class Act:
    """One thing to do with what is ticked, in words."""

    name: str
    deed: Deed
    icon: str
    button: Any
    title: Any
    go: Any
    says: Any
    is_danger: bool = False


class Many:
    """The acts of one list. `matching` returns all that its filters match, `query` the filters of an address."""

    def __init__(
        self,
        things: str,
        capability: str,
        acts: tuple[Act, ...],
        *,
        matching: Callable[[MultiDict[str, str]], list[UUID]],
        query: Callable[[MultiDict[str, str]], dict[str, Any]],
    ) -> None:
        """`things` names the list's endpoint and its entry in the navigation."""
        self.things, self.capability, self.acts = things, capability, acts
        self.matching, self.query = matching, query
        for act in acts:
            self._hang_in(act)

    def shown(self) -> dict[str, Any]:
        """Return what the list's template needs: the acts that are offered, and the report on the last one."""
        offered = self.acts if user_may(self.capability) else ()
        kept = session.get("office_report") if not is_htmx() else None
        if kept and kept["things"] == self.things:
            session.pop("office_report")
        else:
            kept = None
        return {"things": self.things, "acts": offered, "report": kept}

    def ticked(self, rows: Sequence[Row], id_of: Callable[[Row], UUID]) -> list[Row]:
        """Return those of a list's rows that are ticked; all of them where none is, or where all were asked for."""
        ids = set(request.args.getlist("id")) if request.args.get("all") != "1" else set()
        return [row for row in rows if not ids or str(id_of(row)) in ids]

    def _hang_in(self, act: Act) -> None:
        @needs(self.capability)
        def preview() -> ResponseReturnValue:
            question, ids = self._ahead(act, request.args)
            return ask_page(question, {}, 200 if ids else 422)

        @needs(self.capability)
        def perform() -> ResponseReturnValue:
            return self._perform(act)

        rule, endpoint = f"/{self.things}/many/{act.name}", f"{self.things}_{act.name.replace('-', '_')}"
        bp.add_url_rule(rule, endpoint, preview, methods=["GET"])
        bp.add_url_rule(rule, f"{endpoint}_now", perform, methods=["POST"])

    def _perform(self, act: Act) -> ResponseReturnValue:
        """Do it, unless the form is incomplete or what was shown is no longer so."""
        question, ids = self._ahead(act, request.form)
        if ids and request.form.get("seen") != dict(question.carries)["seen"]:
            changed = _("The numbers changed in the meantime. Nothing was done; look at them again.")
            return ask_page(question, {"all": changed}, 409)
        problems = problems_of(question)
        if problems:
            return ask_page(question, problems, 422)
        staff, by, now = current_staff(), current_actor(), arrived_at()
        reason = request.form.get("reason", "")
        done = deeds.do(act.deed, ids, organisation_id=staff.organisation_id, by=by, now=now, reason=reason)
        job_id = office_jobs.keep(f"{self.things}_{act.name}", done, staff.organisation_id, reason, by=by, now=now)
        session["office_report"] = {
            "things": self.things,
            "changed": done.changed,
            "skipped": dict(done.skipped),
            "job": str(job_id),
        }
        return go_to(f"admin.{self.things}", **self.query(request.form))

    def _ahead(self, act: Act, values: MultiDict[str, str]) -> tuple[Ask, list[UUID]]:
        """The question about what is chosen, with its numbers."""
        ids = self._chosen(values)
        staff, by, now = current_staff(), current_actor(), arrived_at()
        done = deeds.look_ahead(act.deed, ids, organisation_id=staff.organisation_id, by=by, now=now)
        query = self.query(values)
        chosen = [("all", "1")] if values.get("all") == "1" else [("id", str(one)) for one in ids]
        carries = [("seen", _seen(done)), *((name, str(value)) for name, value in query.items()), *chosen]
        says = str(act.says) if ids else _("Nothing is selected. Tick rows of the list, or “All that match”.")
        question = Ask(
            title=str(act.title),
            go=str(act.go),
            back=url_for(f"admin.{self.things}", **query),
            nav=self.things,
            says=(says,),
            numbers=_numbers(done) if ids else (),
            needs_reason=act.deed.needs_reason,
            is_danger=act.is_danger,
            is_idle=not done.changed,
            carries=tuple(carries),
            stays=done.skipped,
        )
        return question, ids

    def _chosen(self, values: MultiDict[str, str]) -> list[UUID]:
        """What is ticked, or all that the filters match. Raises NotFound for what is no id, BadInput for too many."""
        if values.get("all") == "1":
            found = self.matching(values)
        else:
            given = values.getlist("id")
            if len(given) > MOST_CHOSEN:
                raise BadInput(problem=_("Choose at most %(most)s one by one, or all that match.", most=MOST_CHOSEN))
            ids = [uuid_or_none(text) for text in given]
            if None in ids:
                raise NotFound
            found = list(dict.fromkeys(one for one in ids if one))
        if len(found) > MOST_AT_ONCE:
            raise BadInput(problem=_("These are too many at once. Narrow the filters."))
        return found


def _numbers(done: Done) -> tuple[tuple[int, str], ...]:
    stays = len(done.why)
    return (
        (done.changed, ngettext("changes", "change", done.changed)),
        (stays, ngettext("stays as it is", "stay as they are", stays)),
    )


def _seen(done: Done) -> str:
    """The numbers that a question showed, to be compared when the answer comes."""
    return ",".join([str(done.changed), *(f"{why}:{count}" for why, count in sorted(done.skipped.items()))])
