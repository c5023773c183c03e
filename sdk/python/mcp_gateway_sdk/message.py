"""The message that is checked. Texts are strings as Python has them; what they are in bytes stays in here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Place:
    """Where a text stands."""

    pointer: str
    """The JSON Pointer of the value, or of the member whose key it is, from the root of the payload."""
    role: str
    """`key` or `value`."""


@dataclass(frozen=True)
class EarlierFinding:
    """What an earlier guardrail of the chain found in the message."""

    guardrail: str
    rule: str


class Text(str):
    """One text of a message: a string that knows where it stands."""

    index: int
    """Its number among the message's texts, from 0."""
    start: int
    """Where it starts among all texts, in bytes of UTF-8."""

    __slots__ = ("index", "start")

    def __new__(cls, value: str, index: int, start: int) -> Text:
        text = super().__new__(cls, value)
        text.index = index
        text.start = start
        return text


class Message:
    """The message that is being checked. What is a method here asks the gateway, which costs time."""

    def __init__(self, envelope: Any, texts: Any, details: Any) -> None:
        self.session: str = envelope.session
        """The client connection. Opaque."""
        self.exchange: int | None = envelope.exchange
        """Pairs a request with its progress and its response."""
        self.server: str = envelope.server
        """The server, as the gateway's configuration names it."""
        self.method: str = envelope.method
        """The MCP method; of an answer, the method that it answers."""
        self.kind: str = envelope.kind
        """`request`, `response`, … The set may grow: let what you do not know pass."""
        self.direction: str = _name(envelope.direction)
        """`to-server` or `to-client`."""
        self.subject: str | None = envelope.subject
        """The tool's or prompt's name as the server knows it, or the resource's URI."""
        self._texts = texts
        self._details = details

    @cached_property
    def texts(self) -> list[Text]:
        """Every string of the payload, values and object keys, in document order; long numbers, too."""
        joined, ends = self._texts.joined, self._texts.ends
        texts, start = [], 0
        if joined.isascii():
            for index, end in enumerate(ends):
                texts.append(Text(joined[start:end], index, start))
                start = end
        else:
            data = joined.encode()
            for index, end in enumerate(ends):
                texts.append(Text(data[start:end].decode(), index, start))
                start = end
        return texts

    def place(self, text: Text) -> Place | None:
        """Where a text stands."""
        place = self._details.place(text.index)
        return place and Place(place.pointer, _name(place.role))

    def payload(self) -> Any:
        """The payload: `params`, `result` or `error`."""
        return _parsed(self._details.payload())

    def value(self, pointer: str) -> Any:
        """The value at a JSON Pointer into the payload; `None` where there is none."""
        return _parsed(self._details.value(pointer))

    def request(self) -> Any:
        """For an answer or a progress notification: the `params` of its request."""
        return _parsed(self._details.request())

    def earlier_findings(self) -> list[EarlierFinding]:
        """What the earlier guardrails of the chain found in this message."""
        return [EarlierFinding(it.guardrail, it.rule) for it in self._details.earlier_findings()]

    def elapsed(self) -> int:
        """For an answer: microseconds since its request was sent on."""
        return self._details.elapsed()


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _name(case: Any) -> str:
    return case if isinstance(case, str) else case.name.lower().replace("_", "-")
