# SPDX-License-Identifier: Apache-2.0
"""P5 and P7: accounts that root adds before their first sign-in. They are bound like any other, and admit no other user."""

from __future__ import annotations

import json
import signal

from bed import Person, pam
from bed.checks import admitted, equal, refused, require
from case import case
from credentials import MARK, shut_out
from ground import SETTINGS, Ground, Site
from identity import OTHER_OBJECT, first_uid, retire
from other_directories import SHORT, publish

GROUPS = "docker,builders"


def object_id(ground: Ground, person: Person) -> str:
    return ground.bed.directory.principals[ground.key_of(person)].object_id


def add(site: Site, name: str, objectid: str, *more: str) -> dict[str, object]:
    """Adds an account, and returns what the tool says of it."""
    outcome = site.tool("--json", "users", "add", name, "--object-id", objectid, *more)
    require(outcome.ok, f"users add: {outcome.text}")
    return json.loads(outcome.out)


def told_no(site: Site, *words: str, status: int = 1) -> str:
    """Requires that the tool refuses; returns its text as one line."""
    outcome = site.tool("users", "add", *words)
    require(outcome.status == status, f"users add {words}: exit status {outcome.status}, {outcome.text}")
    return " ".join(outcome.text.split())


def members(site: Site, group: str) -> list[str]:
    line = site.machine.must("getent", "-s", "files", "group", group).out.strip()
    return [name for name in line.rpartition(":")[2].split(",") if name]


@case("P5", "users add: number, name, home and object id are bound before the first sign-in; files, jobs and groups wait for it")
def added(ground: Ground) -> str:
    with ground.fresh("added") as site:
        person, machine = ground.newcomer(), site.machine
        for group in ("docker", "builders"):
            machine.must("groupadd", group)
        words = (person.login, object_id(ground, person), "--groups", GROUPS, "--root-equivalent")
        mark = site.journal.mark()
        report = add(site, *words)
        equal((report["changed"], report["uid"]), (True, first_uid(person.login)), f"the report {report}")
        record = site.journal.wait(mark, event="added", user=person.login)
        equal(record["ENTRALOGIN_OBJECT_ID"], object_id(ground, person), "the record's object id")
        equal(machine.uid(person.login), report["uid"], "getent")
        groups = {"docker", "builders", "entra_users", person.login}
        equal(set(machine.must("id", "-Gn", person.login).out.split()), groups, "id before the first sign-in")
        machine.must("install", "-D", "-m", "0600", "-o", person.login, "-g", person.login, "/etc/hostname", "/srv/hers")
        machine.must("crontab", "-u", person.login, "-", input="@daily true\n")
        equal(pam.ask(machine, ground.bed.scratch / "programs", "cron", person.login).results["account"], pam.SUCCESS,
              "cron's account stage before the first sign-in")
        card = site.tool("users", "show", person.login).text
        require("added by root" in card and "last sign-in" not in card, f"the card: {card}")
        before = site.rest()
        equal(add(site, *words)["changed"], False, "adding it again")
        require("already" in site.tool("users", "add", *words[:1], "--object-id", words[1]).text, "the sentence")
        equal(site.state(), before, "the state folder after adding it again")
        said = admitted(site.ssh(person, "id -u; pwd; stat -c %u .; cat /srv/hers >/dev/null && id -Gn"))
        *facts, names = said.splitlines()
        home = f"/home/{person.login}"
        equal(facts, [str(report["uid"]), home, str(report["uid"])], "number, home and its owner")
        equal(set(names.split()), groups, "groups in the session")
        require("last sign-in" in site.tool("users", "show", person.login).text, "the card after the sign-in")
    return record["MESSAGE"]


