"""Candidates as browsers and as programs. Each method is one step; those with a name of an operation are measured."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.bench.client import Answer, Line
from tests.bench.counters import ASKED, TOLD
from tests.bench.measures import Tally

START_CODE = "123456"
BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36\r\n"
    "Accept: text/html,*/*\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
)
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
JSON = "Content-Type: application/json\r\n"
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
_HIDDEN = re.compile(r'type="hidden" name="(question|number|total|seq|page)" value="([^"]*)"')
_CHOICE = re.compile(r'name="choice" value="([^"]+)"')
_COME_BACK = re.compile(r"delay:(\d+)ms")
_SAVED = re.compile(r'data-saved="(\d)" data-seq="(\d+)"')


@dataclass(frozen=True)
class Person:
    """Who signs in: a candidate's browser, a program of theirs, a member of staff, or nobody at the bare route."""

    kind: str
    login: str = ""
    password: str = ""


class Trouble(Exception):
    """The server said something else than it should have; the text says what."""


class Bot:
    """What all have in common: a line, and a tally."""

    def __init__(self, port: int, person: Person) -> None:
        self.person = person
        self.line = Line(port, "" if person.kind == "bare" else BROWSER)
        self.tally = Tally()
        self.acks: dict[str, tuple[int, str]] = {}  # by question: the newest acknowledged number, and what was sent
        self.acknowledged = 0
        self.counted: set[str] = set()  # of which operations the server was asked for its counts

    async def _step(self, path: str, fields: dict[str, Any] | None = None, *, headers: str = "") -> Answer:
        """A step that is not measured. Raises Trouble unless it is answered with a page or the way to one."""
        answer = await self._send("POST" if fields is not None else "GET", path, urlencode(fields or {}), headers)
        if answer.status not in (200, 303):
            raise Trouble(f"{path} answered {answer.status} {answer.header('HX-Redirect')}")
        return answer

    async def _measured(
        self, name: str, is_right: Callable[[Answer], bool], *request: str, coming_back: bool = False
    ) -> Answer:
        """Send a request, again while it is told to come back; count its time, its bytes and whether it was right."""
        method, path, body, headers = request
        samples = self.tally.samples[name]
        if name not in self.counted:
            # the counts of a program do not scatter: once for each bot is enough
            self.counted.add(name)
            headers += f"{ASKED}: 1\r\n"
        begun_at = time.perf_counter()
        try:
            while True:
                asked_at = time.perf_counter()
                answer = await self._send(method, path, body, headers)
                samples.asking_seconds += time.perf_counter() - asked_at
                if not (coming_back and answer.status == 202):
                    break
                found = _COME_BACK.search(answer.text)
                await asyncio.sleep(int(found[1]) / 1000 if found else 1)
        except (OSError, TimeoutError) as error:
            samples.errors += 1
            raise Trouble(f"{name}: {error}") from None
        if not is_right(answer):
            samples.errors += 1
            where = answer.header("Location") or answer.header("HX-Redirect")
            raise Trouble(f"{name} answered {answer.status} {where}")
        samples.seconds.append(time.perf_counter() - begun_at)
        samples.minutes.append(self.tally.minute())
        samples.size += answer.size
        if told := (answer.header(TOLD) if ASKED in headers else ""):
            sql, redis = map(int, told.split())
            samples.sql.append(sql)
            samples.redis.append(redis)
        return answer

    async def _send(self, method: str, path: str, body: str, headers: str) -> Answer:
        self.tally.requests += 1
        return await self.line.ask(method, path, body, (FORM if body and JSON not in headers else "") + headers)


class Bare(Bot):
    """The yardstick's."""

    async def look(self) -> None:
        """Ask for the bare route."""
        await self._measured("bare", lambda answer: answer.status == 200, "GET", "/", "", "")


class Browser(Bot):
    """A person's browser: cookies, the page's token, HTMX's headers."""

    token = ""

    async def open_sign_in(self) -> None:
        """Open the sign-in page."""
        self._read_token(await self._step("/login"))
        self._as_guest = dict(self.line.cookies)

    async def sign_in(self) -> None:
        """Send the form of the sign-in page, again and again while the page is told to."""
        self.line.cookies = dict(self._as_guest)
        fields = {"csrf_token": self.token, "username": self.person.login, "password": self.person.password}
        await self._measured(
            "sign_in", _leads_on, "POST", "/login", urlencode(fields), self._htmx("/login"), coming_back=True
        )

    def _read_token(self, answer: Answer) -> None:
        found = _TOKEN.search(answer.text)
        if not found:
            raise Trouble(f"a page without a token: {answer.status} {answer.header('Location')}")
        self.token = found[1]

    def _htmx(self, page: str) -> str:
        return f"HX-Request: true\r\nHX-Current-URL: {page}\r\nX-CSRFToken: {self.token}\r\n"


