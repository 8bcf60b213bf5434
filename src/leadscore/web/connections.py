"""What waitress leaves to us at the wire: one error body, a deadline, an honest goodbye."""

from __future__ import annotations

import json
import socket
from http import HTTPStatus
from typing import ClassVar

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask
from waitress.utilities import BadRequest

from leadscore.errors import Detail
from leadscore.language import Lang, Text
from leadscore.web.asked_language import preferred_language
from leadscore.web.errors import error_body, refusal

_LONGEST_LINE = 1024
"""Bytes of a chunk's size line or of the trailer after the last chunk."""
_SWALLOWED = 64 * 1024 * 1024
"""Bytes still read from a client that goes on sending after it was refused."""
_READ = 65_536

_WELL_FORMED = Text(
    zh="符合 HTTP/1.1 且不自相矛盾的请求",
    en="a request that HTTP/1.1 allows and that agrees with itself",
)


class Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Refuses what two servers could read in two ways, and endless lines."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the headers; what would break waitress itself is a bad request."""
        try:
            super().parse_header(header_plus)
        except ValueError as fault:  # thousands of digits, or a host that urlsplit refuses
            raise ParsingError("Malformed header") from fault
        framed_twice = self.chunked and "CONTENT_LENGTH" in self.headers
        if framed_twice or "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("Content-Length and Transfer-Encoding contradict each other")

    completed: bool

    def received(self, data: bytes) -> int:
        """Take in what has come; return how much of it belongs to this request."""
        consumed: int = super().received(data)
        if self.chunked and not self.completed:
            line = len(self.body_rcv.control_line) + len(self.body_rcv.trailer)
            if line > _LONGEST_LINE:
                self.error = BadRequest("Line of the chunked body too long")
                self.completed = True
        return consumed


class JsonErrorTask(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """Answers requests that never reach the application, in the same words as the application."""

    def execute(self) -> None:
        """Write the answer and close the connection."""
        error, channel = self.request.error, self.channel
        wish = self.request.headers.get("ACCEPT_LANGUAGE")
        code, message = refusal(error.code)
        body = error_body(
            code,
            message,
            [Detail("request", error.body, _WELL_FORMED)] if error.code < 500 else [],
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
        channel.refused = True
        self.write(sent)


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """One connection.

    A request must have come whole within waitress's ``channel_timeout`` from its first byte on,
    however busily it trickles. After a refusal our half of the connection is closed and what the
    client still sends is swallowed, else the reset would take our answer from it.
    """

    parser_class = Parser
    error_task_class = JsonErrorTask
    default_lang: ClassVar[Lang] = "en"
    last_activity: float
    refused = False
    lingering = False
    swallowed = 0

    def readable(self) -> bool:
        """Tell whether to read on."""
        return self.lingering or bool(super().readable())

    def handle_read(self) -> None:
        """Read; a byte in the middle of a request is no new sign of life."""
        if self.lingering:
            self._swallow()
            return
        begun, since = self.request, self.last_activity
        super().handle_read()
        if begun is not None and self.request is begun:
            self.last_activity = since

    def handle_write(self) -> None:
        """Send; after a refusal say goodbye first."""
        saying_goodbye = self.refused and self.close_when_flushed and not self.will_close
        if not saying_goodbye:
            super().handle_write()
            return
        self._flush_exception(self._flush_some)
        if not self.total_outbufs_len and not self.will_close:
            self._linger()

    def _linger(self) -> None:
        self.close_when_flushed = False
        self.lingering = True
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.handle_close()

    def _swallow(self) -> None:
        try:
            self.swallowed += len(self.recv(_READ))
        except OSError:
            self.handle_close()
            return
        if self.swallowed > _SWALLOWED:
            self.handle_close()
