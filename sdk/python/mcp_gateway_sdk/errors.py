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
