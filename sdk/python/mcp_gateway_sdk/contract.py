"""The contract as componentize-py shows it; without a gateway there is none.

All that a component imports has to be imported while it is made, not later.
"""

try:
    from componentize_py_types import Err
except ImportError:
    Err = types = None
else:
    # Its module has the longer name where another package of the world has `types`, too, as `wasi:http` does.
    try:
        from wit_world.imports import mcp_gateway_guardrail_types as types
    except ImportError:
        from wit_world.imports import types
