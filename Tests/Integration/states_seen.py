# SPDX-License-Identifier: Apache-2.0
"""What was seen in a state of a machine, and where `doctor` and `explain` said something else. Needs no machine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

ADMINISTRATOR, USER, NEWCOMER = "administrator", "user", "newcomer"
ROLES = (ADMINISTRATOR, USER, NEWCOMER)  # a newcomer has the role of a user
WELL, WARNED = 0, 5  # exit statuses of `doctor`, entraloginctl(1)
ENDS = {WELL: ("Nothing is wrong.",), WARNED: ("sign-in stays on", "is not known"), 1: ("keep",)}
COMMANDS = "systemctl|chown|chmod|usermod|entraloginctl|/usr/libexec/entralogin/configure"
RUNNABLE = re.compile(rf"(?!.* (and|status) )({COMMANDS}) [^;,()…]*")
# Errors that keep none of these users from signing in, by the finding's id, and why they are errors.
EXCUSED = {
    "pam.sudo.auth": "sudo asks for no code, though the settings say so",
    "pam.sudo-i.auth": "sudo -i asks for no code, though the settings say so",
    "sudoers.step-up": "sudo asks for no code, though the settings say so",
    "daemon.refusals-unconfirmed": "it keeps out newcomers whose role a group holds, and none of these is one",
    "daemon.role-unconfirmed": "it keeps out newcomers whose role a group holds, and none of these is one",
}


@dataclass(frozen=True)
class Doctor:
    """One run of `doctor`. `findings`: those of `--json`; `last`: the last line of its text."""

    status: int
    last: str = ""
    findings: tuple[dict[str, Any], ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it says that it does not know if all users can sign in."""
        return "is not known" in self.last or any(f.get("keepsOut") == "unknown" for f in self.findings)

    def speaks_of(self, word: str) -> bool:
        return any(word in f"{f}" for f in self.findings if f["severity"] not in ("good", "note"))

    @property
    def said(self) -> str:
        ids = [f"{f['severity']} {f['id']}" for f in self.findings if f["severity"] not in ("good", "note")]
        return f"doctor ends with {self.status}: {self.last or ', '.join(ids) or 'no finding'}"


@dataclass(frozen=True)
class Seen:
    """`entered`: which of `ROLES` ran a command over ssh; `has_sudo`: whether the administrator has sudo; `explained`: the
    outcomes of the steps of `explain --json`, by subject; empty if it gave no answer."""

    entered: dict[str, bool]
    has_sudo: bool
    before: Doctor
    after: Doctor
    explained: dict[str, dict[str, str]] = field(default_factory=dict)
    screens: dict[str, str] = field(default_factory=dict)

    @property
    def out(self) -> list[str]:
        return [who for who in ROLES if not self.entered[who]]

    def missed(self, denied: tuple[str, ...]) -> list[str]:
        return [who for who in self.out if who not in denied]


@dataclass(frozen=True)
class Lie:
    kind: str
    text: str


def remedies(doctor: Doctor) -> dict[str, str]:
    """The remedies that are commands and can be typed as they stand, by the finding's id."""
    wanted = [f for f in doctor.findings if f["severity"] in ("error", "warning")]
    return {str(f["id"]): str(f["remedy"]) for f in wanted if RUNNABLE.fullmatch(str(f.get("remedy", "")))}


def unhelped(tried: dict[str, str], after: Doctor) -> list[Lie]:
    """Findings that are still there after their remedies were carried out."""
    left = {str(f["id"]) for f in after.findings if f["severity"] in ("error", "warning")}
    return [Lie(f"remedy-{one}", f"{one} is still found after: {command}") for one, command in tried.items() if one in left]


def lies(seen: Seen, role_is_known: bool = True, denied: tuple[str, ...] = ()) -> list[Lie]:
    """Where the answers differ from what happened. `role_is_known`: Azure answers, so `explain` may assume the role that each
    user here holds. `denied`: users whom root refused by name, or gave another command; only `explain` has to say so."""
    return [*_ends(seen, denied), *_failed(seen), *_of_explain(seen, role_is_known)]


def _ends(seen: Seen, denied: tuple[str, ...]) -> list[Lie]:
    """Runs of doctor, before and after the sign-ins, that say sign-in is on although a user is refused, do not mention that the
    administrator has no sudo, or end with a line that contradicts the exit status."""
    found = []
    for when, doctor in (("before", seen.before), ("after", seen.after)):
        if doctor.last and doctor.status in ENDS and not any(end in doctor.last for end in ENDS[doctor.status]):
            found.append(Lie(f"doctor-end-{when}", doctor.said))
        if doctor.status in (WELL, WARNED) and seen.missed(denied) and not doctor.is_open:
            found.append(Lie(f"doctor-{'well' if doctor.status == WELL else 'on'}-{when}",
                             f"{doctor.said}; kept out: {_who(seen)}"))
        elif _hides_sudo(doctor) and seen.entered[ADMINISTRATOR] and not seen.has_sudo:
            found.append(Lie(f"doctor-sudo-{when}", f"{doctor.said}; the administrator has no sudo"))
    return found


def _hides_sudo(doctor: Doctor) -> bool:
    if doctor.status == WELL:
        return True
    return doctor.status == WARNED and bool(doctor.findings) and not (
        doctor.speaks_of("sudo") or doctor.speaks_of("administrator"))


def _failed(seen: Seen) -> list[Lie]:
    """A doctor that names an obstacle although all users can sign in and the administrator has sudo."""
    if seen.out or not seen.has_sudo or seen.after.status != 1 or not seen.after.findings:
        return []
    unexplained = [f for f in seen.after.findings
                   if f["severity"] == "error" and f["id"] not in EXCUSED and f.get("keepsOut") != "later"]
    return [Lie("doctor-failed", f"{seen.after.said}; everybody gets in, with sudo")] if unexplained else []


def _of_explain(seen: Seen, role_is_known: bool) -> list[Lie]:
    found = []
    for who, steps in seen.explained.items():
        answer = _answer(steps, role_is_known)
        if answer == "yes" and not seen.entered[who]:
            found.append(Lie(f"explain-yes-{who}", f"explain: {who} would get in; is kept out: {seen.screens.get(who, '')}"))
        if answer == "no" and seen.entered[who]:
            refused = [subject for subject, outcome in steps.items() if outcome == "refused"]
            found.append(Lie(f"explain-no-{who}", f"explain: {who} would be kept out ({', '.join(refused)}); gets in"))
    return found


def _answer(steps: dict[str, str], role_is_known: bool) -> str:
    if not steps:
        return "none"
    if "refused" in steps.values():
        return "no"
    left = {subject for subject, outcome in steps.items() if outcome != "ok"}
    return "yes" if not left or (role_is_known and left == {"role"}) else "open"


def _who(seen: Seen) -> str:
    return "; ".join(f"{who} ({seen.screens.get(who, '')})" for who in seen.out)
