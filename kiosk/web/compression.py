"""Pages and assets travel compressed: a hall of kiosks often hangs on one slow line."""

from __future__ import annotations

import gzip
import zlib
from functools import lru_cache

from flask import Flask, Response, request
from werkzeug.http import parse_accept_header

SMALLEST = 4096  # less is one burst of packets: packed it comes no sooner, and packing takes a tenth of a swap
KINDS = ("text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml", "application/json")
LEVEL_OF_PAGES, LEVEL_OF_ASSETS = 4, 9
ASSETS_KEPT = 100
GZIP, SMALLEST_WINDOW_BITS, SMALL_MEMORY_LEVEL = 16, 9, 5


def init_app(app: Flask) -> None:
    """Compress what is worth it for browsers that can unpack it."""
    assets: dict[tuple[str, str], bytes] = {}

    @app.after_request
    def compress(response: Response) -> Response:
        if not _is_worth_it(response):
            return response
        if request.endpoint == "static":
            # an asset is packed once per version; its ETag changes with the file
            key = (request.path, response.headers.get("ETag", ""))
            packed = assets.get(key) or gzip.compress(_body(response), LEVEL_OF_ASSETS, mtime=0)
            if len(assets) < ASSETS_KEPT:
                assets[key] = packed
        else:
            packed = _packed(response.get_data())
        response.direct_passthrough = False
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(packed))
        return response


def _packed(body: bytes) -> bytes:
    """Pack a page with tables as large as it needs them: clearing the usual ones takes longer than packing a swap."""
    window_bits = min(max(len(body).bit_length(), SMALLEST_WINDOW_BITS), zlib.MAX_WBITS)
    memory_level = zlib.DEF_MEM_LEVEL if window_bits == zlib.MAX_WBITS else SMALL_MEMORY_LEVEL
    packer = zlib.compressobj(LEVEL_OF_PAGES, zlib.DEFLATED, GZIP + window_bits, memory_level)
    return packer.compress(body) + packer.flush()


def _is_worth_it(response: Response) -> bool:
    size = response.content_length
    if size is not None and size < SMALLEST:
        return False  # most answers: nothing more is asked
    return (
        response.status_code in (200, 401, 409, 422)
        and response.mimetype in KINDS
        and "Content-Encoding" not in response.headers
        and _takes_gzip(request.environ.get("HTTP_ACCEPT_ENCODING", ""))
        and request.method != "HEAD"
        # what is written as it is read must not be gathered first
        and not (size is None and response.is_streamed)
    )


@lru_cache(100)
def _takes_gzip(said: str) -> bool:
    return "gzip" in parse_accept_header(said)


def _body(response: Response) -> bytes:
    response.direct_passthrough = False
    return response.get_data()
