"""Candidates as programs: they write over the JSON API and remember every answer that the server acknowledged."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kiosk.demo import PASSWORD

PATIENCE_SECONDS = 15.0
ASK_SECONDS = 10.0
PAUSE_SECONDS = 0.03


@dataclass(frozen=True)
class Seen:
    """One request and what became of it; status None: no answer came."""

    call: str
    status: int | None
    seconds: float
    body: dict[str, Any]
    retry_after: str | None = None
    attempt_id: str = ""
    question_id: str = ""
    seq: int = 0
    response: Any = None

    @property
    def is_acknowledged(self) -> bool:
        """Whether the server took the responsibility."""
        return self.status is not None and 200 <= self.status < 300


@dataclass
class AckLog:
    """Everything that the bots of one site sent and saw, and how many faults this test injected."""

    seen: list[Seen] = field(default_factory=list)
    faults: int = 0
    lost: int = 0
    begun: int = 0

    def begin_test(self) -> None:
        """Count anew; what was sent before is still held against the server."""
        self.begun, self.faults, self.lost = len(self.seen), 0, 0

    def lately(self) -> list[Seen]:
        """What this test sent and saw."""
        return self.seen[self.begun :]

    def statuses(self) -> set[int | None]:
        """Every status that this test saw."""
        return {seen.status for seen in self.lately()}


def saves(seen: list[Seen]) -> list[Seen]:
    """The answers sent."""
    return [one for one in seen if one.call == "save"]


def acknowledged(seen: list[Seen]) -> list[Seen]:
    """The answers that the server said it has stored."""
    return [one for one in saves(seen) if one.is_acknowledged and one.body["saved"]]


class Bot:
    """One candidate at one server."""

    def __init__(self, port: int, login: str, log: AckLog) -> None:
        self.port, self.login, self.log = port, login, log
        self.token = self.paper_id = self.attempt_id = ""
        self.questions: list[str] = []
        self.is_done = False
        self.ask_seconds = ASK_SECONDS
        self.headers: dict[str, str] = {}
        self._texts = itertools.count(1)
        self._seqs: dict[str, int] = {}

    def sign_in(self) -> Seen:
        """Sign in for a token."""
        seen = self._call("login", "POST", "/api/auth/login/", {"username": self.login, "password": PASSWORD})
        if seen.is_acknowledged:
            self.token = seen.body["access_token"]
        return seen

    def look(self) -> Seen:
        """Ask which paper there is."""
        seen = self._call("exam", "GET", "/api/exam/")
        if seen.is_acknowledged:
            self.paper_id = seen.body["items"][0]["paper_id"]
        return seen

    def start(self) -> Seen:
        """Start the paper of the own slot, or go on with it."""
        if not self.paper_id:
            seen = self.look()
            if not seen.is_acknowledged:
                return seen
        started = self._call("start", "POST", f"/api/exam/timer/start/{self.paper_id}/")
        if started.is_acknowledged:
            self.attempt_id = started.body["attempt_id"]
        return started

    def begin(self) -> Bot:
        """Sign in, start and learn the questions, without a fault."""
        assert self.sign_in().status == 200, self.log.seen[-1]
        assert self.start().status == 201, self.log.seen[-1]
        self.read()
        return self

    def read(self) -> Seen:
        """Ask for the paper; the bot answers the questions that take a short text."""
        seen = self._call(
            "questions", "GET", f"/api/exam/timer/questions/{self.attempt_id}/", attempt_id=self.attempt_id
        )
        if seen.is_acknowledged:
            self.questions = [q["question_id"] for q in seen.body["questions"] if q["type"] == "fill"]
        return seen

    def save(self, question: int = 0, text: str | None = None, *, seq: int | None = None) -> Seen:
        """Send one answer once, by default with the next `seq` of its question."""
        question_id = self.questions[question % len(self.questions)]
        seq = self._seqs.get(question_id, 0) + 1 if seq is None else seq
        self._seqs[question_id] = max(seq, self._seqs.get(question_id, 0))
        sent = {
            "attempt_id": self.attempt_id,
            "question_id": question_id,
            "seq": seq,
            "response": text or f"{self.login} {next(self._texts)}",
        }
        return self._call("save", "POST", "/api/exam/timer/submit-answer/", sent, **sent)

    def save_surely(self, question: int = 0) -> Seen:
        """Send one answer and, as a kiosk does, the same again until it is acknowledged."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        seen = self.save(question)
        while seen.status in (None, 503) and time.monotonic() < give_up_at:
            time.sleep(PAUSE_SECONDS)
            seen = self.save(question, seen.response, seq=seen.seq)
        return seen

    def remaining(self) -> Seen:
        """Ask for the time left."""
        return self._call("remaining", "GET", f"/api/exam/timer/remaining/{self.attempt_id}/")

    def submit(self) -> Seen:
        """Hand in."""
        self.is_done = True
        return self._call("submit", "POST", f"/api/exam/timer/submit/{self.attempt_id}/", attempt_id=self.attempt_id)

    def _call(self, call: str, method: str, path: str, sent: Any = None, **about: Any) -> Seen:
        headers = dict(self.headers) | ({"Content-Type": "application/json"} if sent is not None else {})
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        begun_at, status, body, retry_after = time.monotonic(), None, {}, None
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.ask_seconds)
        try:
            connection.request(method, path, json.dumps(sent) if sent is not None else None, headers)
            answer = connection.getresponse()
            content = answer.read()
            status, retry_after = answer.status, answer.getheader("Retry-After")
            body = json.loads(content)
        except (OSError, http.client.HTTPException):
            status = None
        finally:
            connection.close()
        seen = Seen(call, status, time.monotonic() - begun_at, body, retry_after, **about)
        self.log.seen.append(seen)
        return seen


@contextmanager
def writing(bots: list[Bot]) -> Iterator[None]:
    """Let the bots write, each on a thread, until the block ends; each last answer is acknowledged by then."""
    is_over = threading.Event()
    trouble: list[BaseException] = []

    def write(bot: Bot) -> None:
        try:
            for place in itertools.count():
                bot.save_surely(place)
                if place % 5 == 0:
                    bot.remaining()
                if is_over.wait(PAUSE_SECONDS):
                    return
        except BaseException as error:
            trouble.append(error)

    threads = [threading.Thread(target=write, args=(bot,), daemon=True) for bot in bots]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS + ASK_SECONDS)
    if trouble:
        raise trouble[0]
