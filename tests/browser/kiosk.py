"""A candidate at a kiosk, in the words of the exam hall."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, expect

PASSWORD = "demo-kiosk-2026"
START_CODE = "123456"
# what offline tests and refusals leave in the console
EXPECTED = ("net::ERR_", "Failed to fetch", "status of 4", "status of 503")


class Kiosk:
    """A browser window, its candidate, and what went wrong in it."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.troubles: list[str] = []
        self.page = self.new_page()

    def new_page(self) -> Page:
        """A further window of the same browser."""
        page = self.context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", self._heard_error)
        page.on("console", self._heard)
        return page

    # --- getting in ---------------------------------------------------------------------------

    def open(self, path: str) -> None:
        """Go to an address."""
        self.page.goto(self.url + path)

    def sign_in(self, login: str, password: str = PASSWORD) -> Kiosk:
        """Fill in the sign-in form, and see what comes of it."""
        self.open("/login")
        self.page.fill("[name=username]", login)
        self.page.fill("[name=password]", password)
        with self.page.expect_response(lambda answer: answer.request.method == "POST") as answered:
            self.page.press("[name=password]", "Enter")
        if "hx-redirect" in answered.value.headers:
            self.page.wait_for_url(lambda url: not url.endswith("/login"))
        elif answered.value.status == 401:
            self.page.wait_for_selector("#refusal")
        return self

    def is_me(self) -> Kiosk:
        """Say yes to: is this you?"""
        self.page.click("[name=me][value=yes]")
        return self

    def begin(self, code: str = START_CODE) -> Kiosk:
        """Tick, type the start code, begin."""
        self.page.check("[name=consent]")
        self.page.fill("[name=start_code]", code)
        self.page.click("main ~ section button.btn--primary")
        return self

    def sit(self, login: str) -> Kiosk:
        """From the sign-in to the first question."""
        self.sign_in(login).is_me().begin()
        expect(self.page.locator("#answer")).to_be_visible()
        return self

    # --- answering ----------------------------------------------------------------------------

    @property
    def number(self) -> int:
        """The number of the question on the page."""
        return int(self.page.locator("#answer").get_attribute("data-number") or 0)

    def go_to(self, number: int) -> Kiosk:
        """Press a number of the palette."""
        self.page.click(f"nav button[name=goto].pal[value='{number}']")
        self.sees_question(number)
        return self

    def press(self, go: str) -> Kiosk:
        """Press one of the buttons below the question: prev, next, mark, clear, finish."""
        self.page.locator(f"button.btn[name=go][value={go}]").click()
        return self

    def choose(self, letter: str) -> Kiosk:
        """Click the row of an option."""
        self.page.locator(f".option:has(input[value='{letter}'])").click()
        return self

    def type(self, text: str) -> Kiosk:
        """Write into the field of the question."""
        self.page.locator("#answer [name=text]").fill(text)
        return self

    def answer(self) -> Any:
        """What the page shows as the answer: the letters chosen, or the text."""
        field = self.page.locator("#answer [name=text]")
        if field.count():
            return field.input_value()
        return [one.get_attribute("value") for one in self.page.locator("#answer [name=choice]:checked").all()]

    # --- what is seen -------------------------------------------------------------------------

    def sees_question(self, number: int) -> None:
        """Wait until this question is on the page."""
        expect(self.page.locator("#answer")).to_have_attribute("data-number", str(number))

    def sees(self, text: str) -> None:
        """Wait until this can be read."""
        expect(self.page.locator("body")).to_contain_text(text)

    def sees_saved(self) -> None:
        """Wait until the save state says that the server has it."""
        expect(self.page.locator("#save")).to_contain_text("Saved")

    def state_of(self, number: int) -> str:
        """The state of a palette cell: none, blank, done, mark, both."""
        classes = self.page.locator(f"button.pal[value='{number}']").get_attribute("class") or ""
        return next(one.removeprefix("pal--") for one in classes.split() if one.startswith("pal--"))

    def seconds_left(self) -> int:
        """What the clock shows."""
        hours, minutes, seconds = self.page.locator(".timer__time").inner_text().split(":")
        return int(hours) * 3600 + int(minutes) * 60 + int(seconds)

    def has_focus(self) -> str:
        """What has the focus, as tag and id or name and value."""
        return self.page.evaluate(
            "(() => { const e = document.activeElement;"
            " return [e.tagName.toLowerCase(), e.id || e.name || '', e.value || ''].join(' ').trim() })()"
        )

    def _heard_error(self, error: Error) -> None:
        self.troubles.append(str(error))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(word in message.text for word in EXPECTED):
            self.troubles.append(message.text)
