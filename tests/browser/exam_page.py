"""What the tests of the exam page share."""

from __future__ import annotations

from tests.browser.kiosk import Kiosk


def at_the_exam(kiosk: Kiosk, login: str) -> Kiosk:
    """From the sign-in to the first question, until its scripts are at work."""
    kiosk.sit(login)
    kiosk.page.wait_for_selector("#answer[data-is-here]")
    return kiosk


def forgive_the_lost_line(kiosk: Kiosk) -> None:
    """A request that fails offline is told in the console; that is no trouble of ours."""
    kiosk.troubles[:] = [trouble for trouble in kiosk.troubles if "Failed to fetch" not in trouble]
