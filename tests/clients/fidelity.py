"""Checks, byte by byte where it matters, what becomes of messages between a client and `mirror.py`.

usage: fidelity.py PREFIX DIARY COMMAND ARG...

PREFIX is what the names of tools begin with, DIARY the file that the mirror
writes. Prints a JSON object: what was checked, and what was wrong, or null.
"""

import contextlib
import json
import subprocess
import sys
import threading
import time

PATIENCE = 30
PREFIX, DIARY, COMMAND = sys.argv[1], sys.argv[2], sys.argv[3:]
CAPABILITIES = {
    "roots": {"listChanged": True},
    "sampling": {},
    "elicitation": {"form": {}, "url": {}},
    "extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html"]}},
    "com.example/ccap": {"z": 1},
}
ROOTS = {"roots": [{"uri": "file:///r", "x-root": 1}], "x-res": 1}
SAMPLED = {"role": "assistant", "model": "m", "content": {"type": "text", "text": "t", "x-c": 1}, "x-s": 1}

process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
stir = threading.Condition()
answers, asked, told, junk = {}, [], [], []
checked = {}
last = 0


def read():
    for raw in process.stdout:
        line = raw.decode("utf-8", "replace").rstrip("\n")
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        with stir:
            if not isinstance(message, dict):
                # An answer to a batch may be one.
                junk.append(line[:200])
            elif "method" not in message:
                answers[json.dumps(message.get("id"))] = (line, message)
            elif "id" in message:
                asked.append(message)
            else:
                told.append(message)
            stir.notify_all()
        if isinstance(message, dict) and "method" in message and "id" in message:
            result = ROOTS if message["method"] == "roots/list" else SAMPLED
            send({"jsonrpc": "2.0", "id": message["id"], "result": result})
    with stir:
        stir.notify_all()


def until(seen, patience=PATIENCE):
    """Waits until there is something to see; polls too, since a file tells nobody."""
    end = time.monotonic() + patience
    with stir:
        while not seen() and time.monotonic() < end:
            stir.wait(0.05)
        return bool(seen())


def write(line):
    try:
        process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        # It has ended; no answer will come.
        pass


def send(message):
    write(json.dumps(message, separators=(",", ":")))


def start(method, params=None, number=None):
    """Sends a request; returns its id."""
    global last
    last += 1
    number = last if number is None else number
    message = {"jsonrpc": "2.0", "id": number, "method": method}
    send(message if params is None else {**message, "params": params})
    return number


def answer(number):
    """The answer to a request: the line, and what it says; empty, if there is none."""
    key = json.dumps(number)
    until(lambda: key in answers or process.poll() is not None)
    return answers.pop(key, ("", {}))


def ask(method, params=None, number=None):
    return answer(start(method, params, number))


def call(tool, arguments=None, number=None, **more):
    return ask("tools/call", {"name": PREFIX + tool, "arguments": arguments or {}, **more}, number)


def text(message):
    try:
        return message["result"]["content"][0]["text"]
    except (KeyError, IndexError):
        return json.dumps(message)


def diary():
    try:
        with open(DIARY) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def check(name, holds, seen=""):
    checked[name] = None if holds else f"{seen}"[:500]


def notified(method, since):
    """Waits for a notification."""
    return until(lambda: any(note["method"] == method for note in told[since:]))


def the_session_opens():
    client = {"name": "fidelity", "version": "1", "title": "T", "x-ci": 1}
    params = {"protocolVersion": "2025-06-18", "capabilities": CAPABILITIES, "clientInfo": client}
    result = ask("initialize", params)[1].get("result", {})
    capabilities = result.get("capabilities", {})
    check("the version asked for is answered", result.get("protocolVersion") == "2025-06-18", result)
    known = "com.example/topcap" in capabilities and "extensions" in capabilities
    check("unknown capabilities of the server", known, capabilities)
    check("instructions", "mirror instructions" in (result.get("instructions") or ""), result)
    send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    until(lambda: "notification" in diary() and "initialize " in diary())
    seen = [line.split(" ", 1)[1] for line in diary().splitlines() if line.startswith("initialize ")]
    reached = json.loads(seen[-1]) if seen else {}
    there = all(key in reached.get("capabilities", {}) for key in CAPABILITIES)
    check("the client's capabilities reach the server", there, reached)
    check("the client's version reaches the server", reached.get("protocolVersion") == "2025-06-18", reached)
    check("the client's name reaches the server", reached.get("clientInfo") == client, reached)


