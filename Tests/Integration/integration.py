# SPDX-License-Identifier: Apache-2.0
"""P4: an administrator's own settings, and a helper that misbehaves: sign-in is refused, or the integration check fails."""

from __future__ import annotations

from collections.abc import Sequence

from case import case, cases
from credentials import MARK, shut_out, without_effect
from environment import EARLY, SETTINGS, Environment, Host, entra_block
from no_effects import HELPER
from simulator import contoso
from simulator.sshkeys import public_line
from testbed.checks import admitted, equal, refused, require
from testbed.installed import CONFIGURE

LATE = "/etc/ssh/sshd_config.d/90-late.conf"


def named(host: Host, word: str) -> str:
    """Requires that the integration check fails, and that doctor names the word with a remedy."""
    host.reload()
    require(not host.stamp(), f"the stack check is content with {word}")
    doctor = host.tool("doctor")
    line = next((line for line in doctor.text.splitlines() if word in line.lower()), "")
    require(not doctor.ok and bool(line), f"doctor (status {doctor.status}) does not name {word}: {doctor.text}")
    return line.strip()


def named_and_refused(env: Environment, name: str, setting: str, word: str) -> str:
    with env.fresh(name) as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        host.machine.write("/etc/ssh/x y.conf", "Match User mallory@contoso.com\n    AuthorizedKeysFile .ssh/authorized_keys\n")
        host.machine.write(EARLY, setting)
        line = named(host, word)
        refused(host.ssh(person, "id"))
        host.machine.remove(EARLY)
        host.reload()
        host.stamped()
        admitted(host.ssh(person, "true"))
    return line


@case("P4", "UsePAM no: refused, named by the stamp")
def without_pam(env: Environment) -> str:
    return named_and_refused(env, "nopam", "UsePAM no\n", "usepam")


@case("P4", "UsePAM no on sshd's command line, which no file shows: no Entra account gets a shell")
def without_pam_by_option(env: Environment) -> str:
    with env.fresh("nopam-option") as host:
        person, known = env.newcomer(), env.newcomer()
        admitted(host.ssh(known, "true"))
        host.sshd("UsePAM=no")
        host.stamp()
        before = host.rest()
        shut_out(host.ssh(person, f"echo {MARK}"))
        without_effect(host, person, before)
        env.withdraw(known)
        shut_out(host.ssh(known, f"echo {MARK}"))
    return "refused, the enrolled and the unknown"


BLOCKS = (
    ("quoted", '"Match" User mallory@contoso.com\n    AuthorizedKeysFile .ssh/authorized_keys\n'),
    ("match", "Match all\n    PasswordAuthentication yes\n"), ("behind", 'Include "/etc/ssh/x y.conf"\n'),
    ("principals", entra_block("AuthorizedPrincipalsFile /etc/ssh/principals")),
    ("authority", entra_block("TrustedUserCAKeys /etc/ssh/own.pub")),
)
OTHER_CREDENTIALS = (
    (entra_block("AuthorizedKeysCommand /usr/bin/true\n    AuthorizedKeysCommandUser nobody"), "authorizedkeyscommand"),
    (entra_block("PasswordAuthentication yes"), "passwordauthentication"),
    (entra_block("GSSAPIAuthentication yes"), "gssapiauthentication"),
)


@cases("P4",
       "a Match block before entralogin's, in quotes or by a quoted path, or with other principals or CA: the stamp names it",
       BLOCKS, every=3, attack="W7")
def match_before(env: Environment, blocks: Sequence[tuple[str, str]]) -> str:
    return [named_and_refused(env, name, block, "match") for name, block in blocks][-1]


@cases("P4",
       "other credentials for Entra users, set before entralogin (a keys command, passwords, GSSAPI): named by the stamp",
       OTHER_CREDENTIALS, every=2)
def other_credentials(env: Environment, credentials: Sequence[tuple[str, str]]) -> str:
    return "; ".join(named_and_refused(env, word, block, word) for block, word in credentials)


