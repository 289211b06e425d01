"""What arrives in the addresses and forms of the pages about staff accounts."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from kiosk.blueprints.admin.many import Act
from kiosk.capabilities import ORGANISATION_WIDE, Role
from kiosk.services import centres, user_deeds
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

# what is done to many accounts at once
ACTS = (
    Act(
        "deactivate",
        user_deeds.DEACTIVATE,
        "none",
        _l("Deactivate…"),
        _l("Deactivate the selected accounts?"),
        _l("Deactivate"),
        _l("Every sign-in of these accounts ends at once, and none is possible. Nothing that was done is lost."),
        is_danger=True,
    ),
    Act(
        "reactivate",
        user_deeds.REACTIVATE,
        "check",
        _l("Reactivate…"),
        _l("Reactivate the selected accounts?"),
        _l("Reactivate"),
        _l("Everybody can sign in again with the password they had."),
    ),
    Act(
        "unlock",
        user_deeds.UNLOCK,
        "lock",
        _l("Unlock…"),
        _l("Unlock the selected accounts?"),
        _l("Unlock"),
        _l("After wrong passwords an account waits. Unlocked, everybody can try again at once."),
    ),
    Act(
        "sign-out",
        user_deeds.SIGN_OUT,
        "out",
        _l("Sign out…"),
        _l("Sign the selected accounts out everywhere?"),
        _l("Sign out everywhere"),
        _l("On every computer, everybody has to sign in again."),
    ),
)


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