def lists_are_whole():
    line, message = ask("tools/list", {})
    result = message.get("result", {})
    tools = {tool["name"]: tool for tool in result.get("tools", [])}
    mirror, odd = tools.get(PREFIX + "mirror", {}), tools.get(PREFIX + "odd", {})
    whole = "x-vendor" in mirror and mirror.get("execution") == {"taskSupport": "optional"}
    check("unknown fields of a tool", whole, sorted(mirror))
    whole = (
        mirror.get("_meta") == {"com.example/tool": {"b": 1, "a": 2}}
        and mirror.get("annotations", {}).get("x-vendor-hint") == 7
        and mirror.get("icons", [{}])[0].get("x-i") == 1
    )
    check("annotations, icons and _meta of a tool", whole, mirror)
    check("unknown fields of a list", result.get("x-list") == 1, sorted(result))
    check("large numbers in a list", "12345678901234567890" in line, line[:300])
    order = list(odd.get("outputSchema", {}).get("properties", {}))
    check("the order in an output schema", order == ["b", "a"], odd)


def requests_are_whole():
    global last
    last += 1
    write(
        '{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"%smirror",'
        '"arguments":{"zeta":1.0,"alpha":12345678901234567890,"s":"\\u00e9\\ud83d\\ude00","n":null},'
        '"x-param":{"q":1},"_meta":{"progressToken":"tok-1","com.example/trace":{"b":1,"a":2},'
        '"traceparent":"00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"}}}' % (last, PREFIX)
    )
    reached = text(answer(last)[1])
    params = parsed(reached).get("params", {})
    arguments, meta = params.get("arguments", {}), params.get("_meta", {})
    exact = '"zeta":1.0' in reached and '"alpha":12345678901234567890' in reached
    order = list(arguments)[:2] == ["zeta", "alpha"]
    check("the order and the numbers of arguments", exact and order, reached)
    check("an argument that is null", "n" in arguments, reached)
    check("unknown _meta of a request", "com.example/trace" in meta and "traceparent" in meta, reached)
    check("unknown params of a request", "x-param" in params, reached)
    bare = parsed(text(call("mirror")[1])).get("params", {})
    check("no progress token is made up", "progressToken" not in (bare.get("_meta") or {}), bare)


def parsed(words):
    try:
        return json.loads(words)
    except ValueError:
        return {}


def results_are_whole():
    line, message = call("odd")
    result = message.get("result", {})
    content = result.get("content", [{}])
    check("unknown fields of a result", "x-result" in result and content[0].get("x-vendor") is True, line)
    kinds = [item.get("type") for item in content]
    check("content of an unknown type", "com.example/custom" in kinds, line)
    exact = '"a":12345678901234567890' in line and '"b":1.0' in line
    check("the numbers of structured content", exact, line)
    check("_meta of a result", result.get("_meta", {}).get("com.example/r") == 1, line)
    message = call("echo", {"text": "a"}, number="an-id-ü")[1]
    check("an id that is a text", text(message) == "a", message)
    message = ask("ping", {})[1]
    check("ping", message.get("result") == {}, message)


def notifications_are_whole():
    before = len(told)
    call("progress", {"steps": 20}, _meta={"progressToken": "my-token"})
    heard = [note["params"] for note in told[before:] if note["method"] == "notifications/progress"]
    check("all progress comes before the answer", len(heard) == 20, heard)
    own = all(params.get("progressToken") == "my-token" for params in heard)
    check("progress has the client's token", heard and own, heard[:1])
    check("progress comes in order", [params.get("progress") for params in heard] == list(range(1, 21)), heard)
    whole = heard and heard[0].get("x-extra") == 1 and heard[0].get("message") == "step 1"
    check("unknown fields of progress", whole, heard[:1])

    before = len(told)
    call("vendor_notify")
    check("an unknown notification", notified("notifications/com.example/ping", before), told[before:])
    before = len(told)
    call("grow")
    check("list_changed", notified("notifications/tools/list_changed", before), told[before:])
    tools = ask("tools/list", {})[1].get("result", {}).get("tools", [])
    there = any(tool["name"] == PREFIX + "extra_0" for tool in tools)
    check("the list is fresh after it", there, [tool["name"] for tool in tools])


