"""Asks a server for everything that it has, and prints what came over the wire, as JSON.

What differs from run to run (times, random ids) is masked, so that what a server
says directly and what it says through a gateway can be compared.
"""

import argparse
import asyncio
import json
import re
import warnings

import anyio
import mcp_types as types
from mcp.client._probe import negotiate_auto
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPDeprecationWarning
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

import everything
from wire import Wire, tapped

PATIENCE = 30
VOLATILE = {
    r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}": "<uuid>",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?": "<moment>",
    r"\b\d{1,2}:\d\d:\d\d( ?[AP]M)?": "<time>",
    r"\b[0-9a-f]{32}\b": "<id>",
}


def masked(value):
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    if isinstance(value, str):
        for pattern, word in VOLATILE.items():
            value = re.sub(pattern, word, value)
    return value


class Probe:
    """A session, and what it saw, by the names of its steps."""

    def __init__(self, session, wire, prefix):
        self.session, self.wire, self.prefix = session, wire, prefix
        self.saw = {}

    async def step(self, name, asked):
        """Awaits an answer, and keeps what the wire carried for it; returns the result, if any."""
        before = len(self.wire.sent)
        failed = None
        try:
            with anyio.fail_after(PATIENCE + 5):
                await asked
        except Exception as error:
            failed = f"{type(error).__name__}: {error}"
        ids = [number for number in self.wire.sent[before:] if number in self.wire.answers]
        if not ids:
            self.saw[name] = {"no answer": failed}
            return {}
        answer = self.wire.answers[ids[-1]]
        kept = {key: answer[key] for key in ("result", "error") if key in answer}
        if failed is not None and "error" not in answer:
            kept["what the client makes of it"] = failed
        self.saw[name] = kept
        return kept.get("result") or {}

    async def step_with_questions(self, name, asked):
        """The same, and what the server asked meanwhile."""
        before = len(self.wire.asked)
        await self.step(name, asked)
        self.saw[f"{name}: asked"] = [
            {key: value for key, value in question.items() if key not in ("id", "jsonrpc")}
            for question in self.wire.asked[before:]
        ]

    @property
    def is_modern(self):
        return self.session.protocol_version in MODERN_PROTOCOL_VERSIONS

    def request(self, method, params=None, timeout=PATIENCE):
        """A request that the session has no words for."""
        if self.is_modern:
            meta = {
                "io.modelcontextprotocol/protocolVersion": self.session.protocol_version,
                "io.modelcontextprotocol/clientCapabilities": {},
            }
            params = {**(params or {}), "_meta": meta}
        return self.session._dispatcher.send_raw_request(method, params, {"timeout": timeout})

    def call(self, name, arguments=None, progress=None):
        name = self.prefix + name
        return self.session.call_tool(name, arguments or {}, progress_callback=progress)

    def ours(self, items):
        return [{**item, "name": item["name"].removeprefix(self.prefix)} for item in items]

    async def greet(self, mode):
        greeting = negotiate_auto(self.session) if mode == "auto" else self.session.initialize()
        await self.step("initialize", greeting)
        self.saw["version"] = self.session.protocol_version

    async def tools(self):
        tools, pages, cursor = [], 0, None
        while cursor or not pages:
            params = types.PaginatedRequestParams(cursor=cursor)
            result = await self.step("tools/list", self.session.list_tools(params=params))
            tools += result.pop("tools", [])
            pages, cursor = pages + 1, result.pop("nextCursor", None)
        self.saw["tools"] = self.ours(tools)
        self.saw["pages of tools"] = pages
        return [tool["name"] for tool in self.saw["tools"]]

    async def lists(self):
        """All other lists, also those that the server does not offer."""
        await self.step("resources/list", self.session.list_resources())
        await self.step("resources/templates/list", self.session.list_resource_templates())
        result = await self.step("prompts/list", self.session.list_prompts())
        if "prompts" in result:
            result["prompts"] = self.ours(result["prompts"])

    async def errors(self):
        await self.step("an unknown tool", self.call("does-not-exist"))
        await self.step("an unknown method", self.request("com.example/unknown", {"a": 1}))

    async def beside_each_other(self, tool, key):
        """Calls beside each other keep their identity."""
        answers = [None] * 16

        async def one(number):
            result = await self.call(tool, {key: f"call {number}"})
            answers[number] = result.content[0].text

        async with anyio.create_task_group() as tasks:
            for number in range(len(answers)):
                tasks.start_soon(one, number)
        self.saw["calls beside each other"] = answers


