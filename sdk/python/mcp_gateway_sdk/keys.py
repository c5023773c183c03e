"""Secret keys, for tokens that nobody else can make or link.

They are derived from a secret of the installation, which no guardrail sees; no two guardrails have a key in common. The
configuration has to grant it, `grant = { keys = true }`, and the guardrail's world (`wit/world.wit`) to import it,
`import mcp-gateway:guardrail/keys@0.1.0;`. Examples, and tests without a gateway, have keys of a secret that is none. A
configuration cannot derive keys.
"""

from __future__ import annotations

from .contract import types as _types

if _types is None:
    import hashlib

    _keys = None
else:
    try:
        from wit_world.imports import keys as _keys
    except ImportError:
        raise ImportError(
            "wit/world.wit does not ask for it: write `import mcp-gateway:guardrail/keys@0.1.0;` within the braces of its world"
        ) from None


def derive(scope: str, purpose: str) -> bytes:
    """The key for a purpose: 32 bytes. Another purpose has an unrelated key.

    For the scope `session` it is of this session alone; for `global` it stays the same, in all sessions and after the
    gateway was started anew.
    """
    if _keys is None:
        return hashlib.sha256(f"no secret {scope} {purpose}".encode()).digest()
    return _keys.derive(_types.Scope[scope.upper()], purpose)
