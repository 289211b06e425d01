"""What arrives in the addresses and forms of the pages about staff accounts."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from kiosk.capabilities import ORGANISATION_WIDE, Role
from kiosk.services import centres
from kiosk.services.user_reports import STATES, UserFilters, UserView
from kiosk.services.users import LONGEST_LOGIN, UserValues
from kiosk.web.fields import OfficeForm, OneOf, TextLine
from kiosk.web.signin import current_staff
from kiosk.web.staff_pages import search_text, uuid_or_none

ROLE_WORDS = {
    Role.INVIGILATOR: _l("Invigilator"),
    Role.CENTRE_ADMIN: _l("Centre admin"),
    Role.MARKS_OFFICER: _l("Marks officer"),
    Role.ADMIN: _l("Admin"),
    Role.AUDITOR: _l("Auditor"),
}


class UserForm(OfficeForm):
    """Who somebody is and what they may. The service decides whether the centre belongs to the role."""

    name = TextLine(_l("Name"))
    role = OneOf(_l("Role"))
    centre = OneOf(_l("Centre"))
    email = TextLine(_l("E-mail"), required=False)

    def offer(self, present: UserView | None = None) -> UserForm:
        """Fill the lists to choose from; an archived centre that somebody has stays on it."""
        self.role.offer((str(role), words) for role, words in ROLE_WORDS.items())
        offered = dict([("", _("Whole organisation")), *centre_choices()])
        if present and present.centre_id:
            offered.setdefault(str(present.centre_id), f"{present.centre_code} · {present.centre_name}")
        self.centre.offer(offered.items())
        return self

    def values(self) -> UserValues:
        """Return what was entered."""
        return UserValues(
            name=self.name.data or "",
            role=self.role.data or "",
            centre_id=self.centre.chosen_id,
            email=self.email.data or "",
        )


class NewUserForm(UserForm):
    """The login is chosen once: the audit log and people know somebody by it."""

    login = TextLine(_l("Login"), most=LONGEST_LOGIN)


def centre_choices() -> list[tuple[str, str]]:
    """Return the organisation's centres to choose from."""
    known = centres.centres(current_staff().organisation_id)
    return [(str(one.centre_id), f"{one.code} · {one.name}") for one in known]


def is_bound(role: str) -> bool:
    """Whether this role works in one centre."""
    return role not in ORGANISATION_WIDE


def user_filters_from(values: MultiDict[str, str]) -> UserFilters:
    """Return the filters of an address; what is not on the lists is left out."""
    role, state = values.get("role", ""), values.get("state", "")
    return UserFilters(
        q=search_text(values.get("q", "")),
        role=role if role in list(Role) else "",
        centre=uuid_or_none(values.get("centre", "")),
        state=state if state in STATES else "",
    )
