# SPDX-License-Identifier: Apache-2.0
"""P2 and P8: run0 (systemd 256 and later) and pkexec, on a machine whose systemd asks polkit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from booted_environment import BootedEnvironment
from case import case
from elevation import POLKIT, YES
from roles import ADMINS, ADMINS_GID
from simulator import contoso
from testbed.checks import equal, require
from testbed.machine import wait_for

RUN0 = "run0 --no-ask-password id -u"
PKEXEC = "pkexec --disable-internal-agent id -u"
# The rule that sudo.md warns of: it checks the groups of the process, which outlive the membership.
BY_GROUP = f'polkit.addRule(function(a, subject) {{ if (subject.isInGroup("{ADMINS}")) return polkit.Result.YES; }});\n'
# How a user may try to become root; each prints 0 if it succeeds. polkit sees neither the caller's limits nor its variables.
TRIES = (RUN0, "run0 --no-ask-password --user=root id -u </dev/null", f"env -i /usr/bin/{RUN0}",
         f"SYSTEMD_BYPASS_POLKIT=1 DBUS_SYSTEM_BUS_ADDRESS= {RUN0}", f"(ulimit -n 12; {RUN0})", f"(ulimit -u 64; {RUN0})",
         f"{RUN0} 0<&- 2>&1", "systemd-run --quiet --no-ask-password --wait --pipe id -u",
         PKEXEC, f"for k in $(seq 4000 2000 60000); do (ulimit -v $k; {RUN0}); done")


@case("P2", "run0 and pkexec: root for no Entra account without a rule; with the example rule it ends with the membership",
      attack="P25")
def by_rule(env: BootedEnvironment) -> str:
    host = env.vm
    machine, person, user = host.machine, env.newcomer(), env.newcomer()
    env.azure.assign(env.key_of(person), contoso.ADMINISTRATOR)
    script = "{ " + "; ".join(TRIES) + "; } 2>/dev/null"
    for who in (person, user, env.lisa):
        require("0" not in host.ssh(who, script, timeout=200).lines(), f"{who.login} is root without a rule")
    module = machine.shell("ls /usr/lib/*/security/pam_entralogin.so").out.strip()
    machine.write_file(POLKIT, YES)
    machine.must("chmod", "0644", POLKIT)
    pool = ThreadPoolExecutor(1)
    try:
        # Control: the rule makes an administrator root, so polkit works here and each refusal is polkit's.
        wait_for(lambda: "0" in host.ssh(person, f"{RUN0} 2>/dev/null").lines(), "polkit to read the rule")
        go, out = f"/tmp/{person.login}.go", f"/tmp/{person.login}.out"
        # The second control, at the end, uses the other rule, which polkit may not have read yet: so it retries.
        control = f"for i in $(seq 50); do {RUN0} && break; sleep 0.2; done; {PKEXEC} && echo by pkexec too"
        waiting = (f"id -G >{out}.begun; while [ ! -e {go} ]; do sleep 0.1; done; ({script}; id -G) >{out}.new; "
                   f"mv {out}.new {out}; while [ ! -e {go}2 ]; do sleep 0.1; done; {{ {control}; }} 2>/dev/null")
        running = pool.submit(host.ssh, person, waiting, timeout=300)
        wait_for(lambda: machine.run("test", "-s", f"{out}.begun").ok, "the session")
        env.azure.withdraw(env.key_of(person))
        machine.must("entraloginctl", "flush")
        host.ssh(person, "true")
        wait_for(lambda: str(ADMINS_GID) not in machine.must("id", "-G", person.login).out.split(), "the end of the membership")
        machine.must("mv", module, f"{module}.away")  # polkit's decision must not depend on the module
        machine.write_file(go, "")
        wait_for(lambda: machine.run("test", "-e", out).ok, "the session's tries", 240)
        said = machine.must("cat", out).out.splitlines()
        require(str(ADMINS_GID) in said[-1].split(), f"the session has lost its group, so nothing was tried: {said}")
        equal(said[:-1].count("0"), 0, f"roots after the role's end, with the module gone: {said}")
        require("0" not in host.ssh(env.lisa, script, timeout=200).lines(), "lisa by the rule")
        machine.write_file(POLKIT, BY_GROUP)
        machine.write_file(f"{go}2", "")
        control_said = running.result(300).lines()
        equal(control_said[:1], ["0"], f"the control: run0 by isInGroup alone ({control_said})")
    finally:
        pool.shutdown(wait=False)
        machine.shell(f"rm -f {POLKIT}; [ ! -e {module}.away ] || mv {module}.away {module}")
    return (f"{len(TRIES)} ways, none of them root before the rule and after the role's end; "
            f"by isInGroup alone root ({machine.must('pkaction', '--version').out.strip()}: {control_said})")
