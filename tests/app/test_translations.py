"""Hindi is complete, keeps every placeholder, and the compiled catalogue is that of the text."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

CATALOGUE = Path(__file__).resolve().parents[2] / "translations" / "hi" / "LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


def messages(name: str):  # type: ignore[no-untyped-def]
    """The messages of the text or of the compiled catalogue, plural forms as tuples."""
    with (CATALOGUE / name).open("rb") as file:
        catalogue = read_po(file) if name.endswith(".po") else read_mo(file)
    return {as_key(message.id): message.string for message in catalogue if message.id}


def as_key(text: str | tuple[str, ...] | list[str]) -> str | tuple[str, ...]:
    """A message's id as something that a dictionary takes."""
    return text if isinstance(text, str) else tuple(text)


def as_forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    """All forms of a message."""
    return [text] if isinstance(text, str) else list(text)


def test_every_text_has_its_hindi() -> None:
    missing = [key for key, text in messages("messages.po").items() if not all(as_forms(text))]
    assert missing == []


def test_every_placeholder_of_the_english_is_in_the_hindi() -> None:
    for key, text in messages("messages.po").items():
        wanted = set(PLACEHOLDER.findall(as_forms(key)[-1]))
        for form in as_forms(text):
            assert set(PLACEHOLDER.findall(form)) <= wanted, key
        assert set(PLACEHOLDER.findall(as_forms(text)[-1])) == wanted, key


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    compiled = {as_forms(key)[0]: as_forms(text) for key, text in messages("messages.mo").items()}
    written = {as_forms(key)[0]: as_forms(text) for key, text in messages("messages.po").items()}
    assert compiled == written


def test_every_text_of_the_product_is_in_the_catalogue() -> None:
    from babel.messages.extract import extract_from_dir

    root = CATALOGUE.parents[2]
    methods = [("kiosk/**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), "_l": None, "lazy_gettext": None}
    found = extract_from_dir(str(root), methods, keywords=keywords, directory_filter=lambda path: ".venv" not in path)
    known = {as_forms(key)[0] for key in messages("messages.po")}
    missing = {as_forms(text)[0] for _, _, text, _, _ in found} - known
    assert missing == set()
