"""A server that shows what reached it, and says what no SDK would say.

It speaks both eras over stdio, without any library. Its tools:

  echo {text}        the same text
  mirror {…}         the request as it came in, as text
  odd                a result full of fields that nobody knows
  sleep {seconds}    can be cancelled
  progress {steps}   progress notifications, for the token that was given
  vendor_notify      a notification that nobody knows
  grow               one tool more, and says that the list has changed
  ask_roots, ask_sampling   asks the client; returns its answer as it came in
  crash              ends at once
  garbage            writes what is no message, then answers

It writes what happens to it into the file that MIRROR_LOG names.
"""

import json
import os
import sys
import threading

DIARY = os.environ.get("MIRROR_LOG")
VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
CAPABILITIES = {
    "tools": {"listChanged": True},
    "logging": {},
    "experimental": {"com.example/x": {"on": True}},
    "extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html"]}},
    "com.example/topcap": {"z": 1},
}
# As text: no library would keep these numbers.
ODD = (
    '{"zeta":1,"content":[{"type":"text","text":"odd","x-vendor":true,'
    '"annotations":{"priority":0.5,"x-a":1},"_meta":{"k":"v"}},'
    '{"type":"com.example/custom","payload":{"b":1,"a":2}},'
    '{"type":"resource_link","uri":"demo://x","name":"x","x-v":1,"size":10}],'
    '"structuredContent":{"b":1.0,"a":12345678901234567890,"c":1e30,"nul":null},'
    '"isError":false,"x-result":{"deep":[1,2,{"k":null}]},'
    '"_meta":{"com.example/r":1,"io.modelcontextprotocol/serverInfo":{"name":"m","version":"0","x":1}}}'
)

lock = threading.Lock()
grown = 0
cancelled = {}
pending = {}


def diary(*words):
    if DIARY:
        with open(DIARY, "a") as file:
            print(*words, file=file)


def write(line):
    with lock:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def send(message):
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        # A half of a surrogate pair, which some servers send: as an escape.
        text = json.dumps(message, separators=(",", ":"))
    write(text)


def tool(name, properties=None, **more):
    schema = {"type": "object", "properties": properties or {}}
    return {"name": name, "description": f"{name} tool", "inputSchema": schema, **more}


def tools():
    plain = ["vendor_notify", "grow", "ask_roots", "ask_sampling", "crash", "garbage"]
    return [
        tool("echo", {"text": {"type": "string"}}),
        tool(
            "mirror",
            {"any": {}},
            title="Mirror",
            execution={"taskSupport": "optional"},
            annotations={"readOnlyHint": True, "title": "ann", "x-vendor-hint": 7},
            icons=[{"src": "data:image/png;base64,AAAA", "sizes": ["48x48"], "theme": "dark", "x-i": 1}],
            _meta={"com.example/tool": {"b": 1, "a": 2}},
            **{"x-vendor": {"z": 1, "y": [1.0, 1e2, 12345678901234567890]}},
        ),
        tool(
            "odd",
            outputSchema={"type": "object", "properties": {"b": {}, "a": {}}, "$defs": {"Q": {"type": "null"}}},
        ),
        tool("sleep", {"seconds": {"type": "number"}}),
        tool("progress", {"steps": {"type": "integer"}}),
        *map(tool, plain),
        {
            "name": "schema_quirks",
            "description": "What a schema may say",
            "inputSchema": {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {
                    "u": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "in": {"type": "string"},
                    "class": {"const": 1},
                    "x-y.z": {"type": ["integer", "null"], "default": None},
                },
                "required": ["in"],
                "oneOf": [{"required": ["u"]}, {"required": ["class"]}],
                "additionalProperties": False,
                "unevaluatedProperties": False,
                "$defs": {"T": {"$ref": "#/$defs/T"}},
            },
        },
        *(tool(f"extra_{number}") for number in range(grown)),
    ]


def text(words):
    return {"content": [{"type": "text", "text": words}]}


