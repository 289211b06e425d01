"""The pages of records with a code and a name, as centres and trades are: the list, its file, one, a new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from kiosk.blueprints.admin import bp
from kiosk.blueprints.admin.many import Act, Many
from kiosk.office_errors import WrongField
from kiosk.services.listing import Order
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.lists import all_of, csv_file, order_from, query_of
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs
from kiosk.web.staff_pages import search_text

STATES = {"archived": "archived", "all": ""}


class Kept:
    """The pages of one kind of record. `thing` names them, `service` has the rules, `usual` fills a new one's form."""

    def __init__(
        self, thing: str, *, service: Any, form: Any, usual: Callable[[], Mapping[str, Any]], capability: str
    ) -> None:
        """Reading asks for `office.see`, the rest for `capability`. Hangs in all routes."""
        self.thing, self.service, self.form, self.usual = thing, service, form, usual
        self.many = Many(f"{thing}s", capability, acts_of(service), matching=self._matching, query=self._query)
        one = f"/{thing}s/<uuid:{thing}_id>"
        for rule, endpoint, view, asked in (
            (f"/{thing}s", f"{thing}s", self.show_list, "office.see"),
            (f"/{thing}s.csv", f"{thing}s_file", self.file, "office.see"),
            (f"/{thing}s/new", f"new_{thing}", self.new, capability),
            (one, thing, self.show, "office.see"),
        ):
            bp.add_url_rule(rule, endpoint, needs(asked)(view), methods=["GET"])
        bp.add_url_rule(f"/{thing}s/new", f"add_{thing}", needs(capability)(self.add), methods=["POST"])
        bp.add_url_rule(one, f"edit_{thing}", needs(capability)(self.edit), methods=["POST"])

    def show_list(self) -> ResponseReturnValue:
        """Show the organisation's records of this kind."""
        order = self._order(request.args)
        return render_template(
            f"admin/_{self.thing}s.html" if is_htmx() else f"admin/{self.thing}s.html",
            **self.many.shown(),
            **self._asked(request.args),
            order=order,
            query=self._query(request.args),
            listed=self._kept(order),
        )

    def file(self) -> ResponseReturnValue:
        """Return those that are ticked, or that the filters match, as a file."""
        found = self._kept(all_of(self._order(request.args)))
        head = (*self.form().values().__dataclass_fields__, "candidates", "archived")
        ticked = self.many.ticked(found.rows, lambda one: getattr(one, f"{self.thing}_id"))
        rows = [(*asdict(one.values).values(), one.candidates, one.is_archived) for one in ticked]
        return csv_file(f"{self.thing}s", head, rows)

    def new(self) -> ResponseReturnValue:
        """Show the form for a new one."""
        return self._page(None, self.form(formdata=None, data=self.usual()))

    def add(self) -> ResponseReturnValue:
        """Add one."""
        form = self.form()
        if form.validate():
            staff, by, now = current_staff(), current_actor(), arrived_at()
            try:
                made = self.service.create(staff.organisation_id, form.values(), by=by, now=now)
            except WrongField as error:
                form.mark(error)
            else:
                return self._done(made, _("%(name)s is added.", name=form.name.data))
        return self._page(None, form, 422)

    def show(self, **ids: UUID) -> ResponseReturnValue:
        """Show one with the form to change it."""
        (object_id,) = ids.values()
        shown = self._shown(object_id)
        return self._page(shown, self.form(formdata=None, data=asdict(shown.values)))

    def edit(self, **ids: UUID) -> ResponseReturnValue:
        """Change one."""
        (object_id,) = ids.values()
        shown, form = self._shown(object_id), self.form()
        if form.validate():
            staff, by, now = current_staff(), current_actor(), arrived_at()
            try:
                self.service.edit(object_id, form.values(), organisation_id=staff.organisation_id, by=by, now=now)
            except WrongField as error:
                form.mark(error)
            else:
                return self._done(object_id, _("Saved."))
        return self._page(shown, form, 422)

    def _done(self, object_id: UUID, sentence: str) -> ResponseReturnValue:
        flash(sentence, "ok")
        return go_to(f"admin.{self.thing}", **{f"{self.thing}_id": object_id})  # type: ignore[arg-type]

    def _shown(self, object_id: UUID) -> Any:
        return getattr(self.service, self.thing)(object_id, organisation_id=current_staff().organisation_id)

    def _page(self, shown: Any, form: Any, status: int = 200) -> ResponseReturnValue:
        return render_template(f"admin/{self.thing}.html", shown=shown, form=form), status

    def _asked(self, values: MultiDict[str, str]) -> dict[str, str]:
        """The filters of an address: the active ones unless it says otherwise."""
        return {"q": search_text(values.get("q", "")), "state": STATES.get(values.get("state", ""), "active")}

    def _order(self, values: MultiDict[str, str]) -> Order:
        return order_from(values, self.service.SORTS)

    def _query(self, values: MultiDict[str, str]) -> dict[str, Any]:
        asked = self._asked(values)
        state = {"active": "", "": "all"}.get(asked["state"], asked["state"])
        return query_of(self._order(values), self.service.SORTS, q=asked["q"], state=state)

    def _kept(self, order: Order) -> Any:
        return self.service.kept(current_staff().organisation_id, **self._asked(request.args), order=order)

    def _matching(self, values: MultiDict[str, str]) -> list[UUID]:
        found: list[UUID] = self.service.matching_ids(current_staff().organisation_id, **self._asked(values))
        return found


def acts_of(service: Any) -> tuple[Act, ...]:
    """Return what is done to many such records: putting away, taking back."""
    return (
        Act(
            "archive",
            service.ARCHIVE,
            "box",
            _l("Archive…"),
            _l("Archive what is selected?"),
            _l("Archive"),
            _l("It is offered nowhere any more. Nothing of it is lost, and it can be taken back."),
        ),
        Act(
            "unarchive",
            service.UNARCHIVE,
            "reset",
            _l("Take back into use…"),
            _l("Take back into use what is selected?"),
            _l("Take back into use"),
            _l("It is offered everywhere again, as it was."),
        ),
    )
