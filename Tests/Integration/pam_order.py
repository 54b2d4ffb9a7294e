# SPDX-License-Identifier: Apache-2.0
"""P4: between helper, account stage and session: a dead daemon, a dropped connection, a forged variable."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from case import case
from credentials import MARK, shut_out, without_effect
from environment import Environment, Host
from testbed import Outcome, Person
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

PAM_SSHD = "/etc/pam.d/sshd"
GRANTS = "/run/entralogin/nss/grants.snapshot"
ACCOUNT = "@include common-account"
BETWEEN = "/usr/local/sbin/between"
REACHED, GO = "/run/between-reached", "/run/between-go"
# The script does not pause the integration check. If /run/between-for names a user, it pauses only that user.
UNLESS_PROBED = '[ "$PAM_USER" != entralogin-probe@entralogin.invalid ] || exit 0'
PAUSE = f"""#!/bin/sh
{UNLESS_PROBED}
[ ! -e /run/between-for ] || [ "$(cat /run/between-for)" = "$PAM_USER" ] || exit 0
: >{REACHED}
while [ ! -e {GO} ]; do sleep 0.02; done
"""
KILL_SSHD = f"#!/bin/sh\n{UNLESS_PROBED}\nkill -9 $PPID\n"


def insert(host: Host, script: str, before: bool) -> None:
    """Makes sshd run a script in its account stage, before or after entralogin's line."""
    host.machine.write(BETWEEN, script, 0o755)
    line = f"account required pam_exec.so quiet {BETWEEN}"
    text = host.machine.read(PAM_SSHD)
    require(text.count(ACCOUNT) == 1, f"{PAM_SSHD} is not as it was: {text}")
    both = f"{line}\n{ACCOUNT}" if before else f"{ACCOUNT}\n{line}"
    host.machine.write(PAM_SSHD, text.replace(ACCOUNT, both))
    host.stamped()


def paused(env: Environment, host: Host, person: Person, act: Callable[[], None]) -> Outcome:
    """Pauses the sign-in after the helper and before entralogin's account stage while `act` runs."""
    for path in (REACHED, GO):
        host.machine.remove(path)
    running: Future[Outcome] = env.aside(host.ssh, person, f"echo {MARK}")
    try:
        wait_for(lambda: host.machine.path(REACHED).exists() or running.done(), "the account stage")
        require(not running.done(), "the sign-in never came to the account stage")
        act()
    finally:
        host.machine.write(GO, "")
    return running.result(90)


@case("P4", "the daemon killed between helper and account stage: refused in time")
def killed(env: Environment) -> str:
    with env.fresh("killed") as host:
        insert(host, PAUSE, before=True)
        person = env.newcomer()
        before = host.rest()
        outcome = paused(env, host, person, host.service.kill)
        shut_out(outcome)
        require(outcome.milliseconds < 15_000, f"{outcome.milliseconds:.0f} ms")
        without_effect(host, person, before)
    return f"refused after {outcome.milliseconds:.0f} ms: {outcome.text.strip()[:120]}"


@case("P4", "the daemon restarted between helper and account stage knows no verified certificate: refused")
def restarted(env: Environment) -> str:
    with env.fresh("restarted") as host:
        insert(host, PAUSE, before=True)
        person = env.newcomer()
        before, mark = host.rest(), host.journal.mark()

        def again() -> None:
            host.service.kill()
            host.begin()

        shut_out(paused(env, host, person, again), "Correlation id")
        without_effect(host, person, before)
        record = host.journal.wait(mark, event="account", user=person.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], "certificate-not-verified", "reason")
    return "certificate-not-verified"


@case("P4", "a connection dropped between account and session: no enrolment, no grant, no home")
def dropped(env: Environment) -> str:
    with env.fresh("dropped") as host:
        insert(host, KILL_SSHD, before=False)
        person = env.newcomer()
        env.make_administrator(person)
        before, mark = host.rest(), host.journal.mark()
        shut_out(host.ssh(person, f"echo {MARK}"))
        host.journal.wait(mark, event="account", user=person.login, decision="allow")
        without_effect(host, person, before)
        equal(host.machine.must("stat", "-c", "%s", GRANTS).out, "64\n", "the file of grants, which has none")
        text = host.machine.read(PAM_SSHD)
        host.machine.write(PAM_SSHD, text.replace(f"account required pam_exec.so quiet {BETWEEN}\n", ""))
        host.stamped()
        admitted(host.ssh(person, f"stat -c %s {GRANTS}"), "80\n")
    return "allowed by the account stage, and nothing came of it; a whole session has its grant"


@case("P4", "a forged SSH_AUTH_INFO_0 (~/.pam_environment): the stamp refuses pam_env before entralogin's session line")
def forged_variable(env: Environment) -> str:
    with env.fresh("forged") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        text = host.machine.read(PAM_SSHD)
        session = "@include common-session"
        require(text.count(session) == 1, f"{PAM_SSHD} is not as it was: {text}")
        wrong = f"session required pam_env.so user_readenv=1\n{session}"
        host.machine.write(PAM_SSHD, text.replace(session, wrong))
        require(not host.stamp(), "the stack check is content with pam_env before our line")
        doctor = host.tool("doctor")
        require(not doctor.ok and "pam_env" in doctor.text, f"doctor: {doctor.text}")
        refused(host.ssh(person, "id"))
        host.machine.write(PAM_SSHD, text)
        host.stamped()

        # In the right order the file is read too late to matter.
        home = host.machine.home(person.login)
        host.machine.write(f"{home}/.pam_environment", "SSH_AUTH_INFO_0 DEFAULT=publickey\\ forged\n")
        host.machine.must("chown", f"{person.login}:", f"{home}/.pam_environment")
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
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
def wrong_orders(env: Environment) -> str:
    with env.fresh("orders") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        text = host.machine.read(PAM_SSHD)
        for line, wrong, word in WRONG_ORDERS:
            require(text.count(line) == 1, f"{PAM_SSHD} is not as it was: {text}")
            host.machine.write(PAM_SSHD, text.replace(line, wrong))
            refused(host.ssh(person, "id"))  # at once
            require(not host.stamp(), f"the stack check is content with {wrong!r}")
            doctor = host.tool("doctor")
            failed = [entry for entry in doctor.text.splitlines() if entry.startswith("FAILED")]
            require(not doctor.ok and any(word in entry for entry in failed), f"{wrong!r}: doctor says {doctor.text}")
            refused(host.ssh(person, "id"))
        host.machine.write(PAM_SSHD, text)
        host.stamped()
        admitted(host.ssh(person, "true"))
    return failed[0].strip()


@case("P4", "an edit of a PAM file switches Entra sign-in off at once, before anybody looks at it again")
def edited(env: Environment) -> str:
    with env.fresh("edited") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        text = host.machine.read("/etc/pam.d/common-account")
        mark = host.journal.mark()
        host.machine.write("/etc/pam.d/common-account", "account required pam_permit.so\n")
        refused(host.ssh(person, "id"))
        record = host.journal.wait(mark, decision="deny", reason="stack-not-verified")
        host.machine.write("/etc/pam.d/common-account", text)
        host.stamped()
        admitted(host.ssh(person, "true"))
    return record["MESSAGE"]
