# SPDX-License-Identifier: Apache-2.0
"""P16: what explain and doctor tell an administrator is what happens with a real sshd, PAM and disk."""

from __future__ import annotations

import json
from typing import Any

from case import case
from environment import Environment, Host
from testbed import Person
from testbed.checks import admitted, equal, refused, require
from testbed.installed import CONFIGURE

OWN = "/etc/ssh/sshd_config.d/60-own.conf"
ACCESS = "/etc/security/access.conf"


def steps(host: Host, person: Person) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit status of explain, and its steps that are not ok, by their subject."""
    outcome = host.tool("--json", "explain", person.login)
    report = json.loads(outcome.out)
    return outcome.status, {step["subject"]: step for step in report["steps"] if step["outcome"] != "ok"}


def lines(host: Host, *wanted: str) -> None:
    """Writes a file of the administrator's for sshd, or removes it if there are no lines, and reloads sshd."""
    host.machine.write(OWN, "".join(f"{line}\n" for line in wanted)) if wanted else host.machine.remove(OWN)
    host.reload()
    host.stamped()


def says(host: Host, person: Person, subject: str, because: str) -> None:
    """Requires that explain says no, and that sshd refuses."""
    status, told = steps(host, person)
    require(status == 1 and told.get(subject, {}).get("outcome") == "refused", f"{because}: explain says {told}")
    outcome = host.ssh(person, "echo entered")
    # sshd ends with 254 where the session is refused.
    require(outcome.status in (254, 255) and "entered" not in outcome.out, f"{because}: {outcome.text}")


@case("P16", "explain says no where sshd's lists, PAM, the shell, the home or nologin turn one account away, and they do")
def one_person(env: Environment) -> str:
    with env.fresh("told") as host:
        person, machine = env.newcomer(), host.machine
        pattern = person.login.replace("@", "?")
        admitted(host.ssh(person, "true"))
        equal(steps(host, person), (0, {}), "explain on a good machine")
        for line in (f"DenyUsers {pattern}", f"AllowUsers {person.login} root", "AllowGroups sudo"):
            lines(host, line)
            says(host, person, "sshd", line)
        for line in (f"DenyUsers {person.login}", f"AllowUsers {pattern} root", f"AllowGroups {person.login} sudo"):
            lines(host, line)
            equal(steps(host, person), (0, {}), line)
            admitted(host.ssh(person, "true"))
        lines(host)
        # The command that breaks something, the one that repairs it, and the step of explain that says no.
        for spoil, repair, subject in (
            ("chmod 777 /home", "chmod 755 /home", "home"), ("touch /run/nologin", "rm /run/nologin", "nologin"),
            (f"touch /home/{person.login}/notes && chown root /home/{person.login}",
             f"chown {person.login} /home/{person.login}", "home"),
        ):
            machine.must("sh", "-c", spoil)
            says(host, person, subject, spoil)
            machine.must("sh", "-c", repair)
        pam, access = machine.read("/etc/pam.d/sshd"), machine.read(ACCESS)
        machine.write("/etc/pam.d/sshd", f"{pam}account required pam_access.so\n")
        machine.write(ACCESS, "+ : root lisa : ALL\n- : ALL : ALL\n")
        host.stamped()
        says(host, person, "pam", "access.conf")
        machine.write(ACCESS, f"+ : ({person.login}) : ALL\n- : ALL : ALL\n")
        equal(steps(host, person), (0, {}), "access.conf with the user's own group")
        admitted(host.ssh(person, "true"))
        machine.write("/etc/pam.d/sshd", pam)
        machine.write(ACCESS, access)
        host.stamped()
        equal(steps(host, person), (0, {}), "explain at the end")
        admitted(host.ssh(person, "true"))
    return "seven kinds of no, and four that look like one"


@case("P16", "who was refused at the first sign-in: explain has object id, reason and Azure's answer; so for a certificate")
def last_refusal(env: Environment) -> str:
    with env.fresh("refused") as host:
        carol, person = env.person("carol"), env.newcomer()
        refused(host.ssh(carol, "true"))
        status, told = steps(host, carol)
        text = host.tool("explain", carol.login).out
        object_id = env.testbed.directory.principals[env.key_of(carol)].object_id
        require(status == 1 and told["role"]["reason"] == "role-not-assigned", f"explain says {told}")
        require(object_id in " ".join(text.split()), f"the object id is not named: {text}")
        # sshd refuses a certificate for another name without telling the client why.
        refused(host.ssh(person, "true", flags=("-l", carol.login)))
        status, told = steps(host, carol)
        require(told["attempt"]["reason"] == "wrong-name" and person.login in told["attempt"]["text"], f"{told}")
        local = host.tool("explain", "root")
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


def finding(host: Host, name: str) -> dict[str, Any] | None:
    found = [f for f in json.loads(host.tool("--json", "doctor").out)["findings"]
             if f["id"] == name and f["severity"] in ("warning", "error")]
    return found[0] if found else None


@case("P16", "the remedies of doctor that are commands: done as they stand, the finding is gone", deep=True)
def remedies(env: Environment) -> str:
    with env.fresh("remedies") as host:
        admitted(host.ssh(env.newcomer(), "true"))
        for spoil, name in COMMANDS:
            host.machine.must("sh", "-c", spoil)
            told = finding(host, name)
            require(told is not None, f"{spoil}: doctor does not find {name}")
            assert told is not None
            command = told["remedy"].split(", then reload")[0].split("user's: ")[-1].split("; otherwise")[0]
            command = command.split("; entralogin-stack.path")[0]
            command = command.split("rm ")[-1].join(["rm ", ""]) if name == "nologin" else command
            host.machine.must("sh", "-c", command)
            if name == "sshd.files":
                host.reload()
            require(finding(host, name) is None, f"{spoil}: after {command!r} doctor still finds {finding(host, name)}")
        host.reload()
        host.stamped()
        admitted(host.ssh(env.newcomer(), "true"))
    return f"{len(COMMANDS)} remedies"


@case("P16", "a machine that a package left as it was: doctor says why, and setup --apply, which it names, turns sign-in on",
      deep=True)
def by_hand(env: Environment) -> str:
    with env.fresh("by-hand") as host:
        host.machine.must(CONFIGURE, "--disable")
        host.machine.write(OWN, "AllowGroups root entra_users\n")
        names, said = ("integration", "setup.by-hand"), ""
        for name in names:
            told = finding(host, name) or {}
            require("setup --apply does it" in told.get("remedy", ""), f"doctor says of {name}: {told}")
            said = told["found"]
        host.tool("setup", "--apply")  # it asks the administrator to reload sshd
        host.reload()
        host.stamped()
        for name in names:
            require(finding(host, name) is None, f"after setup --apply doctor still finds {finding(host, name)}")
        admitted(host.ssh(env.newcomer(), "true"))
    return said
