"""Hides the name of an internal project."""

import re

from mcp_gateway_sdk import Example, Guardrail, component

NAME = re.compile("BLUEBIRD")


class MyGuardrail(Guardrail):
    name = "my-guardrail"
    version = "0.1.0"
    description = "Hides the name of an internal project."

    def examples(self):
        yield Example(["BLUEBIRD 2"], "redact", ["<CODENAME> 2"])

    def check(self, message, verdict):
        for text in message.texts:
            verdict.mask_all(text, NAME, "codename", "<CODENAME>")


Guardrail = component(MyGuardrail)
