"""What is done to one candidate's record, each after a question: password, bypass, putting away, deleting."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from kiosk.blueprints.centre import bp
from kiosk.blueprints.centre.records import show_password, shown
from kiosk.blueprints.centre.scope import own_centre_id
from kiosk.blueprints.removal_words import question
from kiosk.models import Candidate
from kiosk.services import candidates, photos, removing
from kiosk.services.candidates import CandidateRecord
from kiosk.web.asking import Ask, add_question
from kiosk.web.htmx import go_to
from kiosk.web.request_time import arrived_at
from kiosk.web.signin import current_actor, current_staff


def _who() -> dict[str, Any]:
    return {
        "organisation_id": current_staff().organisation_id,
        "centre_id": own_centre_id(),
        "by": current_actor(),
        "now": arrived_at(),
    }


def _ask(record: CandidateRecord, title: str, go: str, *says: str, **more: Any) -> Ask:
    back = url_for("centre.candidate_record", candidate_id=record.candidate_id)
    return Ask(title, go, back, "candidates", says=says, **more)


def _done(candidate_id: UUID, sentence: str) -> ResponseReturnValue:
    flash(sentence, "ok")
    return go_to("centre.candidate", candidate_id=candidate_id)


def ask_password(candidate_id: UUID) -> Ask:
    """Ask whether to set a new password."""
    record = shown(candidate_id)
    says = [_("The old password stops to work. The new one is shown once.")]
    if record.is_writing:
        says.append(_("%(name)s is writing and has to sign in again; nothing is lost.", name=record.values.name))
    title = _("Set a new password for %(name)s?", name=record.values.name)
    return _ask(record, title, _("Set a new password"), *says, needs_reason=False)


def set_password(candidate_id: UUID, _reason: str) -> ResponseReturnValue:
    """Set a new password and show it."""
    password = candidates.set_password(candidate_id, **_who())
    return show_password(shown(candidate_id), password)


def ask_bypass(candidate_id: UUID) -> Ask:
    """Ask whether to leave the primary paper out."""
    record = shown(candidate_id)
    title = _("Leave the primary paper of %(name)s out?", name=record.values.name)
    says = (
        _("The next paper is the secondary: it counts from the next slot that is assigned."),
        _("A slot that they hold now keeps its paper. Reset it and assign a new one to change that."),
    )
    return _ask(record, title, _("Leave the primary out"), *says)


def bypass(candidate_id: UUID, reason: str) -> ResponseReturnValue:
    """Leave the primary paper out."""
    candidates.bypass_primary(candidate_id, reason=reason, **_who())
    return _done(candidate_id, _("The next paper is the secondary."))


def ask_primary(candidate_id: UUID) -> Ask:
    """Ask whether to take a bypass back."""
    record = shown(candidate_id)
    title = _("Demand the primary paper of %(name)s again?", name=record.values.name)
    says = _("The primary paper is next again, unless it is done: it counts from the next slot that is assigned.")
    return _ask(record, title, _("Demand the primary again"), says)


def require_primary(candidate_id: UUID, reason: str) -> ResponseReturnValue:
    """Take a bypass back."""
    candidates.require_primary(candidate_id, reason=reason, **_who())
    return _done(candidate_id, _("The primary paper is next again, unless it is done."))


def ask_archive(candidate_id: UUID) -> Ask:
    """Ask whether to put a candidate away."""
    record = shown(candidate_id)
    title = _("Archive %(name)s?", name=record.values.name)
    says = _("They cannot sign in, stand on no list any more and give their seat back. Everything they wrote stays.")
    stands = ((1, _("test that is not handed in: finish or reset it")),) if record.is_writing else ()
    return _ask(record, title, _("Archive"), says, stands=stands)


def archive(candidate_id: UUID, reason: str) -> ResponseReturnValue:
    """Put a candidate away."""
    candidates.archive(candidate_id, reason=reason, **_who())
    return _done(candidate_id, _("It is archived."))


def ask_unarchive(candidate_id: UUID) -> Ask:
    """Ask whether to take a candidate back."""
    record = shown(candidate_id)
    title = _("Take %(name)s back into use?", name=record.values.name)
    return _ask(
        record, title, _("Take back into use"), _("They stand on the lists and can sign in again."), needs_reason=False
    )


def unarchive(candidate_id: UUID, _reason: str) -> ResponseReturnValue:
    """Take a candidate back."""
    candidates.unarchive(candidate_id, **_who())
    return _done(candidate_id, _("It is in use again."))


def ask_delete(candidate_id: UUID) -> Ask:
    """Ask whether to delete a candidate, with what goes along or what stands in the way."""
    record = shown(candidate_id)
    return question(
        removing.preview(Candidate, candidate_id),
        title=_("Delete %(name)s?", name=record.values.name),
        code=record.values.service_no,
        back=url_for("centre.candidate_record", candidate_id=candidate_id),
        nav="candidates",
    )


def delete(candidate_id: UUID, reason: str) -> ResponseReturnValue:
    """Delete a candidate."""
    found = shown(candidate_id).values
    name = f"{found.service_no} {found.name}"
    removing.remove(Candidate, candidate_id, name=name, reason=reason, by=current_actor(), now=arrived_at())
    flash(_("%(name)s is deleted.", name=name), "ok")
    return go_to("centre.candidates")


def ask_photo_off(candidate_id: UUID) -> Ask:
    """Ask whether to take the photo away."""
    record = shown(candidate_id)
    title = _("Remove the photo of %(name)s?", name=record.values.name)
    return _ask(record, title, _("Remove the photo"), _("It is deleted."), needs_reason=False, is_danger=True)


def photo_off(candidate_id: UUID, _reason: str) -> ResponseReturnValue:
    """Take the photo away."""
    photos.remove(shown(candidate_id).candidate_id, by=current_actor(), now=arrived_at())
    return _done(candidate_id, _("The photo is removed."))


for _name, _question, _deed in (
    ("password", ask_password, set_password),
    ("bypass", ask_bypass, bypass),
    ("primary", ask_primary, require_primary),
    ("archive", ask_archive, archive),
    ("unarchive", ask_unarchive, unarchive),
    ("delete", ask_delete, delete),
    ("photo-off", ask_photo_off, photo_off),
):
    _endpoint = f"candidate_{_name.replace('-', '_')}"
    add_question(bp, f"/candidates/<uuid:candidate_id>/{_name}", _endpoint, "candidate.edit", _question, _deed)
