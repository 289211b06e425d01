"""What the lists of all staff share: reading what stands in an address."""

from __future__ import annotations

import unicodedata
from uuid import UUID

LONGEST_SEARCH = 80


def search_text(text: str) -> str:
    """Return what was searched for: printable, one line, not too long."""
    printable = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    return " ".join(printable.split())[:LONGEST_SEARCH]


def page_number(text: str) -> int:
    """Return the page asked for; the first one for anything that is no number."""
    return max(1, int(text)) if text.isdecimal() and len(text) <= 6 else 1


def uuid_or_none(text: str) -> UUID | None:
    """Return the id, or None for anything that is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
