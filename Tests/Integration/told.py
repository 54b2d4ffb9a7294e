# SPDX-License-Identifier: Apache-2.0
"""P16: what explain and doctor tell an administrator is what happens with a real sshd, PAM and disk."""

from __future__ import annotations

import json
from typing import Any

from bed import Person
from bed.checks import admitted, equal, refused, require
from bed.installed import CONFIGURE
from case import case
from ground import Ground, Site

OWN = "/etc/ssh/sshd_config.d/60-own.conf"
ACCESS = "/etc/security/access.conf"


def steps(site: Site, person: Person) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit status of explain, and its steps that are not ok, by their subject."""
    outcome = site.tool("--json", "explain", person.login)
    report = json.loads(outcome.out)
    return outcome.status, {step["subject"]: step for step in report["steps"] if step["outcome"] != "ok"}


def lines(site: Site, *wanted: str) -> None:
    """Writes a file of the administrator's for sshd, or removes it if there are no lines, and reloads sshd."""
    site.machine.write(OWN, "".join(f"{line}\n" for line in wanted)) if wanted else site.machine.remove(OWN)
    site.reload()
    site.stamped()


def says(site: Site, person: Person, subject: str, because: str) -> None:
    """Requires that explain says no, and that sshd refuses."""
    status, told = steps(site, person)
    require(status == 1 and told.get(subject, {}).get("outcome") == "refused", f"{because}: explain says {told}")
    outcome = site.ssh(person, "echo entered")
    # sshd ends with 254 where the session is refused.
    require(outcome.status in (254, 255) and "entered" not in outcome.out, f"{because}: {outcome.text}")


@case("P16", "explain says no where sshd's lists, PAM, the shell, the home or nologin turn one account away, and they do")
def one_person(ground: Ground) -> str:
    with ground.fresh("told") as site:
        person, machine = ground.newcomer(), site.machine
        pattern = person.login.replace("@", "?")
        admitted(site.ssh(person, "true"))
        equal(steps(site, person), (0, {}), "explain on a good machine")
        for line in (f"DenyUsers {pattern}", f"AllowUsers {person.login} root", "AllowGroups sudo"):
            lines(site, line)
            says(site, person, "sshd", line)
        for line in (f"DenyUsers {person.login}", f"AllowUsers {pattern} root", f"AllowGroups {person.login} sudo"):
            lines(site, line)
            equal(steps(site, person), (0, {}), line)
            admitted(site.ssh(person, "true"))
        lines(site)
        # Command, its end, and the step that says no.
        for spoil, repair, subject in (
            ("chmod 777 /home", "chmod 755 /home", "home"), ("touch /run/nologin", "rm /run/nologin", "nologin"),
            (f"touch /home/{person.login}/notes && chown root /home/{person.login}",
             f"chown {person.login} /home/{person.login}", "home"),
        ):
            machine.must("sh", "-c", spoil)
            says(site, person, subject, spoil)
            machine.must("sh", "-c", repair)
        pam, access = machine.read("/etc/pam.d/sshd"), machine.read(ACCESS)
        machine.write("/etc/pam.d/sshd", f"{pam}account required pam_access.so\n")
        machine.write(ACCESS, "+ : root lisa : ALL\n- : ALL : ALL\n")
        site.stamped()
        says(site, person, "pam", "access.conf")
        machine.write(ACCESS, f"+ : ({person.login}) : ALL\n- : ALL : ALL\n")
        equal(steps(site, person), (0, {}), "access.conf with the user's own group")
        admitted(site.ssh(person, "true"))
        machine.write("/etc/pam.d/sshd", pam)
        machine.write(ACCESS, access)
        site.stamped()
        equal(steps(site, person), (0, {}), "explain at the end")
        admitted(site.ssh(person, "true"))
    return "seven kinds of no, and four that look like one"


