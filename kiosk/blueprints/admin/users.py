"""Staff accounts: the list, one account, a new one. What is done to one stands in `user_acts`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from kiosk.blueprints.admin import bp
from kiosk.blueprints.admin.many import Many
from kiosk.blueprints.admin.user_forms import ACTS, ROLE_WORDS, NewUserForm, UserForm, centre_choices, user_filters_from
from kiosk.office_errors import LastAdmin, OwnRole, WrongField
from kiosk.services import user_reports, users
from kiosk.services.system import settings
from kiosk.services.user_reports import SORTS, UserView
from kiosk.web.asking import Secret, password_page
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.lists import all_of, csv_file, order_from, query_of
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs


@bp.get("/users", endpoint="users")
@needs("office.see")
def user_list() -> ResponseReturnValue:
    """Show the organisation's staff."""
    filters, order = user_filters_from(request.args), order_from(request.args, SORTS)
    return render_template(
        "admin/_users.html" if is_htmx() else "admin/users.html",
        **_many.shown(),
        filters=filters,
        order=order,
        query=_query(request.args),
        listed=user_reports.users(current_staff().organisation_id, filters, order, now=arrived_at()),
        roles=ROLE_WORDS,
        centres=centre_choices(),
    )


@bp.get("/users.csv")
@needs("office.see")
def users_file() -> ResponseReturnValue:
    """Return the accounts that are ticked, or that the filters match, as a file."""
    order = all_of(order_from(request.args, SORTS))
    found = user_reports.users(
        current_staff().organisation_id, user_filters_from(request.args), order, now=arrived_at()
    )
    head = ("login", "name", "role", "centre", "email", "active", "second_factor")
    rows = [
        (one.login, one.name, one.role, one.centre_code or "", one.email, _yes(one.is_active), _yes(one.has_totp))
        for one in _many.ticked(found.rows, lambda one: one.user_id)
    ]
    return csv_file("users", head, rows)


@bp.get("/users/new")
@needs("user.edit")
def new_user() -> ResponseReturnValue:
    """Show the form for a new account."""
    return render_template("admin/user_new.html", form=NewUserForm(formdata=None).offer())


@bp.post("/users/new")
@needs("user.edit")
def add_user() -> ResponseReturnValue:
    """Make the account and show its one-time password."""
    form = NewUserForm()
    form.offer()
    if form.validate():
        try:
            user_id, password = users.create(
                current_staff().organisation_id,
                form.login.data or "",
                form.values(),
                by=current_actor(),
                now=arrived_at(),
            )
            return show_password(_user(user_id), password)
        except WrongField as error:
            form.mark(error)
    return render_template("admin/user_new.html", form=form), 422


@bp.get("/users/<uuid:user_id>")
@needs("office.see")
def user(user_id: UUID) -> ResponseReturnValue:
    """Show one account with the form to change it."""
    shown = _user(user_id)
    entered = {"name": shown.name, "role": shown.role, "centre": str(shown.centre_id or ""), "email": shown.email}
    return _page(shown, UserForm(formdata=None, data=entered).offer(shown))


@bp.post("/users/<uuid:user_id>")
@needs("user.edit")
def edit_user(user_id: UUID) -> ResponseReturnValue:
    """Change one account. Nobody changes their own role: such a form changes nothing."""
    shown = _user(user_id)
    form = UserForm().offer(shown)
    if not form.validate():
        return _page(shown, form, 422)
    try:
        users.edit(
            user_id,
            form.values(),
            organisation_id=current_staff().organisation_id,
            by=current_actor(),
            now=arrived_at(),
        )
    except WrongField as error:
        form.mark(error)
        return _page(shown, form, 422)
    except (LastAdmin, OwnRole) as error:
        form.mark(WrongField("role", error.sentence))
        return _page(shown, form, error.status)
    flash(_("The account of %(name)s is changed.", name=form.name.data), "ok")
    return go_to("admin.user", user_id=user_id)


def show_password(shown: UserView, password: str) -> ResponseReturnValue:
    """Show the one-time password of an account, this once."""
    title = _("One-time password of %(name)s", name=shown.name)
    return password_page(
        Secret(title, shown.login, password, url_for("admin.user", user_id=shown.user_id), "users", is_one_time=True)
    )


def _user(user_id: UUID) -> UserView:
    return user_reports.user(user_id, organisation_id=current_staff().organisation_id, now=arrived_at())


def _page(shown: UserView, form: Any, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "admin/user.html",
        shown=shown,
        form=form,
        is_self=shown.user_id == current_staff().id,
        last_at=user_reports.last_signed_in_at(shown.user_id),
        roles=ROLE_WORDS,
        zone=settings().time_zone,
    )
    return page, status


def _query(values: MultiDict[str, str]) -> dict[str, Any]:
    filters, order = user_filters_from(values), order_from(values, SORTS)
    chosen: dict[str, Any] = {
        "q": filters.q,
        "role": filters.role,
        "centre": filters.centre or "",
        "state": filters.state,
    }
    return query_of(order, SORTS, **chosen)


def _matching(values: MultiDict[str, str]) -> list[UUID]:
    return user_reports.matching_ids(current_staff().organisation_id, user_filters_from(values), now=arrived_at())


def _yes(claim: bool) -> str:
    return "yes" if claim else "no"


_many = Many("users", "user.edit", ACTS, matching=_matching, query=_query)
