# SPDX-License-Identifier: Apache-2.0
"""P5 and P7: accounts that root adds before their first sign-in. They are bound like any other, and admit no other user."""

from __future__ import annotations

import json
import signal

from case import case
from credentials import MARK, shut_out
from environment import SETTINGS, Environment, Host
from identity import OTHER_OBJECT, first_uid, retire
from other_directories import SHORT, publish
from testbed import Person, pam
from testbed.checks import admitted, equal, refused, require

GROUPS = "docker,builders"


def object_id(env: Environment, person: Person) -> str:
    return env.testbed.directory.principals[env.key_of(person)].object_id


def add(host: Host, name: str, objectid: str, *more: str) -> dict[str, object]:
    """Adds an account; returns the tool's report."""
    outcome = host.tool("--json", "users", "add", name, "--object-id", objectid, *more)
    require(outcome.ok, f"users add: {outcome.text}")
    return json.loads(outcome.out)


def told_no(host: Host, *words: str, status: int = 1) -> str:
    """Requires that the tool refuses; returns its text as one line."""
    outcome = host.tool("users", "add", *words)
    require(outcome.status == status, f"users add {words}: exit status {outcome.status}, {outcome.text}")
    return " ".join(outcome.text.split())


def members(host: Host, group: str) -> list[str]:
    line = host.machine.must("getent", "-s", "files", "group", group).out.strip()
    return [name for name in line.rpartition(":")[2].split(",") if name]


@case("P5", "users add: number, name, home and object id are bound before the first sign-in; files, jobs and groups wait for it")
def added(env: Environment) -> str:
    with env.fresh("added") as host:
        person, machine = env.newcomer(), host.machine
        for group in ("docker", "builders"):
            machine.must("groupadd", group)
        words = (person.login, object_id(env, person), "--groups", GROUPS, "--root-equivalent")
        mark = host.journal.mark()
        report = add(host, *words)
        equal((report["changed"], report["uid"]), (True, first_uid(person.login)), f"the report {report}")
        record = host.journal.wait(mark, event="added", user=person.login)
        equal(record["ENTRALOGIN_OBJECT_ID"], object_id(env, person), "the record's object id")
        equal(machine.uid(person.login), report["uid"], "getent")
        groups = {"docker", "builders", "entra_users", person.login}
        equal(set(machine.must("id", "-Gn", person.login).out.split()), groups, "id before the first sign-in")
        machine.must("install", "-D", "-m", "0600", "-o", person.login, "-g", person.login, "/etc/hostname", "/srv/hers")
        machine.must("crontab", "-u", person.login, "-", input="@daily true\n")
        equal(pam.ask(machine, env.testbed.scratch / "programs", "cron", person.login).results["account"], pam.SUCCESS,
              "cron's account stage before the first sign-in")
        card = host.tool("users", "show", person.login).text
        require("added by root" in card and "last sign-in" not in card, f"the card: {card}")
        before = host.rest()
        equal(add(host, *words)["changed"], False, "adding it again")
        require("already" in host.tool("users", "add", *words[:1], "--object-id", words[1]).text, "the sentence")
        equal(host.state(), before, "the state folder after adding it again")
        said = admitted(host.ssh(person, "id -u; pwd; stat -c %u .; cat /srv/hers >/dev/null && id -Gn"))
        *facts, names = said.splitlines()
        home = f"/home/{person.login}"
        equal(facts, [str(report["uid"]), home, str(report["uid"])], "number, home and its owner")
        equal(set(names.split()), groups, "groups in the session")
        require("last sign-in" in host.tool("users", "show", person.login).text, "the card after the sign-in")
    return record["MESSAGE"]


@case("P5", "an added account lets nobody in who could not sign in without it: another object id, nobody's role, no certificate")
def lets_nobody_in(env: Environment) -> str:
    with env.fresh("addedno") as host:
        other, roleless = env.newcomer(), env.newcomer()
        env.withdraw(roleless)
        add(host, other.login, OTHER_OBJECT)
        add(host, roleless.login, object_id(env, roleless))
        mark = host.journal.mark()
        shut_out(host.ssh(other, f"echo {MARK}"))
        record = host.journal.wait(mark, user=other.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], "object-id-changed", "another object id")
        explained = " ".join(host.tool("explain", other.login).text.split())
        require(f"users rebind {other.login} --object-id {object_id(env, other)}" in explained, f"explain: {explained}")
        text = refused(host.ssh(roleless, f"echo {MARK}"), "role not assigned")
        result = pam.ask(host.machine, env.testbed.scratch / "programs", "cron", roleless.login).results["account"]
        require(result != pam.SUCCESS, "cron runs without a role")
        require(not host.machine.run("su", "-", roleless.login, "-c", "id -un").ok, "root's su without a role")
        for person in (other, roleless):
            require(not host.machine.path(f"/home/{person.login}").exists(), f"{person.login} has a home")
    return text.splitlines()[0]


