"""Asks a guardrail without a gateway, so that plain Python tests its rule."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Iterator, Sequence

from .guardrail import TO_CLIENT, TO_SERVER, Guardrail
from .message import EarlierFinding, Message, Place
from .verdict import Outcome, Verdict


@dataclass(frozen=True)
class Sample:
    """A message to judge: a tool's result, unless said otherwise."""

    texts: Sequence[str] | None = None
    """The texts of the message; or its payload, of which they are then taken."""
    payload: Any = None
    request: Any = None
    method: str = "tools/call"
    direction: str = TO_CLIENT
    kind: str = ""
    subject: str | None = None

    def place(self, index: int) -> Place | None:
        return [Place(pointer, role) for pointer, role, _ in _all(self.payload, "")][index]

    def value(self, pointer: str) -> str | None:
        value = self.payload
        for step in pointer.split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            try:
                value = value[int(step) if isinstance(value, list) else step]
            except (KeyError, IndexError, TypeError, ValueError):
                return None
        return json.dumps(value)

    def earlier_findings(self) -> list[EarlierFinding]:
        return []

    def elapsed(self) -> int:
        return 0


@dataclass(frozen=True)
class Judged:
    """What became of a message: the decision, and its texts afterwards. Patches are not applied."""

    decision: str
    reason: str | None
    texts: list[str]
    rules: list[str]
    outcome: Outcome


def judge(guardrail: Guardrail, sample: Sample) -> Judged:
    """Lets a guardrail judge a message. What it does not want to see passes."""
    kind = sample.kind or ("request" if sample.direction == TO_SERVER else "response")
    texts = sample.texts
    if texts is None:
        texts = [text for _, _, text in _all(sample.payload, "")]
    data, ends = b"", []
    for text in texts:
        data += text.encode()
        ends.append(len(data))
    envelope = SimpleNamespace(
        session="session",
        exchange=1,
        server="server",
        method=sample.method,
        kind=kind,
        direction=sample.direction,
        subject=sample.subject,
    )
    details = SimpleNamespace(
        place=sample.place,
        value=sample.value,
        payload=lambda: json.dumps(sample.payload),
        request=lambda: None if sample.request is None else json.dumps(sample.request),
        earlier_findings=sample.earlier_findings,
        elapsed=sample.elapsed,
    )
    verdict = Verdict()
    if _wanted(guardrail, replace(sample, kind=kind)):
        shown = SimpleNamespace(joined=data.decode(), ends=ends)
        guardrail.check(Message(envelope, shown, details), verdict)
    outcome = verdict.outcome()
    edits = outcome.decision in ("redact", "patch")
    after = _redacted(data, ends, outcome) if edits else list(texts)
    rules = [finding.rule.id for finding in outcome.findings]
    return Judged(outcome.decision, outcome.reason, after, rules, outcome)


def examples_hold(guardrail: Guardrail) -> None:
    """Runs the examples of a guardrail, and raises an `AssertionError` at the first that fails."""
    for number, it in enumerate(guardrail.examples(), 1):
        sample = Sample(it.texts, method=it.method, direction=it.direction, kind=it.kind)
        judged = judge(guardrail, sample)
        if judged.decision != it.expects or (it.after and judged.texts != list(it.after)):
            raise AssertionError(f"example {number}: {judged.decision}, {judged.texts}")


def _wanted(guardrail: Guardrail, sample: Sample) -> bool:
    def called(pattern: str) -> bool:
        if pattern.endswith("/*"):
            return sample.method.startswith(pattern[:-1])
        return sample.method == pattern

    return not guardrail.wants or any(
        (not it.methods or any(map(called, it.methods)))
        and (not it.kinds or sample.kind in it.kinds)
        and (not it.directions or sample.direction in it.directions)
        for it in guardrail.wants
    )


def _redacted(data: bytes, ends: list[int], outcome: Outcome) -> list[str]:
    edits = [it for it in outcome.findings if it.span is not None and it.replacement is not None]
    texts, start = [], 0
    for end in ends:
        after, copied = b"", start
        for edit in edits:
            if start <= edit.span[0] < end:
                after += data[copied : edit.span[0]] + edit.replacement.encode()
                copied = edit.span[1]
        texts.append((after + data[copied:end]).decode())
        start = end
    return texts


def _all(value: Any, pointer: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, str):
        yield pointer, "value", value
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _all(inner, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for key, inner in value.items():
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            yield place, "key", key
            yield from _all(inner, place)
