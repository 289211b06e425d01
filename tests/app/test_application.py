"""What is remembered and what is packed: it must say the same as if it were worked out anew."""

from __future__ import annotations

import gzip
import random

import pytest
from werkzeug.test import create_environ

from kiosk.web import compression
from kiosk.web.application import LONGEST_KEPT, Request, Response, _cookies


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


def test_a_page_goes_to_the_server_whole_and_a_stream_piece_by_piece() -> None:
    page, stream = Response("written"), Response(piece for piece in ("one", "two"))
    assert page.get_app_iter(create_environ()) == [b"written"]
    assert not isinstance(stream.get_app_iter(create_environ()), list)
    assert list(stream.get_app_iter(create_environ())) == [b"one", b"two"]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_answer_without_a_body_sends_none(method: str, status: int) -> None:
    assert Response("written", status=status).get_app_iter(create_environ(method=method)) == []


def test_what_waits_for_the_end_of_an_answer_is_called_once() -> None:
    ended: list[str] = []
    answer = Response("written")
    answer.call_on_close(lambda: ended.append("once"))
    assert list(answer.get_app_iter(create_environ())) == [b"written"]
    assert ended == ["once"]
