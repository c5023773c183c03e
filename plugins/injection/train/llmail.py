"""Mails that were sent to the assistant of LLMail-Inject, as lines for the trainer's folder.

    pip install --no-deps prompt-armor==0.9.1
    python llmail.py FOLDER

The package brings a part of the public data set along (12,647 mails, with the address that they name written over).
Participants sent the same mail again and again with small changes, so mails are put together that share much of their
words, and a few of each such group are taken. A group is in one of two halves, by a hash: the misses of `llmail-a` may
be read by who writes rules, those of `llmail-b` are only counted.
"""

import hashlib
import importlib.util
import json
import pathlib
import re
import sys
from collections import Counter, defaultdict

# So many mails of a group, and of a half.
EACH = 2
MOST = 1000
# So many of the least hashes of four words stand for a mail; two mails with so many in common are of a group.
HASHES = 24
SHARED = 8


def number(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def sketch(text):
    words = re.findall(r"\w+", text.lower())
    pieces = {" ".join(words[at : at + 4]) for at in range(max(1, len(words) - 3))}
    return sorted(map(number, pieces))[:HASHES]


def groups(texts):
    """Texts that share much, each group by the number of its first."""
    parent = list(range(len(texts)))

    def root(index):
        while parent[index] != index:
            parent[index] = index = parent[parent[index]]
        return index

    holders = defaultdict(list)
    for index, text in enumerate(texts):
        common = Counter()
        pieces = sketch(text)
        for piece in pieces:
            common.update(holders[piece][:50])
            holders[piece].append(index)
        for other, count in common.items():
            if count >= min(SHARED, len(pieces)):
                parent[root(index)] = root(other)
    found = defaultdict(list)
    for index in range(len(texts)):
        found[root(index)].append(texts[index])
    return found.values()


def main(folder):
    package = pathlib.Path(importlib.util.find_spec("prompt_armor").submodule_search_locations[0])
    rows = map(json.loads, (package / "data/attacks/known_attacks.jsonl").open())
    texts = sorted({row["text"] for row in rows if row["source"] == "llmail-inject"}, key=number)
    halves = {"a": [], "b": []}
    for group in sorted(groups(texts), key=lambda group: number(group[0])):
        halves["ab"[number(group[0]) & 1]] += [(text, group[0]) for text in group[:EACH]]
    for half, mails in halves.items():
        print(f"llmail-{half}: {min(MOST, len(mails))} of {len(mails)}")
        with (pathlib.Path(folder) / f"llmail-{half}.jsonl").open("w") as file:
            for text, group in mails[:MOST]:
                row = {"text": text, "label": 1, "source": f"llmail-{half}", "context": "tool_result"}
                print(json.dumps(row | {"group": number(group) % 10**9}), file=file)


main(sys.argv[1])
