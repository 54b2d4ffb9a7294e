# SPDX-License-Identifier: Apache-2.0
"""The runner: which cases run, in which order, which one runs again, and what the exit status is. Needs no machine."""

from __future__ import annotations

import contextlib
import io
import tempfile
import unittest
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import case
import suite
from testbed.checks import Mismatch, Wrong
from testbed.stalls import TRIES, Stalls


class Environment:
    """A fixture that counts the runner's calls."""

    def __init__(self) -> None:
        self.settled = self.recovered = self.kept = 0
        self.is_broken = self.is_lost = False

    def settle(self) -> None:
        self.settled += 1
        if self.is_broken:
            raise Mismatch("the environment did not live through it")

    def recover(self) -> None:
        self.recovered += 1
        if self.is_lost:
            raise RuntimeError("no machine left")

    def keep_logs(self, folder: Path) -> None:
        self.kept += 1


class RunnerTest(unittest.TestCase):
    def setUp(self) -> None:
        self.env, self.calls, self.excuse = Environment(), list[str](), ""
        state = self.enterContext(tempfile.TemporaryDirectory())
        cases: list[case.Case] = []
        for module in (case, suite):
            self.enterContext(mock.patch.object(module, "CASES", cases))
        self.enterContext(mock.patch.object(suite, "REPOSITORY", Path(state)))
        self.enterContext(mock.patch.object(suite, "Testbed", lambda **_: contextlib.nullcontext()))
        self.enterContext(mock.patch.object(Stalls, "excuse", lambda *_: self.excuse))

    def declare(self, sentence: str, *errors: Exception | None, module: str = __name__, deep: bool = False,
                attack: str = "", every_part: bool = False, alone: bool = False) -> None:
        """Adds a case that fails with these errors, one for each run, and then passes."""
        outcomes = iter(errors)

        def check(_: Environment) -> str:
            self.calls.append(sentence)
            error = next(outcomes, None)
            if error is not None:
                raise error
            return "seen"

        check.__module__ = module
        case.case("P1", sentence, deep, attack, every_part, alone)(check)

    def run_suite(self, *arguments: str) -> tuple[int, str]:
        output = io.StringIO()
        with mock.patch("sys.argv", ["suite", *arguments]), contextlib.redirect_stdout(output), \
                contextlib.redirect_stderr(output):
            status = suite.main("trial", "a trial", lambda _: self.env)
        return status, output.getvalue()

    def test_parts_share_the_files_between_them_and_each_looks_at_what_its_cases_left(self) -> None:
        for sentence, module, every in (("one", "roles", False), ("two", "case", False), ("three", "roles", False),
                                        ("four", "suite", False), ("last", "again", True)):
            self.declare(sentence, module=module, every_part=every)
        self.declare("storm", module="roles", alone=True)
        for part, expected in (("1/2", ["one", "three", "four", "last"]), ("2/2", ["two", "last"])):
            self.calls.clear()
            status, text = self.run_suite("--part", part)
            self.assertEqual((status, self.calls), (0, expected), text)
            self.assertIn(f"last-trial-{part[0]}-of-2/", text)
        self.calls.clear()
        self.assertEqual((self.run_suite("--alone")[0], self.calls), (0, ["storm"]))
        self.calls.clear()
        for wrong in ("0/2", "3/2", "1", "one/2"):
            self.assertEqual((self.run_suite("--part", wrong)[0], self.calls), (2, []), wrong)

    def test_cases_run_as_they_are_declared_whatever_file_holds_them(self) -> None:
        for sentence, module in (("one", __name__), ("two", "roles"), ("three", __name__), ("four", "case")):
            self.declare(sentence, module=module)
        status, text = self.run_suite()
        self.assertEqual((status, self.calls), (0, ["one", "two", "three", "four"]), text)
        self.assertEqual((self.env.settled, self.env.recovered, self.env.kept), (4, 0, 1))
        self.assertRegex(text.splitlines()[-1], r"4 passed in ")

    def test_a_failure_while_the_machine_ran_is_final(self) -> None:
        self.declare("fails", Mismatch("other words"))
        self.declare("follows")
        status, text = self.run_suite()
        self.assertEqual((status, self.calls, self.env.recovered), (1, ["fails", "follows"], 1), text)
        self.assertRegex(text, r"(?m)^FAILED .* P1: fails: other words$")
        self.assertRegex(text.splitlines()[-1], r"1 failed, 1 passed in ")

    def test_a_failure_while_the_machine_stood_still_is_run_again(self) -> None:
        self.excuse = "the machine stood still"
        self.declare("fails once", Mismatch("late"))
        self.declare("raises once", TimeoutError("late"))
        status, text = self.run_suite()
        self.assertEqual((status, len(self.calls), self.env.recovered), (0, 4, 2), text)
        self.assertRegex(text, r"(?m)^again .* P1: fails once: the machine stood still: late$")
        self.assertRegex(text.splitlines()[-1], r" 2 passed in ")

    def test_it_is_run_again_so_often_and_no_more(self) -> None:
        self.excuse = "the machine stood still"
        self.declare("fails", *(Mismatch("late") for _ in range(TRIES)))
        status, text = self.run_suite()
        self.assertEqual((status, len(self.calls)), (1, TRIES), text)
        self.assertRegex(text.splitlines()[-1], r" 1 failed in ")

    def test_where_somebody_was_let_in_it_is_never_run_again(self) -> None:
        self.excuse = "the machine stood still"
        self.declare("lets in", Wrong("let in"))
        status, text = self.run_suite()
        self.assertEqual((status, self.calls), (1, ["lets in"]), text)

    def test_a_ground_that_did_not_live_through_a_case_fails_it(self) -> None:
        self.env.is_broken = True
        self.declare("breaks it")
        status, text = self.run_suite()
        self.assertEqual((status, self.env.recovered), (1, 1), text)
        self.assertIn("did not live through it", text)

    def test_a_ground_that_does_not_recover_ends_the_run(self) -> None:
        self.env.is_lost = True
        self.declare("fails", Mismatch("other words"))
        self.declare("follows")
        status, text = self.run_suite()
        self.assertEqual((status, self.calls), (1, ["fails"]), text)
        self.assertRegex(text, "other words; the machine did not recover: RuntimeError: no machine left")

    def test_tiers_and_words(self) -> None:
        self.declare("quick one")
        self.declare("slow one", deep=True, attack="A1")
        self.declare("quick attack", attack="A2")
        for arguments, expected in (((), ["quick one", "quick attack"]),
                                    (("--deep",), ["quick one", "slow one", "quick attack"]),
                                    (("--only", "SLOW", "--only", "quick one"), ["quick one", "slow one"]),
                                    (("-k", "slow"), ["slow one"]), (("--attacks",), ["quick attack"]),
                                    (("--attacks", "--deep"), ["slow one", "quick attack"])):
            self.calls.clear()
            status, text = self.run_suite(*arguments)
            self.assertEqual((status, self.calls), (0, expected), f"{arguments}: {text}")
        self.assertEqual(self.run_suite("--list"), (0, "     P1: quick one\ndeep P1: slow one\n     P1: quick attack\n"))

    def test_of_a_table_a_sample_runs_always_and_every_row_in_the_deep_tier(self) -> None:
        def check(_: Environment, rows: Sequence[int]) -> str:
            self.calls += [str(row) for row in rows]
            return "seen"

        check.__module__ = __name__
        case.cases("P1", "a table", range(7), every=3)(check)
        self.assertEqual((self.run_suite()[0], self.calls), (0, ["0", "3", "6"]))
        self.calls.clear()
        self.assertEqual((self.run_suite("--deep")[0], sorted(self.calls)), (0, list("0123456")))
        self.assertEqual(self.run_suite("--list")[1], "     P1: a table (a sample)\ndeep P1: a table (the rest)\n")

    def test_the_failed_ones_alone_and_the_first_failure_only(self) -> None:
        self.declare("good")
        self.declare("bad", Mismatch("no"), Mismatch("no"), Mismatch("no"))
        self.declare("worse", Mismatch("no"), Mismatch("no"), Mismatch("no"))
        self.assertEqual(self.run_suite()[0], 1)
        self.calls.clear()
        self.assertEqual((self.run_suite("--lf")[0], self.calls), (1, ["bad", "worse"]))
        self.calls.clear()
        self.assertEqual((self.run_suite("-x")[0], self.calls), (1, ["good", "bad"]))

    def test_nothing_to_run_is_no_success(self) -> None:
        self.declare("one")
        status, text = self.run_suite("--only", "another")
        self.assertEqual(status, 2)
        self.assertIn("no case is called that", text)
        self.assertEqual(self.run_suite("--no-such-option")[0], 2)

    def test_machines_that_cannot_be_prepared_are_a_failure(self) -> None:
        self.declare("one")
        with mock.patch.object(suite, "Testbed", mock.Mock(side_effect=RuntimeError("no simulator"))):
            status, text = self.run_suite()
        self.assertEqual((status, self.calls), (1, []))
        self.assertRegex(text, r"(?m)^FAILED  preparation: no simulator$")


if __name__ == "__main__":
    unittest.main()
