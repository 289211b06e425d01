"""Putting a centre, trade or paper away: archiving it, taking it back, deleting it, each after a question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.admin import bp
from kiosk.blueprints.removal_words import question
from kiosk.services import removing
from kiosk.services.removing import Root
from kiosk.web.asking import Ask, Counted, add_question
from kiosk.web.htmx import go_to
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff


class Away:
    """The questions about one kind of record. `thing` names its page, `service` has its rules, `name` names one.

    `word` is typed to delete one, its name where there is none.
    """

    def __init__(
        self,
        thing: str,
        *,
        model: Root,
        service: Any,
        says: Any,
        stands: Callable[[UUID], Counted],
        name: Callable[[UUID], str],
        word: str = "",
    ) -> None:
        """`stands` returns what keeps one from being archived, `says` what archiving means."""
        self.thing, self.model, self.service, self.says, self.stands = thing, model, service, says, stands
        self.name, self.word = name, word

    def hang_in(self, capability: str) -> None:
        """Add the routes."""
        address = f"/{self.thing}s/<uuid:{self.thing}_id>"
        for name, ask, do in (
            ("archive", self.ask_archive, self.archive),
            ("unarchive", self.ask_unarchive, self.unarchive),
            ("delete", self.ask_delete, self.delete),
        ):
            if hasattr(self.service, name) or name == "delete":  # an archived paper is taken into use again
                add_question(bp, f"{address}/{name}", f"{self.thing}_{name}", capability, ask, do)

    def ask_archive(self, object_id: UUID) -> Ask:
        """Ask whether to put one away."""
        title = _("Archive %(name)s?", name=self.name(object_id))
        says = (str(self.says),)
        return Ask(title, _("Archive"), self._back(object_id), self._nav, says=says, stands=self.stands(object_id))

    def archive(self, object_id: UUID, reason: str) -> ResponseReturnValue:
        """Put one away."""
        self.service.archive(object_id, reason=reason, **_who())
        return self._done(object_id, _("It is archived."))

    def ask_unarchive(self, object_id: UUID) -> Ask:
        """Ask whether to take one back."""
        title = _("Take %(name)s back into use?", name=self.name(object_id))
        says = (_("It is offered everywhere again, as it was."),)
        go = _("Take back into use")
        return Ask(title, go, self._back(object_id), self._nav, says=says, needs_reason=False)

    def unarchive(self, object_id: UUID, _reason: str) -> ResponseReturnValue:
        """Take one back."""
        self.service.unarchive(object_id, **_who())
        return self._done(object_id, _("It is in use again."))

    def ask_delete(self, object_id: UUID) -> Ask:
        """Ask whether to delete one, with what goes along or what stands in the way."""
        name = self.name(object_id)
        return question(
            removing.preview(self.model, object_id),
            title=_("Delete %(name)s?", name=name),
            code=self.word or name,
            back=self._back(object_id),
            nav=self._nav,
        )

    def delete(self, object_id: UUID, reason: str) -> ResponseReturnValue:
        """Delete one."""
        name = self.name(object_id)
        removing.remove(self.model, object_id, name=name, reason=reason, by=current_actor(), now=arrived_at())
        flash(_("%(name)s is deleted.", name=name), "ok")
        return go_to(f"admin.{self.thing}s")

    @property
    def _nav(self) -> str:
        return f"{self.thing}s"

    def _back(self, object_id: UUID) -> str:
        ids: dict[str, Any] = {f"{self.thing}_id": object_id}
        return url_for(f"admin.{self.thing}", **ids)

    def _done(self, object_id: UUID, sentence: str) -> ResponseReturnValue:
        flash(sentence, "ok")
        return go_to(f"admin.{self.thing}", **{f"{self.thing}_id": object_id})  # type: ignore[arg-type]


def _who() -> dict[str, Any]:
    return {"organisation_id": current_staff().organisation_id, "by": current_actor(), "now": arrived_at()}
