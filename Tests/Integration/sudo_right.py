# SPDX-License-Identifier: Apache-2.0
"""P2, P7 and P8: sudo asks each time whether the user has the right, and refuses without an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from case import case
from environment import Environment, Host
from identity import FIRST_UID
from roles import ADMINS, ADMINS_GID, TARGETPW, administrator, session_around
from testbed import Outcome, Person
from testbed.checks import equal, require
from testbed.compiled import placed
from testbed.machine import wait_for

USERS_GID = FIRST_UID - 1024
PLUGIN = "/usr/libexec/entralogin/sudo_entralogin.so"
SUDOERS = "/etc/sudoers.d/entralogin"
COMMON_ACCOUNT = "/etc/pam.d/common-account"
# The rule of a version without the plugin: sudo goes by the groups of the process.
BY_NUMBER = f"%#{ADMINS_GID} ALL=(ALL:ALL) NOPASSWD: ALL\n"
OLD_LINE = "account [success=ok ignore=ignore module_unknown=ignore default=die] pam_entralogin.so\n"

# Prints "ROOT K" for each limit of address space, in KiB, under which the command prints 0, and how many were tried.
SEARCH = """
fill=$(head -c 100000 /dev/zero | tr '\\0' x); tried=0
for k in $(seq {first} {step} {last}); do
  tried=$((tried + 1))
  [ "$( (ulimit -v $k; exec {command} x $fill) 2>/dev/null)" != 0 ] || {{ echo "ROOT $k"; {then}; }}
done; echo "tried $tried"
"""


def search(first: int, last: int, step: int, command: str = "sudo -n sh -c 'id -u'", then: str = ":") -> str:
    return SEARCH.format(first=first, last=last, step=step, command=command, then=then)


def roots(outcome: Outcome) -> list[int]:
    return [int(line.split()[1]) for line in outcome.lines() if line.startswith("ROOT ")]


def tried(outcome: Outcome) -> int:
    return sum(int(line.split()[1]) for line in outcome.lines() if line.startswith("tried "))


def least(env: Environment, host: Host, person: Person) -> int:
    """The lowest limit, in KiB, under which sudo runs at all: the search begins there."""
    script = "for k in $(seq 2000 200 40000); do (ulimit -v $k; sudo -V) >/dev/null 2>&1 && echo $k && break; done"
    return int(host.ssh(person, script).out)


def without_the_fix(host: Host) -> dict[str, str]:
    """Writes entralogin's sudo rule and PAM line as they were before the fix; returns the present files, to put back."""
    before = {path: host.machine.read(path) for path in (SUDOERS, COMMON_ACCOUNT)}
    host.machine.write(SUDOERS, BY_NUMBER, 0o440)
    rest = [line for line in before[COMMON_ACCOUNT].splitlines() if not in_our_lines(line)]
    host.machine.write(COMMON_ACCOUNT, OLD_LINE + "\n".join(rest) + "\n")
    return before


def in_our_lines(line: str) -> bool:
    return "pam_entralogin.so" in line or "pam_succeed_if.so quiet" in line


def put_back(host: Host, before: dict[str, str]) -> None:
    for path, text in before.items():
        host.machine.write(path, text, 0o440 if path == SUDOERS else 0o644)


def squeezed(env: Environment, host: Host, reach: int, step: int) -> str:
    """The original attack, with the fix and without it, in one session of a former administrator."""
    person = administrator(env)
    start = least(env, host, person)
    count, before = reach // step + 1, dict[str, str]()
    limit = 60 + count * 0.3

    def lowered() -> None:
        env.withdraw(person)
        host.flush()

    def opened() -> None:
        before.update(without_the_fix(host))

    with_fix = session_around(env, host, person, "sudo -n id -u", lowered,
                              "sudo -n id -u; id -G; " + search(start, start + reach, step), limit)
    equal(with_fix.lines()[0], "0", f"sudo before the change ({with_fix.text})")
    require(str(ADMINS_GID) in with_fix.out, f"the session has lost its group, so nothing was tried: {with_fix.text}")
    equal(tried(with_fix), count, "limits that were tried")
    equal(roots(with_fix), [], "limits that make root")

    other = administrator(env)

    def both() -> None:
        env.withdraw(other)
        host.flush()
        opened()

    try:
        control = session_around(env, host, other, "sudo -n id -u", both,
                                 "sudo -n id -u; " + search(start, start + reach, step, then="break"), limit)
    finally:
        put_back(host, before)
    host.stamped()  # what was verified has changed meanwhile
    require(roots(control) != [], f"the attack does not work without the fix either, so nothing was tried: {control.text}")
    return f"{tried(with_fix)} limits from {start} KiB, none of them root; the old lines: root at {roots(control)[0]} KiB"


