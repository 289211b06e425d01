"""Which names this server answers to, and how a kiosk comes to trust its certificate."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kiosk.runtime.tls import own_certificate


@pytest.mark.parametrize("host", ["evil.com", "localhost.evil.com", "127.0.0.1.evil.com", "", "local host"])
def test_a_host_that_is_not_ours_is_refused(client: FlaskClient, host: str) -> None:
    answer = client.get("/login", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.1:8000", "localhost:8443"])
def test_our_own_names_are_answered_to(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_name_that_was_found_ours_makes_no_other_one_ours(client: FlaskClient) -> None:
    for host, status in (("localhost", 200), ("localhost.evil.com", 400), ("localhost", 200)):
        assert client.get("/healthz", headers={"Host": host}).status_code == status


def test_without_a_certificate_of_its_own_there_is_nothing_to_trust(client: FlaskClient) -> None:
    assert client.get("/kiosk/trust").status_code == 404
    assert client.get("/kiosk/trust/exam-kiosk-ca.crt").status_code == 404


def test_the_certificate_is_offered_as_a_file_and_as_a_code(app: Flask, client: FlaskClient) -> None:
    folder: Path = app.extensions["settings"].instance_dir / "tls"
    own_certificate(folder, ["localhost"])
    try:
        page = client.get("/kiosk/trust").get_data(as_text=True)
        assert "data:image/svg+xml" in page
        file = client.get("/kiosk/trust/exam-kiosk-ca.crt")
        assert file.mimetype == "application/x-x509-ca-cert"
        assert base64.b64decode(b"".join(file.data.split(b"\n")[1:-2]))
        assert b"PRIVATE" not in file.data
    finally:
        for path in folder.iterdir():
            path.unlink()