@case("P16", "who was refused at the first sign-in: explain has object id, reason and Azure's answer; so for a certificate")
def last_refusal(ground: Ground) -> str:
    with ground.fresh("refused") as site:
        carol, person = ground.person("carol"), ground.newcomer()
        refused(site.ssh(carol, "true"))
        status, told = steps(site, carol)
        text = site.tool("explain", carol.login).out
        object_id = ground.bed.directory.principals[ground.key_of(carol)].object_id
        require(status == 1 and told["role"]["reason"] == "role-not-assigned", f"explain says {told}")
        require(object_id in " ".join(text.split()), f"the object id is not named: {text}")
        # A certificate for another name is refused before the client is told why.
        refused(site.ssh(person, "true", flags=("-l", carol.login)))
        status, told = steps(site, carol)
        require(told["attempt"]["reason"] == "wrong-name" and person.login in told["attempt"]["text"], f"{told}")
        local = site.tool("explain", "root")
        require(local.ok and "root is a local account" in local.out, local.text)
    return "role-not-assigned, wrong-name"


# What breaks the machine, and the finding whose remedy is a command.
COMMANDS = (
    ("chmod 777 /home", "homes"), ("chown daemon /home", "homes"), ("touch /etc/nologin", "nologin"),
    ("chmod 777 /etc/pam.d", "files.configuration"), ("chmod 666 /etc/nsswitch.conf", "files.configuration"),
    ("chmod 666 /etc/ssh/sshd_config", "files.configuration"), ("chmod 777 /etc/ssh", "files.configuration"),
    ("chmod 700 /var/lib/entralogin", "files"),
    ("for home in /home/*@*; do touch \"$home/notes\"; done; chown root:root /home/*@*", "accounts.home"),
    ("rm /etc/ssh/sshd_config.d/00-entralogin.conf", "sshd.files"), ("rm /run/entralogin/stack-verified", "stamp"),
    ("chmod 600 /run/entralogin/stack-verified", "stamp"),
)


def finding(site: Site, name: str) -> dict[str, Any] | None:
    found = [f for f in json.loads(site.tool("--json", "doctor").out)["findings"]
             if f["id"] == name and f["severity"] in ("warning", "error")]
    return found[0] if found else None


@case("P16", "the remedies of doctor that are commands: done as they stand, the finding is gone", deep=True)
def remedies(ground: Ground) -> str:
    with ground.fresh("remedies") as site:
        admitted(site.ssh(ground.newcomer(), "true"))
        for spoil, name in COMMANDS:
            site.machine.must("sh", "-c", spoil)
            told = finding(site, name)
            require(told is not None, f"{spoil}: doctor does not find {name}")
            assert told is not None
            command = told["remedy"].split(", then reload")[0].split("user's: ")[-1].split("; otherwise")[0]
            command = command.split("; entralogin-stack.path")[0]
            command = command.split("rm ")[-1].join(["rm ", ""]) if name == "nologin" else command
            site.machine.must("sh", "-c", command)
            if name == "sshd.files":
                site.reload()
            require(finding(site, name) is None, f"{spoil}: after {command!r} doctor still finds {finding(site, name)}")
        site.reload()
        site.stamped()
        admitted(site.ssh(ground.newcomer(), "true"))
    return f"{len(COMMANDS)} remedies"


@case("P16", "a machine that a package left as it was: doctor says why, and setup --apply, which it names, turns sign-in on",
      deep=True)
def by_hand(ground: Ground) -> str:
    with ground.fresh("by-hand") as site:
        site.machine.must(CONFIGURE, "--disable")
        site.machine.write(OWN, "AllowGroups root entra_users\n")
        names, said = ("integration", "setup.by-hand"), ""
        for name in names:
            told = finding(site, name) or {}
            require("setup --apply does it" in told.get("remedy", ""), f"doctor says of {name}: {told}")
            said = told["found"]
        site.tool("setup", "--apply")  # its last words are to reload sshd
        site.reload()
        site.stamped()
        for name in names:
            require(finding(site, name) is None, f"after setup --apply doctor still finds {finding(site, name)}")
        admitted(site.ssh(ground.newcomer(), "true"))
    return said
