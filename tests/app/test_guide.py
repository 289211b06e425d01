"""The manual inside the product: each role reads its own pages."""

from __future__ import annotations

import pytest

from tests.desk import Desk, PageCheck


@pytest.mark.parametrize(
    ("login", "has_admin"), [("admin", True), ("auditor", True), ("centre", False), ("invigilator", False)]
)
def test_each_role_reads_its_manual(app, hall, login: str, has_admin: bool) -> None:  # type: ignore[no-untyped-def]
    desk = Desk(app, login)
    page = desk.get("/guide").get_data(as_text=True)
    assert PageCheck(page).found() == []
    assert "<table>" in page
    assert "For centre staff" in page
    assert ("For admins" in page) == has_admin
    assert 'href="/guide"' in page
    assert '.md"' not in page, "a link to a file that is not served"


def test_the_manual_is_read_in_the_language_of_the_reader(app, hall) -> None:  # type: ignore[no-untyped-def]
    desk = Desk(app, "admin")
    desk.post("/preferences", language="hi")
    page = desk.get("/guide").get_data(as_text=True)
    assert "एडमिन के लिए" in page
    assert "केंद्र के कर्मचारियों के लिए" in page
    assert "**" not in page
    assert "For admins" not in page


def test_candidates_have_a_help_page_of_their_own(app, hall) -> None:  # type: ignore[no-untyped-def]
    assert Desk(app, "N001").get("/guide").status_code in (401, 403)
