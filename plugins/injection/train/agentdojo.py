"""Results of tools with and without AgentDojo's injections, as lines for the trainer's folder.

    pip install --no-deps agentdojo==0.1.35 && pip install pydantic[email] pyyaml docstring-parser deepdiff rich
    python agentdojo.py FOLDER

The tasks of each suite are done as the benchmark says that they are to be done, by its own tools in its own
environment: once with the harmless texts that stand where injections go, and once for each attack and each goal of the
suite. Results in which an injection is seen are attacks, the others are harmless. The model's name in an attack is
`MODEL`. The attacks that only make a model stop (`dos` and its like) have a source of their own.

What belongs together by suite and goal is in one of two halves, by a hash: the misses of `agentdojo-a` may be read by
who writes rules, those of `agentdojo-b` are only counted.
"""

import hashlib
import importlib.util
import json
import pathlib
import sys
import types
from collections import Counter

import yaml

MODEL = "gpt-4o-2024-05-13"
VERSION = "v1.2.2"
# So many tasks of a suite, at most: most of them read the same few mails and pages.
MOST = 8


def without_clients():
    """The package's pipeline is loaded without the clients of models, which are not used."""
    root = pathlib.Path(importlib.util.find_spec("agentdojo").submodule_search_locations[0])
    for name in ("agent_pipeline", "agent_pipeline.llms"):
        module = types.ModuleType(f"agentdojo.{name}")
        module.__path__ = [str(root / name.replace(".", "/"))]
        sys.modules[module.__name__] = module
    client = types.ModuleType("agentdojo.agent_pipeline.llms.google_llm")
    client.EMPTY_FUNCTION_NAME = ""
    sys.modules[client.__name__] = client
    sys.modules["agentdojo.agent_pipeline"].BasePipelineElement = object


# This file has the package's name, so it is not to be looked for here. Environments are read very often.
sys.path.pop(0)
yaml.SafeLoader = yaml.CSafeLoader
without_clients()
from agentdojo.agent_pipeline.ground_truth_pipeline import GroundTruthPipeline  # noqa: E402
from agentdojo.agent_pipeline.base_pipeline_element import BasePipelineElement  # noqa: E402
from agentdojo.attacks.attack_registry import ATTACKS, load_attack  # noqa: E402
import agentdojo.attacks  # noqa: E402, F401
from agentdojo.functions_runtime import FunctionsRuntime  # noqa: E402
from agentdojo.task_suite.load_suites import get_suites  # noqa: E402
from agentdojo.types import get_text_content_as_str  # noqa: E402


class Target(BasePipelineElement):
    name = MODEL

    def query(self, *_):
        raise NotImplementedError


def results(suite, task, injections):
    """What the tools give when a task is done in an environment."""
    environment = suite.load_and_inject_default_environment(injections)
    _, _, _, messages, _ = GroundTruthPipeline(task).query(task.PROMPT, FunctionsRuntime(suite.tools), environment)
    texts = [get_text_content_as_str(it["content"]) for it in messages if it["role"] == "tool"]
    return [text for text in texts if len(text) > 20]


def seen(injection, text):
    """Whether an injection is in a result, which may be wrapped and escaped: by its longest line."""
    letters = ["".join(filter(str.isalnum, it)) for it in (max(injection.split("\n"), key=len), text)]
    return letters[0] in letters[1]


def rows(suite):
    canaries = [f"<CANARY---{vector}--->" for vector in suite.get_injection_vector_defaults()]
    defaults = suite.get_injection_vector_defaults()
    tasks = {}
    for user in suite.user_tasks.values():
        for text in results(suite, user, {}):
            yield {"text": text, "label": 0, "source": "agentdojo", "group": suite.name, "attack": ""}
        marked = results(suite, user, dict(zip(defaults, canaries)))
        # A task whose results are those of another shows nothing new.
        marked = tuple(text for text in marked if any(seen(canary, text) for canary in canaries))
        tasks.setdefault(marked, user)
    tasks.pop((), None)
    tasks = sorted(tasks.items(), key=lambda item: hashlib.sha256(item[0][0].encode()).digest())
    for name in ATTACKS:
        attack = load_attack(name, suite, Target()) if name != "manual" else None
        for goal in suite.injection_tasks.values() if attack else ():
            group = f"{suite.name}/{goal.ID}"
            half = "ab"[hashlib.sha256(group.encode()).digest()[0] & 1]
            source = "agentdojo-dos" if attack.is_dos_attack else f"agentdojo-{half}"
            for _, user in tasks[:MOST]:
                injections = attack.attack(user, goal)
                for text in results(suite, user, injections):
                    if any(seen(injection, text) for injection in injections.values()):
                        yield {"text": text, "label": 1, "source": source, "group": group, "attack": name}


def main(folder):
    known = set()
    counts = Counter()
    with (pathlib.Path(folder) / "agentdojo.jsonl").open("w") as file:
        for suite in get_suites(VERSION).values():
            for row in rows(suite):
                key = " ".join(row["text"].lower().split())
                if key in known:
                    continue
                known.add(key)
                counts[row["source"], row["attack"]] += 1
                print(json.dumps(row | {"context": "tool_result"}), file=file)
    for (source, attack), count in sorted(counts.items()):
        print(f"{source} {attack}: {count}")


main(sys.argv[1])
