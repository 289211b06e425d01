"""The exam page in a real browser: how soon a swap is painted after its answer, and what else the main thread does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.bots import START_CODE
from tests.bench.measures import Samples, figures
from tests.bench.scenarios import YARDSTICK_SECONDS, Bench, say
from tests.bench.stack import CannotStart
from tools.suite import find_chromium

RATES = (1, 6)  # the machine as it is, and a processor of a sixth of its speed
PAUSE_SECONDS = 0.4  # between two things that somebody does; longer than any of them takes
TICKS_SECONDS = 12.0  # a poll of the clock falls into them
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
WATCH = Path(__file__).parent / "watch.js"
LOAD = (
    "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
    ".filter(one => one.initiatorType !== 'fetch').map(one => one.transferSize)"
)


def page(bench: Bench) -> None:
    """One candidate moves and answers, first at full speed, then with the browser's processor slowed down."""
    rounds = bench.candidates(8, 40)
    (person,) = bench.add(1, "B")
    bench.stack.start()
    bench.measure_yardstick(YARDSTICK_SECONDS)
    with _browser() as browser:
        from tests.browser.kiosk import Kiosk

        context = browser.new_context(viewport={"width": 1366, "height": 768})
        context.add_init_script(path=WATCH)
        kiosk = Kiosk(context, f"http://127.0.0.1:{bench.stack.server.port}")
        kiosk.sign_in(person.login, person.password).is_me().begin(START_CODE)
        console = context.new_cdp_session(kiosk.page)
        bench.run.page["first_load"] = _first_load(kiosk, console)
        bench.run.page["rates"] = []
        console.send("Performance.enable", {"timeDomain": "threadTicks"})
        for rate in RATES:
            say(f"{rounds} moves and answers at {rate} × CPU throttling")
            console.send("Emulation.setCPUThrottlingRate", {"rate": rate})
            seen = _write(kiosk, console, rounds, bench.seconds(2, TICKS_SECONDS))
            _take(bench, rate, seen)
        bench.run.troubles += kiosk.troubles
    bench.run.notes.append(
        "swap, save: milliseconds from the last byte of the answer until what it changed is painted. Budgets: a swap "
        "within 50 ms, within 100 ms at 6 ×; no task over 50 ms, no layout shift, one request a swap; first load "
        "150 KB, 12 requests."
    )


@contextmanager
def _browser() -> Iterator[Any]:
    program = find_chromium()
    if program is None:
        raise CannotStart("there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def _first_load(kiosk: Any, console: Any) -> dict[str, float]:
    """Open the exam page with nothing in the browser's cache."""
    console.send("Network.enable")
    console.send("Network.setCacheDisabled", {"cacheDisabled": True})
    kiosk.page.reload(wait_until="networkidle")
    sizes = kiosk.page.evaluate(LOAD)
    shifts = kiosk.page.evaluate("benchSeen.shifts")
    console.send("Network.setCacheDisabled", {"cacheDisabled": False})
    return {
        "requests": len(sizes),
        "kilobytes": round(sum(sizes) / 1000, 1),
        "shifts": len(shifts),
        "longest_task_ms": max((task["ms"] for task in kiosk.page.evaluate("benchSeen.tasks")), default=0),
    }


def _write(kiosk: Any, console: Any, rounds: int, ticks_seconds: float) -> dict[str, Any]:
    """Move on, answer, mark, jump by the palette; then only look at the clock. Return what the page saw."""
    requests: list[Any] = []
    kiosk.page.on("request", lambda request: requests.append(request))
    kiosk.page.evaluate("Object.values(benchSeen).forEach(list => list.length = 0)")
    before = _thread(console)
    press = kiosk.page.keyboard.press
    moves = 0
    for place in range(rounds):
        kiosk.page.locator(f"#cell-{place % 20 + 1}").click() if place % 4 == 3 else press("ArrowRight")
        moves += 1
        time.sleep(PAUSE_SECONDS)
        press("abcd"[place % 4])
        time.sleep(PAUSE_SECONDS)
        if place % 5 == 4:
            press("m")
            moves += 1
            time.sleep(PAUSE_SECONDS)
    used = {name: (value - before[name]) / (rounds + moves) for name, value in _thread(console).items()}
    time.sleep(ticks_seconds)
    asked = [_name(request) for request in requests]
    wire = {
        name: sum(requests[asked.index(name)].sizes().values()) for name in ("go", "save", "clock") if name in asked
    }
    return kiosk.page.evaluate("benchSeen") | {"asked": asked, "wire": wire, "moves": moves, "thread": used}


def _name(request: Any) -> str:
    return request.url.rpartition("/")[2].partition("?")[0]


def _thread(console: Any) -> dict[str, float]:
    """The CPU of the page's main thread so far in milliseconds, and how often it made the layout."""
    told = {one["name"]: one["value"] for one in console.send("Performance.getMetrics")["metrics"]}
    times = {
        "task": "TaskDuration",
        "script": "ScriptDuration",
        "style": "RecalcStyleDuration",
        "layout": "LayoutDuration",
    }
    return {name: told[key] * 1000 for name, key in times.items()} | {"layouts": told["LayoutCount"]}


def _take(bench: Bench, rate: int, seen: dict[str, Any]) -> None:
    """Turn what the page saw into the figures of one rate."""
    for name, call in (("swap", "go"), ("save", "save")):
        delays = [
            _painted(seen["swaps" if name == "swap" else "saves"], one["ended"])
            for one in seen["answers"]
            if one["name"] == call
        ]
        samples = Samples(seconds=[delay / 1000 for delay in delays if delay is not None])
        samples.errors = delays.count(None)
        bench.run.operations.append(figures(f"{name}@{rate}", 1, samples, elapsed=0.0, cpu_ms=0.0))
    tasks = [task["ms"] for task in seen["tasks"]]
    bench.run.page["rates"].append(
        {
            "rate": rate,
            "moves": seen["moves"],
            "requests": {name: seen["asked"].count(name) for name in sorted(set(seen["asked"]))},
            "wire_bytes": seen["wire"],  # both ways, with headers and cookies
            "thread_ms": {name: round(value, 2) for name, value in seen["thread"].items()},
            "long_tasks": len(tasks),
            "longest_task_ms": max(tasks, default=0),
            "longest_frame": _consists_of(max(seen["frames"], key=lambda frame: frame["ms"], default=None)),
            "shifts": len(seen["shifts"]),
            "shifted": sorted({shift["moved"] for shift in seen["shifts"]}),
            "largest_shift": round(max((shift["value"] for shift in seen["shifts"]), default=0), 4),
        }
    )


def _consists_of(frame: dict[str, Any] | None) -> str:
    """What the browser was busy with in its longest frame: scripts by name, drawing, and what it does not name."""
    if frame is None:
        return ""
    scripts: dict[str, float] = {}
    for script in frame["scripts"]:
        scripts[script["name"]] = scripts.get(script["name"], 0.0) + script["ms"]
    parts = [f"{name} {ms:.0f}" for name, ms in sorted(scripts.items(), key=lambda part: -part[1])]
    drawn, rest = frame["drawn"], frame["ms"] - frame["drawn"] - sum(scripts.values())
    return f"{frame['ms']:.0f} ms: " + ", ".join([*parts, f"style, layout and paint {drawn:.0f}", f"other {rest:.0f}"])


def _painted(changes: list[dict[str, float]], ended: float) -> float | None:
    """How long after the end of an answer the first change that followed was painted."""
    after = [change["painted"] for change in changes if change["changed"] >= ended - 1]
    return min(after) - ended if after else None
