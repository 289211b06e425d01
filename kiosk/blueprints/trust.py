"""The kiosk's way to trust us: the own CA's certificate as a file and as a QR code of its address."""

from __future__ import annotations

import segno
from flask import Blueprint, Response, render_template, url_for

from kiosk.errors import NotFound
from kiosk.services import system
from kiosk.web import signin

bp = Blueprint("trust", __name__, url_prefix="/kiosk/trust")


@bp.get("")
@signin.open_to_all
def page() -> str:
    """Explain how to trust this server, with the certificate's address as a QR code."""
    _certificate()
    address = system.settings().public_url + url_for("trust.certificate")
    return render_template("auth/trust.html", address=address, qr=segno.make(address).svg_data_uri(scale=6, border=2))


@bp.get("/exam-kiosk-ca.crt")
@signin.open_to_all
def certificate() -> Response:
    """Give the certificate away; its key never leaves the instance."""
    return Response(_certificate(), mimetype="application/x-x509-ca-cert")


def _certificate() -> bytes:
    """The own CA's certificate. Raises NotFound where this server has none."""
    file = system.settings().instance_dir / "tls" / "ca.pem"
    if not file.is_file():
        raise NotFound
    return file.read_bytes()
