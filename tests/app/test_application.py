"""What is remembered and what is packed: it must say the same as if it were worked out anew."""

from __future__ import annotations

import gzip
import random

import pytest
from werkzeug.test import create_environ

from kiosk.web import compression
from kiosk.web.application import LONGEST_KEPT, Request, _cookies


@pytest.mark.parametrize("size", [1400, 2047, 2048, 4096, 4097, 16_384, 32_767, 32_768, 200_000])
def test_a_page_of_any_size_is_unpacked_as_it_was(size: int) -> None:
    words = random.Random(size)
    page = " ".join(words.choice(("save", "next", "प्रश्न", "question")) for _ in range(size)).encode()[:size]
    packed = compression._packed(page)
    assert gzip.decompress(packed) == page
    assert len(packed) < len(page) / 2


def test_a_line_of_cookies_says_the_same_each_time() -> None:
    environ = create_environ(headers={"Cookie": "kiosk=abc; ui_language=hi"})
    for _ in range(2):
        assert dict(Request(environ).cookies) == {"kiosk": "abc", "ui_language": "hi"}
    assert Request(create_environ()).cookies.get("kiosk") is None


def test_a_line_that_is_far_too_long_is_read_but_not_kept() -> None:
    kept = _cookies.cache_info().currsize
    line = "kiosk=abc; more=" + "x" * LONGEST_KEPT
    assert Request(create_environ(headers={"Cookie": line})).cookies["kiosk"] == "abc"
    assert _cookies.cache_info().currsize == kept
