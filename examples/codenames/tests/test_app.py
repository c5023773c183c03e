import unittest

from app import Codenames
from mcp_gateway_sdk.testing import Sample, examples_hold, judge


class CodenamesTest(unittest.TestCase):
    def hidden(self, text, **names):
        return judge(Codenames({"names": names} if names else {}), Sample([text])).texts[0]

    def test_a_name_is_hidden_in_any_case_but_not_in_a_longer_word(self):
        self.assertEqual(self.hidden("Bluebird, é😀 BLUEBIRD; bluebirds"), "<CODENAME>, é😀 <CODENAME>; bluebirds")

    def test_of_names_that_start_alike_the_longer_one_is_taken(self):
        names = {"Aurora": "<A>", "Aurora Two": "<B>"}
        self.assertEqual(self.hidden("aurora\n two, Aurora 2", **names), "<B>, <A> 2")

    def test_a_configuration_that_cannot_be_used_is_refused(self):
        for config in ({"name": {}}, {"names": []}, {"names": {"a": 1}}, {"names": {" ": "x"}}):
            with self.assertRaises(ValueError):
                Codenames(config)

    def test_its_examples_hold(self):
        examples_hold(Codenames({}))
        examples_hold(Codenames({"names": {"a.b": "<X>", "Ö": "<Y>"}}))
        examples_hold(Codenames({"names": {}}))