class Candidate(Browser):
    """A candidate's browser, from the sign-in to the receipt."""

    def __init__(self, port: int, person: Person) -> None:
        super().__init__(port, person)
        self._form: dict[str, str] = {}
        self._choices: list[str] = []
        self._seqs: dict[str, int] = {}

    async def enter(self) -> None:
        """Say who you are and read the instructions."""
        self._read_token(await self._step("/candidate/"))
        await self._step("/candidate/identity", {"csrf_token": self.token, "me": "yes"})
        self._read_token(await self._step("/candidate/instructions"))

    async def start(self) -> None:
        """Begin."""
        fields = {"csrf_token": self.token, "consent": "1", "start_code": START_CODE}
        await self._measured("start", _goes_to("/candidate/exam"), "POST", "/candidate/start", urlencode(fields), "")

    async def open_exam(self) -> None:
        """Open the exam page."""
        answer = await self._step("/candidate/exam")
        self._read_token(answer)
        self._read_form(answer.text)

    async def question(self) -> None:
        """Go to the next question; from the last one to the first."""
        is_last = self._form["number"] == self._form["total"]
        fields = self._form | {"csrf_token": self.token, "changed": ""}
        fields |= {"goto": "1"} if is_last else {"go": "next"}
        request = ("POST", "/candidate/exam/go", urlencode(fields), self._htmx("/candidate/exam"))
        answer = await self._measured("question", lambda answer: answer.status == 200 and answer.size > 0, *request)
        self._read_form(answer.text)

    async def save(self) -> None:
        """Answer the question on the page, another way each time."""
        question = self._form["question"]
        seq = self._seqs.get(question, int(self._form["seq"])) + 1
        self._seqs[question] = seq
        value = self._choices[seq % len(self._choices)] if self._choices else f"answer {seq} of {self.person.login}"
        fields = {
            "choice" if self._choices else "text": value,
            "question": question,
            "seq": seq,
            "page": self._form["page"],
        }
        request = ("POST", "/candidate/exam/save", urlencode(fields), self._htmx("/candidate/exam"))
        await self._measured("save", lambda answer: _SAVED.findall(answer.text) == [("1", str(seq))], *request)
        self.acks[question] = (seq, value)
        self.acknowledged += 1

    async def time(self) -> None:
        """Poll the clock."""
        path = f"/candidate/exam/clock?page={self._form['page']}"
        request = ("GET", path, "", self._htmx("/candidate/exam"))
        await self._measured("time", lambda answer: answer.status == 200 and b'id="clock"' in answer.body, *request)

    async def submit(self) -> None:
        """Hand in."""
        fields = {"csrf_token": self.token, "confirm": "1", "page": self._form["page"]}
        await self._measured("submit", _goes_to("/candidate/done"), "POST", "/candidate/submit", urlencode(fields), "")

    async def look_over(self) -> None:
        """Open the summary before the hand-in."""
        await self._step("/candidate/exam/summary")

    async def read_receipt(self) -> None:
        """Open the page with the receipt."""
        await self._step("/candidate/done")

    async def write(self, until: float, pace_seconds: float) -> None:
        """Write until then as people do: a save and another question each `pace_seconds`, three polls meanwhile.

        Each begins somewhere in the round: people don't all save in the same moment.
        """
        steps = (self.save, self.time, self.question, self.time, self.time)
        await asyncio.sleep(random.random() * pace_seconds / len(steps))
        for step in itertools.islice(itertools.cycle(steps), random.randrange(len(steps)), None):
            await step()
            pause = pace_seconds / len(steps) * (0.75 + random.random() / 2)
            if time.monotonic() + pause > until:
                return
            await asyncio.sleep(pause)

    def _read_form(self, page: str) -> None:
        self._form = dict(_HIDDEN.findall(page))
        self._choices = _CHOICE.findall(page)
        if "question" not in self._form:
            raise Trouble("a page without a question")


class Staff(Browser):
    """A centre admin's browser."""

    async def list(self) -> None:
        """Open the list of candidates, its first page."""
        await self._measured("list", lambda answer: answer.status == 200, "GET", "/centre/", "", "")

    async def board(self) -> None:
        """Let the room board bring itself up to date."""
        request = ("GET", "/centre/board", "", self._htmx("/centre/board"))
        await self._measured("board", lambda answer: answer.status == 200, *request)


class Program(Bot):
    """A candidate's own program, over the API with a token."""

    async def enter(self) -> None:
        """Sign in for a token and start the paper."""
        sent = {"username": self.person.login, "password": self.person.password}
        login = await self._send("POST", "/api/auth/login/", json.dumps(sent), JSON)
        self._bearer = f"Authorization: Bearer {json.loads(login.text).get('access_token')}\r\n"
        papers = await self._send("GET", "/api/exam/", "", self._bearer)
        paper_id = json.loads(papers.text)["items"][0]["paper_id"]
        started = await self._send("POST", f"/api/exam/timer/start/{paper_id}/", "", self._bearer)
        if started.status != 201:
            raise Trouble(f"the API's start answered {started.status}")
        self._attempt_id = json.loads(started.text)["attempt_id"]

    async def heartbeat(self) -> None:
        """Say that the program is there."""
        path = f"/api/test-attempts/{self._attempt_id}/heartbeat"
        await self._measured("heartbeat", lambda answer: answer.status == 204, "PUT", path, "", self._bearer)


KINDS: dict[str, type[Bot]] = {"bare": Bare, "candidate": Candidate, "staff": Staff, "program": Program}


def _leads_on(answer: Answer) -> bool:
    return answer.status == 200 and bool(answer.header("HX-Redirect"))


def _goes_to(path: str) -> Callable[[Answer], bool]:
    return lambda answer: answer.status == 303 and answer.header("Location").endswith(path)
