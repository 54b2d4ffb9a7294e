# SPDX-License-Identifier: Apache-2.0
"""P4 and P3: a program that only looks like sshd, by its name, PAM service or process id, gets nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from case import case
from credentials import without_effect
from environment import Environment, Host
from pam_order import GO, REACHED, UNLESS_PROBED, insert
from testbed import Person, pam
from testbed.asking import ask
from testbed.checks import admitted, equal, require
from testbed.machine import wait_for

NUMBER = "/run/between-sshd"
# Like PAUSE of pam_order.py for every user; also writes the process id of sshd, which is pam_exec's parent.
PAUSE = f"""#!/bin/sh
{UNLESS_PROBED}
[ ! -e {GO} ] || exit 0
echo $PPID >{NUMBER}
: >{REACHED}
while [ ! -e {GO} ]; do sleep 0.02; done
"""
NOBODY = "nobody-knows@contoso.com"


def credential(person: Person) -> dict[str, str]:
    """The environment that sshd passes to the session stage after a sign-in with that certificate."""
    assert person.certificate is not None
    return {"SSH_AUTH_INFO_0": "publickey " + " ".join(person.certificate.read_text().split()[:2])}


@case("P3", "a user's own process that is called sshd sees nobody who never signed in")
def ghosts(env: Environment) -> str:
    host, scratch = env.vm, env.testbed.scratch / "programs"
    alice = env.person("alice")
    admitted(host.ssh(alice, "true"))
    question = [f"name {NOBODY}"]
    require(ask(host.machine, scratch, question)[0].ids != (), "sshd is not answered: nothing is tried")
    for user in ("lisa", alice.login, "daemon"):
        equal(ask(host.machine, scratch, question, name="sshd", user=user)[0].ids, (), f"{user} is answered")
    for name in ("ls", "xsshd", "SSHD"):
        equal(ask(host.machine, scratch, question, name=name)[0].ids, (), f"root's {name} is answered")
    # Set-uid programs under another name, which their caller can choose.
    for program, arguments in (("/usr/bin/su", f"{NOBODY} -c id"), ("/usr/bin/sudo", f"-n -u {NOBODY} id")):
        outcome = host.ssh(env.lisa, f"ln -sf {program} ./sshd-su && ./sshd-su {arguments}")
        require(not outcome.ok and outcome.out == "", f"{program}: {outcome.text}")
        require("does not exist" in outcome.err or "unknown user" in outcome.err, f"{program}: {outcome.err}")
    return "not lisa's, not alice's, not su nor sudo under that name; root's sshd is"


@case("P4", "root's process that looks like sshd, by name and PAM service, without a certificate: refused, no effects")
def without_certificate(env: Environment) -> str:
    with env.fresh("imitator") as host:
        known, unknown = env.newcomer(), env.newcomer()
        admitted(host.ssh(known, "true"))
        before, mark, tries = host.rest(), host.journal.mark(), 0
        for person in (known, unknown):
            for name, service in (("sshd", "sshd"), ("sshd-session", "other"), ("client", "sshd")):
                for stages in (("account", "open"), ("open",)):
                    seen = pam.ask(host.machine, env.testbed.scratch / "programs", service, person.login, stages, name,
                                   credential(person))
                    require(not seen.opened and pam.SUCCESS not in seen.results.values(),
                            f"{name} as {service} for {person.login}: {seen}")
                    tries += 1
            reasons = {r["ENTRALOGIN_REASON"] for r in host.journal.since(mark, user=person.login, decision="deny")}
            equal(reasons, {"certificate-not-verified"}, f"reasons for {person.login}")
        equal(host.state(), before, "the state folder")
        without_effect(host, unknown, before)
    return f"{tries} tries, known and unknown: certificate-not-verified"


@case("P4", "an administrator's sudo under the name sshd: refused, whatever the role")
def sudo_called_sshd(env: Environment) -> str:
    host, alice = env.vm, env.person("alice")
    mark = host.journal.mark()
    outcome = host.ssh(alice, "sudo -n id -u; ln -sf /usr/bin/sudo ./sshd && ./sshd -n id -u; echo ended $?")
    equal(outcome.lines()[0], "0", f"sudo under its own name ({outcome.text})")
    require("ended 0" not in outcome.out and outcome.lines().count("0") == 1, f"it works: {outcome.text}")
    record = host.journal.wait(mark, event="account", decision="deny", service="sudo")
    equal(record["ENTRALOGIN_REASON"], "unsupported", "reason")
    return record["ENTRALOGIN_DETAIL"]


def sshd_waits(env: Environment, host: Host, person: Person) -> int:
    """Pauses a sign-in after the helper and before entralogin's account stage; returns the process id of its sshd."""
    for path in (REACHED, GO):
        host.machine.remove(path)
    mark = host.journal.mark()
    running = env.aside(host.ssh, person, "id")
    wait_for(lambda: host.machine.path(REACHED).exists() or running.done(), "the account stage")
    require(not running.done(), "the sign-in never came to the account stage")
    host.journal.wait(mark, event="certificate", user=person.login, decision="allow")
    return int(host.machine.read(NUMBER))


def kill_and_wait(host: Host, pid: int) -> None:
    require(Path(f"/proc/{pid}/comm").read_text().startswith("sshd"), f"process {pid} is no sshd")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), f"the end of process {pid}")
    host.machine.write(GO, "")  # its script ends, and the next ones do not wait


@case("P4", "a process with the number of a dead sshd, whose certificate was verified: refused at account and session")
def reused_number(env: Environment) -> str:
    with env.fresh("reused") as host:
        insert(host, PAUSE, before=True)
        person = env.newcomer()
        before = host.rest()
        for stages in (("account", "open"), ("open",)):
            pid = sshd_waits(env, host, person)
            kill_and_wait(host, pid)
            mark = host.journal.mark()
            seen = pam.ask(host.machine, env.testbed.scratch / "programs", "sshd", person.login, stages, "sshd",
                           credential(person), pid=pid)
            equal(seen.pid, pid, "the process's number")
            require(pam.SUCCESS not in seen.results.values(), f"{seen}")
            record = host.journal.wait(mark, user=person.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], "certificate-not-verified", "reason")
        without_effect(host, person, before)
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
    return f"process {pid}: {record['ENTRALOGIN_DETAIL']}"
