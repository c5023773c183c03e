import unittest

from app import MyGuardrail
from mcp_gateway_sdk.testing import Sample, examples_hold, judge


class MyGuardrailTest(unittest.TestCase):
    def setUp(self):
        self.guardrail = MyGuardrail({})

    def test_the_name_is_hidden_wherever_it_stands(self):
        judged = judge(self.guardrail, Sample(["BLUEBIRD-7 of BLUEBIRD", "bluebird"]))
        self.assertEqual(judged.texts, ["<CODENAME>-7 of <CODENAME>", "bluebird"])

    def test_its_examples_hold(self):
        examples_hold(self.guardrail)