@case("P7", "users add refuses with the reason and the remedy, and changes nothing: names, ids and groups that cannot be")
def refusals(env: Environment) -> str:
    with env.fresh("addrefused", settings="[Accounts]\nDomains=contoso.com\n") as host:
        taken, gone, shut, new = (env.newcomer() for _ in range(4))
        machine = host.machine
        for person in (taken, gone, shut):
            add(host, person.login, object_id(env, person))
        retire(host, gone)
        require(host.tool("users", "lock", shut.login).ok, "lock")
        for group in ("docker", "builders", "ops"):
            machine.must("groupadd", group)
        machine.write("/etc/sudoers.d/ops", "%ops ALL=(ALL) NOPASSWD: /usr/bin/id\n", 0o440)
        host.stamped()
        machine.shell("echo 'local@contoso.com:x:2000:100::/srv:/bin/sh' >>/etc/passwd")
        before, file = host.rest(), machine.read("/etc/group")
        ids = {person.login: object_id(env, person) for person in (taken, gone, shut, new)}
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
            text = told_no(host, *words)
            require(said in text, f"{words}: {text}")
        for words in ((new.login,), (new.login, "--object-id", "bob"), (new.login, *mine, "--groups", "a,,b")):
            told_no(host, *words, status=2)
        equal((host.state(), machine.read("/etc/group")), (before, file), "the state folder and /etc/group")
        require(not host.enrolled(new.login), f"{new.login} has an account")
    return text


@case("P5", "users add: a name that another directory has is refused, and a number that it has is passed over")
def other_directory(env: Environment) -> str:
    with env.fresh("addother", layered=True) as host:
        person, theirs = env.newcomer(), env.newcomer()
        publish(host, {SHORT: first_uid(person.login), theirs.login: 70_001})
        host.stamped()
        text = told_no(host, theirs.login, "--object-id", object_id(env, theirs))
        require("70001" in text, text)
        report = add(host, person.login, object_id(env, person))
        require(report["uid"] != first_uid(person.login), f"the other directory's number: {report}")
        equal(admitted(host.ssh(person, "id -u")).strip(), str(report["uid"]), "the number in the session")
    return text


@case("P7", "users add where /etc/group cannot be written says what is missing, adds it the next time; users retire removes it")
def group_file(env: Environment) -> str:
    with env.fresh("addgroup") as host:
        person, machine = env.newcomer(), host.machine
        machine.must("groupadd", "builders")
        # gpasswd writes the new file there.
        machine.must("mkdir", "/etc/group+")
        words = ("users", "add", person.login, "--object-id", object_id(env, person), "--groups", "builders")
        outcome = host.tool(*words)
        require(outcome.status == 1 and "builders" in outcome.err, f"while it cannot be written: {outcome.text}")
        require(host.enrolled(person.login), "the account is not there")
        machine.must("rmdir", "/etc/group+")
        again = host.tool(*words)
        require(again.ok and "builders" in again.out, f"again: {again.text}")
        equal(members(host, "builders"), [person.login], "the members")
        admitted(host.ssh(person, "true"))
        said = host.tool("users", "retire", person.login)
        require(said.ok and "builders" in said.out, f"retire: {said.text}")
        equal(members(host, "builders"), [], "the members after users retire")
        machine.must("sed", "-i", f"s/^builders:.*:$/&{person.login}/", "/etc/group")
        require(host.tool("users", "retire", person.login).ok, "retire again")
        equal(members(host, "builders"), [], "the members after a second users retire")
    return " ".join(outcome.err.split())


OVERRIDES = """[Overrides]
Home={alice}:/data/alice *@contoso.com:/home/%l
Shell=%builders:/bin/sh
"""


@case("P5", "[Overrides]: a home and shell of their own for a person, a domain and a group; enrolled accounts keep theirs")
def overrides(env: Environment) -> str:
    with env.fresh("overrides") as host:
        early, alice, member, later = (env.newcomer() for _ in range(4))
        machine = host.machine
        machine.must("groupadd", "builders")
        admitted(host.ssh(early, "true"))
        machine.write(SETTINGS, OVERRIDES.format(alice=alice.login))
        mark = host.journal.mark()
        host.service.signal(signal.SIGHUP)
        host.journal.wait(mark, event="reloaded")
        add(host, member.login, object_id(env, member), "--groups", "builders")
        machine.must("mkdir", "-p", "/data")
        seen = {}
        for what, person in {"early": early, "alice": alice, "member": member, "later": later}.items():
            expected = machine.passwd(person.login)[5:7]
            home, shell = admitted(host.ssh(person, "pwd; echo $SHELL")).split()
            require(expected in ([], [home, shell]), f"{what}: {expected} before, {home} {shell} in the session")
            seen[what] = (home.replace(person.login.partition("@")[0], "NAME"), shell)
        equal(seen, {"early": ("/home/NAME@contoso.com", "/bin/bash"), "alice": ("/data/alice", "/bin/bash"),
                     "member": ("/home/NAME", "/bin/sh"), "later": ("/home/NAME", "/bin/bash")}, "homes and shells")
        require(host.tool("users", "set-shell", member.login, "/bin/bash").ok, "set-shell")
        equal(admitted(host.ssh(member, "echo $SHELL")), "/bin/bash\n", "after set-shell")
        machine.write(SETTINGS, "[Overrides]\nShell=*@contoso.com:/bin/none\n")
        doctor = host.tool("doctor").text
        require("for *@contoso.com: nobody signs in here for the first time" in " ".join(doctor.split()), f"doctor: {doctor}")
    return str(seen)
