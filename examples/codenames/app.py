"""Hides the names on a list."""

import re

from mcp_gateway_sdk import Example, Guardrail, component, only_keys

USUAL = {"BLUEBIRD": "<CODENAME>"}


class Codenames(Guardrail):
    name = "codenames"
    version = "0.1.0"
    description = "Hides the names on a list, such as those of projects that nobody is to hear of."
    config_schema = {
        "type": "object",
        "properties": {"names": {"type": "object", "additionalProperties": {"type": "string"}}},
        "additionalProperties": False,
    }

    def __init__(self, config):
        only_keys(config, ["names"])
        names = config.get("names", USUAL)
        if not isinstance(names, dict) or not all(isinstance(it, str) for it in names.values()):
            raise ValueError("names has to be a table of names, each with what takes its place")
        if not all(name.strip() for name in names):
            raise ValueError("names: a name is empty")
        self.names = {name.casefold(): by for name, by in names.items()}
        # Of two names that start alike the longer one; white space may be broken anew.
        longest = sorted(names, key=len, reverse=True)
        words = (r"\s+".join(map(re.escape, name.split())) for name in longest)
        self.pattern = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)" if names else r"(?!)", re.IGNORECASE)

    def examples(self):
        for name, by in self.names.items():
            yield Example([f"({name})"], "redact", [f"({by})"])
        yield Example(["Nothing is hidden here."], "pass")

    def check(self, message, verdict):
        for text in message.texts:
            verdict.mask_all(text, self.pattern, "codename", self.replacement)

    def replacement(self, match):
        return self.names[" ".join(match.group().casefold().split())]


Guardrail = component(Codenames)
