# SPDX-License-Identifier: Apache-2.0
"""P2: a program that an administrator left running, with no open session, has no sudo once the role is gone."""

from __future__ import annotations

from booted_environment import BootedEnvironment, BootedHost
from case import case
from roles import ADMINS, ADMINS_GID
from simulator import contoso
from sudo_right import BY_NUMBER, COMMON_ACCOUNT, OLD_LINE, SUDOERS, in_our_lines, search
from testbed import Person
from testbed.checks import equal, require
from testbed.machine import wait_for

LEAST = "first=$(for k in $(seq 2000 200 40000); do (ulimit -v $k; sudo -V) >/dev/null 2>&1 && echo $k && break; done); "


def left_running(env: BootedEnvironment, host: BootedHost) -> tuple[Person, str]:
    """Makes an administrator with a lingering timer, whose service waits for a file and then tries sudo, also under limits of
    memory. No session is open afterwards. Returns the person, and how the paths of the service's files begin."""
    person = env.newcomer()
    env.azure.assign(env.key_of(person), contoso.ADMINISTRATOR)
    out, machine = f"/var/tmp/{person.login}", host.machine
    body = search(0, 0, 1).replace("seq 0 1 0", "seq $first 60 $((first + 3000))")
    machine.write_file(f"{out}.sh", f"exec >{out}.new 2>&1\nwhile [ ! -e {out}.go ]; do sleep 0.1; done\nid -G\n"
                                    f"sudo -n id -u\n{LEAST}{body}\nmv {out}.new {out}.done\n")
    script = (f"export XDG_RUNTIME_DIR=/run/user/$(id -u); sudo -n loginctl enable-linger {person.login}; "
              f"systemd-run --user --quiet --on-active=1 --unit=left sh {out}.sh; sudo -n id -u; id -Gn; "
              f"while [ ! -e {out}.new ]; do sleep 0.1; done")
    begun = host.ssh(person, script)
    require("0" in begun.lines() and ADMINS in begun.out, f"the administrator's session: {begun.text}")
    wait_for(lambda: ADMINS not in machine.must("id", "-Gn", person.login).out.split(), "the end of the membership")
    return person, out


def tried_by(env: BootedEnvironment, host: BootedHost, person: Person, out: str) -> str:
    machine = host.machine
    env.azure.withdraw(env.key_of(person))
    machine.must("entraloginctl", "flush")
    machine.write_file(f"{out}.go", "")
    wait_for(lambda: machine.run("test", "-e", f"{out}.done").ok, "the timer's service", 120)
    said = machine.must("cat", f"{out}.done").out
    require(str(ADMINS_GID) in said.splitlines()[0], f"it does not carry the group, so nothing was tried: {said}")
    machine.run("loginctl", "disable-linger", person.login)
    return said


@case("P2", "a lingering timer of a former administrator, with nobody signed in: no sudo, under no limit of memory",
      attack="H1")
def lingering_timer(env: BootedEnvironment) -> str:
    with env.boot("lingering") as host:
        host.machine.wait_until_up()
        host.wait_until_ready()
        machine = host.machine
        said = tried_by(env, host, *left_running(env, host))
        require("ROOT" not in said and "tried 51" in said and "0" not in said.splitlines()[1:2], f"root: {said}")
        person, out = left_running(env, host)
        # As before the fix: a rule by the group of the process, and a PAM line that skips a module that cannot be loaded.
        rest = "\n".join(line for line in machine.must("cat", COMMON_ACCOUNT).out.splitlines() if not in_our_lines(line))
        machine.write_file(COMMON_ACCOUNT, f"{OLD_LINE}{rest}\n")
        machine.write_file(SUDOERS, BY_NUMBER)
        machine.must("sh", "-c", "chmod 440 /etc/sudoers.d/entralogin; rm /usr/lib/*/security/pam_entralogin.so")
        control = tried_by(env, host, person, out)
        equal(control.splitlines()[1], "0", f"the attack by the old lines, with a module that cannot be loaded ({control})")
    return "51 limits, none root; by the old lines, with a module that cannot be loaded: root"
