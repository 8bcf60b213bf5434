"""What no setting of waitress does: one framing, one error body, and a deadline for requests."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import ClassVar

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask

from leadscore.errors import Detail
from leadscore.language import Lang, Text
from leadscore.web.asked_language import preferred_language
from leadscore.web.errors import error_body, refusal

_WELL_FORMED = Text(
    zh="符合 HTTP/1.1 且不自相矛盾的请求",
    en="a request that HTTP/1.1 allows and that agrees with itself",
)


class Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
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
        self.write(sent)


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """One connection; the three things for which waitress has no setting.

    A request must have come whole within waitress's ``channel_timeout`` from its first byte on,
    however busily it trickles; waitress itself counts from the last byte.
    """

    parser_class = Parser
    error_task_class = JsonErrorTask
    default_lang: ClassVar[Lang] = "en"
    last_activity: float

    def handle_read(self) -> None:
        """Read; a byte in the middle of a request is no new sign of life."""
        begun, since = self.request, self.last_activity
        super().handle_read()
        if begun is not None and self.request is begun:
            self.last_activity = since
