"""What the browser's figures and the cores are reckoned from."""

from __future__ import annotations

from tests.bench import cores, page, report
from tests.bench.measures import Run

SEEN = {
    "rate": 6,
    "moves": 2,
    "requests": {"go": 2},
    "thread_ms": {"task": 9.5},
    "long_tasks": 1,
    "longest_task_ms": 61,
    "longest_frame": "61 ms: swap 30, style, layout and paint 21, other 10",
    "shifts": 0,
    "shifted": [],
}


def test_an_answer_is_painted_with_the_first_change_after_it() -> None:
    changes = [{"changed": 90.0, "painted": 99.0}, {"changed": 104.0, "painted": 116.0}]
    assert page._painted(changes, 100.0) == 16.0
    assert page._painted(changes, 120.0) is None, "never painted: an error, not a zero"


def test_the_longest_frame_is_told_with_what_was_done_in_it() -> None:
    scripts = [{"name": "swap", "ms": 20.0}, {"name": "arrive", "ms": 6.0}, {"name": "swap", "ms": 10.0}]
    frame = {"ms": 61.0, "drawn": 21.0, "scripts": scripts}
    assert page._consists_of(frame) == "61 ms: swap 30, arrive 6, style, layout and paint 21, other 4"
    assert page._consists_of(None) == "", "no frame was long enough to be told"


def test_the_table_tells_what_the_browser_saw_and_other_scenarios_have_none_of_it() -> None:
    load = {"requests": 10, "kilobytes": 64.1, "shifts": 0, "longest_task_ms": 12}
    lines = report._browser_lines({"first_load": load, "rates": [SEEN]})
    assert lines[0].startswith("first load: 10 requests, 64.1 KB")
    assert "2 moves (2 go); 1 tasks over 50 ms, longest 61 ms; 0 layout shifts" in lines[1]
    assert lines[2] == "    longest frame: 61 ms: swap 30, style, layout and paint 21, other 10"
    assert report._browser_lines({}) == []
    assert "page" not in Run().document()


def test_cores_are_the_rate_of_a_million_times_the_cpu_of_one() -> None:
    rows = [{"name": name, "cpu_ms": 0.6} for name in ("time", "save", "question", "start", "submit", "sign_in")]
    later = [{"name": "time", "cpu_ms": 60.0}]  # a higher level of the same run
    lines = cores.table({"operations": rows + later, "yardstick": {"cpu_ms": 0.1}}).splitlines()
    assert "| time | 100,000 | 0.60 | 60 | 100 |" in lines
    assert lines[-1] == "| **while everybody writes** | | | **100** | **167** |"
