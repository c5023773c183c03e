import re
import unittest

from mcp_gateway_sdk import Example, Guardrail, Interest, Rule, HttpError, StateError, http, keys, only_keys, state
from mcp_gateway_sdk.testing import Sample, examples_hold, judge


def guardrail(check, **members):
    """A guardrail that checks so."""
    about = {"name": "a", "version": "1.0.0", "description": "A test."}
    body = {**about, **members, "check": lambda self, message, verdict: check(message, verdict)}
    return type("Tested", (Guardrail,), body)({})


def hides_names(message, verdict):
    for text in message.texts:
        verdict.mask_all(text, re.compile("NAME"), "name", "<X>")


class Verdicts(unittest.TestCase):
    def test_places_are_counted_in_bytes_whatever_the_characters(self):
        texts = ["é😀 NAME ü NAME", "", "żółć", "𝄞NAME", "NAME"]
        judged = judge(guardrail(hides_names), Sample(texts))
        self.assertEqual(judged.texts, ["é😀 <X> ü <X>", "", "żółć", "𝄞<X>", "<X>"])
        self.assertEqual(judged.outcome.findings[0].span, (7, 11))

    def test_a_place_beyond_its_text_is_an_error(self):
        beyond = guardrail(lambda message, verdict: verdict.mask(message.texts[0], 1, 4, "r", ""))
        with self.assertRaisesRegex(IndexError, "no part of a text"):
            judge(beyond, Sample(["abc", "def"]))

    def test_masks_that_overlap_become_one_with_the_rule_of_the_longest(self):
        def both(message, verdict):
            text = message.texts[0]
            verdict.mask(text, 4, 7, "short", "S")
            verdict.mask(text, 0, 5, Rule("long", 0.5, "a note"), "L")
            verdict.mark(text, 6, 8, "mark")
            verdict.mark(text, 8, 9, "beside")

        judged = judge(guardrail(both), Sample(["0123456789"]))
        self.assertEqual(judged.texts, ["L789"])
        self.assertEqual(judged.rules, ["long", "beside", "short", "mark"])

    def test_to_block_goes_before_masks_and_the_first_reason_stands(self):
        def blocks(message, verdict):
            verdict.mask(message.texts[0], 0, 1, "mask", "")
            verdict.block("no")
            verdict.block("never")

        judged = judge(guardrail(blocks), Sample(["a"]))
        self.assertEqual((judged.decision, judged.reason, judged.texts), ("block", "no", ["a"]))

    def test_the_payload_can_be_changed(self):
        def drops(message, verdict):
            for index, tool in enumerate(message.value("/tools")):
                if tool["name"] == "rm":
                    verdict.remove(f"/tools/{index}")

        payload = {"tools": [{"name": "ls"}, {"name": "rm"}]}
        tools = guardrail(drops, wants=[Interest(methods=["tools/*"])])
        judged = judge(tools, Sample(payload=payload, method="tools/list"))
        self.assertEqual(judged.outcome.patch, [("remove", "/tools/1", None)])
        self.assertEqual(judge(tools, Sample(payload=payload, method="prompts/list")).decision, "pass")

    def test_where_a_text_stands_is_known(self):
        places = []
        seen = guardrail(lambda message, verdict: places.extend(map(message.place, message.texts)))
        judge(seen, Sample(payload={"a/b": ["x"]}))
        self.assertEqual([(it.pointer, it.role) for it in places], [("/a~1b", "key"), ("/a~1b/0", "value")])


class Configurations(unittest.TestCase):
    def test_a_configuration_is_taken_or_refused_by_the_key(self):
        class Configured(Guardrail):
            def __init__(self, config):
                only_keys(config, ["name"])
                self.name = config["name"]

            def examples(self):
                yield Example([self.name], "redact", ["*"])

            def check(self, message, verdict):
                for text in message.texts:
                    verdict.mask_all(text, re.compile(self.name), "n", "*")

        examples_hold(Configured({"name": "x"}))
        with self.assertRaisesRegex(ValueError, "unknown key 'nmae': it takes name"):
            Configured({"nmae": "x"})
        with self.assertRaisesRegex(ValueError, "it takes no configuration"):
            Guardrail({"a": 1})

    def test_an_example_that_does_not_hold_is_told(self):
        wrong = guardrail(lambda *_: None, examples=lambda self: [Example(["a"], "block")])
        with self.assertRaisesRegex(AssertionError, "example 1: pass"):
            examples_hold(wrong)


class State(unittest.TestCase):
    def test_a_test_can_keep_state(self):
        self.assertEqual(state.increment("session", "calls"), 1)
        self.assertEqual(state.increment("session", "calls", 2), 3)
        self.assertIsNone(state.get("global", "calls"))
        state.set("session", "word", b"w")
        with self.assertRaisesRegex(StateError, "no number"):
            state.increment("session", "word")

    def test_a_value_is_swapped_for_what_is_expected_only(self):
        swaps = [(b"one", b"two"), (None, b"one"), (None, b"three"), (b"one", b"two")]
        swapped = [state.compare_and_swap("session", "s", *swap) for swap in swaps]
        self.assertEqual(swapped, [False, True, False, True])
        self.assertEqual(state.get("session", "s"), b"two")

    def test_a_test_has_keys_too(self):
        key = keys.derive("session", "p")
        self.assertEqual((len(key), keys.derive("session", "p")), (32, key))
        self.assertNotEqual(keys.derive("session", "q"), key)

class Http(unittest.TestCase):
    def test_nobody_is_reached_outside_of_a_gateway(self):
        for url, kind in [("https://a.example/b", "unreachable"), ("ftp://a", "refused"), ("https:///b", "refused")]:
            with self.assertRaises(HttpError) as raised:
                http.get(url)
            self.assertEqual(raised.exception.kind, kind, url)

    def test_what_the_gateway_says_no_to_is_told_by_its_words(self):
        posts = guardrail(lambda *_: http.post("https://a.example", b""))
        with self.assertRaisesRegex(HttpError, "nobody is reached: a.example is not reached"):
            judge(posts, Sample(["a"]))


if __name__ == "__main__":
    unittest.main()
