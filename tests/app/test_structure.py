"""The structure holds: layers look one way, one door writes a status, one module speaks to Redis."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

KIOSK = Path(__file__).resolve().parents[2] / "kiosk"
SOURCES = sorted(KIOSK.rglob("*.py"))
OUTSIDE = ("kiosk.blueprints", "kiosk.web", "kiosk.cli", "kiosk.jobs")
# what a layer must not know
FORBIDDEN = {
    "states.py": ("kiosk", "flask", "sqlalchemy"),
    "errors.py": ("kiosk", "sqlalchemy"),
    "models": (*OUTSIDE, "kiosk.services", "kiosk.timers", "redis", "flask.request"),
    "services": (*OUTSIDE, "redis", "flask.request", "flask.session", "flask.render_template", "flask.url_for"),
    "timers": (*OUTSIDE, "kiosk.services", "kiosk.models"),
    "blueprints": ("redis", "kiosk.timers", "kiosk.models.slots", "sqlalchemy", "kiosk.extensions.db"),
}
LONG_BY_NATURE = 300


def imports(path: Path) -> set[str]:
    """Everything that a file imports, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_each_layer_knows_only_what_lies_below(layer: str) -> None:
    files = [path for path in SOURCES if path.relative_to(KIOSK).parts[0] == layer]
    assert files
    broken = [
        f"{path.relative_to(KIOSK)} imports {name}"
        for path in files
        for name in imports(path)
        for forbidden in FORBIDDEN[layer]
        if name == forbidden or name.startswith(f"{forbidden}.")
    ]
    assert not broken


def test_only_the_one_door_writes_the_status_of_a_slot_or_an_attempt() -> None:
    # a statement on the table or the class, its values given at once or as parameters
    write = re.compile(r"update\((Slot|Attempt)\)(?:(?!\.values\().)*\.values\([^)]*\bstatus=", re.S)
    table = re.compile(
        r"(update\(_(slots|attempts)\)|_(slots|attempts)\.update\(\))(?:(?!\.values\().)*\.values\([^)]*(\bstatus=|\*\*)",
        re.S,
    )
    assign = re.compile(r"\b(slot|attempt|row)\.status\s*=[^=]")
    ways = (write, table, assign)
    writers = {path.name for path in SOURCES if any(way.search(path.read_text()) for way in ways)}
    assert writers == {"_transitions.py"}


def test_only_the_timers_and_the_embedded_server_speak_to_redis() -> None:
    speakers = {
        path.relative_to(KIOSK).parts[0]
        for path in SOURCES
        if any(name.split(".")[0] == "redis" for name in imports(path))
    }
    assert speakers == {"timers"}


def test_only_the_clock_asks_for_the_time() -> None:
    asks = re.compile(r"datetime\.(now|utcnow|today)\(|\btime\.time\(|date\.today\(")
    strays = {str(path.relative_to(KIOSK)) for path in SOURCES if asks.search(path.read_text())}
    # the runtime ends processes and names files; an id's timestamp decides nothing
    assert {name for name in strays if not name.startswith(("runtime/", "embedded", "clock.py", "ids.py"))} == set()


def test_files_can_be_read_in_a_sitting() -> None:
    everything = [*SOURCES, *Path(__file__).parents[1].rglob("*.py")]
    lengths = {str(path): len(path.read_text().splitlines()) for path in everything}
    assert {name: lines for name, lines in lengths.items() if lines > LONG_BY_NATURE} == {}
