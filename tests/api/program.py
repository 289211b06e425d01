"""A program that drives an exam over HTTP: each call has a context of its own, as on a real server."""

from __future__ import annotations

import contextvars
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from kiosk.extensions import db
from kiosk.models import Attempt
from tests.cast import PASSWORD, Hall


class Program:
    """Somebody with an access token."""

    def __init__(self, app: Flask, login: str | None = None, **how: Any) -> None:
        """Sign in; without a login stay a stranger."""
        self.app, self.hall, self.token = app, app.extensions["hall"], None
        if login:
            body = {"username": login, "password": PASSWORD} | how
            answer = self.call("POST", "/api/auth/login/", body)
            assert answer.status_code == 200, answer.get_data(as_text=True)
            self.token = answer.json["access_token"]

    def call(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **more: Any
    ) -> TestResponse:
        """Send one request with the token; `body` goes as JSON."""
        sent = dict(headers or {})
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            more["json"] = body
        client = self.app.test_client(use_cookies=False)
        return contextvars.Context().run(lambda: client.open(path, method=method, headers=sent, **more))

    def get(self, path: str, **more: Any) -> TestResponse:
        """GET."""
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        """POST."""
        return self.call("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        """PUT."""
        return self.call("PUT", path, body, **more)

    # --- the exam timer ---------------------------------------------------------------------------

    def start(self, paper_id: Any = None) -> TestResponse:
        """Start the primary paper, or another."""
        return self.post(f"/api/exam/timer/start/{paper_id or self.hall.paper_id}/")

    def began(self) -> str:
        """Start and return the attempt's id."""
        answer = self.start()
        assert answer.status_code in (200, 201), answer.get_data(as_text=True)
        return answer.json["attempt_id"]

    def remaining(self, attempt_id: Any) -> TestResponse:
        """Ask for the time left."""
        return self.get(f"/api/exam/timer/remaining/{attempt_id}/")

    def questions(self, attempt_id: Any) -> TestResponse:
        """Ask for the questions."""
        return self.get(f"/api/exam/timer/questions/{attempt_id}/")

    def save(self, attempt_id: Any, question_id: Any, response: Any, **more: Any) -> TestResponse:
        """Save an answer."""
        body = {"attempt_id": str(attempt_id), "question_id": str(question_id), "response": response} | more
        return self.post("/api/exam/timer/submit-answer/", body)

    def submit(self, attempt_id: Any) -> TestResponse:
        """Hand in."""
        return self.post(f"/api/exam/timer/submit/{attempt_id}/")

    def of_type(self, attempt_id: Any, kind: str) -> str:
        """The id of the first question of a type."""
        found = self.questions(attempt_id).json["questions"]
        return next(question["question_id"] for question in found if question["type"] == kind)


def row_of(attempt_id: Any) -> Attempt:
    """The attempt, read afresh."""
    db.session.rollback()
    db.session.expire_all()
    from uuid import UUID

    return db.session.execute(select(Attempt).where(Attempt.id == UUID(str(attempt_id)))).scalar_one()


def refused(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a problem with this status and code; return it."""
    assert answer.mimetype == "application/problem+json", answer.get_data(as_text=True)
    problem = answer.json
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    assert problem["detail"]
    assert problem["title"]
    assert problem["request_id"]
    assert problem["type"]
    return problem


__all__ = ["Hall", "Program", "refused", "row_of"]
