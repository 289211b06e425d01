"""Sends what waits in the outbox. A mail server that is slow or away costs nothing but this thread's time."""

from __future__ import annotations

import logging
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from kiosk import mail_address
from kiosk.mail_address import MailAddress
from kiosk.services import mails
from kiosk.services.system import settings

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10


def send_due(*, now: datetime) -> int:
    """Send the mails that are due; return how many went. Without KIOSK_MAIL_URL they stay where they are."""
    url = settings().mail_url
    if not url:
        return 0
    taken = mails.take(now=now)
    if not taken:
        return 0
    address = mail_address.parse(url)
    try:
        with _connect(address) as server:
            return sum(_send(server, address, one, now) for one in taken)
    except (OSError, smtplib.SMTPException) as error:
        for one in taken:
            mails.note_trouble(one.id, one.tries, _words(error), is_final=False, now=now)
        return 0


def _connect(address: MailAddress) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if address.is_tls:
        server: smtplib.SMTP = smtplib.SMTP_SSL(address.host, address.port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(address.host, address.port, timeout=TIMEOUT_SECONDS)
    try:
        is_private = address.is_tls or address.is_here
        server.ehlo()
        if not address.is_tls and server.has_extn("starttls"):
            server.starttls(context=context)
            is_private = True
        if address.user:
            if not is_private:
                raise smtplib.SMTPException("the server offers no TLS, and the password must not travel without")
            server.login(address.user, address.password or "")
    except BaseException:
        server.close()
        raise
    return server


def _send(server: smtplib.SMTP, address: MailAddress, mail: Any, now: datetime) -> bool:
    try:
        server.send_message(_message(address, mail, now))
    except smtplib.SMTPServerDisconnected as error:
        mails.note_trouble(mail.id, mail.tries, _words(error), is_final=False, now=now)
        return False
    except (smtplib.SMTPException, ValueError) as error:
        mails.note_trouble(mail.id, mail.tries, _words(error), is_final=_is_final(error), now=now)
        return False
    mails.note_sent(mail.id, now=now)
    return True


def _message(address: MailAddress, mail: Any, now: datetime) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = address.sender, mail.address, mail.subject
    message["Date"] = format_datetime(now)
    # the same mail sent twice, after a crash in between, is known as one
    message["Message-ID"] = f"<{mail.id}@{address.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    return message


def _is_final(error: Exception) -> bool:
    """Whether another try would say the same: the server refused this address or this mail for good."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, ValueError) or (
        isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500
    )


def _words(error: Exception) -> str:
    """What went wrong in one line; SMTP's answers come as bytes."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        _code, answer = next(iter(error.recipients.values()))
        return f"{_code} {answer.decode(errors='replace')}"
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"
    return (str(error) or type(error).__name__).splitlines()[0]