@case("P5", "an added account lets nobody in who could not sign in without it: another object id, nobody's role, no certificate")
def lets_nobody_in(ground: Ground) -> str:
    with ground.fresh("addedno") as site:
        other, roleless = ground.newcomer(), ground.newcomer()
        ground.withdraw(roleless)
        add(site, other.login, OTHER_OBJECT)
        add(site, roleless.login, object_id(ground, roleless))
        mark = site.journal.mark()
        shut_out(site.ssh(other, f"echo {MARK}"))
        record = site.journal.wait(mark, user=other.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], "object-id-changed", "another object id")
        explained = " ".join(site.tool("explain", other.login).text.split())
        require(f"users rebind {other.login} --object-id {object_id(ground, other)}" in explained, f"explain: {explained}")
        text = refused(site.ssh(roleless, f"echo {MARK}"), "role not assigned")
        result = pam.ask(site.machine, ground.bed.scratch / "programs", "cron", roleless.login).results["account"]
        require(result != pam.SUCCESS, "cron runs without a role")
        require(not site.machine.run("su", "-", roleless.login, "-c", "id -un").ok, "root's su without a role")
        for person in (other, roleless):
            require(not site.machine.path(f"/home/{person.login}").exists(), f"{person.login} has a home")
    return text.splitlines()[0]


@case("P7", "users add refuses with the reason and the remedy, and changes nothing: names, ids and groups that cannot be")
def refusals(ground: Ground) -> str:
    with ground.fresh("addrefused", settings="[Accounts]\nDomains=contoso.com\n") as site:
        taken, gone, shut, new = (ground.newcomer() for _ in range(4))
        machine = site.machine
        for person in (taken, gone, shut):
            add(site, person.login, object_id(ground, person))
        retire(site, gone)
        require(site.tool("users", "lock", shut.login).ok, "lock")
        for group in ("docker", "builders", "ops"):
            machine.must("groupadd", group)
        machine.write("/etc/sudoers.d/ops", "%ops ALL=(ALL) NOPASSWD: /usr/bin/id\n", 0o440)
        site.stamped()
        machine.shell("echo 'local@contoso.com:x:2000:100::/srv:/bin/sh' >>/etc/passwd")
        before, file = site.rest(), machine.read("/etc/group")
        ids = {person.login: object_id(ground, person) for person in (taken, gone, shut, new)}
        mine = ("--object-id", ids[new.login])
        for words, said in [
            ((taken.login, "--object-id", OTHER_OBJECT), f"users rebind {taken.login} --object-id {OTHER_OBJECT}"),
            ((new.login, "--object-id", ids[taken.login]), f"users rename {taken.login} {new.login}"),
            ((gone.login, "--object-id", ids[gone.login]), f"users rebind {gone.login} --object-id {ids[gone.login]}"),
            ((shut.login, "--object-id", ids[shut.login]), f"users unlock {shut.login}"),
            (("local@contoso.com", *mine), "local files"),
            (("root", *mine), "cannot be an Entra account"),
            (("eve@fabrikam.com", *mine), "Domains="),
            ((new.login, *mine, "--groups", "nosuch"), "groupadd nosuch"),
            ((new.login, *mine, "--groups", "builders,docker"), "--root-equivalent"),
            ((new.login, *mine, "--groups", "ops"), "/etc/sudoers.d/ops:1"),
            ((new.login, *mine, "--groups", "root", "--root-equivalent"), "gid 0"),
            ((new.login, *mine, "--groups", "entra_admins", "--root-equivalent"), "Azure"),
        ]:
            text = told_no(site, *words)
            require(said in text, f"{words}: {text}")
        for words in ((new.login,), (new.login, "--object-id", "bob"), (new.login, *mine, "--groups", "a,,b")):
            told_no(site, *words, status=2)
        equal((site.state(), machine.read("/etc/group")), (before, file), "the state folder and /etc/group")
        require(not site.enrolled(new.login), f"{new.login} has an account")
    return text


