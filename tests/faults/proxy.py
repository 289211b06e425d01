"""A line between two processes that can be slow, silent, deaf or cut, byte for byte."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

Address = tuple[str, int] | str  # host and port, or the path of a unix socket
RST_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Cut:
    """Cut the first line that carries `marker` and later `at`: before `at` is passed on, or before its answer is."""

    marker: bytes
    at: bytes
    is_answered: bool


class Link:
    """One connection through the proxy."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near, self.far = near, far
        self.is_marked = self.is_cut = False
        self.passed = 0

    def close(self, *, with_reset: bool) -> None:
        """End both sides; with RST as a crashed machine would, else with FIN."""
        for side in (self.near, self.far):
            with contextlib.suppress(OSError):
                if with_reset:
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)
                # wakes the thread that reads from it
                side.shutdown(socket.SHUT_RDWR)
        for side in (self.near, self.far):
            with contextlib.suppress(OSError):
                side.close()


class Proxy:
    """Listens on a port of its own and passes everything to `target`, which may be changed."""

    def __init__(self, target: Address) -> None:
        self.target = target
        self.faults = 0
        self._delay_seconds = 0.0
        self._is_silent = self._drops_replies = self._refuses = False
        self._cut: Cut | None = None
        self._cut_after: int | None = None
        self._links: set[Link] = set()
        self._guard = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def is_open(self) -> bool:
        """Whether any connection through it is still there."""
        return bool(self._links)

    def heal(self) -> None:
        """Pass everything again, on new connections: what runs on the old ones may be incomplete."""
        was_dropping = self._drops_replies
        self._delay_seconds, self._cut, self._cut_after = 0.0, None, None
        self._is_silent = self._drops_replies = self._refuses = False
        if was_dropping:
            self.reset()

    def reset(self) -> int:
        """Break every connection with RST; return how many."""
        with self._guard:
            links, self._links = self._links, set()
        for link in links:
            link.close(with_reset=True)
        return len(links)

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Hold every chunk back for so long."""
        with self._fault():
            self._delay_seconds = seconds
            yield

    @contextmanager
    def blackhole(self) -> Iterator[None]:
        """Pass nothing in either direction and say nothing about it."""
        with self._fault():
            self._is_silent = True
            yield

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """Pass requests and lose their replies."""
        with self._fault():
            self._drops_replies = True
            yield

    @contextmanager
    def partition(self) -> Iterator[None]:
        """Break every connection and refuse new ones, with RST."""
        with self._fault():
            self._refuses = True
            self.reset()
            yield

    @contextmanager
    def cutting(self, cut: Cut) -> Iterator[Callable[[], bool]]:
        """Cut one line as described; yields what tells whether it happened."""
        with self._fault():
            self._cut = cut
            yield lambda: self._cut is None

    @contextmanager
    def cutting_after(self, count: int) -> Iterator[None]:
        """Cut every line after so many bytes of answers."""
        with self._fault():
            self._cut_after = count
            yield

    @contextmanager
    def to(self, target: Address) -> Iterator[None]:
        """Lead all connections somewhere else."""
        with self._fault():
            own, self.target = self.target, target
            self.reset()
            yield
        self.target = own
        self.reset()

    def close(self) -> None:
        """End the proxy."""
        self._listener.close()
        self.reset()

    @contextmanager
    def _fault(self) -> Iterator[None]:
        self.faults += 1
        try:
            yield
        finally:
            self.heal()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        far = socket.socket(socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET)
        link = Link(near, far)
        try:
            if self._refuses:
                raise ConnectionRefusedError
            far.connect(self._choose())
        except OSError:
            link.close(with_reset=True)
            return
        with self._guard:
            self._links.add(link)
        threading.Thread(target=self._pump, args=(link, near, far, self._to_server), daemon=True).start()
        self._pump(link, far, near, self._to_client)

    def _choose(self) -> Address:
        """Where the next connection leads."""
        return self.target

    def _pump(
        self, link: Link, source: socket.socket, drain: socket.socket, look: Callable[[Link, bytes], bool]
    ) -> None:
        with_reset = False
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                time.sleep(self._delay_seconds)
                while self._is_silent:
                    time.sleep(0.01)
                if not look(link, chunk):
                    with_reset = True
                    break
                if not (self._drops_replies and look == self._to_client):
                    drain.sendall(chunk)
        while self._is_silent:  # of a machine without power nobody hears that it has hung up
            time.sleep(0.01)
        link.close(with_reset=with_reset)
        with self._guard:
            self._links.discard(link)

    def _to_server(self, link: Link, chunk: bytes) -> bool:
        """Whether the line holds for this chunk of a request."""
        cut = self._cut
        if cut is None:
            return True
        link.is_marked = link.is_marked or cut.marker in chunk
        if not link.is_marked or cut.at not in chunk:
            return True
        self._cut, link.is_cut = None, True
        return cut.is_answered

    def _to_client(self, link: Link, chunk: bytes) -> bool:
        """Whether the line holds for this chunk of an answer."""
        link.passed += len(chunk)
        return not link.is_cut and (self._cut_after is None or link.passed <= self._cut_after)
