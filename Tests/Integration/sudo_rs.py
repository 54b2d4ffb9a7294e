# SPDX-License-Identifier: Apache-2.0
"""P2, P7, P8 and P17 where `sudo` is sudo-rs, which has no plugin: PAM's account stage decides."""

from __future__ import annotations

import json

from case import case
from environment import Host
from roles import ADMINS, ADMINS_GID, TARGETPW, administrator
from sudo_right import COMMON_ACCOUNT, OLD_LINE, SUDOERS, in_our_lines, in_steps, roots, search, tried
from sudo_rs_environment import SudoRsEnvironment, replace_sudo
from testbed import Outcome
from testbed.checks import equal, require
from testbed.installed import CONFIGURE

# What a former administrator may try. For -l and sudoedit, sudo-rs before 0.2.15 asks only whether there is a rule.
EACH = "sudo -n id -u; sudo -n -i id -u; sudo -n -u lisa id -u; sudo -n -l 2>&1 | grep -c NOPASSWD"
EDIT = "EDITOR=true sudoedit -n /etc/hosts >/dev/null 2>&1 && echo edited"


def bare(**options: str) -> str:
    """The search without the long argument, for which sudo-rs needs memory again after PAM, and fails there."""
    return search(6000, 10000, 12, **options).replace(" x $fill", "")


def findings(host: Host) -> dict[str, str]:
    """The severity of each of doctor's findings, by its id."""
    return {f["id"]: f["severity"] for f in json.loads(host.tool("--json", "doctor").out)["findings"]}


def asks_always(host: Host) -> bool:
    """Whether this sudo-rs asks PAM's account stage about its list and sudoedit, too."""
    version = host.machine.must("sudo", "--version").text.split()[1]
    return [int(part) for part in version.split(".")] >= [0, 2, 15]


def lent(path: str) -> str:
    """A command that runs sudo with the administrators' group, by a setgid copy of perl that an administrator left behind."""
    script = ("$ENV{PATH} = q(/usr/bin:/bin); delete @ENV{qw(IFS CDPATH ENV BASH_ENV)}; $( = $); "
              "exec(q(/usr/bin/sudo), q(-n), q(id), q(-u))")
    return f"{path} -e '{script}'"


@case("P2",
      "sudo-rs: administrators have sudo, users have none; it ends with the role, sudo -l and sudoedit with it")
def withdrawal(env: SudoRsEnvironment) -> str:
    with env.fresh("rs") as host:
        person, machine = administrator(env), host.machine
        rule = [line for line in machine.read(SUDOERS).splitlines() if line.startswith("%")]
        equal(rule[0].split()[0], f"%#{ADMINS_GID}" if asks_always(host) else f"%{ADMINS}", "whose rule it is")
        equal(host.ssh(env.newcomer(), f"{EACH}; {EDIT}").out, "0\n", "a user's")
        equal(host.ssh(env.root, "sudo id -u").out, "0\n", "root's")
        equal(host.ssh(env.lisa, "echo 'correct horse' | sudo -S id -u").out, "0\n", "lisa's, by her password")

        def withdrawn() -> None:
            env.withdraw(person)
            host.flush()

        with_role, without = in_steps(env, host, person, [lambda: None, withdrawn], f"{EACH}; {EDIT}; id -G")
        lines = with_role.splitlines()
        equal(lines[:4], ["0", "0", "1000", "1"], "an administrator's")
        groups = without.splitlines()[-1].split()
        require(str(ADMINS_GID) in groups, "the session has lost its group, so nothing was tried")
        require(not {"0", "1000", "1", "edited"} & set(without.splitlines()[:-2]), f"after the role's end: {without}")
        warned = findings(host)["sudo-rs"]
        equal(warned, "note" if asks_always(host) else "warning", "what doctor says of sudo-rs")
    return without.splitlines()[0]


@case("P8",
      "sudo-rs: with the daemon stopped or the module gone no Entra account is root; local users go on as before")
def without_daemon(env: SudoRsEnvironment) -> str:
    with env.fresh("rs-gone") as host:
        person, machine = administrator(env), host.machine
        module = machine.shell("ls /usr/lib/*/security/pam_entralogin.so").out.strip()

        def stopped() -> None:
            host.service.stop()

        def gone() -> None:
            machine.must("mv", module, f"{module}.away")

        steps = [lambda: None, stopped, gone]
        said = in_steps(env, host, person, steps, "sudo -n id -u; sudo -n -i id -u")
        equal(said[0], "0\n0\n", "before")
        for words in said[1:]:
            require("0" not in words.splitlines(), f"root: {words}")
        equal(host.ssh(env.lisa, "echo 'correct horse' | sudo -S id -u").out, "0\n", "lisa's")
        before = machine.read(COMMON_ACCOUNT)
        old = OLD_LINE + "\n".join(line for line in before.splitlines() if not in_our_lines(line)) + "\n"
        again = administrator(env)
        machine.must("mv", f"{module}.away", module)
        host.begin()
        host.stamped()

        def passed_over() -> None:
            machine.write(COMMON_ACCOUNT, old)
            machine.must("mv", module, f"{module}.away")

        control = in_steps(env, host, again, [lambda: None, passed_over], "sudo -n id -u")
        equal(control, ["0\n"] * 2, "with the lines of before, which passed over a missing module: nothing was tried")
    return "stopped and gone: refused; by the old lines root"


