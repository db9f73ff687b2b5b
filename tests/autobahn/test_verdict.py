"""The judge must refuse what it is there to refuse: a judge that passes all proves nothing."""

import unittest

from verdict import judge

OK = {"behavior": "OK", "behaviorClose": "OK"}


class Judge(unittest.TestCase):
    def test_all_strictly_right_passes(self):
        leave = {"behavior": "INFORMATIONAL", "behaviorClose": "INFORMATIONAL"}
        self.assertTrue(judge({"1.1.1": OK, "7.1.6": leave}, 2).passed)

    def test_anything_less_than_right_fails(self):
        for found in ("FAILED", "NON-STRICT", "UNIMPLEMENTED", "WRONG CODE", "UNCLEAN", "NO_CLOSE"):
            for aspect in OK:
                with self.subTest(aspect=aspect, found=found):
                    verdict = judge({"1.1.1": OK, "1.1.2": OK | {aspect: found}}, 2)
                    self.assertEqual(verdict.complaints, [f"case 1.1.2: {aspect} is {found}"])

    def test_a_case_without_an_outcome_fails(self):
        self.assertFalse(judge({"1.1.1": {"behavior": "OK"}}, 1).passed)

    def test_a_case_too_few_or_too_many_fails(self):
        self.assertEqual(judge({"1.1.1": OK}, 2).complaints, ["1 cases ran, 2 were expected"])
        self.assertFalse(judge({"1.1.1": OK, "1.1.2": OK}, 1).passed)

    def test_complaints_come_in_the_order_of_the_suite(self):
        bad = OK | {"behavior": "FAILED"}
        verdict = judge({"10.1.1": bad, "9.1.1": bad, "1.1.1": OK}, 3)
        self.assertEqual([line.split(":")[0] for line in verdict.complaints], ["case 9.1.1", "case 10.1.1"])


if __name__ == "__main__":
    unittest.main()