@case("P5", "users add: a name that another directory has is refused, and a number that it has is passed over")
def other_directory(ground: Ground) -> str:
    with ground.fresh("addother", layered=True) as site:
        person, theirs = ground.newcomer(), ground.newcomer()
        publish(site, {SHORT: first_uid(person.login), theirs.login: 70_001})
        site.stamped()
        text = told_no(site, theirs.login, "--object-id", object_id(ground, theirs))
        require("70001" in text, text)
        report = add(site, person.login, object_id(ground, person))
        require(report["uid"] != first_uid(person.login), f"the other directory's number: {report}")
        equal(admitted(site.ssh(person, "id -u")).strip(), str(report["uid"]), "the number in the session")
    return text


@case("P7", "users add where /etc/group cannot be written says what is missing, adds it the next time; users retire removes it")
def group_file(ground: Ground) -> str:
    with ground.fresh("addgroup") as site:
        person, machine = ground.newcomer(), site.machine
        machine.must("groupadd", "builders")
        # gpasswd writes the new file there.
        machine.must("mkdir", "/etc/group+")
        words = ("users", "add", person.login, "--object-id", object_id(ground, person), "--groups", "builders")
        outcome = site.tool(*words)
        require(outcome.status == 1 and "builders" in outcome.err, f"while it cannot be written: {outcome.text}")
        require(site.enrolled(person.login), "the account is not there")
        machine.must("rmdir", "/etc/group+")
        again = site.tool(*words)
        require(again.ok and "builders" in again.out, f"again: {again.text}")
        equal(members(site, "builders"), [person.login], "the members")
        admitted(site.ssh(person, "true"))
        said = site.tool("users", "retire", person.login)
        require(said.ok and "builders" in said.out, f"retire: {said.text}")
        equal(members(site, "builders"), [], "the members after users retire")
        machine.must("sed", "-i", f"s/^builders:.*:$/&{person.login}/", "/etc/group")
        require(site.tool("users", "retire", person.login).ok, "retire again")
        equal(members(site, "builders"), [], "the members after a second users retire")
    return " ".join(outcome.err.split())


OVERRIDES = """[Overrides]
Home={alice}:/data/alice *@contoso.com:/home/%l
Shell=%builders:/bin/sh
"""


@case("P5", "[Overrides]: a home and shell of their own for a person, a domain and a group; enrolled accounts keep theirs")
def overrides(ground: Ground) -> str:
    with ground.fresh("overrides") as site:
        early, alice, member, later = (ground.newcomer() for _ in range(4))
        machine = site.machine
        machine.must("groupadd", "builders")
        admitted(site.ssh(early, "true"))
        machine.write(SETTINGS, OVERRIDES.format(alice=alice.login))
        mark = site.journal.mark()
        site.service.signal(signal.SIGHUP)
        site.journal.wait(mark, event="reloaded")
        add(site, member.login, object_id(ground, member), "--groups", "builders")
        machine.must("mkdir", "-p", "/data")
        seen = {}
        for what, person in {"early": early, "alice": alice, "member": member, "later": later}.items():
            expected = machine.passwd(person.login)[5:7]
            home, shell = admitted(site.ssh(person, "pwd; echo $SHELL")).split()
            require(expected in ([], [home, shell]), f"{what}: {expected} before, {home} {shell} in the session")
            seen[what] = (home.replace(person.login.partition("@")[0], "NAME"), shell)
        equal(seen, {"early": ("/home/NAME@contoso.com", "/bin/bash"), "alice": ("/data/alice", "/bin/bash"),
                     "member": ("/home/NAME", "/bin/sh"), "later": ("/home/NAME", "/bin/bash")}, "homes and shells")
        require(site.tool("users", "set-shell", member.login, "/bin/bash").ok, "set-shell")
        equal(admitted(site.ssh(member, "echo $SHELL")), "/bin/bash\n", "after set-shell")
        machine.write(SETTINGS, "[Overrides]\nShell=*@contoso.com:/bin/none\n")
        doctor = site.tool("doctor").text
        require("for *@contoso.com: nobody signs in here for the first time" in " ".join(doctor.split()), f"doctor: {doctor}")
    return str(seen)