async def sample(_context, _params):
    text = types.TextContent(type="text", text="sampled by the probe")
    return types.CreateMessageResult(role="assistant", model="a-model", content=text, stop_reason="endTurn")


async def elicit(_context, params):
    if getattr(params, "mode", "form") == "url":
        return types.ElicitResult(action="accept")
    fields = params.requested_schema.get("properties", {})
    content = {name: filled(field) for name, field in fields.items()}
    kept = {name: value for name, value in content.items() if value is not None}
    return types.ElicitResult(action="accept", content=kept)


def filled(field):
    """A value for a field of a form."""
    if "default" in field:
        return field["default"]
    if field.get("enum"):
        return field["enum"][0]
    if field.get("oneOf"):
        return field["oneOf"][0]["const"]
    by_format = {"email": "a@b.co", "uri": "https://example.com", "date": "2020-01-02"}
    by_type = {"boolean": True, "number": 7, "integer": 7, "string": "a string"}
    return by_format.get(field.get("format"), by_type.get(field.get("type")))


async def run(asked, transport):
    async def roots(_context):
        return types.ListRootsResult(roots=[types.Root(uri=asked.root, name="a root")])

    wire = Wire()
    me = types.Implementation(name="probe", version="1", title="Probe")
    async with tapped(transport, wire) as streams:
        async with ClientSession(
            *streams,
            read_timeout_seconds=PATIENCE,
            sampling_callback=sample,
            elicitation_callback=elicit,
            list_roots_callback=roots,
            client_info=me,
        ) as session:
            probe = Probe(session, wire, asked.prefix)
            await probe.greet(asked.mode)
            if asked.profile == "everything":
                await everything.probe(probe)
            else:
                await probe.tools()
                for number, (name, arguments) in enumerate(json.loads(asked.calls)):
                    await probe.step(f"call {number}: {name}", probe.call(name, arguments))
                await probe.errors()
                await probe.lists()
            if not probe.is_modern:
                await probe.step("ping", session.send_ping())
            probe.saw["what the server asks for"] = sorted({ask["method"] for ask in wire.asked})
            probe.saw["what the server tells"] = sorted({note["method"] for note in wire.told})
    return masked(probe.saw)


def main():
    # What one era has and the other has not is the point here.
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mode", choices=["legacy", "auto"], default="legacy")
    arguments.add_argument("--profile", choices=["everything", "generic"], default="generic")
    arguments.add_argument("--prefix", default="", help="what the names of tools and prompts begin with")
    arguments.add_argument("--root", default="file:///a-root", help="the client's only root")
    arguments.add_argument("--calls", default="[]", help="for a generic server: [[TOOL, ARGUMENTS], …]")
    arguments.add_argument("--env", default="{}", help="variables for the command, as JSON")
    arguments.add_argument("--url")
    arguments.add_argument("command", nargs="*")
    asked = arguments.parse_args()
    if asked.url:
        transport = streamable_http_client(asked.url)
    else:
        command, *args = asked.command
        server = StdioServerParameters(command=command, args=args, env=json.loads(asked.env))
        transport = stdio_client(server, errlog=open("/dev/null", "w"))
    print(json.dumps(asyncio.run(run(asked, transport)), ensure_ascii=False))


main()
