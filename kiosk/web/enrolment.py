"""Which enrolled kiosk a request comes from: a signed cookie that no script can read and no sign-out takes away."""

from __future__ import annotations

from uuid import UUID

from flask import Response, current_app, g, request
from itsdangerous import BadSignature, URLSafeSerializer

from kiosk.services import kiosks
from kiosk.services.kiosks import Enrolled, Place
from kiosk.web.request_time import arrived_at

LASTS_SECONDS = 400 * 24 * 3600  # as long as browsers keep any cookie
SALT = "kiosk enrolment"
LOCKDOWN_HEADERS = ("HTTP_X_SAFEEXAMBROWSER_CONFIGKEYHASH", "HTTP_X_SAFEEXAMBROWSER_REQUESTHASH")


def current_kiosk_id() -> UUID | None:
    """Return the enrolled kiosk from which this request comes; None from anywhere else. Asked once in a request."""
    if "kiosk_id" not in g:
        kept = _kept()
        g.kiosk_id = kept[0] if kept and kiosks.recognise(*kept, now=arrived_at()) else None
    return g.kiosk_id


def current_place() -> Place | None:
    """Return where this kiosk stands; None where this is none."""
    kiosk_id = current_kiosk_id()
    return kiosks.place(kiosk_id) if kiosk_id else None


def is_locked_down() -> bool:
    """Whether the browser says that it is locked down."""
    return any(request.environ.get(name) for name in LOCKDOWN_HEADERS)


def keep(response: Response, enrolled: Enrolled) -> Response:
    """Make this browser the enrolled kiosk."""
    value = _serializer().dumps([str(enrolled.kiosk_id), enrolled.token])
    is_secure = current_app.config["SESSION_COOKIE_SECURE"]
    response.set_cookie(
        _name(), value, max_age=LASTS_SECONDS, httponly=True, samesite="Lax", secure=is_secure, path="/"
    )
    g.pop("kiosk_id", None)
    return response


def _kept() -> tuple[UUID, str] | None:
    cookie = request.cookies.get(_name())
    if not cookie:
        return None
    try:
        kiosk_id, token = _serializer().loads(cookie)
        return UUID(kiosk_id), str(token)
    except (BadSignature, ValueError, TypeError, AttributeError):
        return None


def _name() -> str:
    # a browser takes a cookie of this name only over https, for this host and for all of its paths
    return "__Host-kiosk-place" if current_app.config["SESSION_COOKIE_SECURE"] else "kiosk-place"


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt=SALT)
