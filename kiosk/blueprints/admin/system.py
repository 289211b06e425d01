"""The installation itself: how it fares, and the mail that it sends."""

from __future__ import annotations

from uuid import UUID

from flask import Response, flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.admin import bp
from kiosk.errors import NotFound
from kiosk.models.work import MAIL_STATUSES
from kiosk.runtime import backup
from kiosk.services import exports, mails, system_report
from kiosk.services.system import settings
from kiosk.web.files import sent_table
from kiosk.web.htmx import go_to, is_htmx
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff, needs
from kiosk.web.staff_pages import page_number, search_text

MOST_BACKUPS = 10


@bp.get("/system")
@needs("system.see")
def system() -> ResponseReturnValue:
    """Show what /readyz knows in words, versions, sizes, processes, seals, jobs, mail and backups."""
    return render_template(
        "admin/system.html",
        report=system_report.report(current_staff().organisation_id, now=arrived_at()),
        backups=backup.listed(settings())[:MOST_BACKUPS],
        backup_dir=settings().backup_dir,
        zone=settings().time_zone,
    )


@bp.get("/mails", endpoint="mails")
@needs("system.see")
def outbox() -> ResponseReturnValue:
    """Show the outbox: what waits, what was sent, what was given up and why."""
    asked = _asked()
    page = page_number(request.args.get("page", ""))
    return render_template(
        "admin/_mails.html" if is_htmx() else "admin/mails.html",
        listed=mails.outbox(current_staff().organisation_id, **asked, page=page),
        query={name: value for name, value in asked.items() if value},
        has_mail_server=bool(settings().mail_url),
        zone=settings().time_zone,
    )


@bp.get("/mails/export")
@needs("system.see")
def export_mails() -> Response:
    """Send the mails that the filters show as a table."""
    form = "xlsx" if request.args.get("format") == "xlsx" else "csv"
    return sent_table(exports.mails(current_staff().organisation_id, **_asked()), "mails", form)


@bp.post("/mails/<uuid:mail_id>/again")
@needs("user.edit")
def send_again(mail_id: UUID) -> ResponseReturnValue:
    """Try a mail again that was given up."""
    if not mails.send_again(mail_id, current_staff().organisation_id, by=current_actor(), now=arrived_at()):
        raise NotFound
    flash(_("The mail is tried again."), "ok")
    return go_to("admin.mails")


def _asked() -> dict[str, str]:
    status = request.args.get("status", "")
    return {"status": status if status in MAIL_STATUSES else "", "q": search_text(request.args.get("q", ""))}
