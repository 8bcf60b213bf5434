"""Runs the application on waitress: bounded in every direction, and no answer lost at the end."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from types import FrameType
from typing import Any, ClassVar

import click
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer, create_server
from waitress.task import ErrorTask

from leadscore.errors import Detail, LeadscoreError
from leadscore.text import Lang, room_words
from leadscore.web.app import Application
from leadscore.web.errors import (
    MAX_LIST_BYTES,
    error_body,
    preferred_language,
    refusal,
    too_large,
)
from leadscore.web.proxies import client_of, stands_for_many

WORDS = room_words("web")

_FLUSH_SECONDS = 3.0
_IN_FLIGHT = 8  # connections being closed, and waitress's own two sockets
_READING_SECONDS = 1.0  # of which a client that reads takes at least some bytes
_NO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_SENT_AT_ONCE = 64 * 1024
"""Bytes; less waits for the end of its answer, which no file that is streamed does for long."""


class ListenError(LeadscoreError):
    """The address that was asked for can't be listened on."""

    code = "cannot_listen"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a client may ask of the server."""

    header_bytes: int = 32 * 1024
    body_bytes: int = 2 * MAX_LIST_BYTES  # the application refuses smaller ones, in its own words
    receive_seconds: int = (
        30  # from the first byte of a request to its last, and of silence between
    )
    connections: int = 200  # at a time; then the longest silent one makes room
    client_connections: int = 50  # of them one client's, unless it is a proxy for many


_LIMITS = Limits()


def serve(
    app: Application, *, host: str, port: int, threads: int, limits: Limits = _LIMITS,
    ready: Callable[[str], object] = lambda _url: None,
) -> None:  # fmt: skip
    """Serve until SIGINT or SIGTERM; requests that are being answered get their answer.

    Port 0 takes a free one; the address is printed to standard error once the server listens, and
    ``ready`` is called with it: what that prints are the last lines of a start.
    Raises ListenError if the address is not this machine's or the port is taken.
    """
    lang = app.default_lang
    listening = _listen(host, port)
    sockets: dict[int, Any] = {}
    server = _server(app, listening, threads, limits, sockets)
    with _stopping_on_sigterm():
        with suppress(KeyboardInterrupt, SystemExit):  # waitress only catches them in its loop
            url = _url(listening)
            click.echo(WORDS["serve.listening"].format(url=url).pick(lang), err=True)
            ready(url)
            server.run()
        _flush(server, sockets)
    click.echo(WORDS["serve.stopped"].pick(lang), err=True)


def _listen(host: str, port: int) -> socket.socket:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = min(addresses, key=lambda each: each[0] != socket.AF_INET)
        return socket.create_server(address[:2], family=family, backlog=1024)
    except (OSError, UnicodeError) as fault:
        where = f"{host}:{port}"
        reason = str(getattr(fault, "strerror", None) or fault).partition(" (while ")[0]
        detail = Detail(where, reason, WORDS["serve.free"])
        raise ListenError(WORDS["serve.cannot_listen"].format(address=where), [detail]) from fault


def _server(
    app: Application,
    listening: socket.socket,
    threads: int,
    limits: Limits,
    sockets: dict[int, Any] | None = None,
) -> TcpWSGIServer:
    # It warns whenever a request waits for a thread, which a busy service does all the time.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(
        app,
        map=sockets,
        sockets=[listening],
        threads=threads,
        ident="leadscore",
        max_request_header_size=limits.header_bytes,
        max_request_body_size=limits.body_bytes + 1,  # waitress refuses the limit itself
        channel_timeout=limits.receive_seconds,
        cleanup_interval=1,
        # Our own bound makes room; if nobody is silent, further ones wait in the system's queue.
        connection_limit=limits.connections + _IN_FLIGHT,
        asyncore_use_poll=True,
        log_socket_errors=False,  # a client that went away is no event
        # Whom to believe on what a proxy says is known by leadscore.web.proxies.
        clear_untrusted_proxy_headers=False,
    )
    # Waitress sends head and body apart, each time letting other threads in between: with four of
    # them a request took twice the processor time. As a setting this is deprecated; without it
    # everything works, only slower.
    server.adj.send_bytes = _SENT_AT_ONCE
    ours = {"default_lang": app.default_lang, "limits": limits, "app": app}
    server.channel_class = type("_OurChannel", (_Channel,), ours)
    return server


# What no setting of waitress does needs its private parts: these few methods, and no more.


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Refuses what two servers could read in two ways: waitress itself lets chunks win."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the headers; what would break waitress itself is a bad request."""
        try:
            super().parse_header(header_plus)
        except ValueError as fault:  # thousands of digits, or a host that urlsplit refuses
            raise ParsingError("Malformed header") from fault
        framed_twice = self.chunked and "CONTENT_LENGTH" in self.headers
        if framed_twice or "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("Content-Length and Transfer-Encoding contradict each other")


