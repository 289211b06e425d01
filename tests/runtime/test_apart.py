"""What the application is needed for at the start is done by a process that ends with it."""

from __future__ import annotations

import os
import time

import psutil
import pytest

from kiosk.runtime import StartRefused, apart


def always() -> bool:
    return True


def test_the_outcome_comes_back_and_the_process_is_gone() -> None:
    worked = apart.call(os.getpid, is_wanted=always)
    assert worked != os.getpid()
    assert not psutil.pid_exists(worked)


def test_a_refusal_is_told_as_it_was_said() -> None:
    def refuse() -> None:
        raise StartRefused("PORT: taken")

    with pytest.raises(StartRefused, match="PORT: taken"):
        apart.call(refuse, is_wanted=always)


def test_a_process_that_dies_is_a_refusal_and_not_a_silence() -> None:
    with pytest.raises(StartRefused, match="see above"):
        apart.call(lambda: os._exit(1), is_wanted=always)


def test_who_is_not_wanted_any_more_is_ended_at_once() -> None:
    begun_at, others = time.monotonic(), set(psutil.Process().children())
    assert apart.call(lambda: time.sleep(60), is_wanted=lambda: False) is None
    assert time.monotonic() - begun_at < 10
    assert not set(psutil.Process().children()) - others
