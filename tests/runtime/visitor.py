"""A browser without a screen: cookies, CSRF tokens, redirects, over real HTTP."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request

from kiosk.demo import PASSWORD, START_CODE


class Visitor:
    """One person's browser at one server."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)
        self.page = ""
        self.path = ""

    def get(self, path: str) -> str:
        """Open a page; return its text."""
        return self._open(urllib.request.Request(self._base + path))

    def post(self, path: str, **fields: str) -> str:
        """Send a form with the token of the page that is open; return the page that follows."""
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.page)
        assert found, f"no token on {self.path}"
        data = urllib.parse.urlencode({"csrf_token": found[1]} | fields).encode()
        return self._open(urllib.request.Request(self._base + path, data=data))

    def send_form(self, action: str, **fields: str) -> str:
        """Send the form with this address as it stands on the open page, with `fields` filled in."""
        form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', self.page, re.S)
        assert form, f"no form {action} on {self.path}"
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]))
        return self.post(action, **(hidden | fields))

    def sign_in(self, login: str) -> str:
        """Sign in; return the landing page."""
        self.get("/login")
        return self.post("/login", username=login, password=PASSWORD)

    def start(self, login: str) -> str:
        """Sign in as a candidate and start the exam; return the exam page."""
        self.sign_in(login)
        self.post("/candidate/identity", me="yes")
        return self.post("/candidate/start", consent="1", start_code=START_CODE)

    def remaining_ms(self) -> int:
        """The time left that the open page shows to its clock."""
        found = re.search(r'data-(?:remaining-)?ms="(\d+)"', self.page)
        assert found, self.page
        return int(found[1])

    def _open(self, request: urllib.request.Request) -> str:
        try:
            with self._opener.open(request, timeout=10) as answer:
                self.path, self.page = urllib.parse.urlsplit(answer.url).path, answer.read().decode()
        except urllib.error.HTTPError as error:
            self.path, self.page = request.selector, error.read().decode()
        return self.page