class _JsonErrorTask(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """Answers requests that never reach the application, in the same words as the application."""

    def execute(self) -> None:
        """Write the answer and close the connection."""
        error, channel = self.request.error, self.channel
        wish = self.request.headers.get("ACCEPT_LANGUAGE")
        code, message = refusal(error.code)
        detail = Detail("request", error.body, WORDS["serve.well_formed"])
        if error.code == 413:
            is_list = self.request.path in ("/import", "/api/v1/lists")
            message, detail = too_large(
                f"> {channel.adj.max_request_body_size - 1}", is_list=is_list
            )
        body = error_body(
            code,
            message,
            [detail] if error.code < 500 else [],
            lang=preferred_language(wish, channel.default_lang),
        )
        sent = json.dumps(body, ensure_ascii=False).encode()
        self.status = f"{error.code} {HTTPStatus(error.code).phrase}"
        self.response_headers += [
            ("Content-Type", "application/json"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        self.content_length = len(sent)
        self.set_close_on_finish()
        self.write(sent)


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """One connection; the things for which waitress has no setting.

    A request must have come whole within waitress's ``channel_timeout`` from its first byte on,
    however busily it trickles; waitress itself counts from the last byte. An answer must be read
    as steadily: a client that takes none of it for as long is cut off. And of too many connections
    the longest silent one is closed, of the same client where that has too many.
    """

    parser_class = _Parser
    error_task_class = _JsonErrorTask
    default_lang: ClassVar[Lang] = "en"
    limits: ClassVar[Limits]
    app: ClassVar[Application]
    last_activity: float
    _unread_since: float | None = None
    _one_too_many = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.client = client_of(self.addr[0])
        self._make_room()

    def _make_room(self) -> None:
        channels: list[_Channel] = list(self.server.active_channels.values())
        mine = [channel for channel in channels if channel.client == self.client]
        alone = not stands_for_many(self.app, self.addr[0])
        if alone and len(mine) > self.limits.client_connections:
            self._one_too_many = not _close_a_silent_one(mine, but=self)
        elif len(channels) > self.limits.connections:
            # Of those who have the most, so that who has few keeps them.
            counts = Counter(channel.client for channel in channels)
            most = max(counts.values())
            greedy = [channel for channel in channels if counts[channel.client] == most]
            _close_a_silent_one(greedy, but=self) or _close_a_silent_one(channels, but=self)

    def waits_for_client(self) -> bool:
        """Tell whether it is the client's turn, and it does nothing."""
        if self.requests:
            return False
        if self.total_outbufs_len:
            return time.time() - self.last_activity > _READING_SECONDS
        try:
            return not self.socket.recv(1, socket.MSG_PEEK)  # it has gone, or what it sent is new
        except OSError:  # mostly that there is nothing
            return True

    def handle_read(self) -> None:
        """Read; a byte in the middle of a request is no new sign of life."""
        if self._one_too_many:
            self._refuse()
            return
        begun, since = self.request, self.last_activity
        super().handle_read()
        if begun is not None and self.request is begun:
            self.last_activity = since

    def _refuse(self) -> None:
        # At once, for no thread has time for it; what was sent is read, so that this is too.
        with suppress(OSError):
            self.recv(self.adj.recv_bytes)
            self.send(_too_many(self.limits.client_connections, self.default_lang), do_close=False)
        self.handle_close()

    def writable(self) -> bool:
        """Tell whether something waits to be sent, unless the client has long stopped reading."""
        waiting = self.total_outbufs_len
        if not waiting or (self.requests and waiting < self.adj.send_bytes):
            self._unread_since = None
        elif self._unread_since is None or self._unread_since < self.last_activity:
            self._unread_since = time.time()
        elif time.time() - self._unread_since > self.adj.channel_timeout:
            # At once, else the system would go on offering what nobody takes.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self.handle_close()
            return False
        wants: bool = super().writable()
        return wants


def _close_a_silent_one(channels: Iterable[_Channel], *, but: _Channel) -> bool:
    others = (channel for channel in channels if channel is not but)
    # Those between two requests first, then those that have begun one.
    by_silence = sorted(
        others, key=lambda channel: (channel.request is not None, channel.last_activity)
    )
    silent = next((channel for channel in by_silence if channel.waits_for_client()), None)
    if silent is not None:
        silent.handle_close()
    return silent is not None


def _too_many(most: int, lang: Lang) -> bytes:
    detail = Detail("connections", f"> {most}", WORDS["serve.few"].format(count=most))
    body = error_body("too_many_connections", WORDS["serve.too_many"], [detail], lang=lang)
    sent = json.dumps(body, ensure_ascii=False).encode()
    head = (
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent


@contextmanager
def _stopping_on_sigterm() -> Iterator[None]:

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _flush(server: TcpWSGIServer, sockets: dict[int, Any]) -> None:
    server.close()
    until = time.monotonic() + _FLUSH_SECONDS
    while time.monotonic() < until and any(each.writable() for each in sockets.values()):
        wasyncore.loop(timeout=0.1, use_poll=True, map=sockets, count=1)


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (read, not bound)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
