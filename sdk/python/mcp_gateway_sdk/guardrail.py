"""What an author writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Sequence

from .message import Message
from .verdict import Verdict

TO_CLIENT = "to-client"
TO_SERVER = "to-server"


@dataclass(frozen=True)
class Interest:
    """Messages that a guardrail wants to see; what is left out is not narrowed down."""

    methods: Sequence[str] = ()
    """MCP methods, such as `tools/call`; one that ends in `/*` stands for all that start so."""
    kinds: Sequence[str] = ()
    """`request`, `response`, `error`, `notification`, `log-line`, `record`."""
    directions: Sequence[str] = ()
    """`to-server`, `to-client`."""


@dataclass(frozen=True)
class Example:
    """A case that the guardrail ships about itself: the result of a tool, unless said otherwise."""

    texts: Sequence[str]
    expects: str
    """`pass`, `redact`, `patch`, `block` or `ask`."""
    after: Sequence[str] = ()
    """For `redact`: the texts afterwards."""
    method: str = "tools/call"
    direction: str = TO_CLIENT
    kind: str = field(default="")

    def __post_init__(self) -> None:
        if not self.kind:
            usual = "request" if self.direction == TO_SERVER else "response"
            object.__setattr__(self, "kind", usual)


class Guardrail:
    """A guardrail. Derive from it, and give `component` the class."""

    name: str
    version: str
    description: str
    """One sentence for a person who decides whether to use it."""
    wants: Sequence[Interest] = ()
    """The messages that it wants to see; all, if there is none."""
    config_schema: dict[str, Any] | None = None
    """A JSON Schema for the configuration."""

    def __init__(self, config: dict[str, Any]) -> None:
        """Takes the configuration.

        The gateway keeps a snapshot of the memory that this leaves behind: compile patterns here. No import of the
        gateway can be called. A `ValueError` refuses the configuration: it names the key at fault and the remedy.
        """
        only_keys(config, (), "it takes no configuration")

    def examples(self) -> Iterable[Example]:
        """Cases that hold under this configuration. The gateway runs all of them before a build goes live."""
        return ()

    def check(self, message: Message, verdict: Verdict) -> None:
        """Judges one message.

        What it raises means that it could not: the gateway then blocks, unless it is configured otherwise.
        """
        raise NotImplementedError


def only_keys(config: dict[str, Any], known: Iterable[str], remedy: str | None = None) -> None:
    """Refuses a configuration with a key that is none of these."""
    known = tuple(known)
    for key in config:
        if key not in known:
            raise ValueError(f"unknown key {key!r}: {remedy or 'it takes ' + ', '.join(known)}")
