# SPDX-License-Identifier: Apache-2.0
"""P4 and P3: a program that only looks like sshd, by its name, PAM service or process id, gets nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from bed import Person, pam
from bed.asking import ask
from bed.checks import admitted, equal, require
from bed.machine import wait_for
from case import case
from credentials import without_effect
from ground import Ground, Site
from pam_order import GO, REACHED, UNLESS_PROBED, insert

NUMBER = "/run/between-sshd"
# As PAUSE, and writes the process id of sshd, which is pam_exec's parent.
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
def ghosts(ground: Ground) -> str:
    site, scratch = ground.vm, ground.bed.scratch / "programs"
    alice = ground.person("alice")
    admitted(site.ssh(alice, "true"))
    question = [f"name {NOBODY}"]
    require(ask(site.machine, scratch, question)[0].ids != (), "sshd is not answered: nothing is tried")
    for user in ("lisa", alice.login, "daemon"):
        equal(ask(site.machine, scratch, question, name="sshd", user=user)[0].ids, (), f"{user} is answered")
    for name in ("ls", "xsshd", "SSHD"):
        equal(ask(site.machine, scratch, question, name=name)[0].ids, (), f"root's {name} is answered")
    # Set-uid programs under another name, which their caller can choose.
    for program, arguments in (("/usr/bin/su", f"{NOBODY} -c id"), ("/usr/bin/sudo", f"-n -u {NOBODY} id")):
        outcome = site.ssh(ground.lisa, f"ln -sf {program} ./sshd-su && ./sshd-su {arguments}")
        require(not outcome.ok and outcome.out == "", f"{program}: {outcome.text}")
        require("does not exist" in outcome.err or "unknown user" in outcome.err, f"{program}: {outcome.err}")
    return "not lisa's, not alice's, not su nor sudo under that name; root's sshd is"


@case("P4", "root's process that looks like sshd, by name and PAM service, without a certificate: refused, no effects")
def without_certificate(ground: Ground) -> str:
    with ground.fresh("imitator") as site:
        known, unknown = ground.newcomer(), ground.newcomer()
        admitted(site.ssh(known, "true"))
        before, mark, tries = site.rest(), site.journal.mark(), 0
        for person in (known, unknown):
            for name, service in (("sshd", "sshd"), ("sshd-session", "other"), ("client", "sshd")):
                for stages in (("account", "open"), ("open",)):
                    seen = pam.ask(site.machine, ground.bed.scratch / "programs", service, person.login, stages, name,
                                   credential(person))
                    require(not seen.opened and pam.SUCCESS not in seen.results.values(),
                            f"{name} as {service} for {person.login}: {seen}")
                    tries += 1
            reasons = {r["ENTRALOGIN_REASON"] for r in site.journal.since(mark, user=person.login, decision="deny")}
            equal(reasons, {"certificate-not-verified"}, f"reasons for {person.login}")
        equal(site.state(), before, "the state folder")
        without_effect(site, unknown, before)
    return f"{tries} tries, known and unknown: certificate-not-verified"


@case("P4", "an administrator's sudo under the name sshd: refused, whatever the role")
def sudo_called_sshd(ground: Ground) -> str:
    site, alice = ground.vm, ground.person("alice")
    mark = site.journal.mark()
    outcome = site.ssh(alice, "sudo -n id -u; ln -sf /usr/bin/sudo ./sshd && ./sshd -n id -u; echo ended $?")
    equal(outcome.lines()[0], "0", f"sudo under its own name ({outcome.text})")
    require("ended 0" not in outcome.out and outcome.lines().count("0") == 1, f"it works: {outcome.text}")
    record = site.journal.wait(mark, event="account", decision="deny", service="sudo")
    equal(record["ENTRALOGIN_REASON"], "unsupported", "reason")
    return record["ENTRALOGIN_DETAIL"]


def sshd_waits(ground: Ground, site: Site, person: Person) -> int:
    """Pauses a sign-in after the helper and before entralogin's account stage; returns the process id of its sshd."""
    for path in (REACHED, GO):
        site.machine.remove(path)
    mark = site.journal.mark()
    running = ground.aside(site.ssh, person, "id")
    wait_for(lambda: site.machine.path(REACHED).exists() or running.done(), "the account stage")
    require(not running.done(), "the sign-in never came to the account stage")
    site.journal.wait(mark, event="certificate", user=person.login, decision="allow")
    return int(site.machine.read(NUMBER))


def kill_and_wait(site: Site, pid: int) -> None:
    require(Path(f"/proc/{pid}/comm").read_text().startswith("sshd"), f"process {pid} is no sshd")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), f"the end of process {pid}")
    site.machine.write(GO, "")  # its script ends, and the next ones do not wait


@case("P4", "a process with the number of a dead sshd, whose certificate was verified: refused at account and session")
def reused_number(ground: Ground) -> str:
    with ground.fresh("reused") as site:
        insert(site, PAUSE, before=True)
        person = ground.newcomer()
        before = site.rest()
        for stages in (("account", "open"), ("open",)):
            pid = sshd_waits(ground, site, person)
            kill_and_wait(site, pid)
            mark = site.journal.mark()
            seen = pam.ask(site.machine, ground.bed.scratch / "programs", "sshd", person.login, stages, "sshd",
                           credential(person), pid=pid)
            equal(seen.pid, pid, "the process's number")
            require(pam.SUCCESS not in seen.results.values(), f"{seen}")
            record = site.journal.wait(mark, user=person.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], "certificate-not-verified", "reason")
        without_effect(site, person, before)
        admitted(site.ssh(person, "id -un"), f"{person.login}\n")
    return f"process {pid}: {record['ENTRALOGIN_DETAIL']}"
