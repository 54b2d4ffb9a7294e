# SPDX-License-Identifier: Apache-2.0
"""P4: between helper, account stage and session: a dead daemon, a dropped connection, a forged variable."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from bed import Outcome, Person
from bed.checks import admitted, equal, refused, require
from bed.machine import wait_for
from case import case
from credentials import MARK, shut_out, without_effect
from ground import Ground, Site

PAM_SSHD = "/etc/pam.d/sshd"
GRANTS = "/run/entralogin/nss/grants.snapshot"
ACCOUNT = "@include common-account"
BETWEEN = "/usr/local/sbin/between"
REACHED, GO = "/run/between-reached", "/run/between-go"
# The integration check does not wait there, and if a file names a person, only that person waits.
UNLESS_PROBED = '[ "$PAM_USER" != entralogin-probe@entralogin.invalid ] || exit 0'
PAUSE = f"""#!/bin/sh
{UNLESS_PROBED}
[ ! -e /run/between-for ] || [ "$(cat /run/between-for)" = "$PAM_USER" ] || exit 0
: >{REACHED}
while [ ! -e {GO} ]; do sleep 0.02; done
"""
KILL_SSHD = f"#!/bin/sh\n{UNLESS_PROBED}\nkill -9 $PPID\n"


def insert(site: Site, script: str, before: bool) -> None:
    """Makes sshd run a script in its account stage, before or after entralogin's line."""
    site.machine.write(BETWEEN, script, 0o755)
    line = f"account required pam_exec.so quiet {BETWEEN}"
    text = site.machine.read(PAM_SSHD)
    require(text.count(ACCOUNT) == 1, f"{PAM_SSHD} is not as it was: {text}")
    both = f"{line}\n{ACCOUNT}" if before else f"{ACCOUNT}\n{line}"
    site.machine.write(PAM_SSHD, text.replace(ACCOUNT, both))
    site.stamped()


def paused(ground: Ground, site: Site, person: Person, act: Callable[[], None]) -> Outcome:
    """Pauses the sign-in after the helper and before entralogin's account stage while `act` runs."""
    for path in (REACHED, GO):
        site.machine.remove(path)
    running: Future[Outcome] = ground.aside(site.ssh, person, f"echo {MARK}")
    try:
        wait_for(lambda: site.machine.path(REACHED).exists() or running.done(), "the account stage")
        require(not running.done(), "the sign-in never came to the account stage")
        act()
    finally:
        site.machine.write(GO, "")
    return running.result(90)


@case("P4", "the daemon killed between helper and account stage: refused in time")
def killed(ground: Ground) -> str:
    with ground.fresh("killed") as site:
        insert(site, PAUSE, before=True)
        person = ground.newcomer()
        before = site.rest()
        outcome = paused(ground, site, person, site.service.kill)
        shut_out(outcome)
        require(outcome.milliseconds < 15_000, f"{outcome.milliseconds:.0f} ms")
        without_effect(site, person, before)
    return f"refused after {outcome.milliseconds:.0f} ms: {outcome.text.strip()[:120]}"


@case("P4", "the daemon restarted between helper and account stage knows no verified certificate: refused")
def restarted(ground: Ground) -> str:
    with ground.fresh("restarted") as site:
        insert(site, PAUSE, before=True)
        person = ground.newcomer()
        before, mark = site.rest(), site.journal.mark()

        def again() -> None:
            site.service.kill()
            site.begin()

        shut_out(paused(ground, site, person, again), "Correlation id")
        without_effect(site, person, before)
        record = site.journal.wait(mark, event="account", user=person.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], "certificate-not-verified", "reason")
    return "certificate-not-verified"


@case("P4", "a connection dropped between account and session: no enrolment, no grant, no home")
def dropped(ground: Ground) -> str:
    with ground.fresh("dropped") as site:
        insert(site, KILL_SSHD, before=False)
        person = ground.newcomer()
        ground.make_administrator(person)
        before, mark = site.rest(), site.journal.mark()
        shut_out(site.ssh(person, f"echo {MARK}"))
        site.journal.wait(mark, event="account", user=person.login, decision="allow")
        without_effect(site, person, before)
        equal(site.machine.must("stat", "-c", "%s", GRANTS).out, "64\n", "the file of grants, which has none")
        text = site.machine.read(PAM_SSHD)
        site.machine.write(PAM_SSHD, text.replace(f"account required pam_exec.so quiet {BETWEEN}\n", ""))
        site.stamped()
        admitted(site.ssh(person, f"stat -c %s {GRANTS}"), "80\n")
    return "allowed by the account stage, and nothing came of it; a whole session has its grant"


