"""The one clock: the database's, measured, and doubted when it jumps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from kiosk import clock


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = (clock._offset_seconds, clock._doubtful_offset, clock._frozen)
    clock._offset_seconds = clock._doubtful_offset = clock._frozen = None
    yield
    clock._offset_seconds, clock._doubtful_offset, clock._frozen = before


def measure(off: float) -> bool:
    """Measure against a database whose clock is so many seconds off."""
    return clock.measure(lambda: datetime.now(UTC) + timedelta(seconds=off))


def off() -> float:
    """How far our clock is off now."""
    return round((clock.now() - datetime.now(UTC)).total_seconds())


def test_the_databases_time_is_taken_over_whatever_this_machine_thinks() -> None:
    assert measure(3600)
    assert off() == 3600


def test_C2_a_jump_is_taken_over_only_when_the_next_measurement_agrees() -> None:
    measure(0)
    assert not measure(90)
    assert (off(), clock.is_trusted()) == (0, False)
    assert measure(90)
    assert (off(), clock.is_trusted()) == (90, True)


def test_a_single_wrong_measurement_is_forgotten() -> None:
    measure(0)
    measure(-90)
    assert measure(0)
    assert (off(), clock.is_trusted()) == (0, True)


def test_slow_drift_is_followed() -> None:
    for drift in (0, 1.5, 3, 4.5):
        assert measure(drift)
    assert off() in (4, 5)


def test_instants_are_whole_milliseconds() -> None:
    measure(0)
    assert all(clock.now().microsecond % 1000 == 0 for _ in range(100))
