"""Write guardrails for mcp-gateway in Python: see the README."""

from .component import component
from .guardrail import Example, Guardrail, Interest, only_keys
from .message import EarlierFinding, Message, Place, Text
from .verdict import Finding, Outcome, Rule, Verdict

__all__ = [
    "EarlierFinding",
    "Example",
    "Finding",
    "Guardrail",
    "Interest",
    "Message",
    "Outcome",
    "Place",
    "Rule",
    "Text",
    "Verdict",
    "component",
    "only_keys",
]
