"""What the conformance suite has a client do: everything that the server offers, once.

usage: conformance.py [COMMAND ARG...] URL

With a command, it talks to that over stdio, and gives it the URL as
CONFORMANCE_URL; else to the URL itself. Where it has to log in, it opens the page
as a browser would; behind a gateway it first runs the command that it is told.
"""

import asyncio
import itertools
import json
import os
import re
import shlex
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.oauth2 import AuthorizationCodeResult
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata

VERSION = os.environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION", "2025-11-25")
CONTEXT = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
SCHEMA_TOOL = "json_schema_2020_12_tool"
PATIENCE = 20
LOG_INS = 3


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


async def opened(page):
    """Where a browser that opens this page is sent to."""
    async with httpx2.AsyncClient(trust_env=False) as browser:
        return (await browser.get(page)).headers["location"]


class Account:
    """What the client itself logs in with, kept in memory."""

    back_to = "http://localhost:3000/callback"
    tokens = client_info = came_back = None

    def __init__(self, url):
        ours = {"redirect_uris": [self.back_to], "client_name": "conformance"}
        if "client_id" in CONTEXT:
            known = {key: CONTEXT[key] for key in ("client_id", "client_secret")}
            method = "client_secret_basic"
            self.client_info = OAuthClientInformationFull(
                **ours, **known, token_endpoint_auth_method=method
            )
        self.provider = OAuthClientProvider(
            url, OAuthClientMetadata(**ours), self, self.open, self.code
        )

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client_info

    async def set_client_info(self, client_info):
        self.client_info = client_info

    async def open(self, page):
        self.came_back = await opened(page)

    async def code(self):
        query = parse_qs(urlsplit(self.came_back).query)
        said = {key: query[key][0] for key in ("code", "state", "iss") if key in query}
        return AuthorizationCodeResult(**said)


async def log_in(gateway, environment, result):
    """Does what a result says that one has to, if it says so."""
    text = " ".join(getattr(block, "text", "") for block in result.content)
    told = re.search("run `mcp-gateway (login .*?)`", text)
    if not told:
        return False
    command = [*gateway, *shlex.split(told[1]), "--no-browser"]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stderr=asyncio.subprocess.PIPE
    )
    async for line in process.stderr:
        if line.startswith(b"http"):
            async with httpx2.AsyncClient(trust_env=False) as browser:
                await browser.get(line.decode().strip(), follow_redirects=True)
    return await process.wait() == 0


async def call(client, behind, name, arguments):
    for _ in range(LOG_INS):
        result = await attempt(client.call_tool(name, arguments))
        if not (behind and result and result.is_error and await log_in(*behind, result)):
            break
        # A gateway looks for it a few times a second.
        await asyncio.sleep(1)


async def attempt(asked):
    try:
        return await asked
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)


async def main():
    *command, url = sys.argv[1:]
    # Its arguments are the configuration's.
    gateway = list(itertools.takewhile(lambda word: not word.startswith("--"), command))
    environment = {**os.environ, "CONFORMANCE_URL": url}
    if not command:
        account = Account(url).provider
        server = streamable_http_client(url, http_client=create_mcp_http_client(auth=account))
    else:
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
        behind = (gateway, environment) if gateway else None
        listed = await attempt(client.list_tools())
        if behind and not (listed and listed.tools):
            # A gateway lists nothing of a server that it is not logged in to.
            await call(client, behind, "anything", {})
            listed = await attempt(client.list_tools())
        # Beside each other, as a model that asks for several things would.
        await asyncio.gather(
            *(call(client, behind, *one) for one in calls(listed.tools if listed else []))
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