@case("P4", "a forged SSH_AUTH_INFO_0 (~/.pam_environment): the stamp refuses pam_env before entralogin's session line")
def forged_variable(ground: Ground) -> str:
    with ground.fresh("forged") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        text = site.machine.read(PAM_SSHD)
        session = "@include common-session"
        require(text.count(session) == 1, f"{PAM_SSHD} is not as it was: {text}")
        wrong = f"session required pam_env.so user_readenv=1\n{session}"
        site.machine.write(PAM_SSHD, text.replace(session, wrong))
        require(not site.stamp(), "the stack check is content with pam_env before our line")
        doctor = site.tool("doctor")
        require(not doctor.ok and "pam_env" in doctor.text, f"doctor: {doctor.text}")
        refused(site.ssh(person, "id"))
        site.machine.write(PAM_SSHD, text)
        site.stamped()

        # In the right order the file is read too late to matter.
        home = site.machine.home(person.login)
        site.machine.write(f"{home}/.pam_environment", "SSH_AUTH_INFO_0 DEFAULT=publickey\\ forged\n")
        site.machine.must("chown", f"{person.login}:", f"{home}/.pam_environment")
        admitted(site.ssh(person, "id -un"), f"{person.login}\n")
    return next(line.strip() for line in doctor.text.splitlines() if "pam_env" in line)


# A line of sshd's PAM file, what replaces it, and the word by which doctor names that.
WRONG_ORDERS = (
    (ACCOUNT, f"account sufficient pam_permit.so\n{ACCOUNT}", "pam_permit"),
    (ACCOUNT, f"account [success=99 default=ignore] pam_permit.so\n{ACCOUNT}", "pam_permit"),
    (ACCOUNT, "account required pam_unix.so", "account stack"),
    ("@include common-session", "session required pam_mkhomedir.so\n@include common-session", "pam_mkhomedir"),
    ("@include common-session", "session optional pam_systemd.so\n@include common-session", "pam_systemd"),
    ("@include common-session", "session required pam_unix.so", "session stack"),
)


@case("P4",
      "entralogin's PAM lines behind others, jumped over or missing: the stamp falls, doctor names it, nobody gets in")
def wrong_orders(ground: Ground) -> str:
    with ground.fresh("orders") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        text = site.machine.read(PAM_SSHD)
        for line, wrong, word in WRONG_ORDERS:
            require(text.count(line) == 1, f"{PAM_SSHD} is not as it was: {text}")
            site.machine.write(PAM_SSHD, text.replace(line, wrong))
            refused(site.ssh(person, "id"))  # at once
            require(not site.stamp(), f"the stack check is content with {wrong!r}")
            doctor = site.tool("doctor")
            failed = [entry for entry in doctor.text.splitlines() if entry.startswith("FAILED")]
            require(not doctor.ok and any(word in entry for entry in failed), f"{wrong!r}: doctor says {doctor.text}")
            refused(site.ssh(person, "id"))
        site.machine.write(PAM_SSHD, text)
        site.stamped()
        admitted(site.ssh(person, "true"))
    return failed[0].strip()


@case("P4", "an edit of a PAM file switches Entra sign-in off at once, before anybody looks at it again")
def edited(ground: Ground) -> str:
    with ground.fresh("edited") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        text = site.machine.read("/etc/pam.d/common-account")
        mark = site.journal.mark()
        site.machine.write("/etc/pam.d/common-account", "account required pam_permit.so\n")
        refused(site.ssh(person, "id"))
        record = site.journal.wait(mark, decision="deny", reason="stack-not-verified")
        site.machine.write("/etc/pam.d/common-account", text)
        site.stamped()
        admitted(site.ssh(person, "true"))
    return record["MESSAGE"]
