"""The command line: what it changes, what it only says, and how it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from kiosk import clock
from kiosk.extensions import db
from kiosk.models import Attempt, AuditEvent, Slot
from kiosk.services import accounts
from tests.cast import Hall


@pytest.fixture
def flask(app: Flask) -> Any:
    """Run a command; returns (exit code, standard output, standard error)."""
    runner = app.test_cli_runner()

    def run(*words: str) -> tuple[int, str, str]:
        result = runner.invoke(args=list(words))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    return run


def test_slots_are_reset_assigned_and_reassigned_with_counts(flask: Any, hall: Hall) -> None:
    code, out, _ = flask("slots", "reset", "--all", "--reason", "no exam today")
    assert (code, "6 changed" in out) == (0, True)
    assert hall.player().slot is None
    assert "6 changed" in flask("slots", "assign", "--trade", "TTC")[1]
    assert "1 changed" in flask("slots", "reassign", "--service-no", "n002", "--reason", "broken")[1]
    code, out, _ = flask("slots", "assign", "--centre", "C01")
    assert (code, "skipped 6: has slot" in out) == (0, True)


@pytest.mark.parametrize(
    "words",
    [
        ("slots", "assign"),
        ("slots", "assign", "--trade", "NOPE"),
        ("slots", "assign", "--service-no", "N999"),
        ("slots", "assign", "--shift", "nonsense"),
        ("slots", "assign", "--centre", "C99"),
        ("slots", "reset", "--all"),
        ("slots", "explode", "--all"),
        ("sets", "activate", "--trade", "NOPE", "--paper", "primary", "--set", "B"),
        ("sets", "activate", "--trade", "TTC", "--paper", "primary", "--set", "Z"),
        ("sets", "activate", "--trade", "TTC", "--paper", "tertiary", "--set", "B"),
    ],
    ids=" ".join,
)
def test_a_wrong_selection_ends_with_2_and_changes_nothing(flask: Any, hall: Hall, words: tuple[str, ...]) -> None:
    before = _audited()
    code, out, err = flask(*words)
    assert code == 2
    assert err
    assert "Traceback" not in out + err
    assert _audited() == before


def test_a_dry_run_says_what_would_happen(flask: Any, hall: Hall) -> None:
    hall.player().start()
    before = _audited()
    assert (
        "6 would be changed, 1 sessions cancelled" in flask("slots", "reset", "--all", "--reason", "x", "--dry-run")[1]
    )
    assert "1 would be cleared" in flask("clear-incomplete-sessions", "--all", "--dry-run")[1]
    assert (
        "5 waiting, 1 writing"
        in flask("sets", "activate", "--trade", "TTC", "--paper", "primary", "--set", "B", "--dry-run")[1]
    )
    assert _audited() == before


@pytest.mark.parametrize(
    "words",
    [
        ("slots", "reset", "--all", "--reason", "x"),
        ("clear-incomplete-sessions", "--all"),
        ("sets", "activate", "--trade", "TTC", "--paper", "primary", "--set", "B"),
    ],
    ids=" ".join,
)
def test_without_a_terminal_nobody_who_writes_is_cut_off(flask: Any, hall: Hall, words: tuple[str, ...]) -> None:
    player = hall.player()
    player.start()
    before = _audited()
    code, _, err = flask(*words)
    assert (code, "--yes" in err) == (2, True)
    assert _audited() == before
    assert flask(*words, "--yes")[0] == 0
    assert player.attempt.status == "cancelled"


def test_clearing_lists_each_attempt_and_a_total(flask: Any, hall: Hall) -> None:
    hall.player(0).start()
    hall.player(1).start()
    code, out, _ = flask("clear-incomplete-sessions", "--army-no", "N001", "--yes")
    assert code == 0
    assert out.splitlines()[0].startswith("N001  in_progress")
    assert out.splitlines()[-1] == "Total: 1 cleared."
    assert hall.player(1).attempt.status == "in_progress"
    assert flask("clear-incomplete-sessions", "--service-no", "N003")[1] == "Total: 0 cleared.\n"


def test_the_state_of_the_sets_is_told_and_switched(flask: Any, hall: Hall) -> None:
    rows = json.loads(flask("sets", "status", "--json")[1])
    assert {(row["paper_type"], row["label"], row["is_complete"]) for row in rows} == {
        ("primary", "A", True),
        ("secondary", "A", True),
    }
    assert "set A v1" in flask("sets", "status")[1]
    assert flask("sets", "activate", "--trade", "all", "--paper", "secondary", "--set", "B")[0] == 0
    assert json.loads(flask("sets", "status", "--json")[1])[1]["label"] == "B"
    code, out, _ = flask("sets", "activate", "--trade", "all", "--paper", "secondary", "--set", "B")
    assert (code, "nothing to do" in out) == (0, True)


def test_one_sweep_ends_what_is_over(flask: Any, hall: Hall) -> None:
    player = hall.player()
    player.start()
    clock.freeze(hall.after(hours=4))
    code, out, _ = flask("sweep", "--once")
    assert (code, out) == (0, "Ended: 1\n")
    assert player.attempt.ended_by == "expired"


def test_a_user_is_made_with_a_one_time_password(flask: Any, hall: Hall) -> None:
    words = ("user", "create", "--login", "kiran", "--name", "Kiran Toppo", "--role", "centre_admin")
    assert flask(*words)[0] == 1, "a centre's people need a centre"
    code, out, _ = flask(*words, "--centre", "C01")
    assert code == 0
    assert accounts.sign_in("kiran", out.split()[-1], now=hall.MORNING).kind == "user"
    assert flask(*words, "--centre", "C01")[0] == 1, "the login is taken"
    assert flask("user", "create", "--login", "x", "--name", "X", "--role", "king")[0] == 2


def test_setup_and_demo_refuse_a_database_with_data(flask: Any, hall: Hall) -> None:
    before = _audited()
    assert flask("setup", "--organisation", "Second", "--centre", "C01:Hall", "--admin", "boss")[0] == 1
    assert flask("demo", "load")[0] == 1
    assert _audited() == before


def test_control_characters_reach_no_terminal(flask: Any, hall: Hall) -> None:
    _, _, err = flask("slots", "assign", "--trade", "\x1b[31mred\nnew line")
    assert "\x1b" not in err
    assert err.count("\n") == 1


def _audited() -> tuple[int, int, int]:
    db.session.rollback()
    return tuple(
        db.session.execute(select(func.count()).select_from(m)).scalar_one() for m in (AuditEvent, Slot, Attempt)
    )  # type: ignore[return-value]


MORE = "More people have begun since. Nothing was changed; look at the numbers again."


def test_a_yes_counts_only_for_those_who_were_shown(flask: Any, hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    hall.player(0).start()

    def somebody_begins(_question: str, *, yes: bool) -> None:
        hall.player(1).start()

    monkeypatch.setattr("kiosk.cli.manners.asked", somebody_begins)
    for words in (
        ("slots", "reset", "--all", "--reason", "x"),
        ("sets", "activate", "--trade", "TTC", "--paper", "primary", "--set", "B"),
    ):
        code, _said, trouble = flask(*words)
        assert (code, trouble.strip()) == (1, MORE), words
        assert hall.player(0).attempt.status == hall.player(1).attempt.status == "in_progress"
        monkeypatch.setattr("kiosk.cli.manners.asked", lambda _question, *, yes: hall.player(2).start())
