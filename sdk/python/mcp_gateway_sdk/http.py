"""Requests over HTTP, to the destinations that the configuration grants: `grant = { http = ["https://example.com"] }`.

The gateway sends them with its own client, adds the headers that the configuration names for a destination (a key need
never be in a guardrail), and follows no redirect. Requests and bytes are limited for each message, and the time is that of
the check. The guardrail's world (`wit/world.wit`) has to import it, `import wasi:http/outgoing-handler@0.2.0;`. Nothing
leaves while a guardrail is configured, nor for messages that nobody sent, such as examples; without a gateway nobody is
reached. Where there is no answer, an `HttpError` is raised.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Iterable, Mapping
from urllib.parse import urlsplit

from .contract import types
from .errors import HttpError

if types is None:
    wasi = None
else:
    from . import wasi


@dataclass(frozen=True)
class Response:
    """An answer, whatever its status."""

    status: int
    headers: list[tuple[str, bytes]]
    """Names in lower case."""
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of a name, which is in lower case."""
        return next((value.decode("latin-1") for is_, value in self.headers if is_ == name), None)

    def text(self) -> str:
        """The body, which is UTF-8."""
        return self.body.decode()

    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    patience: float | None = None,
) -> Response:
    """Sends a request, and waits for the whole answer.

    A header that the configuration adds takes the place of one of the same name. `patience` is how many seconds the
    answer may take to begin, and between any two pieces of it; at most as long as the check.
    """
    try:
        address = urlsplit(url)
    except ValueError:
        raise HttpError("refused", "its address is none") from None
    if address.scheme not in ("http", "https") or not address.netloc:
        raise HttpError("refused", "its address is none of http or https")
    if wasi is None:
        raise HttpError("unreachable", f"{address.netloc} is not reached outside of a gateway")
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return Response(*wasi.send(method, address, pairs, body, patience))


def get(url: str, **more: Any) -> Response:
    """Asks for what is at an address; `more` is that of `send`."""
    return send("GET", url, **more)


def post(url: str, body: bytes, **more: Any) -> Response:
    """Sends something to an address; `more` is that of `send`."""
    return send("POST", url, body=body, **more)
