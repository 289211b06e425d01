"""Every refusal becomes a page, a fragment or a problem; nobody meets a raw error."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, SecurityError

from kiosk.errors import CannotSave, KioskError, PasswordChangeNeeded, ServerBusy
from kiosk.extensions import db
from kiosk.sign_in_errors import SecondFactorNeeded
from kiosk.web import problems
from kiosk.web.htmx import go_to
from kiosk.web.request_time import request_id
from kiosk.web.signin import require_sign_in

log = logging.getLogger(__name__)

RETRY_SECONDS = "2"
TITLES = {
    400: _l("Your page is out of date"),
    401: _l("You are signed out"),
    403: _l("This is not open to you"),
    404: _l("There is nothing here"),
    409: _l("Something changed in the meantime"),
    410: _l("Time is up"),
    413: _l("That was too long"),
    422: _l("Check what you entered"),
    429: _l("Too many tries"),
    503: _l("The server is busy"),
}
# said to whoever runs the server: nobody is writing yet
UNREADY = {"not_set_up": _l("Almost ready"), "migration_pending": _l("Almost ready")}
SENTENCES = {
    400: _l("Load the page again. What was saved is safe."),
    403: _l("You may not do this."),
    404: _l("The address is not right, or it belongs to somebody else."),
    405: _l("The address is not right, or it belongs to somebody else."),
    413: _l("What you sent is too long. Shorten it; what you typed is still on your screen."),
}
UNEXPECTED = _l("Something went wrong on the server. What was saved is safe. Try again, or ask the invigilator.")


def init_app(app: Flask) -> None:
    """Answer refusals, HTTP errors, database trouble and everything unforeseen."""
    app.register_error_handler(KioskError, _refusal)
    app.register_error_handler(PasswordChangeNeeded, lambda error: _lead_to("password.change", error))
    app.register_error_handler(SecondFactorNeeded, lambda error: _lead_to("account.page", error))
    app.register_error_handler(CSRFError, _stale_page)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DBAPIError, _database_trouble)
    app.register_error_handler(PoolTimeout, _database_trouble)
    app.register_error_handler(Exception, _unforeseen)


def retry_after(error: KioskError) -> str:
    """Return what goes into Retry-After: seconds."""
    return str(error.retry_after_seconds or RETRY_SECONDS)


def error_answer(status: int, sentence: Any, code: str, *, retry_seconds: str = RETRY_SECONDS) -> ResponseReturnValue:
    """Return the error as the caller can read it: JSON for clients and health, else a page or a fragment."""
    title = UNREADY.get(code) or TITLES.get(status, UNEXPECTED if status >= 500 else TITLES[404])
    headers = {"Retry-After": retry_seconds} if status in (429, 503) else {}
    if problems.is_api() or request.path.startswith(("/healthz", "/readyz")):
        return problems.problem(status, sentence, code), status, headers
    template = "errors/_error.html" if request.headers.get("HX-Request") else "errors/error.html"
    said = {"status": status, "title": title, "sentence": sentence, "code": code, "request_id": request_id()}
    is_staff = session.get("who", {}).get("kind") == "user"
    page = render_template(template, **said, is_staff=is_staff, is_unready=code in UNREADY)
    return page, status, headers


def _lead_to(endpoint: str, error: KioskError) -> ResponseReturnValue:
    """Lead the way to the page that has to come before everything else; a program is only told."""
    return _refusal(error) if problems.is_api() else go_to(endpoint)


def _stale_page(_error: CSRFError) -> ResponseReturnValue:
    """A page whose sign-in is gone has no valid token either: it is led to the sign-in, as its next poll would be."""
    return require_sign_in() or error_answer(400, SENTENCES[400], "csrf")


def _refusal(error: KioskError) -> ResponseReturnValue:
    if problems.is_api():
        return problems.refusal_problem(error, retry_after(error))
    return error_answer(error.status, error.sentence, error.code, retry_seconds=retry_after(error))


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, SecurityError):
        # without a host that is ours no page can be built: it would need addresses
        return Response("This server does not answer to that name.\n", 400, mimetype="text/plain")
    if error.code is None or error.response is not None:
        return error.get_response()
    if error.code in (301, 302, 303, 307, 308):
        return error.get_response()
    if problems.is_api():
        return problems.http_problem(error)
    return error_answer(error.code, SENTENCES.get(error.code, error.description), error.name.lower().replace(" ", "_"))


def _database_trouble(error: Exception) -> ResponseReturnValue:
    db.session.rollback()
    log.exception("database trouble")
    if isinstance(error, DBAPIError) and not _is_passing(error):
        return error_answer(500, UNEXPECTED, "unexpected")
    refusal = CannotSave() if _is_disk_trouble(error) else ServerBusy()
    return error_answer(503, refusal.sentence, refusal.code)


def _is_disk_trouble(error: Exception) -> bool:
    """Whether the database's disk is full or takes no writes."""
    cause = getattr(error, "orig", None)
    if getattr(cause, "sqlstate", None) == "53100":  # disk full
        return True
    return getattr(cause, "sqlite_errorname", "").startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY"))


def _is_passing(error: DBAPIError) -> bool:
    """Whether the same request may succeed later: lost connections, locks, full disks; not our own mistakes."""
    return type(error).__name__ in ("OperationalError", "InternalError", "InterfaceError")


def _unforeseen(error: Exception) -> ResponseReturnValue:
    log.exception("unforeseen: %s", type(error).__name__)
    return error_answer(500, UNEXPECTED, "unexpected")
