"""One browser's line to the server: HTTP/1.1 on a kept-alive socket, cookies, and as little work as possible."""

from __future__ import annotations

import asyncio
import re
import zlib
from typing import cast

PATIENCE_SECONDS = 30.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_COOKIE = re.compile(rb"\r\nset-cookie: *([^=;\r]+)=([^;\r]*)", re.I)
_NO_BODY = (204, 304)


class Answer:
    """What the server said. `size` is that of the body as it travelled."""

    __slots__ = ("body", "head", "size", "status")

    def __init__(self, head: bytes, body: bytes) -> None:
        self.status = int(head[9:12])
        self.head, self.body, self.size = head, body, len(body)

    def header(self, name: str) -> str:
        """The value of a header, or nothing."""
        found = re.search(rb"\r\n" + name.encode() + rb": *([^\r]*)", self.head, re.I)
        return found[1].decode() if found else ""

    @property
    def text(self) -> str:
        """The body as the page reads it."""
        packed = b"gzip" in self.head
        return (zlib.decompress(self.body, 31) if packed else self.body).decode()


class _Wire(asyncio.Protocol):
    """Collects one answer at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._got = bytearray()
        self._head_ends = self._ends = -1
        self._waiting: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._fail(ConnectionError("the server closed the connection"))

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        loop = asyncio.get_running_loop()
        self._waiting = waiting = loop.create_future()
        watch = loop.call_later(PATIENCE_SECONDS, self._fail, TimeoutError("no answer"))
        waiting.add_done_callback(lambda _: watch.cancel())
        assert self.transport is not None
        self.transport.write(request)
        return waiting

    def data_received(self, data: bytes) -> None:
        self._got += data
        if self._ends < 0 and not self._read_head():
            return
        # without a length the body comes in pieces, and the last piece is empty
        is_whole = len(self._got) >= self._ends if self._ends else self._got.endswith(b"0\r\n\r\n")
        if not is_whole:
            return
        answer = Answer(bytes(self._got[: self._head_ends]), bytes(self._got[self._head_ends :]))
        self._got, self._head_ends, self._ends = bytearray(), -1, -1
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)

    def _read_head(self) -> bool:
        at = self._got.find(b"\r\n\r\n")
        if at < 0:
            return False
        self._head_ends = at + 4
        found = _LENGTH.search(self._got, 0, self._head_ends)
        if found:
            self._ends = self._head_ends + int(found[1])
        else:
            self._ends = self._head_ends if int(self._got[9:12]) in _NO_BODY else 0
        return True

    def _fail(self, error: Exception) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
            if self.transport is not None:
                self.transport.abort()


class Line:
    """A browser's line: one connection, kept alive, made again when the server has closed it in between."""

    def __init__(self, port: int, common: str = "") -> None:
        self._port = port
        self._common = f"Host: 127.0.0.1:{port}\r\n{common}"
        self._wire: _Wire | None = None
        self.cookies: dict[str, str] = {}

    async def ask(self, method: str, path: str, body: str = "", headers: str = "") -> Answer:
        """Send one request and wait for its answer. Raises OSError, TimeoutError."""
        wire = self._wire
        if wire is None or wire.transport is None or wire.transport.is_closing():
            loop = asyncio.get_running_loop()
            _, wire = await loop.create_connection(_Wire, "127.0.0.1", self._port)
            self._wire = wire
        content = body.encode()
        if self.cookies:
            headers += "Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()) + "\r\n"
        if method != "GET":
            headers += f"Content-Length: {len(content)}\r\n"
        answer = await wire.ask(f"{method} {path} HTTP/1.1\r\n{self._common}{headers}\r\n".encode() + content)
        for name, value in _COOKIE.findall(answer.head):
            self.cookies[name.decode()] = value.decode()
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._wire is not None and self._wire.transport is not None:
            self._wire.transport.abort()
