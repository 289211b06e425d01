"""The refusals of the office, where accounts, centres, trades, papers and candidates are kept; see `kiosk.errors`."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l

from kiosk.errors import KioskError


class OwnAccount(KioskError):
    status, code = 409, "own_account"
    message = _l("Nobody does this to their own account. Ask another admin, or use your account page.")


class OwnRole(KioskError):
    status, code = 403, "own_role"
    message = _l("Nobody changes their own role. Ask another admin.")


class LastAdmin(KioskError):
    status, code = 409, "last_admin"
    message = _l("This is the last active admin. Make somebody else an admin first.")


class InTheWay(KioskError):
    """What stands in the way is counted by table in `stands`."""

    status, code = 409, "in_the_way"
    message = _l("This cannot be deleted: other records need it. Archive it instead.")

    def __init__(self, stands: Mapping[str, int] | None = None) -> None:
        """`stands` names each kind of record and how many there are."""
        super().__init__()
        self.stands = dict(stands or {})


class NotNow(KioskError):
    status, code = 409, "not_now"
    message = _l("%(problem)s")


class WrongField(KioskError):
    """One field of a form holds what the rules of the exam, not those of the form, refuse."""

    status, code = 422, "wrong_field"
    message = _l("%(problem)s")

    def __init__(self, field: str, problem: str) -> None:
        """`field` is the name of the value, `problem` the sentence beside it."""
        super().__init__(problem=problem)
        self.field = field
