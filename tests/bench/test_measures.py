"""The figures are what they say they are, whatever was measured."""

from __future__ import annotations

import pytest

from tests.bench.__main__ import SCENARIOS, parser, scenario
from tests.bench.measures import Run, Samples, Tally, by_minute, figures, percentile
from tests.bench.report import misses, table

OPERATION = {
    "name", "clients", "count", "errors", "per_second", "p50_ms", "p95_ms", "p99_ms", "cpu_ms", "sql", "redis", "bytes",
}  # fmt: skip


def tally(**samples: Samples) -> Tally:
    made = Tally(elapsed=2.0, server_ms=90.0, driver_ms=1.0, requests=10)
    made.samples.update(samples)
    return made


def test_a_percentile_is_a_value_that_was_measured() -> None:
    ordered = [number / 1000 for number in range(1, 101)]
    assert [percentile(ordered, percent) for percent in (50, 95, 99)] == [50.0, 95.0, 99.0]
    assert percentile([0.007], 99) == 7.0
    assert percentile([], 50) == 0.0


def test_the_cpu_of_a_phase_is_shared_out_by_the_time_each_operation_was_served() -> None:
    both = tally(
        save=Samples(seconds=[0.1] * 10, asking_seconds=2.0, size=5000, sql=[1], redis=[0]),
        time=Samples(seconds=[0.1] * 30, asking_seconds=1.0),
    )
    save, time = both.operations(8)
    assert set(save) == OPERATION
    assert (save["cpu_ms"], time["cpu_ms"]) == (6.0, 1.0)
    assert (save["per_second"], save["bytes"], save["sql"]) == (5.0, 500, 1)


def test_what_nobody_got_through_has_no_figures_but_its_errors() -> None:
    row = figures("save", 8, Samples(errors=3), elapsed=1.0, cpu_ms=50.0)
    assert (row["count"], row["errors"], row["cpu_ms"], row["p99_ms"]) == (0, 3, 0.0, 0.0)


def test_several_processes_add_up_and_the_slowest_says_how_long_it_took() -> None:
    one, other = tally(save=Samples(seconds=[0.1])), tally(save=Samples(seconds=[0.2], errors=1))
    other.elapsed = 3.0
    one.add(other)
    assert (one.samples["save"].seconds, one.samples["save"].errors, one.elapsed) == ([0.1, 0.2], 1, 3.0)


def test_each_minute_of_writing_is_told() -> None:
    writing = tally(
        save=Samples(seconds=[0.1, 0.2, 0.3], minutes=bytearray([0, 0, 1])),
        time=Samples(seconds=[0.1], minutes=bytearray([1])),
    )
    assert by_minute(writing) == [
        {"minute": 1, "save": {"count": 2, "p99_ms": 200.0}},
        {"minute": 2, "save": {"count": 1, "p99_ms": 300.0}, "time": {"count": 1, "p99_ms": 100.0}},
    ]
    run = Run(minutes=by_minute(writing))
    assert "     2           0.0    300.0" in table(run, is_postgresql=True)


def test_a_run_that_stumbled_on_the_way_has_errors_even_if_every_operation_went_well() -> None:
    run = Run()
    run.take(tally(save=Samples(seconds=[0.1])), 1)
    assert run.errors == 0
    run.prepared(Tally(troubles=["J000001: enter: answered 500"]))
    assert run.errors == 1


@pytest.mark.parametrize(
    ("change", "missed"),
    [({}, []), ({"sql": 2}, ["sql"]), ({"cpu_ms": 9.6}, ["cpu_ms"]), ({"bytes": 1025, "redis": 2}, ["redis", "bytes"])],
)
def test_a_budget_is_held_against_each_figure(change: dict[str, float], missed: list[str]) -> None:
    row = {"name": "save", "sql": 1, "redis": 0, "bytes": 700, "cpu_ms": 9.4} | change
    assert misses(row, 1.0, 0.0, is_postgresql=True) == missed


def test_a_password_hash_is_part_of_the_budget_of_a_sign_in_alone() -> None:
    row = {"name": "sign_in", "sql": 4, "redis": 0, "bytes": 0, "cpu_ms": 36.0}
    assert misses(row, 1.0, 22.0, is_postgresql=False) == []
    assert misses(row, 1.0, 20.0, is_postgresql=False) == ["cpu_ms"]


def test_the_table_tells_of_a_lost_answer() -> None:
    run = Run(acknowledged=3, lost=1, troubles=["J000001: acknowledged 2 'B', stored None"])
    run.take(tally(time=Samples(seconds=[0.1], asking_seconds=0.1)), 8)
    text = table(run, is_postgresql=False)
    assert "lost: 1" in text
    assert "WRONG: J000001" in text


def test_every_scenario_of_the_command_line_has_its_function() -> None:
    assert all(callable(scenario(name)) for name in SCENARIOS)


@pytest.mark.parametrize("words", [["sprint"], ["--database", "oracle"], ["--candidates", "0"], ["--seconds", "-1"]])
def test_a_wrong_word_is_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        parser().parse_args(words)
    assert refused.value.code == 2