@case("P2", "no limit of memory makes sudo pass over the end of a role", attack="H1")
def limited(env: Environment) -> str:
    with env.fresh("limited") as host:
        return squeezed(env, host, 3000, 12)


@case("P2", "each limit of memory, and a borrowed group under it: sudo still asks about the role", deep=True,
      attack="H1")
def limited_everywhere(env: Environment) -> str:
    with env.fresh("everywhere") as host:
        seen = squeezed(env, host, 16000, 8)
        host.stamped()
        owner, path = administrator(env), "/var/tmp/lent"
        lender = placed(host.machine, "lend.c", env.testbed.scratch / "programs")
        made = host.ssh(owner, f"cp {lender} {path} && chgrp {ADMINS} {path} && chmod 2755 {path} && sudo -n id -u")
        equal(made.out, "0\n", f"the administrator's own sudo ({made.text})")
        command = f"{path} sh -c 'id -u'"
        lisa = host.ssh(env.lisa, search(4000, 12000, 8, command=command), timeout=400)
        equal((roots(lisa), tried(lisa)), ([], 1001), "limits that make lisa root; limits tried")
        before = without_the_fix(host)
        try:
            control = host.ssh(env.lisa, search(4000, 12000, 8, command=command, then="break"), timeout=400)
        finally:
            put_back(host, before)
        require(roots(control) != [], f"lisa is not root by the old lines either, so nothing was tried: {control.text}")
    return f"{seen}; lisa with a borrowed group: 1001 limits, none; by the old lines root at {roots(control)[0]} KiB"


def in_steps(env: Environment, host: Host, person: Person, steps: list[Callable[[], None]], command: str) -> list[str]:
    """What the command prints in one session after each step."""
    names = [(f"/tmp/{person.login}-{n}-go", f"/tmp/{person.login}-{n}-out") for n in range(len(steps))]
    script = "; ".join(f"while [ ! -e {go} ]; do sleep 0.02; done; ({command}) >{out}.new 2>&1; mv {out}.new {out}"
                       for go, out in names)
    running = env.aside(host.ssh, person, script)
    said = []

    def is_done(out: str) -> bool:
        return host.machine.path(out).exists() or running.done()

    for step, (go, out) in zip(steps, names, strict=True):
        step()
        host.machine.write(go, "")
        wait_for(partial(is_done, out), f"the step {out}")
        require(host.machine.path(out).exists(), f"the session ended before {out}: {running.done() and running.result(0).text}")
        said.append(host.machine.read(out))
    running.result(30)
    return said


# Settings that the machine's administrator may write into a later file.
SETTINGS_OF_OTHERS = ("Defaults !pam_acct_mgmt", "Defaults:ALL pam_service=open", "Defaults!/usr/bin/id !pam_acct_mgmt",
                      "Defaults>root pam_service=open, pam_login_service=open", "Defaults pam_service=cron",
                      "Defaults pam_service=systemd-user", "Defaults:ALL !pam_acct_mgmt, !authenticate",
                      "Defaults pam_askpass_service=open")


@case("P2", "no later file of sudoers makes sudo pass over the end of a role; doctor names each", attack="W5")
def later_files(env: Environment) -> str:
    with env.fresh("later") as host:
        person, machine = administrator(env), host.machine
        machine.write("/etc/pam.d/open", "auth required pam_permit.so\naccount required pam_permit.so\n"
                                         "session required pam_permit.so\n")

        def lowered() -> None:
            env.withdraw(person)
            host.flush()

        def written(line: str) -> Callable[[], None]:
            return lambda: machine.write(TARGETPW, line + "\n", 0o440)

        def named(line: str) -> Callable[[], None]:
            def act() -> None:
                written(line)()
                finding = [f for f in json.loads(host.tool("--json", "doctor").out)["findings"]
                           if f["id"] == "sudoers.account-stage"]
                require(len(finding) == 1, f"doctor says nothing of {line}")
            return act

        def opened() -> None:
            machine.write(TARGETPW, f"{BY_NUMBER}{SETTINGS_OF_OTHERS[0]}\n", 0o440)

        steps = [lambda: None, lowered, *map(written, SETTINGS_OF_OTHERS), named(SETTINGS_OF_OTHERS[1]), opened]
        asking = "sudo -n id -u; SUDO_ASKPASS=/bin/false sudo -A id -u"  # -A: by pam_askpass_service
        said = in_steps(env, host, person, steps, asking)
        equal(said[0], "0\n0\n", "sudo while the role lasts")
        for line, words in zip(("nothing", *SETTINGS_OF_OTHERS, SETTINGS_OF_OTHERS[1]), said[1:-1], strict=True):
            require("0" not in words.splitlines(), f"root by {line!r}: {words}")
        require("0" in said[-1].splitlines(), f"a rule by number under {SETTINGS_OF_OTHERS[0]} gives nothing either: {said[-1]}")
    return f"{len(SETTINGS_OF_OTHERS)} settings, none of them root; the old rule: root by the first"


