"""What stands between a guardrail and the exports of the component."""

from __future__ import annotations

import json
from typing import Any

from . import log
from .contract import Err, types
from .errors import GatewayError
from .guardrail import Guardrail
from .message import Message
from .verdict import Finding, Outcome, Verdict


def component(guardrail: type[Guardrail]) -> type:
    """Makes of a guardrail what the component has to have, by the name `Guardrail`."""

    class Exports:
        configured: Guardrail

        def configure(self, config: str) -> Any:
            try:
                Exports.configured = guardrail(json.loads(config))
            except (ValueError, GatewayError) as error:
                raise Err(str(error)) from error
            return _manifest(Exports.configured)

        def check(self, envelope: Any, texts: Any, message: Any) -> Any:
            verdict = Verdict()
            try:
                Exports.configured.check(Message(envelope, texts, message), verdict)
                outcome = verdict.outcome()
            except GatewayError as error:
                raise Err(str(error)) from error
            except Exception as error:
                # Its words may quote the message, so they are for those who debug it.
                log.debug(f"{type(error).__name__}: {error}")
                raise Err(f"{type(error).__name__} at {_place(error)}") from error
            return _verdict(outcome)

    Exports.__name__ = "Guardrail"
    return Exports


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/')[-1]}:{trace.tb_lineno}"


def _manifest(guardrail: Guardrail) -> Any:
    direction = {"to-server": types.Direction.TO_SERVER, "to-client": types.Direction.TO_CLIENT}
    schema = guardrail.config_schema
    return types.Manifest(
        guardrail.name,
        guardrail.version,
        guardrail.description,
        [
            types.Interest(list(it.methods), list(it.kinds), [direction[way] for way in it.directions])
            for it in guardrail.wants
        ],
        None if schema is None else json.dumps(schema),
        [
            types.Example(
                it.method,
                it.kind,
                direction[it.direction],
                list(it.texts),
                types.Expectation[it.expects.upper()],
                list(it.after),
            )
            for it in guardrail.examples()
        ],
    )


def _verdict(outcome: Outcome) -> Any:
    decision = outcome.decision
    if decision == "pass":
        decided = types.Decision_Pass()
    elif decision == "redact":
        decided = types.Decision_Redact()
    elif decision == "patch":
        decided = types.Decision_Patch([_operation(*it) for it in outcome.patch])
    elif decision == "block":
        decided = types.Decision_Block(outcome.reason)
    else:
        decided = types.Decision_Ask(outcome.reason)
    return types.Verdict(decided, [_finding(it) for it in outcome.findings])


def _operation(operation: str, pointer: str, value: str | None) -> Any:
    if operation == "remove":
        return types.PatchOp_Remove(pointer)
    kind = types.PatchOp_Add if operation == "add" else types.PatchOp_Replace
    return kind(types.PatchValue(pointer, value))


def _finding(finding: Finding) -> Any:
    rule, span = finding.rule, finding.span
    where = None if span is None else types.Span(*span)
    return types.Finding(rule.id, where, finding.replacement, rule.confidence, rule.note)
