"""Doing one job: in a worker's thread, or at once in the request or command that asked for it."""

from __future__ import annotations

import logging

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError

from kiosk.errors import KioskError
from kiosk.extensions import db
from kiosk.services import candidate_imports, jobs, sheet_jobs, slot_jobs
from kiosk.services.jobs import LostJob, Outcome, Work

log = logging.getLogger(__name__)

# what registers kinds of jobs when it is imported
KINDS = (candidate_imports, sheet_jobs, slot_jobs)


def do(work: Work) -> None:
    """Do one job, and write down how it ended. While the database is away the job is left to be taken up again."""
    with force_locale(work.locale):
        try:
            if work.params.get("tries", 0) > jobs.MOST_TRIES:
                work.fail(_("It was begun several times and never came to its end."))
                return
            work.end(jobs.function_of(work.kind)(work))
        except LostJob:
            db.session.rollback()
            log.warning("job lost to another worker id=%s", work.id)
        except KioskError as refusal:
            work.end(Outcome({"problem": refusal.sentence}, is_refused=True))
        except OperationalError as error:
            db.session.rollback()
            log.warning("job waits for the database id=%s: %s", work.id, type(error.orig).__name__)
        except Exception as error:
            db.session.rollback()
            log.exception("job failed id=%s", work.id)
            work.fail(_("Something went wrong on the server (%(name)s).", name=type(error).__name__))
