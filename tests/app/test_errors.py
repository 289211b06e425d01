"""An address that leads nowhere: each reader is told what helps them."""

from __future__ import annotations

import pytest

from kiosk.errors import KioskError, MigrationPending, NotSetUp
from kiosk.web.errors import error_answer
from tests.desk import Desk, plain


def test_staff_are_not_told_to_raise_a_hand(app, hall) -> None:  # type: ignore[no-untyped-def]
    text = Desk(app, "centre").text("/nowhere", status=404)
    assert "tell your admin" in text
    assert "Raise your hand" not in text
    assert "Your answers" not in text


def test_candidates_are_told_that_their_answers_are_safe(app, hall) -> None:  # type: ignore[no-untyped-def]
    text = Desk(app, "N001").text("/nowhere", status=404)
    assert "Raise your hand" in text
    assert "Everything that was saved is safe" in text
    assert "tell your admin" not in text


@pytest.mark.parametrize("refusal", [NotSetUp(), MigrationPending()], ids=["nothing set up", "migration pending"])
def test_a_server_that_is_not_in_use_yet_speaks_to_whoever_runs_it(app, refusal: KioskError) -> None:  # type: ignore[no-untyped-def]
    with app.test_request_context("/login"):
        text = plain(app.make_response(error_answer(refusal.status, refusal.sentence, refusal.code)))
    assert "Almost ready" in text
    assert "flask" in text
    for word in ("busy", "Raise your hand", "Your answers"):
        assert word not in text
