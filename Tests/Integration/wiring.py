# SPDX-License-Identifier: Apache-2.0
"""P4: an administrator's own settings, and a helper that misbehaves: sign-in is refused, or the integration check fails."""

from __future__ import annotations

from collections.abc import Sequence

from bed.checks import admitted, equal, refused, require
from bed.installed import CONFIGURE
from case import case, cases
from credentials import MARK, shut_out, without_effect
from ground import EARLY, SETTINGS, Ground, Site, ours
from no_effects import HELPER
from simulator import contoso
from simulator.sshkeys import public_line

LATE = "/etc/ssh/sshd_config.d/90-late.conf"


def named(site: Site, word: str) -> str:
    """Requires that the integration check fails, and that doctor names the word with a remedy."""
    site.reload()
    require(not site.stamp(), f"the stack check is content with {word}")
    doctor = site.tool("doctor")
    line = next((line for line in doctor.text.splitlines() if word in line.lower()), "")
    require(not doctor.ok and bool(line), f"doctor (status {doctor.status}) does not name {word}: {doctor.text}")
    return line.strip()


def named_and_refused(ground: Ground, name: str, setting: str, word: str) -> str:
    with ground.fresh(name) as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        site.machine.write("/etc/ssh/x y.conf", "Match User mallory@contoso.com\n    AuthorizedKeysFile .ssh/authorized_keys\n")
        site.machine.write(EARLY, setting)
        line = named(site, word)
        refused(site.ssh(person, "id"))
        site.machine.remove(EARLY)
        site.reload()
        site.stamped()
        admitted(site.ssh(person, "true"))
    return line


@case("P4", "UsePAM no: refused, named by the stamp")
def without_pam(ground: Ground) -> str:
    return named_and_refused(ground, "nopam", "UsePAM no\n", "usepam")


@case("P4", "UsePAM no on sshd's command line, which no file shows: no Entra account gets a shell")
def without_pam_by_option(ground: Ground) -> str:
    with ground.fresh("nopam-option") as site:
        person, known = ground.newcomer(), ground.newcomer()
        admitted(site.ssh(known, "true"))
        site.sshd("UsePAM=no")
        site.stamp()
        before = site.rest()
        shut_out(site.ssh(person, f"echo {MARK}"))
        without_effect(site, person, before)
        ground.withdraw(known)
        shut_out(site.ssh(known, f"echo {MARK}"))
    return "refused, the enrolled and the unknown"


BLOCKS = (
    ("quoted", '"Match" User mallory@contoso.com\n    AuthorizedKeysFile .ssh/authorized_keys\n'),
    ("match", "Match all\n    PasswordAuthentication yes\n"), ("behind", 'Include "/etc/ssh/x y.conf"\n'),
    ("principals", ours("AuthorizedPrincipalsFile /etc/ssh/principals")),
    ("authority", ours("TrustedUserCAKeys /etc/ssh/own.pub")),
)
OTHER_CREDENTIALS = (
    (ours("AuthorizedKeysCommand /usr/bin/true\n    AuthorizedKeysCommandUser nobody"), "authorizedkeyscommand"),
    (ours("PasswordAuthentication yes"), "passwordauthentication"),
    (ours("GSSAPIAuthentication yes"), "gssapiauthentication"),
)


@cases("P4",
       "a Match block before entralogin's, in quotes or by a quoted path, or with other principals or CA: the stamp names it",
       BLOCKS, every=3, attack="W7")
def match_before(ground: Ground, blocks: Sequence[tuple[str, str]]) -> str:
    return [named_and_refused(ground, name, block, "match") for name, block in blocks][-1]


@cases("P4",
       "other credentials for Entra users, set before entralogin (a keys command, passwords, GSSAPI): named by the stamp",
       OTHER_CREDENTIALS, every=2)
def other_credentials(ground: Ground, credentials: Sequence[tuple[str, str]]) -> str:
    return "; ".join(named_and_refused(ground, word, block, word) for block, word in credentials)