@case("P2", "sudo-rs: no limit of memory, and no borrowed group, makes it pass over the end of a role", attack="H1")
def limited(env: SudoRsEnvironment) -> str:
    with env.fresh("rs-limited") as host:
        machine, person, other = host.machine, administrator(env), administrator(env)
        path = "/var/tmp/lent"
        made = host.ssh(other, f"cp /usr/bin/perl {path} && chgrp {ADMINS} {path} && chmod 2755 {path} && sudo -n id -u")
        equal(made.out, "0\n", f"the administrator's own sudo ({made.text})")
        before = machine.read(COMMON_ACCOUNT)
        old = OLD_LINE + "\n".join(line for line in before.splitlines() if not in_our_lines(line)) + "\n"

        # While the daemon is dead, the membership stays in the published file, so the name service gives the group.
        def dead() -> None:
            host.service.kill()
            machine.write("/tmp/dead", "")

        script = f"sudo -n id -u; id -G; {bare()}"
        said = in_steps(env, host, person, [lambda: None, dead], f"[ -e /tmp/dead ] || exit 0; {script}")[1]
        require(str(ADMINS_GID) in said and "ROOT" not in said and "tried 334" in said, said)
        borrowed = host.ssh(env.lisa, bare(command=lent(path)), timeout=200)
        equal(roots(borrowed), [], f"limits that make lisa root with a borrowed group; {tried(borrowed)} tried")
        machine.remove("/tmp/dead")
        host.begin()
        host.stamped()

        def opened() -> None:
            dead()
            machine.write(COMMON_ACCOUNT, old)

        stopping = f"[ -e /tmp/dead ] || exit 0; {bare(then='break')}"
        control = in_steps(env, host, administrator(env), [lambda: None, opened], stopping)[1]
        require("ROOT" in control, f"the attack does not work by the old line either: {control}")
    return f"334 limits, none root; the old line: {control.splitlines()[0]} KiB"


@case("P17",
      "sudo-rs put in the place of sudo later: doctor says that administrators have none, and configure repairs it",
      attack="W9")
def replaced(env: SudoRsEnvironment) -> str:
    with env.fresh("rs-later", layered=True) as host:
        machine, person = host.machine, administrator(env)
        equal(host.ssh(person, "sudo -n id -u").out, "0\n", "sudo's own")
        replace_sudo(machine)
        noisy = host.ssh(env.lisa, "echo 'correct horse' | sudo -S id -u")
        require("group_plugin" in noisy.err, f"sudo-rs takes a file that is not for it, so nothing was tried: {noisy.text}")
        require("0" not in host.ssh(person, "sudo -n id -u").lines(), "administrators by a file that is not for sudo-rs")
        equal(findings(host).get("sudo-rs.file"), "error", "doctor")
        machine.must(CONFIGURE, "--enable")
        host.stamped()
        require("sudo-rs.file" not in findings(host), "doctor goes on about it")
        equal(host.ssh(person, "sudo -n id -u").out, "0\n", "an administrator's")
        quiet = host.ssh(env.lisa, "echo 'correct horse' | sudo -S id -u")
        require("group_plugin" not in quiet.err and "sudoers.d" not in quiet.err, f"lisa's: {quiet.text}")
    return noisy.err.splitlines()[0]


def member(host: Host, name: str, command: str = "sudo -n id -u") -> Outcome:
    """Runs sudo-rs as that user, who is in a group by the name services or, from 0.2.15 on, by the groups of the process."""
    groups = "--init-groups" if asks_always(host) else "--clear-groups"
    return host.machine.run("setpriv", f"--reuid={name}", f"--regid={name}", groups, "sh", "-c", command, timeout=200)


@case("P7", "sudo-rs: where another service has the group's name or its number, its members are refused, under limits too",
      attack="H3")
def foreign_group(env: SudoRsEnvironment) -> str:
    with env.fresh("rs-foreign") as host:
        machine, person = host.machine, administrator(env)
        machine.must("useradd", "-m", "bart")
        before, account = machine.read("/etc/group"), machine.read(COMMON_ACCOUNT)
        machine.write(TARGETPW, "lisa ALL=(ALL) NOPASSWD: ALL\n", 0o440)
        by_name = not asks_always(host)
        lines = {f"theirs:x:{ADMINS_GID}:bart": True, f"{ADMINS}:x:70002:bart": by_name}
        for line, is_theirs in lines.items():
            machine.write("/etc/group", f"{before}{line}\n")
            outcome = member(host, "bart")
            require("0" not in outcome.lines(), f"{line}: root at once: {outcome.text}")
            equal(machine.run("su", "bart", "-c", "sudo -n id -u").out, "", f"{line}: by su")
            squeezed = member(host, "bart", bare())
            equal((roots(squeezed), tried(squeezed)), ([], 334), f"{line}: limits that make root; limits tried")
            equal(member(host, "lisa").out, "0\n", f"{line}: lisa's own rule")
            machine.write(COMMON_ACCOUNT, account.replace("pam_entralogin.so", "pam_permit.so"))
            control = member(host, "bart")
            equal(control.out, "0\n" if is_theirs else "", f"{line}: without our line in PAM")
            machine.write(COMMON_ACCOUNT, account)
        if by_name:
            equal(findings(host).get("sudo-rs.group"), "error", "doctor")
            host.stamped()
            outcome = host.ssh(person, "id -Gn; sudo -n id -u")
            require(ADMINS not in outcome.lines()[0].split(), f"an administrator signs in with the group: {outcome.text}")
            require(not machine.run(CONFIGURE, "--enable").ok, "configure is content")
            require(not machine.path(SUDOERS).exists(), "the rule by name is there still")
    return f"{len(lines)} groups: refused, under 334 limits each; without our line in PAM bart was root"
