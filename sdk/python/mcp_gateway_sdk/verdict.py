"""Collects findings, and makes an outcome of them that keeps the contract."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace as changed
from typing import Any, Callable

from .message import Text


@dataclass(frozen=True)
class Rule:
    """A rule that fired. Neither identifier nor note may hold what was found."""

    id: str
    """Short and stable, such as `aws-access-key`."""
    confidence: float = 1.0
    """How sure it is, from 0 to 1."""
    note: str | None = None
    """A remark for the person who reads the audit trail."""


@dataclass(frozen=True)
class Finding:
    """What was found; the span is in bytes of all texts."""

    rule: Rule
    span: tuple[int, int] | None = None
    replacement: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What becomes of a message."""

    decision: str
    """`pass`, `redact`, `patch`, `block` or `ask`."""
    findings: list[Finding]
    reason: str | None = None
    """Why it is refused, or what is asked."""
    patch: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Operations: `add`, `replace` or `remove`, a JSON Pointer, a JSON text."""


@dataclass(frozen=True)
class _Claim:
    text: Text
    start: int
    end: int
    rule: Rule
    replacement: str | None = None

    @property
    def key(self) -> tuple[int, int, int]:
        return self.text.index, self.start, -self.end

    def is_before(self, other: _Claim) -> bool:
        same = self.text.index == other.text.index
        return self.end <= other.start if same else self.text.index < other.text.index


class Verdict:
    """Collects what was found.

    Places are those of Python strings. They may come in any order and overlap: masks that overlap become one, which
    covers all of them. To block goes before to ask, before a patch, before masks.
    """

    def __init__(self) -> None:
        self._masks: list[_Claim] = []
        self._marks: list[_Claim] = []
        self._notes: list[Finding] = []
        self._patch: list[tuple[str, str, str | None]] = []
        self._refusal: str | None = None
        self._question: str | None = None

    def mask(self, text: Text, start: int, end: int, rule: Rule | str, replacement: str) -> None:
        """Replaces a part of a text."""
        self._masks.append(_claim(text, start, end, rule, replacement))

    def mask_all(
        self,
        text: Text,
        pattern: re.Pattern[str],
        rule: Rule | str,
        replacement: str | Callable[[re.Match[str]], str],
    ) -> None:
        """Replaces all that a pattern matches."""
        for match in pattern.finditer(text):
            if match.end() > match.start():
                by = replacement if isinstance(replacement, str) else replacement(match)
                self.mask(text, match.start(), match.end(), rule, by)

    def mark(self, text: Text, start: int, end: int, rule: Rule | str) -> None:
        """Reports a part of a text, and leaves it as it is."""
        self._marks.append(_claim(text, start, end, rule, None))

    def note(self, rule: Rule | str) -> None:
        """Reports something about the whole message."""
        self._notes.append(Finding(_rule(rule)))

    def add(self, pointer: str, value: Any) -> None:
        """Inserts into an array of the payload (`-` appends), or sets an object's member."""
        self._patch.append(("add", pointer, json.dumps(value)))

    def replace(self, pointer: str, value: Any) -> None:
        """Replaces a value of the payload."""
        self._patch.append(("replace", pointer, json.dumps(value)))

    def remove(self, pointer: str) -> None:
        """Removes a value of the payload. Operations apply in order: remove from the end of an array."""
        self._patch.append(("remove", pointer, None))

    def block(self, reason: str) -> None:
        """Refuses the message. Model and person read the reason, so it must not hold what was found."""
        self._refusal = self._refusal or reason

    def ask(self, question: str) -> None:
        """Lets a person decide."""
        self._question = self._question or question

    def outcome(self) -> Outcome:
        """What all that was said comes to."""
        kept, lost = _resolve(self._masks, self._marks)
        findings = _in_bytes(kept) + [Finding(claim.rule) for claim in lost] + self._notes
        if self._refusal is not None:
            return Outcome("block", findings, self._refusal)
        if self._question is not None:
            return Outcome("ask", findings, self._question)
        if self._patch:
            return Outcome("patch", findings, patch=self._patch)
        return Outcome("redact" if self._masks else "pass", findings)


def _rule(rule: Rule | str) -> Rule:
    return Rule(rule) if isinstance(rule, str) else rule


def _claim(text: Text, start: int, end: int, rule: Rule | str, replacement: str | None) -> _Claim:
    rule = _rule(rule)
    if not 0 <= start < end <= len(text):
        raise IndexError(f"rule {rule.id!r}: {start}..{end} is no part of a text of {len(text)} characters")
    return _Claim(text, start, end, rule, replacement)


def _resolve(masks: list[_Claim], marks: list[_Claim]) -> tuple[list[_Claim], list[_Claim]]:
    """What keeps its place, sorted, and what lost it: a mark does that overlaps a mask."""
    masks, lost = _merge(masks)
    if not marks:
        return masks, lost
    marks, lost_marks = _merge(marks)
    lost += lost_marks
    kept, behind = list(masks), 0
    for mark in marks:
        while behind < len(masks) and masks[behind].is_before(mark):
            behind += 1
        free = behind == len(masks) or mark.is_before(masks[behind])
        (kept if free else lost).append(mark)
    return sorted(kept, key=lambda claim: claim.key), lost


def _merge(claims: list[_Claim]) -> tuple[list[_Claim], list[_Claim]]:
    """Makes one claim of those that overlap, so that nothing that a rule wants hidden stays visible.

    The longest gives its rule and its replacement.
    """
    kept: list[_Claim] = []
    lost: list[_Claim] = []
    longest = 0
    for claim in sorted(claims, key=lambda claim: claim.key):
        length = claim.end - claim.start
        if not kept or kept[-1].is_before(claim):
            kept.append(claim)
            longest = length
            continue
        last = kept[-1]
        end = max(last.end, claim.end)
        if length > longest:
            longest = length
            kept[-1] = changed(claim, start=last.start, end=end)
            loser = last
        else:
            kept[-1] = changed(last, end=end)
            loser = claim
        # The same rule twice on the same place tells a person nothing.
        if loser.rule.id != kept[-1].rule.id:
            lost.append(loser)
    return kept, lost


def _in_bytes(claims: list[_Claim]) -> list[Finding]:
    """Findings of claims that are sorted."""
    findings = []
    text: Text | None = None
    char = byte = 0
    for claim in claims:
        if claim.text is not text:
            text, char, byte = claim.text, 0, claim.text.start
        if text.isascii():
            span = (text.start + claim.start, text.start + claim.end)
        else:
            start = byte + len(text[char : claim.start].encode())
            byte = start + len(text[claim.start : claim.end].encode())
            char = claim.end
            span = (start, byte)
        findings.append(Finding(claim.rule, span, claim.replacement))
    return findings
