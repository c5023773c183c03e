"""What the conformance suite has a client do: everything that the server offers, once.

usage: conformance.py [COMMAND ARG...] URL

With a command, it talks to that over stdio, and gives it the URL as
CONFORMANCE_URL; else to the URL itself.
"""

import asyncio
import json
import os
import sys

import mcp_types as types
from mcp import Client, StdioServerParameters

VERSION = os.environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION", "2025-11-25")
CONTEXT = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
SCHEMA_TOOL = "json_schema_2020_12_tool"
PATIENCE = 20


async def sample(_context, _params):
    text = types.TextContent(type="text", text="sampled")
    return types.CreateMessageResult(role="assistant", model="a-model", content=text)


async def elicit(_context, params):
    fields = getattr(params, "requested_schema", {}).get("properties", {})
    defaults = {name: field["default"] for name, field in fields.items() if "default" in field}
    return types.ElicitResult(action="accept", content=defaults)


async def roots(_context):
    return types.ListRootsResult(roots=[])


def calls(tools):
    """What to call, and with what."""
    if "toolCalls" in CONTEXT:
        return [(call["name"], call["arguments"]) for call in CONTEXT["toolCalls"]]
    schemas = {tool.name: tool.input_schema for tool in tools}
    if SCHEMA_TOOL in schemas:
        return [(name, {"schema": schemas[SCHEMA_TOOL]}) for name in schemas if name != SCHEMA_TOOL]
    return [(name, {"a": 5, "b": 3} if name == "add_numbers" else {}) for name in schemas]


async def attempt(asked):
    try:
        return await asked
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)


async def main():
    *command, url = sys.argv[1:]
    server = url
    if command:
        environment = {**os.environ, "CONFORMANCE_URL": url}
        server = StdioServerParameters(command=command[0], args=command[1:], env=environment)
    async with Client(
        server,
        mode="auto" if VERSION >= "2026" else "legacy",
        read_timeout_seconds=PATIENCE,
        sampling_callback=sample,
        elicitation_callback=elicit,
        list_roots_callback=roots,
        client_info=types.Implementation(name="conformance", version="1"),
    ) as client:
        offered = client.server_capabilities
        listed = await attempt(client.list_tools())
        # Beside each other, as a model that asks for several things would.
        await asyncio.gather(
            *(attempt(client.call_tool(*call)) for call in calls(listed.tools if listed else []))
        )
        if offered.resources:
            listed = await attempt(client.list_resources())
            for resource in listed.resources if listed else []:
                await attempt(client.read_resource(resource.uri))
        if offered.prompts:
            listed = await attempt(client.list_prompts())
            for prompt in listed.prompts if listed else []:
                await attempt(client.get_prompt(prompt.name))


asyncio.run(main())
