"""The official Python client: does what a plan says and prints what it saw.

The plan is a JSON object, the only argument: how to start the server or where
it is, what to take off the names of its tools and prompts, and what to ask it.
"""

import asyncio
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client


def plain(value):
    return json.loads(value.model_dump_json(by_alias=True, exclude_unset=True))


async def sample(_context, params):
    text = types.TextContent(type="text", text=f"sampled: {params.messages[0].content.text}")
    return types.CreateMessageResult(role="assistant", model="a-model", content=text)


async def roots(_context):
    return types.ListRootsResult(roots=[types.Root(uri="file:///a-root", name="a root")])


async def elicit(_context, _params):
    return types.ElicitResult(action="decline")


async def attempt(asked):
    try:
        return plain(await asked)
    except Exception as error:
        return {"error": [getattr(error, "code", None), str(error)]}


async def follow(plan, session):
    prefix = plan["prefix"]

    def ours(items):
        return [{**item, "name": item["name"].removeprefix(prefix)} for item in items]

    saw = {"welcome": plain(await session.initialize())}
    while True:
        tools = plain(await session.list_tools())
        saw["tools"] = ours(tools.pop("tools"))
        if plan.get("until", "") in ["", *(tool["name"] for tool in saw["tools"])]:
            break
        await asyncio.sleep(0.05)
    saw["with tools"] = tools
    if plan["prompts"]:
        saw["prompts"] = ours(plain(await session.list_prompts())["prompts"])
    if plan["resources"]:
        saw["resources"] = plain(await session.list_resources())
        saw["templates"] = plain(await session.list_resource_templates())
    progress = saw["progress"] = []

    async def note(*what):
        progress.append(what)

    saw["calls"] = [
        await attempt(session.call_tool(prefix + name, arguments, progress_callback=note))
        for name, arguments in plan["calls"]
    ]
    saw["got"] = [
        await attempt(session.get_prompt(prefix + name, arguments))
        for name, arguments in plan["prompts"]
    ]
    saw["read"] = [await attempt(session.read_resource(uri)) for uri in plan["resources"]]
    return saw


def transport(plan, errlog):
    if "url" in plan:
        return streamable_http_client(plan["url"])
    server = StdioServerParameters(command=plan["command"], args=plan["args"], env=plan["env"])
    return stdio_client(server, errlog=errlog)


async def main():
    plan = json.loads(sys.argv[1])
    callbacks = {}
    if plan.get("until"):
        callbacks = {
            "sampling_callback": sample,
            "list_roots_callback": roots,
            "elicitation_callback": elicit,
        }
    with open(os.devnull, "w") as nowhere:
        async with transport(plan, nowhere) as streams:
            async with ClientSession(*streams[:2], **callbacks) as session:
                print(json.dumps(await follow(plan, session)))


asyncio.run(main())