@case("P7", "a foreign group with our group's name or number gives nobody sudo, and takes it from nobody",
      attack="H3")
def foreign_group(env: Environment) -> str:
    with env.fresh("foreign") as host:
        machine, person = host.machine, administrator(env)
        before = machine.read("/etc/group")
        for line in (f"{ADMINS}:x:70002:lisa", f"theirs:x:{ADMINS_GID}:lisa", f"users2:x:{USERS_GID}:lisa"):
            machine.write("/etc/group", f"{before}{line}\n")
            outcome = host.ssh(env.lisa, "id -G; sudo -n id -u")
            require(line.split(":")[2] in outcome.out, f"lisa has not got the group, so nothing was tried: {outcome.text}")
            require("0" not in outcome.lines()[1:], f"{line}: lisa is root: {outcome.text}")
            equal(host.ssh(person, "sudo -n id -u").out, "0\n", f"the administrator's own sudo beside {line}")
        machine.write("/etc/group", f"{before}{ADMINS}:x:70002:lisa\n")
        machine.write(TARGETPW, f"%{ADMINS} ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440)
        control = host.ssh(env.lisa, "sudo -n id -u")
        equal(control.out, "0\n", f"lisa by the old rule, which went by the name ({control.text})")
    return "by name, by number and by the users' number: nothing; the old rule made lisa root"


@case("P2", "what is left of a session that ended has no sudo, though it carries the group and the role is still there")
def left_behind(env: Environment) -> str:
    with env.fresh("left") as host:
        person, out, go = administrator(env), "/tmp/left-out", "/tmp/left-go"
        later = (f"while [ ! -e {go} ]; do sleep 0.05; done; (id -G; sudo -n id -u; echo ended $?) >{out}.new 2>&1; "
                 f"mv {out}.new {out}")
        begun = host.ssh(person, f"sudo -n id -u; nohup setsid sh -c '{later}' >/dev/null 2>&1 </dev/null &")
        equal(begun.out, "0\n", f"sudo in the session ({begun.text})")
        wait_for(lambda: ADMINS not in host.machine.must("id", "-Gn", person.login).out.split(), "the end of the membership")
        host.machine.write(go, "")
        wait_for(lambda: host.machine.path(out).exists(), "what was left behind")
        said = host.machine.read(out)
        require(str(ADMINS_GID) in said, f"it does not carry the group, so nothing was tried: {said}")
        require("ended 1" in said and "membership of the administrators has ended" in said, said)
    return "refused: the membership has ended"


@case("P8", "with the modules gone, or the daemon, Entra accounts have no sudo and no su; local users and root are not affected")
def without_modules(env: Environment) -> str:
    with env.fresh("gone") as host:
        machine, person, user = host.machine, administrator(env), env.newcomer()
        machine.write(TARGETPW, f'"{user.login}" ALL=(ALL) NOPASSWD: ALL\nlisa ALL=(ALL) NOPASSWD: ALL\n', 0o440)
        equal(host.ssh(user, "sudo -n id -u").out, "0\n", "a rule of the machine's administrator")
        module = machine.shell("ls /usr/lib/*/security/pam_entralogin.so").out.strip()

        def gone() -> None:
            machine.must("mv", module, f"{module}.away")

        def stopped() -> None:
            machine.must("mv", f"{module}.away", module)
            host.service.stop()

        def neither() -> None:
            machine.must("mv", module, f"{module}.away")
            machine.must("mv", PLUGIN, f"{PLUGIN}.away")

        before: dict[str, str] = {}

        def old_lines() -> None:
            before.update(without_the_fix(host))

        plain = in_steps(env, host, user, [lambda: None, gone, old_lines], "sudo -n id -u")
        equal(plain[0], "0\n", "with the module")
        require("0" not in plain[1].splitlines(), f"with the module gone: {plain[1]}")
        equal(plain[2], "0\n", "with the module gone, by the lines of before: nothing was tried")
        put_back(host, before)
        machine.must("mv", f"{module}.away", module)
        host.stamped()
        said = in_steps(env, host, person, [lambda: None, gone, stopped, neither], "sudo -n id -u")
        equal(said[0], "0\n", "with the module")
        for words in said[1:]:
            require("0" not in words.splitlines(), f"root: {words}")
        require("does not answer" in said[2], f"with the daemon stopped: {said[2]}")
        for who in (env.lisa, env.root):
            outcome = host.ssh(who, "sudo -n id -u; su -c 'id -u' lisa </dev/null")
            require(outcome.lines()[0] == "0" and "entralogin" not in outcome.text, f"{who.login}: {outcome.text}")
    return "Entra accounts refused each time; lisa and root as before"