def questions_are_whole():
    given = text(call("ask_roots")[1])
    check("roots", '"file:///r"' in given and "x-root" in given and "x-res" in given, given)
    before = len(asked)
    given = text(call("ask_sampling")[1])
    check("sampling", "x-c" in given and "x-s" in given, given)
    params = [question["params"] for question in asked[before:] if question["method"] == "sampling/createMessage"]
    whole = params and "x-vendor" in params[0] and "x-v" in params[0]["messages"][0]["content"]
    check("unknown fields of a question", whole, params)


def the_unknown_passes():
    message = ask("com.example/custom", {"z": 1})[1]
    check("an unknown method", message.get("result") == {"got": {"z": 1}, "x": 1}, message)
    error = ask("com.example/none", {"z": 1})[1].get("error", {})
    whole = error.get("code") == -32601 and error.get("data", {}).get("x-data") == [1]
    check("an error and its data", whole, error)
    error = call("nope-tool")[1].get("error", {})
    check("an unknown tool is an error of the protocol", error.get("code") == -32602, error)


def calls_are_cancelled():
    number = start("tools/call", {"name": PREFIX + "sleep", "arguments": {"seconds": 6}})
    until(lambda: "asleep" in diary())
    params = {"requestId": number, "reason": "user"}
    send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})
    check("a cancellation reaches the server", until(lambda: "cancelled" in diary()), diary())
    message = call("echo", {"text": "b"})[1]
    check("it lives after a cancellation", text(message) == "b", message)
    check("a cancelled call is not answered", json.dumps(number) not in answers, answers)


def calls_run_beside_each_other():
    slow = start("tools/call", {"name": PREFIX + "sleep", "arguments": {"seconds": 2}})
    message = call("echo", {"text": "fast"})[1]
    first = json.dumps(slow) not in answers
    check("a slow call holds up no fast one", text(message) == "fast" and first, message)
    answer(slow)


def odd_input_is_survived():
    message = call("garbage")[1]
    check("it survives what is no message of the server", text(message) == "after garbage", message)
    check("what is no message is not passed on", not junk, junk)
    write("{not json")
    message = call("echo", {"text": "c"})[1]
    check("it survives what is no message of the client", text(message) == "c", message)
    write('[{"jsonrpc":"2.0","id":9001,"method":"ping"}]')
    message = call("echo", {"text": "d"})[1]
    check("it survives a batch", text(message) == "d", message)
    size = 20_000_000
    message = call("echo", {"text": "x" * size})[1]
    check("a message of 20 MB", len(text(message)) == size, str(message)[:200])
    write(
        '{"jsonrpc":"2.0","id":777001,"method":"tools/call","params":{"name":"%secho",'
        '"arguments":{"text":"lone \\ud83d end"}}}' % PREFIX
    )
    message = answer(777001)[1]
    check("half of a surrogate pair", "lone" in text(message), message)
    message = call("echo", {"text": "alive"})[1]
    check("it lives after all that", text(message) == "alive", message)


def the_end_comes():
    message = call("crash")[1]
    failed = "error" in message or message.get("result", {}).get("isError")
    check("a call is answered when its server crashes", failed, message)
    message = call("echo", {"text": "after"})[1]
    check("there are answers after a crash", message, message)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    left = until(lambda: process.poll() is not None)
    check("it ends when the client leaves", left, "still there")


threading.Thread(target=read, daemon=True).start()
try:
    the_session_opens()
    lists_are_whole()
    requests_are_whole()
    results_are_whole()
    notifications_are_whole()
    questions_are_whole()
    the_unknown_passes()
    calls_are_cancelled()
    calls_run_beside_each_other()
    odd_input_is_survived()
    the_end_comes()
finally:
    process.kill()
print(json.dumps(checked, ensure_ascii=False))
