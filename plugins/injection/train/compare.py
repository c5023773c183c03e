"""What other rules find in the texts that the trainer keeps score of: a table for SCORES.md.

    cargo run -p mcp-gateway-injection-train -- FOLDER --lines lines.jsonl
    pip install --no-deps mcp-gateway==1.2.1 cisco-ai-mcp-scanner==4.8.7 && pip install yara-python==4.5.4
    python compare.py lines.jsonl

The Python gateway (`mcp-gateway` of Lasso) has no guardrail of its own against injection, only the one that asks
Lasso's service. Its scanner has three lists of patterns for the descriptions of tools; any text is shown to them here.
Cisco's scanner has YARA rules, of which each match is a finding. Both are asked by their own code or data, as they
come; nothing of them is part of this project.
"""

import importlib.util
import json
import pathlib
import re
import sys
import types
from collections import defaultdict

import yara

HARD = {"atr", "docs-about-pi", "mailman", "skills-md", "notinject", "wildguard-benign", "own requests"}


def folder(package):
    return pathlib.Path(importlib.util.find_spec(package).submodule_search_locations[0])


def lasso():
    """The analyzer's lists. Its module is loaded alone, since the package needs much that is not used."""
    path = folder("mcp_gateway") / "security_scanner" / "tool_poisoning_analyzer.py"
    for name in ("mcp_gateway", "mcp_gateway.security_scanner"):
        sys.modules[name] = types.ModuleType(name)
    config = types.ModuleType("mcp_gateway.security_scanner.config")
    config.logger = None
    sys.modules["mcp_gateway.security_scanner.config"] = config
    spec = importlib.util.spec_from_file_location("analyzer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    analyzer = module.ToolAnalyzer()
    hidden = analyzer.hidden_instruction_patterns
    every = hidden + analyzer.sensitive_file_patterns + analyzer.sensitive_action_patterns
    finders = []
    for patterns in (hidden, every):
        patterns = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
        finders.append(lambda text, all=patterns: any(one.search(text) for one in all))
    return finders


def cisco():
    rules = (folder("mcpscanner") / "data" / "yara_rules").glob("*.yar*")
    rules = yara.compile(filepaths={path.stem: str(path) for path in rules})
    return lambda text: bool(rules.match(data=text.encode()))


def main(lines):
    hidden, every = lasso()
    columns = [("Lasso, hidden instructions", hidden), ("Lasso, all lists", every), ("Cisco YARA", cisco())]
    counts = defaultdict(lambda: [0] * (len(columns) + 2))
    for line in open(lines):
        row = json.loads(line)
        text, attack = row["text"], row["attack"]
        found = [row["warn"] >= 0] + [finds(text) for _, finds in columns]
        groups = [(attack, row["source"], row["context"])]
        if not attack:
            kind = "hard" if row["source"] in HARD else "ordinary"
            groups.append((attack, f"all {kind}", row["context"] if row["context"] == "tool_description" else "elsewhere"))
        for group in groups:
            counts[group][0] += 1
            for column, one in enumerate(found, 1):
                counts[group][column] += one
    names = " | ".join(["injection, warn"] + [name for name, _ in columns])
    print(f"| source | context | texts | {names} |")
    print("|---|---|--:|" + "--:|" * (len(columns) + 1))
    for (attack, source, context), (texts, *found) in sorted(counts.items(), key=lambda item: item[0]):
        if attack or source.startswith("all "):
            print(f"| {source} | {context} | {texts} | " + " | ".join(f"{it / texts:.4f}" for it in found) + " |")


main(sys.argv[1])