@case("P4", "an AuthorizedPrincipalsFile or a CA for everybody, set before entralogin, does not reach Entra users")
def for_everybody(ground: Ground) -> str:
    authority = public_line(ground.bed.keys / "entra" / "stranger")
    sshd = "AuthorizedPrincipalsFile /etc/ssh/principals\nTrustedUserCAKeys /etc/ssh/own.pub\n"
    with ground.fresh("everybody", started=False) as site:
        site.machine.write(EARLY, sshd)
        site.machine.write("/etc/ssh/own.pub", authority + "\n")
        site.machine.write("/etc/ssh/principals", "erin@contoso.com\ndave@contoso.com\n")
        site.machine.start_sshd(site.port)
        site.begin()
        site.stamped()
        refused(site.ssh(ground.bed.forged("erin", stranger=True), "id"))
        refused(site.ssh(ground.bed.forged("dave", tenant_id=contoso.OTHER_TENANT), "id"))
        admitted(site.ssh(ground.newcomer(), "true"))
    return "a foreign CA and a foreign tenant are refused all the same"


@case("P4", "settings behind entralogin's, in a later file, change nothing")
def late_settings(ground: Ground) -> str:
    with ground.fresh("late") as site:
        site.machine.write(LATE, "Match LocalPort 1 LocalAddress 127.0.0.2\n    X11Forwarding no\n"
                                 "Match all\n    AuthorizedKeysFile .ssh/authorized_keys\n"
                                 "    PasswordAuthentication yes\n")
        site.reload()
        site.stamped()
        person = ground.newcomer()
        admitted(site.ssh(person, "id -un"), f"{person.login}\n")
        refused(site.ssh(ground.person("carol"), "id"), "role not assigned")
    return "in with the role, out without it"


@case("P8", "where others may have an @ in their names, a package wires nothing before Domains= says which are Entra's")
def names_of_others(ground: Ground) -> str:
    with ground.fresh("domains", started=False) as site:
        def reasons() -> list[str]:
            return [line for line in site.machine.run(CONFIGURE, "--survey").out.splitlines() if "Domains=" in line]

        equal(reasons(), [], "reasons on a stock machine")
        site.machine.must("sed", "-i", "s/^passwd:.*files/& [!UNAVAIL=return] sss/", "/etc/nsswitch.conf")
        site.machine.shell("echo 'lisa@corp.example:x:1777:1777::/home/l:/bin/bash' >>/etc/passwd")
        seen = reasons()
        require(len(seen) == 2 and "(lisa@corp.example)" in seen[0] and "asks sss, too" in seen[1], f"reasons: {seen}")
        site.machine.write(SETTINGS, "[Accounts]\nDomains=contoso.com\n")
        equal(reasons(), [], "reasons with Domains=")
    return seen[1]


@case("P4", "a ForceCommand of the administrator stays in force and opens nothing")
def force_command(ground: Ground) -> str:
    with ground.fresh("force", sshd="ForceCommand echo forced\n") as site:
        admitted(site.ssh(ground.newcomer(), "id"), "forced\n")
        shut_out(site.ssh(ground.person("carol"), f"echo {MARK}"), "role not assigned")
        require(ground.lisa.ssh("id", port=site.port).out == "forced\n", "lisa is not forced")
    return "the forced command for who may sign in, refusal for carol"


def with_helper(ground: Ground, name: str, script: str, sshd: str = "") -> float:
    """Replaces the helper by a script and runs the integration check; requires that no Entra account can sign in. Returns the
    milliseconds until the refusal."""
    with ground.fresh(name, sshd=sshd) as site:
        known = ground.newcomer()
        admitted(site.ssh(known, "true"))
        site.machine.remove(HELPER)
        site.machine.write(HELPER, f"#!/bin/sh\n{script}\n", 0o755)
        refused(site.ssh(known, f"echo {MARK}"))  # the file has changed
        site.stamp()
        unknown = ground.newcomer()
        before = site.rest()
        outcome = site.ssh(unknown, f"echo {MARK}")
        shut_out(outcome)
        without_effect(site, unknown, before)
        require(ground.lisa.ssh("true", port=site.port).ok, "lisa is kept out")
        return outcome.milliseconds


@case("P4", "a helper that prints the name and exits non-zero, dies, or says yes by itself: refused")
def bad_helper(ground: Ground) -> str:
    with_helper(ground, "nonzero", 'echo "$1"; exit 1')
    with_helper(ground, "dies", 'echo "$1"; kill -9 $$')
    with_helper(ground, "alone", 'echo "$1"')  # sshd lets them through to PAM, which has seen no certificate
    return "refused three times"


@case("P4", "a helper that hangs: refused when sshd's login grace ends", deep=True)
def hanging_helper(ground: Ground) -> str:
    milliseconds = with_helper(ground, "hangs", "sleep 120", sshd="LoginGraceTime 8\n")
    require(milliseconds < 60_000, f"{milliseconds:.0f} ms")
    return f"refused after {milliseconds:.0f} ms"
