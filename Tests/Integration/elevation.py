# SPDX-License-Identifier: Apache-2.0
"""P2 and P8: doas, su, sudoedit and pkexec give nothing to an Entra account without a role, whether it ever had one or not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from case import case
from environment import Environment, Host
from roles import ADMINS, ADMINS_GID, administrator
from sudo_right import COMMON_ACCOUNT, OLD_LINE, in_our_lines, in_steps, put_back, search
from testbed.checks import equal, require
from testbed.machine import wait_for

DOAS_CONF = "/etc/doas.conf"
RULES = f"permit nopass :{ADMINS}\npermit nopass lisa as bart\n"
POLKIT = "/etc/polkit-1/rules.d/40-entra-administrators.rules"
# The rule in Documentation/sudo.md: newer versions of polkit see only the groups of the process, which outlive the membership.
YES = f"""polkit.addRule(function(action, subject) {{
    if (subject.isInGroup("{ADMINS}") &&
        polkit.spawn(["/usr/bin/id", "-nG", "--", subject.user]).trim().split(" ").indexOf("{ADMINS}") >= 0)
        return polkit.Result.YES;
}});
"""
# What a former administrator, or a user, may try: each would print 0.
TRIES = ("doas -n id -u", "doas -n sh -c 'id -u' 0<&- 2>&1", "env -i /usr/bin/doas -n /usr/bin/id -u",
         "(ulimit -n 8; doas -n id -u)", "su -c 'id -u' </dev/null", "su - -c 'id -u' </dev/null",
         "(ulimit -n 6; su -c 'id -u') </dev/null",
         "sudo -n -e /etc/hosts && echo 0", "EDITOR=true sudoedit -n /etc/hosts && echo 0")


def module_of(host: Host) -> str:
    return host.machine.shell("ls /usr/lib/*/security/pam_entralogin.so").out.strip()


def old_account_lines(host: Host) -> dict[str, str]:
    """Restores an earlier version's account stage, which skips a missing module; returns the present files, to put back."""
    before = host.machine.read(COMMON_ACCOUNT)
    rest = "\n".join(line for line in before.splitlines() if not in_our_lines(line))
    host.machine.write(COMMON_ACCOUNT, f"{OLD_LINE}{rest}\n")
    return {COMMON_ACCOUNT: before}


@case("P2", "doas, su and sudoedit: a role that is gone is no right, with the daemon stopped or the module gone neither")
def each_way(env: Environment) -> str:
    with env.fresh("ways", layered=True) as host:
        machine, person, user = host.machine, administrator(env), env.newcomer()
        machine.must("useradd", "-m", "bart")
        machine.write(DOAS_CONF, RULES)
        equal(host.ssh(user, "; ".join(TRIES)).lines().count("0"), 0, "a user's")
        script, module = "; ".join(TRIES), module_of(host)

        def withdrawn() -> None:
            env.withdraw(person)
            host.flush()

        def stopped() -> None:
            host.service.stop()

        def gone() -> None:
            machine.must("mv", module, f"{module}.away")

        said = in_steps(env, host, person, [lambda: None, withdrawn, stopped, gone], f"{script}; id -G")
        require(said[0].splitlines().count("0") >= 4, f"doas and sudoedit of an administrator: {said[0]}")
        for words in said[1:]:
            require(str(ADMINS_GID) in words, f"it does not carry the group, so nothing was tried: {words}")
            equal(words.splitlines().count("0"), 0, f"roots in {words}")
        equal(host.ssh(env.lisa, "doas -n -u bart id -un").out, "bart\n", "lisa's own rule, with the module gone")
        before = old_account_lines(host)
        machine.must("mv", f"{module}.away", module)
        put_back(host, before)
        host.begin()
        host.stamped()
        again = administrator(env)

        def passed_over() -> None:
            old_account_lines(host)
            gone()

        control = in_steps(env, host, again, [lambda: None, passed_over], "doas -n id -u")
        equal(control, ["0\n", "0\n"], "by the old lines, which passed over a missing module: nothing was tried")
    return f"{len(TRIES)} ways, none of them root in three states; by the old lines doas was"


@case("P2", "doas: no limit of memory makes it pass over the end of a role", attack="H1")
def limited_doas(env: Environment) -> str:
    with env.fresh("doas", layered=True) as host:
        machine, person, other = host.machine, administrator(env), administrator(env)
        machine.write(DOAS_CONF, RULES)

        def withdraw(who: str) -> None:
            env.withdraw(person if who == "person" else other)
            host.flush()

        command = "doas -n sh -c 'id -u'"
        said = in_steps(env, host, person, [lambda: None, lambda: withdraw("person")],
                        f"{command}; [ ! -e /tmp/go ] || {{ {search(2000, 9000, 4, command=command).strip()}; }}; touch /tmp/go")
        machine.remove("/tmp/go")
        require("ROOT" not in said[1] and "tried 1751" in said[1], said[1])

        def opened() -> None:
            withdraw("other")
            old_account_lines(host)

        # Few limits do it, and others in each process, because addresses are random: so the control has three rounds.
        stop = "; ".join([search(2000, 9000, 4, command=command, then="break").strip()] * 3)
        control = in_steps(env, host, other, [lambda: None, opened],
                           f"{command}; [ ! -e /tmp/go ] || {{ {stop}; }}; touch /tmp/go")
        require("ROOT" in control[1], f"the attack does not work by the old line either: {control[1]}")
    root = next(line for line in control[1].splitlines() if "ROOT" in line)
    return f"1751 limits, none root; by the old line {root} KiB"


@contextmanager
def polkit(host: Host) -> Iterator[None]:
    """Runs D-Bus and polkit's daemon until the block ends."""
    host.machine.shell("mkdir -p /run/dbus; rm -f /run/dbus/pid; dbus-uuidgen --ensure")
    programs = [("/usr/bin/dbus-daemon", "--system", "--nofork"), ("/usr/lib/polkit-1/polkitd", "--no-debug")]
    started = []
    try:
        for program in programs:
            argv = host.machine.argv(list(program))
            started.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            wait_for(lambda: host.machine.path("/run/dbus/system_bus_socket").exists(), "D-Bus")
        ask = "dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames"
        wait_for(lambda: "PolicyKit1" in host.machine.shell(ask).out, "polkit")
        yield
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


@case("P2", "pkexec: no Entra account is root by it without a rule; with the example rule it ends with the membership")
def by_polkit(env: Environment) -> str:
    with env.fresh("polkit", layered=True) as host, polkit(host):
        machine, person, user = host.machine, administrator(env), env.newcomer()
        command = "pkexec --disable-internal-agent /usr/bin/id -u"
        for who in (person, user, env.lisa):
            require("0" not in host.ssh(who, command).lines(), f"{who.login} without a rule")
        machine.write(POLKIT, YES)
        machine.must("chmod", "0644", POLKIT)

        def withdrawn() -> None:
            env.withdraw(person)
            host.flush()
            host.ssh(person, "true")

        wait_for(lambda: "0" in host.ssh(person, command).lines(), "polkit to read the rule")
        said = in_steps(env, host, person, [lambda: None, withdrawn, lambda: None], f"{command}; sudo -n true; id -G")
        require(said[0].startswith("0\n"), f"an administrator's by the rule: {said[0]}")
        require("0" not in said[2].splitlines() and str(ADMINS_GID) in said[2], f"after the role's end: {said[2]}")
        require("0" not in host.ssh(user, command).lines(), "a user's by the rule")
    return said[2].splitlines()[0]
