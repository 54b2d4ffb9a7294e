# SPDX-License-Identifier: Apache-2.0
"""P2: while a rule in sudo's files or in another source could outlast the role, administrators are treated as users."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from case import case, cases
from environment import Environment, Host
from roles import ADMINS, TARGETPW, administrator, session_around
from sudo_right import SETTINGS_OF_OTHERS, in_steps
from testbed import Person
from testbed.checks import equal, require
from testbed.compiled import compiled
from testbed.machine import HERE

ANOTHER_PLUGIN = 'Defaults group_plugin="group_file.so /etc/group"'
NSSWITCH = "/etc/nsswitch.conf"


def severity(host: Host, name: str) -> str:
    found = [f["severity"] for f in json.loads(host.tool("--json", "doctor").out)["findings"] if f["id"] == name]
    return found[0] if found else ""


def withdrawal(env: Environment, host: Host, person: Person) -> Callable[[], None]:
    def act() -> None:
        env.withdraw(person)
        host.flush()
    return act


def signs_in(host: Host, person: Person) -> tuple[bool, bool]:
    """Whether a new session has the administrators' group, and sudo."""
    lines = host.ssh(person, "id -Gn; sudo -n id -u").lines()
    return ADMINS in lines[0].split(), "0" in lines[1:]


@cases("P2",
       "while a later file keeps sudo from asking PAM, administrators sign in as users; doctor calls it an error",
       (*SETTINGS_OF_OTHERS, ANOTHER_PLUGIN), every=4, attack="W6")
def later_files(env: Environment, settings: Sequence[str]) -> str:
    with env.fresh("withheld") as host:
        machine, person = host.machine, administrator(env)
        equal(signs_in(host, person), (True, True), "before")
        for line in settings:
            machine.write(TARGETPW, line + "\n", 0o440)
            host.stamped()
            equal(signs_in(host, person), (False, False), f"with {line!r}")
            finding = "sudoers.group-plugin" if line == ANOTHER_PLUGIN else "sudoers.account-stage"
            equal((severity(host, finding), severity(host, "sudo.withheld")), ("error", "warning"), f"doctor of {line!r}")
        record = host.journal.text()
        require("signs in as a user" in record, "no record says why")
        machine.remove(TARGETPW)
        host.stamped()
        equal(signs_in(host, person), (True, True), "afterwards")
    return f"{len(settings)} lines: signed in, without the group and without sudo"


@case("P2", "such a line takes sudo from an open session at once, and says why")
def open_session(env: Environment) -> str:
    with env.fresh("withheld-open") as host:
        person = administrator(env)

        def written() -> None:
            host.machine.write(TARGETPW, SETTINGS_OF_OTHERS[0] + "\n", 0o440)
            host.stamped()

        outcome = session_around(env, host, person, "sudo -n id -u", written, "sudo -n id -u; id -Gn")
        equal(outcome.lines()[0], "0", f"sudo before ({outcome.text})")
        require(outcome.lines().count("0") == 1 and ADMINS in outcome.lines()[-1], f"afterwards: {outcome.text}")
        require("Administrators have no sudo now" in outcome.err, f"not for that reason: {outcome.err}")
    return next(line for line in outcome.err.splitlines() if "no sudo now" in line)


@case("P2", "sudoers from elsewhere (a stand-in) switches PAM's account stage off for everybody: administrators sign in as "
      "users, and doctor calls it an error", attack="P24")
def elsewhere(env: Environment) -> str:
    with env.fresh("sss") as host:
        machine, person, other = host.machine, administrator(env), env.newcomer()
        library = compiled(HERE / "sss_sudo.c", env.testbed.scratch / "programs", "-shared", "-fPIC")
        folder = machine.shell("dirname /usr/lib/*/libc.so.6").out.strip()
        machine.path(f"{folder}/libsss_sudo.so").write_bytes(library.read_bytes())
        before = machine.read(NSSWITCH)

        def defaults(text: str) -> None:
            machine.write(NSSWITCH, f"{before}sudoers: files sss\n")
            machine.write("/etc/sss-defaults", text)
            host.stamped()

        machine.write(TARGETPW, f'"{other.login}" ALL=(ALL) NOPASSWD: ALL\n', 0o440)
        steps = [lambda: None, lambda: defaults("!pam_acct_mgmt\n"), withdrawal(env, host, other)]
        running = in_steps(env, host, other, steps, "sudo -n id -u")
        equal(running, ["0\n"] * 3, "the owner's own rule, which outlives the role with such defaults: nothing was tried")
        equal(severity(host, "sudoers.sources"), "error", "doctor of !pam_acct_mgmt")
        equal(signs_in(host, person), (False, False), "an administrator's sign-in")
        defaults("env_reset\n")
        equal(severity(host, "sudoers.sources"), "note", "doctor of harmless defaults")
        equal(signs_in(host, person), (True, True), "an administrator's sign-in with harmless defaults")
        steps = [lambda: None, lambda: defaults("!pam_acct_mgmt\n"), withdrawal(env, host, person)]
        said = in_steps(env, host, person, steps, "sudo -n id -u")
        require(said[0] == "0\n" and not any("0" in words.splitlines() for words in said[1:]), f"the rule: {said}")
        machine.write(NSSWITCH, f"{before}sudoers: sss\n")
        equal(severity(host, "sudoers.sources"), "error", "doctor without files")
    return said[1].splitlines()[-1]
