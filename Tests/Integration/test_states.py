# SPDX-License-Identifier: Apache-2.0
"""What counts as a wrong answer, without a machine: `python -m unittest test_states`."""

from __future__ import annotations

import unittest
from typing import Any

from known_lies import KNOWN
from states_seen import ADMINISTRATOR, EXCUSED, NEWCOMER, ROLES, USER, Doctor, Seen, lies, remedies, unhelped

WELL = Doctor(0, "Nothing is wrong.")


def warned(text: str) -> Doctor:
    return Doctor(5, "One thing to look at; sign-in stays on.", ({"severity": "warning", "id": "disk", "found": text},))


def failed(identifier: str = "sshd.files") -> Doctor:
    return Doctor(1, "One thing keeps Entra accounts out.", ({"severity": "error", "id": identifier, "found": "no"},))


def seen(*out: str, sudo: bool = True, before: Doctor = WELL, after: Doctor = WELL, **explained: Any) -> Seen:
    return Seen({who: who not in out for who in ROLES}, sudo, before, after, explained)


def kinds(one: Seen, role_is_known: bool = True) -> list[str]:
    return [lie.kind for lie in lies(one, role_is_known)]


class Lies(unittest.TestCase):
    def test_the_truth(self) -> None:
        self.assertEqual(kinds(seen()), [])
        self.assertEqual(kinds(seen(before=warned("x"), after=warned("x"))), [])
        self.assertEqual(kinds(seen(NEWCOMER, before=failed(), after=failed())), [])
        self.assertEqual(kinds(seen(sudo=False, before=failed(), after=failed())), [])

    def test_well_while_somebody_is_kept_out(self) -> None:
        self.assertEqual(kinds(seen(USER)), ["doctor-well-before", "doctor-well-after"])
        self.assertEqual(kinds(seen(NEWCOMER, before=WELL, after=failed())), ["doctor-well-before"])

    def test_whom_root_turns_away_is_no_news(self) -> None:
        self.assertEqual(lies(seen(USER), denied=(USER,)), [])
        self.assertEqual([lie.kind for lie in lies(seen(USER, user={"name": "ok"}), denied=(USER,))], ["explain-yes-user"])
        self.assertEqual(lies(seen(*ROLES, sudo=False, before=warned("x"), after=warned("x")), denied=ROLES), [])

    def test_stays_on_while_somebody_is_kept_out(self) -> None:
        self.assertEqual(kinds(seen(NEWCOMER, before=failed(), after=warned("x"))), ["doctor-on-after"])

    def test_sudo(self) -> None:
        self.assertEqual(kinds(seen(sudo=False)), ["doctor-sudo-before", "doctor-sudo-after"])
        told = warned("sudo goes by another rule")
        self.assertEqual(kinds(seen(sudo=False, before=told, after=told)), [])

    def test_failed_while_all_is_well(self) -> None:
        self.assertEqual(kinds(seen(before=failed(), after=failed())), ["doctor-failed"])

    def test_an_error_of_later_or_of_a_promise_is_no_lie(self) -> None:
        later = Doctor(1, "One thing keeps Entra accounts out.",
                       ({"severity": "error", "id": "settings", "found": "no", "keepsOut": "later"},))
        self.assertEqual(kinds(seen(before=later, after=later)), [])
        for one in EXCUSED:
            self.assertEqual(kinds(seen(before=failed(one), after=failed(one))), [], one)

    def test_a_doctor_that_does_not_know_says_so(self) -> None:
        last = "One thing to look at; whether everybody gets in is not known."
        said = Doctor(5, last), Doctor(5, "", ({"severity": "warning", "id": "pam.others", "found": "x", "keepsOut": "unknown"},))
        self.assertEqual(kinds(seen(*ROLES, before=said[0], after=said[1], sudo=False)), [])

    def test_the_last_line_is_the_status(self) -> None:
        self.assertEqual(kinds(seen(before=Doctor(0, "One thing to look at; sign-in stays on."))), ["doctor-end-before"])

    def test_no_answer_is_no_lie(self) -> None:
        dead = Doctor(127, "", ())
        self.assertEqual(kinds(seen(USER, NEWCOMER, ADMINISTRATOR, before=dead, after=dead, user={})), [])

    def test_explain(self) -> None:
        yes, no, role = {"name": "ok"}, {"name": "ok", "home": "refused"}, {"name": "ok", "role": "unknown"}
        said = failed()
        self.assertEqual(kinds(seen(USER, before=said, after=said, user=yes)), ["explain-yes-user"])
        self.assertEqual(kinds(seen(user=no)), ["explain-no-user"])
        self.assertEqual(kinds(seen(USER, before=said, after=said, user=no)), [])
        self.assertEqual(kinds(seen(NEWCOMER, before=said, after=said, newcomer=role)), ["explain-yes-newcomer"])
        self.assertEqual(kinds(seen(NEWCOMER, before=said, after=said, newcomer=role), False), [])

    def test_a_remedy_is_tried_where_it_is_a_command(self) -> None:
        def asked(remedy: str) -> Doctor:
            return Doctor(5, "", ({"severity": "warning", "id": "files", "found": "x", "remedy": remedy},))

        command = "chown entralogin /var/lib/entralogin"
        self.assertEqual(remedies(asked(command)), {"files": command})
        for words in ("systemctl status x; then look", "install the package again", "AllowGroups … entra_users",
                      "systemctl status x", "chown root:root and chmod 0440 it", ""):
            self.assertEqual(remedies(asked(words)), {}, words)
        self.assertEqual([lie.kind for lie in unhelped({"files": command}, asked(command))], ["remedy-files"])
        self.assertEqual(unhelped({"files": command}, WELL), [])

    def test_known_lies_name_their_reason(self) -> None:
        for one in KNOWN:
            self.assertTrue(one.kinds and one.states and one.why.strip(), one)
        pairs = [(kind, state) for one in KNOWN for kind in one.kinds for state in one.states]
        self.assertEqual(len(pairs), len(set(pairs)))


if __name__ == "__main__":
    unittest.main()
