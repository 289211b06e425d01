"""An address that leads nowhere: each reader is told what helps them."""

from __future__ import annotations

from tests.desk import Desk


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
