"""Write guardrails for mcp-gateway in Python: see the README."""

from .component import component
from .errors import GatewayError, HttpError, StateError
from .guardrail import Example, Guardrail, Interest, only_keys
from .message import EarlierFinding, Message, Place, Text
from .verdict import Finding, Outcome, Rule, Verdict

__all__ = [
    "EarlierFinding",
    "Example",
    "Finding",
    "GatewayError",
    "Guardrail",
    "HttpError",
    "Interest",
    "Message",
    "Outcome",
    "Place",
    "Rule",
    "StateError",
    "Text",
    "Verdict",
    "component",
    "only_keys",
]
