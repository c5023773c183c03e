"""What there is to ask `@modelcontextprotocol/server-everything`: every feature of the protocol once."""

import json

import mcp_types as types

RESOURCES = {
    "text": "demo://resource/dynamic/text/1",
    "blob": "demo://resource/dynamic/blob/2",
    "static": "demo://resource/static/document/features.md",
    "compressed": "demo://resource/session/x.gz",
    "unknown": "demo://nope/1",
}


async def probe(probe):
    # Some tools are there only once the client has said what it can do, and soon
    # after that the server asks for roots.
    await probe.wire.until(lambda: any(ask["method"] == "roots/list" for ask in probe.wire.asked))
    await probe.tools()
    await content(probe)
    await errors(probe)
    await progress_and_cancellation(probe)
    await questions(probe)
    await tasks(probe)
    await probe.lists()
    await resources(probe)
    await prompts(probe)
    await what_takes_a_while(probe)
    await probe.beside_each_other("echo", "message")


async def content(probe):
    step, call = probe.step, probe.call
    await step("echo", call("echo", {"message": "hello ünï ☃ \u2028 \U0001f600"}))
    await step("get-sum", call("get-sum", {"a": 1.5, "b": 2}))
    await step("get-tiny-image", call("get-tiny-image"))
    for kind in ("error", "success", "debug"):
        arguments = {"messageType": kind, "includeImage": kind == "success"}
        await step(f"get-annotated-message {kind}", call("get-annotated-message", arguments))
    for place in ("New York", "Chicago"):
        await step(f"get-structured-content {place}", call("get-structured-content", {"location": place}))
    await step("get-resource-links", call("get-resource-links", {"count": 3}))
    arguments = {"resourceType": "Text", "resourceId": 3}
    await step("get-resource-reference", call("get-resource-reference", arguments))
    arguments = {"name": "x.gz", "data": "data:text/plain;base64,aGVsbG8=", "outputType": "resourceLink"}
    await step("gzip-file-as-resource", call("gzip-file-as-resource", arguments))
    result = await step("get-env", call("get-env"))
    # A gateway gives its servers what the configuration names, and little else.
    environment = json.loads(result["content"][0]["text"])
    probe.saw["get-env"] = {key: value for key, value in environment.items() if key.startswith("PROBE_")}


async def errors(probe):
    await probe.errors()
    await probe.step("wrong arguments", probe.call("get-sum", {"a": "x"}))
    params = {"name": probe.prefix + "echo"}
    await probe.step("missing arguments", probe.request("tools/call", params))


async def progress_and_cancellation(probe):
    heard = []

    async def note(progress, total, message):
        heard.append([progress, total, message])

    before = len(probe.wire.told)
    arguments = {"duration": 0.6, "steps": 3}
    await probe.step("progress", probe.call("trigger-long-running-operation", arguments, note))
    probe.saw["progress as the client hears it"] = heard
    probe.saw["progress on the wire"] = [
        {key: value for key, value in told["params"].items() if key != "progressToken"}
        for told in probe.wire.was_told("notifications/progress", before)
    ]
    params = {
        "name": probe.prefix + "trigger-long-running-operation",
        "arguments": {"duration": 3, "steps": 3},
    }
    await probe.step("cancelled", probe.request("tools/call", params, timeout=0.4))
    await probe.step("after it", probe.call("echo", {"message": "still alive"}))


async def questions(probe):
    ask, call = probe.step_with_questions, probe.call
    await ask("sampling", call("trigger-sampling-request", {"prompt": "a prompt", "maxTokens": 10}))
    await ask("a form", call("trigger-elicitation-request"))
    arguments = {"url": "https://example.com/x", "message": "m", "elicitationId": "e-1"}
    await ask("a url", call("trigger-url-elicitation", arguments))
    arguments = {"url": "https://example.com/y", "errorPath": True, "elicitationId": "e-2"}
    await probe.step("a url as an error", call("trigger-url-elicitation", arguments))
    await ask("roots", call("get-roots-list"))
    before = len(probe.wire.asked)
    await probe.session.send_roots_list_changed()
    probe.saw["roots are asked for again"] = await probe.wire.until(
        lambda: any(asked["method"] == "roots/list" for asked in probe.wire.asked[before:])
    )


async def tasks(probe):
    before = len(probe.wire.told)
    params = {
        "name": probe.prefix + "simulate-research-query",
        "arguments": {"topic": "probes"},
        "task": {"ttl": 60000},
    }
    created = await probe.step("tools/call as a task", probe.request("tools/call", params))
    if "task" in created:
        one = {"taskId": created["task"]["taskId"]}
        await probe.step("tasks/get", probe.request("tasks/get", one))
        await probe.step("tasks/list", probe.request("tasks/list", {}))
        await probe.step("tasks/result", probe.request("tasks/result", one))
        await probe.step("tasks/get afterwards", probe.request("tasks/get", one))
        told = probe.wire.was_told("notifications/tasks/status", before)
        probe.saw["states of the task"] = sorted({note["params"].get("status") for note in told})
    await probe.step("an unknown task", probe.request("tasks/get", {"taskId": "nope"}))


async def resources(probe):
    for name, uri in RESOURCES.items():
        result = await probe.step(f"resources/read {name}", probe.session.read_resource(uri))
        if name == "blob":
            # It holds the time of the day.
            for contents in result["contents"]:
                contents["blob"] = len(contents["blob"]) // 8


async def prompts(probe):
    def get(name, arguments=None):
        return probe.session.get_prompt(probe.prefix + name, arguments)

    step = probe.step
    await step("prompt", get("simple-prompt"))
    await step("prompt with arguments", get("args-prompt", {"city": "Oslo", "state": "x"}))
    await step("prompt without an optional argument", get("args-prompt", {"city": "Oslo"}))
    await step("prompt without a required argument", get("args-prompt", {}))
    arguments = {"resourceType": "Text", "resourceId": "1"}
    await step("prompt with a resource", get("resource-prompt", arguments))
    await step("an unknown prompt", get("nope"))

    complete = probe.session.complete
    prompt = types.PromptReference(name=probe.prefix + "completable-prompt")
    await step("completion", complete(prompt, {"name": "department", "value": "E"}))
    context = {"department": "Engineering"}
    asked = complete(prompt, {"name": "name", "value": ""}, context_arguments=context)
    await step("completion in a context", asked)
    template = types.ResourceTemplateReference(uri="demo://resource/dynamic/text/{resourceId}")
    await step("completion of a template", complete(template, {"name": "resourceId", "value": "1"}))


async def what_takes_a_while(probe):
    """The server logs, and updates what was subscribed to, every five seconds."""
    wire, step = probe.wire, probe.step
    uri = RESOURCES["text"]
    await step("logging/setLevel", probe.session.set_logging_level("debug"))
    await step("resources/subscribe", probe.session.subscribe_resource(uri))
    before = len(wire.told)
    await step("logging on", probe.call("toggle-simulated-logging"))
    await step("updates on", probe.call("toggle-subscriber-updates"))
    awaited = ["notifications/message", "notifications/resources/updated"]
    await wire.until(lambda: all(wire.was_told(method, before) for method in awaited))
    await step("logging off", probe.call("toggle-simulated-logging"))
    await step("updates off", probe.call("toggle-subscriber-updates"))
    probe.saw["an update"] = wire.was_told(awaited[1], before)[:1]
    probe.saw["a log message came"] = bool(wire.was_told(awaited[0], before))
    await step("resources/unsubscribe", probe.session.unsubscribe_resource(uri))
