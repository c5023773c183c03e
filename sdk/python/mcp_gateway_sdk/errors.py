"""What the gateway says no to. The words hold nothing of a message, so they are told where a guardrail lets them pass."""


class GatewayError(Exception):
    """The gateway does not do what it was asked for."""


class StateError(GatewayError):
    """Something is not kept: `full`, `too-large` or `not-a-number`."""

    WORDS = {
        "full": "the gateway has no more room for what this guardrail keeps",
        "too-large": "the key or the value is longer than the gateway keeps",
        "not-a-number": "what is kept is no number that can be counted on",
    }

    def __init__(self, reason: str) -> None:
        super().__init__(self.WORDS[reason])
        self.reason = reason


class HttpError(GatewayError):
    """There is no answer.

    - `refused`: the request did not leave, and another attempt will not, either; the words name the remedy.
    - `unreachable`: nobody is there to talk to. The request did not arrive.
    - `untrusted`: the other side is not whom it should be; its certificate is not trusted.
    - `timed-out`, `broken`: it took too long, or the connection ended. The request may have arrived.
    - `too-large`: the request, or its answer, is larger than one may be.
    """

    KINDS = {
        "refused": "the request does not leave",
        "unreachable": "nobody is reached",
        "untrusted": "the other side is not trusted",
        "timed-out": "there is no answer in time",
        "broken": "the connection broke",
        "too-large": "it is larger than it may be",
    }

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(f"{self.KINDS[kind]}: {words}")
        self.kind = kind