def call(number, line, params):
    """The result of a call; none, if it was answered already or is not to be."""
    global grown
    name, arguments = params.get("name"), params.get("arguments") or {}
    if name == "echo":
        return text(arguments.get("text", ""))
    if name == "mirror":
        return text(line)
    if name == "odd":
        return write(f'{{"jsonrpc":"2.0","id":{json.dumps(number)},"result":{ODD}}}')
    if name == "sleep":
        diary("asleep", number)
        woken = cancelled.setdefault(number, threading.Event()).wait(arguments["seconds"])
        diary("cancelled" if woken else "slept", number)
        return None if woken else text("slept")
    if name == "progress":
        token, steps = (params.get("_meta") or {}).get("progressToken"), arguments["steps"]
        for step in range(1, steps + 1):
            told = {"progressToken": token, "progress": step, "total": steps}
            told |= {"message": f"step {step}", "x-extra": 1}
            send({"jsonrpc": "2.0", "method": "notifications/progress", "params": told})
        return text(f"{steps} steps")
    if name == "vendor_notify":
        send({"jsonrpc": "2.0", "method": "notifications/com.example/ping", "params": {"b": 1, "a": 2}})
        return text("sent")
    if name == "grow":
        grown += 1
        send({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        return text(f"grown {grown}")
    if name == "ask_roots":
        return text(ask(number, {"method": "roots/list"}))
    if name == "ask_sampling":
        said = {"role": "user", "content": {"type": "text", "text": "hi", "x-v": 1}}
        params = {"messages": [said], "maxTokens": 5, "x-vendor": 1}
        return text(ask(number, {"method": "sampling/createMessage", "params": params}))
    if name == "crash":
        os._exit(3)
    if name == "garbage":
        for junk in ["this is not json: npm WARN deprecated", "", "   "]:
            write(junk)
        return text("after garbage")
    raise LookupError(f"Unknown tool: {name}")


def ask(number, request):
    """Asks the client; its answer, as it came in."""
    asked = f"of {number}"
    answered = pending[asked] = [threading.Event(), None]
    send({"jsonrpc": "2.0", "id": asked, **request})
    return pending.pop(asked)[1] if answered[0].wait(30) else "no answer"


def initialized(params):
    asked = params.get("protocolVersion")
    return {
        "protocolVersion": asked if asked in VERSIONS else VERSIONS[-1],
        "capabilities": CAPABILITIES,
        "serverInfo": {"name": "mirror", "title": "Mirror", "version": "1", "x-si": 1},
        "instructions": "mirror instructions",
        "x-init": 1,
    }


def discovered():
    return {
        "supportedVersions": ["2026-07-28", VERSIONS[-1]],
        "capabilities": CAPABILITIES,
        "instructions": "mirror instructions",
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "mirror", "version": "1"}},
    }


def handle(line, message):
    number, method, params = message["id"], message["method"], message.get("params") or {}
    modern = "io.modelcontextprotocol/protocolVersion" in (params.get("_meta") or {})
    error = None
    if method == "initialize":
        diary("initialize", json.dumps(params))
        result = initialized(params)
    elif method == "server/discover":
        result = discovered()
    elif method in ("ping", "logging/setLevel"):
        result = {}
    elif method == "tools/list":
        result = {"tools": tools(), "x-list": 1}
        if modern:
            result |= {"ttlMs": 1000, "cacheScope": "public"}
    elif method == "com.example/custom":
        result = {"got": params, "x": 1}
    elif method == "tools/call":
        try:
            result = call(number, line, params)
        except LookupError as unknown:
            error = {"code": -32602, "message": str(unknown), "data": {"x-data": 1}}
    else:
        error = {"code": -32601, "message": "Method not found", "data": {"method": method, "x-data": [1]}}
    if error is not None:
        send({"jsonrpc": "2.0", "id": number, "error": error})
    elif result is not None:
        if modern:
            result.setdefault("resultType", "complete")
        send({"jsonrpc": "2.0", "id": number, "result": result})


def came(line):
    try:
        message = json.loads(line)
    except ValueError as error:
        return send({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": str(error)}})
    if isinstance(message, list):
        return send([{"jsonrpc": "2.0", "id": one["id"], "result": {}} for one in message if "id" in one])
    if "method" not in message:
        if waiting := pending.get(message.get("id")):
            waiting[1] = line
            waiting[0].set()
    elif "id" not in message:
        diary("notification", line[:2000])
        if message["method"] == "notifications/cancelled":
            number = message["params"]["requestId"]
            cancelled.setdefault(number, threading.Event()).set()
    elif message["method"] == "tools/call" and message["params"]["name"] in ("sleep", "ask_roots", "ask_sampling"):
        threading.Thread(target=handle, args=(line, message), daemon=True).start()
    else:
        handle(line, message)


print("the mirror is up", file=sys.stderr, flush=True)
for received in sys.stdin:
    if received := received.rstrip("\r\n"):
        came(received)
diary("end of input")
