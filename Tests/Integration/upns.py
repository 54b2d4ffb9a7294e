# SPDX-License-Identifier: Apache-2.0
"""P5: every kind of account and name, and what programs show of them; Documentation/people.md shows the same lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from case import case, cases
from clients import configured
from environment import Environment, Host
from simulator import contoso
from testbed import Outcome, Person
from testbed.checks import admitted, equal, require
from testbed.installed import REPOSITORY
from testbed.machine import wait_for

PAGE = REPOSITORY / "Documentation/people.md"
LONGEST = "l" * 64 + "@" + ".".join(["d" * 21, "e" * 22, "com"])  # 113 characters
# Sign-in names as Entra writes them into the certificate, and display names.
NAMED = (
    ("Mixed.Case@Contoso.com", "Mixed Case"),
    ("mary.o'brien@contoso.com", "Mary O’Brien"),
    ("first.middle.last@sub.contoso.com", "Dots"),
    ("-dash@contoso.com", "Dash"),
    ("under_score-9@contoso.com", "Jürgen Öß 你好 Ωmega"),
    (LONGEST, "L " + "ö" * 100),
    ("quoted@contoso.com", "a:b, \"c\" $(id)"),
)


def named(env: Environment, sign_in_name: str, display_name: str) -> Person:
    """A new user with these names."""
    key = env.key_of(env.newcomer())
    changes = {"sign_in_name": sign_in_name, "display_name": display_name}
    env.azure.post("rename", who=key, **changes)
    env.testbed.directory.rename(key, **changes)
    env.forget(key)
    return env.person(key)


def ssh(host: Host, person: Person, command: str) -> Outcome:
    """Runs ssh with a configuration file: on its command line it accepts no name with a leading - or a quote."""
    return configured(person, host.port, command)


@cases("P5", "every form of a name: mixed case, apostrophe, dots, leading -, 113 characters, any display name",
       NAMED, every=3)
def every_form(env: Environment, names: Sequence[tuple[str, str]]) -> str:
    with env.fresh("upns") as host:
        for sign_in_name, display_name in names:
            person = named(env, sign_in_name, display_name)
            line = admitted(ssh(host, person, "id -un; pwd; getent passwd $(id -u)"))
            record = host.machine.must("getent", "passwd", "--", person.login).out.rstrip("\n")
            equal(line, f"{person.login}\n/home/{person.login}\n{record}\n", sign_in_name)
            equal(record.count(":"), 6, f"colons in {record}")
            env.make_administrator(person)
            host.flush()
            equal(admitted(ssh(host, person, "sudo -n id -u")), "0\n", f"sudo of {sign_in_name}")
        for sign_in_name in (f"x{LONGEST}", "no blank@contoso.com", "dot.@contoso.com", "a#ext#@contoso.com"):
            person = named(env, sign_in_name, "Nobody")
            outcome = ssh(host, person, "id")
            require(not outcome.ok and not outcome.out, f"{sign_in_name}: {outcome.text}")
    return f"{len(names)} names, the longest {max(len(n) for n, _ in names)}"


@case("P5", "guests, service principals and managed identities: in by the certificate's name, never by another", deep=True)
def kinds(env: Environment) -> str:
    with env.fresh("kinds") as host:
        for key in ("gina", "svc", "mi"):
            person = env.person(key)
            admitted(host.ssh(person, "id -un"), f"{person.login}\n")
            shown = host.tool("users", "show", person.login).text
            require(env.testbed.directory.principals[key].object_id in shown, f"{key}: {shown}")
        guest = env.person("gina")
        directory_name = "gina_fabrikam.com#EXT#@contoso.com"
        forged = env.testbed.forged("gina", principals=(directory_name,))
        outcome = forged.ssh("id", port=host.port)
        require(not outcome.ok and not outcome.out, f"by the directory's name: {outcome.text}")
        other = env.testbed.forged("svc", principals=(env.person("mi").login,), omitted=frozenset())
        require(not other.ssh("id", port=host.port).ok, "a service principal under another's GUID")
    return guest.login


# What the page shows

SHOWN = ("heidi", "o'brien", "gina", "svc")


def shown(env: Environment, host: Host) -> dict[str, str]:
    """The real output, by the name of its block on the page."""
    machine = host.machine
    people = {"heidi": env.person("heidi"), "o'brien": named(env, "Mary.O'Brien@contoso.com", "Mary O’Brien"),
              "gina": env.person("gina"), "svc": env.person("svc")}
    for person in people.values():
        admitted(ssh(host, person, "true"))
        env.azure.assign(env.key_of(person), contoso.ADMINISTRATOR)
    host.flush()
    blocks = {"id": "", "ps": "", "crontab": "", "passwd": ""}
    for person in people.values():
        script = "id; ps -o user,cmd -p $PPID | tail -1; sudo -n /usr/bin/true"
        identity, process = admitted(ssh(host, person, script)).splitlines()
        blocks["id"] += identity + "\n"
        blocks["ps"] += process + "\n"
        blocks["passwd"] += machine.must("getent", "passwd", "--", person.login).out
        machine.must("crontab", "-u", person.login, "-", input="@daily /usr/bin/true\n")
    blocks["crontab"] = machine.must("ls", "/var/spool/cron/crontabs").out
    log = machine.read("/var/log/sudo.log")
    blocks["sudo"] = re.sub(r"^[A-Z][a-z]{2} +\d+ [\d:]+ : ", "", re.sub(r"\n +", " ", log), flags=re.MULTILINE)
    blocks["who"], blocks["last"] = on_terminals(env, host, list(people.values()))
    return blocks


def on_terminals(env: Environment, host: Host, people: list[Person]) -> tuple[str, str]:
    """The output of `who` and `last` while all of them are signed in, each with a terminal."""
    machine = host.machine
    script = "touch /tmp/there.$(id -u); while [ ! -e /tmp/leave ]; do sleep 0.1; done"
    running = [env.aside(configured, p, host.port, script, flags=("-tt",)) for p in people]
    try:
        wait_for(lambda: len(list(machine.path("/tmp").glob("there.*"))) == len(people), "everybody on a terminal")
        who = machine.must("who").out
        last = machine.must("last", "-w").out
    finally:
        machine.write("/tmp/leave", "")
    for one in running:
        one.result(60)
    return first_words(who), first_words(last.partition("\n\n")[0])


def first_words(lines: str) -> str:
    """Only the names, because terminals and times differ."""
    return "".join(sorted(f"{line.split()[0]}\n" for line in lines.splitlines() if line.strip()))


@case("P5", "what id, ps, who, last, crontab and sudo's log show is what Documentation/people.md says", deep=True)
def page(env: Environment) -> str:
    text = PAGE.read_text()
    missing = []
    with env.fresh("page") as host:
        host.machine.write("/etc/sudoers.d/zz-log", "Defaults logfile=/var/log/sudo.log, !log_host, loglinelen=0\n", 0o440)
        host.machine.shell("touch /run/utmp /var/log/wtmp && chgrp utmp /run/utmp /var/log/wtmp && "
                           "chmod 664 /run/utmp /var/log/wtmp")
        for name, seen in shown(env, host).items():
            missing += [f"{name}: {line}" for line in seen.splitlines() if line not in text]
    require(not missing, "\n".join(["not on the page:", *missing]))
    return f"{len(SHOWN)} people"
