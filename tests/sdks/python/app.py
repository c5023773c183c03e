"""Does what it is told, by all that the SDK has."""

import re

from mcp_gateway_sdk import Example, Guardrail, HttpError, Interest, Rule, component, http, keys, log, state


class All(Guardrail):
    name = "all"
    version = "0.1.0"
    description = "Does what it is told."
    wants = [Interest(["tools/*"], ["request", "response"], ["to-server", "to-client"])]
    config_schema = {"type": "object"}

    def examples(self):
        yield Example(["SECRET é"], "redact", ["<S> é"])
        yield Example(["block"], "block", direction="to-server")

    def check(self, message, verdict):
        for text in message.texts:
            verdict.mask_all(text, re.compile("SECRET"), "secret", "<S>")
            long = Rule("long", 0.5, "a remark")
            verdict.mask_all(text, re.compile("SECRET-LONG"), long, lambda match: "<L>")
            for match in re.finditer("MARK", text):
                verdict.mark(text, match.start(), match.end(), "mark")
            told = getattr(self, f"told_{text}", None)
            if told is not None:
                told(verdict, message, text)
            if text.startswith("post "):
                self.post(verdict, *text.split(" ", 2)[1:])

    def post(self, verdict, url, body):
        try:
            answer = http.post(url, body.encode(), headers={"x-guardrail": "all"}, patience=5)
        except HttpError as error:
            verdict.block(f"{error.kind}: {error}")
        else:
            size = len(answer.body)
            verdict.block(f"{answer.status} {answer.header('x-answer')} {size} {answer.text()[:40]}")

    def told_note(self, verdict, message, text):
        verdict.note("noted")

    def told_block(self, verdict, message, text):
        verdict.block("as told")

    def told_ask(self, verdict, message, text):
        verdict.ask("may it?")

    def told_fail(self, verdict, message, text):
        # The words of an exception stay with those who debug it, so its name says it: it cannot.
        raise type("cannot", (Exception,), {})("words")

    def told_envelope(self, verdict, message, text):
        subject = message.subject or ""
        verdict.block(f"{message.server} {message.method} {message.kind} {message.direction} {subject}")

    def told_place(self, verdict, message, text):
        place = message.place(text)
        verdict.block(f"{place.pointer} {place.role}")

    def told_value(self, verdict, message, text):
        more = "no more" if message.value("/content/1") is None else "more"
        verdict.block(f"type {message.value('/content/0/type')}, {more}")

    def told_payload(self, verdict, message, text):
        verdict.block(f"{len(message.payload()['content'])} content")

    def told_request(self, verdict, message, text):
        request = message.request()
        verdict.block("none" if request is None else request["name"])

    def told_earlier(self, verdict, message, text):
        for it in message.earlier_findings():
            verdict.block(f"{it.guardrail} found {it.rule}")

    def told_elapsed(self, verdict, message, text):
        if message.elapsed() > 0:
            verdict.block("some time passed")

    def told_add(self, verdict, message, text):
        verdict.add("/b", ["é"])

    def told_replace(self, verdict, message, text):
        verdict.replace("/a", 7)

    def told_remove(self, verdict, message, text):
        verdict.remove("/a")

    def told_count(self, verdict, message, text):
        verdict.block(f"counted {state.increment('session', 'n', 2, 60)}")

    def told_keep(self, verdict, message, text):
        state.set("session", "k", "kept é".encode(), 60)
        verdict.block(state.get("session", "k").decode())

    def told_forget(self, verdict, message, text):
        verdict.block("forgotten" if state.remove("session", "k") else "never known")

    def told_swap(self, verdict, message, text):
        def swap(expected, value):
            return str(state.compare_and_swap("session", "s", expected, value, 60)).lower()

        swapped = [swap(b"one", b"two"), swap(None, b"one"), swap(None, b"three"), swap(b"one", "two é".encode())]
        verdict.block(f"{' '.join(swapped)} {state.get('session', 's').decode()}")

    def told_tell(self, verdict, message, text):
        state.set("global", "g", b"told")
        verdict.block("told all")

    def told_hear(self, verdict, message, text):
        verdict.block(f"heard {(state.get('global', 'g') or b'nothing').decode()}")

    def told_key(self, verdict, message, text):
        verdict.block(" ".join(keys.derive("session", purpose).hex() for purpose in ("p", "p", "q")))

    def told_log(self, verdict, message, text):
        for level in (log.error, log.warn, log.info, log.debug):
            level("a line é")


Guardrail = component(All)
