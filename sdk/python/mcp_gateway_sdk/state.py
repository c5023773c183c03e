"""Values that the gateway keeps for a guardrail; they outlive instances, faults and swaps.

The configuration has to grant it, `grant = { state = true }`, and the guardrail's world (`wit/world.wit`) to import it,
`import mcp-gateway:guardrail/state@0.1.0;`. Without a gateway values are kept in the process, whatever their seconds.
A scope is `session`, the client's, or `global`. What the gateway refuses to keep is a `StateError`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

from .contract import Err as _Err, types as _types
from .errors import StateError

if _types is None:
    _state = None
    _kept: dict[tuple[str, str], bytes] = {}
else:
    try:
        from wit_world.imports import state as _state
    except ImportError:
        raise ImportError(
            "wit/world.wit does not ask for it: write `import mcp-gateway:guardrail/state@0.1.0;` within the braces of its world"
        ) from None


def _scope(scope: str):
    return _types.Scope[scope.upper()]


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except _Err as error:
        reasons = {_state.StateError_Full: "full", _state.StateError_TooLarge: "too-large"}
        raise StateError(reasons.get(type(error.value), "not-a-number")) from None


def get(scope: str, key: str) -> bytes | None:
    """The value of a key."""
    if _state is None:
        return _kept.get((scope, key))
    return _state.get(_scope(scope), key)


def set(scope: str, key: str, value: bytes, seconds: int | None = None) -> None:
    """Sets a value, for as long as the store lasts or for some seconds."""
    if _state is None:
        _kept[scope, key] = value
        return
    with _refusals():
        _state.set(_scope(scope), key, value, seconds)


def remove(scope: str, key: str) -> bool:
    """Removes a value. Says whether there was one."""
    if _state is None:
        return _kept.pop((scope, key), None) is not None
    return _state.delete(_scope(scope), key)


def increment(scope: str, key: str, by: int = 1, seconds: int | None = None) -> int:
    """Adds to a number, which counts from 0, and gives the sum. The seconds run from the first call."""
    if _state is None:
        try:
            total = int(_kept.get((scope, key), b"0")) + by
        except ValueError:
            raise StateError("not-a-number") from None
        _kept[scope, key] = str(total).encode()
        return total
    with _refusals():
        return _state.increment(_scope(scope), key, by, seconds)


def compare_and_swap(
    scope: str, key: str, expected: bytes | None, value: bytes, seconds: int | None = None
) -> bool:
    """Sets a value if what is there is what is expected: these bytes, or nothing.

    Says whether it did; if not, all is as it was.
    """
    if _state is None:
        same = _kept.get((scope, key)) == expected
        if same:
            _kept[scope, key] = value
        return same
    with _refusals():
        return _state.compare_and_swap(_scope(scope), key, expected, value, seconds)
