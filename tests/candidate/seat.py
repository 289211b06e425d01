"""A candidate's browser without a screen: forms are sent as the page would send them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from werkzeug.test import TestResponse

from kiosk import clock
from tests.cast import Hall, csrf_of
from tests.desk import Desk
from tests.player import START_CODE


class Seat(Desk):
    """A desk at which a candidate sits."""

    def __init__(self, hall: Hall, place: int | None = 0) -> None:
        """Sign the candidate at `place` in; None leaves the browser without a sign-in."""
        self.hall = hall
        super().__init__(hall.app, None if place is None else f"N{place + 1:03}")
        self.token = csrf_of(self.get("/login", follow_redirects=True).get_data(as_text=True))

    def is_me(self) -> TestResponse:
        """Say yes to: is this you?"""
        return self.post("/candidate/identity", me="yes")

    def start(self, code: str = START_CODE, **form: Any) -> TestResponse:
        """Begin."""
        return self.post("/candidate/start", **({"consent": "y", "start_code": code} | form))

    def sit(self) -> Seat:
        """From the sign-in to the first question."""
        self.is_me()
        assert self.start().location == "/candidate/exam"
        return self

    def submit(self) -> TestResponse:
        """Hand in."""
        return self.post("/candidate/submit", confirm="1")

    def home(self) -> str:
        """The page on which the candidate belongs, as text."""
        return self.read("/candidate/")

    def read(self, address: str) -> str:
        """What an address shows in the end, as text."""
        from tests.desk import plain

        return plain(self.get(address, follow_redirects=True))

    def at(self, instant: datetime) -> Seat:
        """Let the time be this instant."""
        clock.freeze(instant)
        return self