@case("P4", "an AuthorizedPrincipalsFile or a CA for everybody, set before entralogin, does not reach Entra users")
def for_everybody(env: Environment) -> str:
    authority = public_line(env.testbed.keys / "entra" / "stranger")
    sshd = "AuthorizedPrincipalsFile /etc/ssh/principals\nTrustedUserCAKeys /etc/ssh/own.pub\n"
    with env.fresh("everybody", started=False) as host:
        host.machine.write(EARLY, sshd)
        host.machine.write("/etc/ssh/own.pub", authority + "\n")
        host.machine.write("/etc/ssh/principals", "erin@contoso.com\ndave@contoso.com\n")
        host.machine.start_sshd(host.port)
        host.begin()
        host.stamped()
        refused(host.ssh(env.testbed.forged("erin", stranger=True), "id"))
        refused(host.ssh(env.testbed.forged("dave", tenant_id=contoso.OTHER_TENANT), "id"))
        admitted(host.ssh(env.newcomer(), "true"))
    return "a foreign CA and a foreign tenant are refused all the same"


@case("P4", "settings behind entralogin's, in a later file, change nothing")
def late_settings(env: Environment) -> str:
    with env.fresh("late") as host:
        host.machine.write(LATE, "Match LocalPort 1 LocalAddress 127.0.0.2\n    X11Forwarding no\n"
                                 "Match all\n    AuthorizedKeysFile .ssh/authorized_keys\n"
                                 "    PasswordAuthentication yes\n")
        host.reload()
        host.stamped()
        person = env.newcomer()
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
        refused(host.ssh(env.person("carol"), "id"), "role not assigned")
    return "in with the role, out without it"


@case("P8", "where others may have an @ in their names, a package wires nothing before Domains= says which are Entra's")
def names_of_others(env: Environment) -> str:
    with env.fresh("domains", started=False) as host:
        def reasons() -> list[str]:
            return [line for line in host.machine.run(CONFIGURE, "--survey").out.splitlines() if "Domains=" in line]

        equal(reasons(), [], "reasons on a stock machine")
        host.machine.must("sed", "-i", "s/^passwd:.*files/& [!UNAVAIL=return] sss/", "/etc/nsswitch.conf")
        host.machine.shell("echo 'lisa@corp.example:x:1777:1777::/home/l:/bin/bash' >>/etc/passwd")
        seen = reasons()
        require(len(seen) == 2 and "(lisa@corp.example)" in seen[0] and "asks sss, too" in seen[1], f"reasons: {seen}")
        host.machine.write(SETTINGS, "[Accounts]\nDomains=contoso.com\n")
        equal(reasons(), [], "reasons with Domains=")
    return seen[1]


@case("P4", "a ForceCommand of the administrator stays in force and opens nothing")
def force_command(env: Environment) -> str:
    with env.fresh("force", sshd="ForceCommand echo forced\n") as host:
        admitted(host.ssh(env.newcomer(), "id"), "forced\n")
        shut_out(host.ssh(env.person("carol"), f"echo {MARK}"), "role not assigned")
        require(env.lisa.ssh("id", port=host.port).out == "forced\n", "lisa is not forced")
    return "the forced command for who may sign in, refusal for carol"


def with_helper(env: Environment, name: str, script: str, sshd: str = "") -> float:
    """Replaces the helper by a script and runs the integration check; requires that no Entra account can sign in. Returns the
    milliseconds until the refusal."""
    with env.fresh(name, sshd=sshd) as host:
        known = env.newcomer()
        admitted(host.ssh(known, "true"))
        host.machine.remove(HELPER)
        host.machine.write(HELPER, f"#!/bin/sh\n{script}\n", 0o755)
        refused(host.ssh(known, f"echo {MARK}"))  # the integration is not verified any more: the helper has changed
        host.stamp()
        unknown = env.newcomer()
        before = host.rest()
        outcome = host.ssh(unknown, f"echo {MARK}")
        shut_out(outcome)
        without_effect(host, unknown, before)
        require(env.lisa.ssh("true", port=host.port).ok, "lisa is kept out")
        return outcome.milliseconds


@case("P4", "a helper that prints the name and exits non-zero, dies, or says yes by itself: refused")
def bad_helper(env: Environment) -> str:
    with_helper(env, "nonzero", 'echo "$1"; exit 1')
    with_helper(env, "dies", 'echo "$1"; kill -9 $$')
    with_helper(env, "alone", 'echo "$1"')  # sshd goes on to PAM, but the daemon has checked no certificate
    return "refused three times"


@case("P4", "a helper that hangs: refused when sshd's login grace ends", deep=True)
def hanging_helper(env: Environment) -> str:
    milliseconds = with_helper(env, "hangs", "sleep 120", sshd="LoginGraceTime 8\n")
    require(milliseconds < 60_000, f"{milliseconds:.0f} ms")
    return f"refused after {milliseconds:.0f} ms"
