# SPDX-License-Identifier: Apache-2.0
"""P5 and P7 with short names: which accounts keep the whole name and why, and how an older account gets the short one."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from case import case, cases
from credentials import MARK, shut_out
from environment import Environment, Host
from identity import renamed
from short_environment import GROUP, ON, add_local, called, card, local_part, short, short_names, switch
from testbed import Person
from testbed.checks import admitted, equal, one_line, require
from testbed.machine import wait_for

LOCAL_DATABASES = ("/etc/passwd", "/etc/group", "/etc/shadow")


def keeps_whole_name(host: Host, person: Person, *why: str) -> str:
    """Signs in; requires that the account has its whole name, and only its own group and entra_users; returns `users show`."""
    said = admitted(host.ssh(person, "id -un; pwd; id -Gn")).splitlines()
    equal(said, [person.login, f"/home/{person.login}", f"{person.login} entra_users"], f"{person.login}'s account")
    shown = card(host, person.login)
    for word in why:
        require(word in shown, f"users show {person.login} does not say {word!r}: {shown}")
    return shown


def remove_local(host: Host, name: str) -> None:
    for path in LOCAL_DATABASES:
        host.machine.must("sed", "-i", f"/^{name}:/d", path)


@case("P7", "short names: a local alice keeps her name, key and files; the Entra alice has the whole name, and is told why")
def local_first(env: Environment) -> str:
    with short_names(env, "shortlocal") as host:
        person = env.newcomer()
        name = local_part(person)
        local = add_local(env, host, name)
        shown = keeps_whole_name(host, person, f"a local user is called {name}")
        equal(admitted(host.ssh(local, "id -u; pwd; id -Gn")), f"2001\n/srv/local/{name}\n{name}\n", "the local user")
        shut_out(host.ssh(short(person), f"echo {MARK}"))
        for other in (called(env.lisa, person.login), called(local, person.login)):
            shut_out(host.ssh(other, f"echo {MARK}"))
        # The account keeps its whole name when the local user is gone: only root renames an account.
        remove_local(host, name)
        keeps_whole_name(host, person)
        shut_out(host.ssh(short(person), f"echo {MARK}"))
    return shown


@case("P7", "short names: a local alice who comes later wins; the Entra alice is refused by both names until she is gone")
def local_later(env: Environment) -> str:
    with short_names(env, "shortlater") as host:
        machine, person = host.machine, env.newcomer()
        name = local_part(person)
        uid = int(admitted(host.ssh(short(person), "id -u")))
        local = add_local(env, host, name)
        mark = host.journal.mark()
        for login in (person, short(person)):
            shut_out(host.ssh(login, f"echo {MARK}"))
        equal(admitted(host.ssh(local, "id -u; id -Gn")), f"2001\n{name}\n", "the local user")
        equal(machine.must("id", "-Gn", name).out, f"{name}\n", "groups of the local user")
        host.service.signal(signal.SIGHUP)
        wait_for(lambda: not machine.passwd(str(uid)), "the account's record gone")
        require(not host.journal.since(mark, decision="allow"), "somebody was let in")
        explained = " ".join(host.tool("explain", person.login).text.split())
        require(name in explained and "local" in explained, f"explain: {explained}")
        remove_local(host, name)
        host.service.signal(signal.SIGHUP)
        wait_for(lambda: machine.passwd(name)[2:3] == [str(uid)], "the account")
        equal(admitted(host.ssh(short(person), "id -u")), f"{uid}\n", "back again")
    return explained[:200]


@case("P7", "short names: a group that lists alice, or is called so, gives nothing: the Entra alice has the whole name")
def listed(env: Environment) -> str:
    with short_names(env, "shortlisted") as host:
        member, namesake = env.newcomer(), env.newcomer()
        group = host.machine.read("/etc/group")
        host.machine.write("/etc/group", f"{group}docker:x:998:lisa,{local_part(member)}\n{local_part(namesake)}:x:997:lisa\n")
        shown = keeps_whole_name(host, member, f"a local group lists {local_part(member)} as a member")
        keeps_whole_name(host, namesake, f"a local group is called {local_part(namesake)}")
        for person in (member, namesake):
            shut_out(host.ssh(short(person), f"echo {MARK}"))
    return shown


# The short name that the account would get, and part of the reason why it does not.
NEVER_SHORT = (
    ("root", "programs"), ("sudo", "programs"), ("docker", "programs"), ("postgres", "programs"), ("lisa", "local user"),
    ("under_score", "cannot be"), ("l" * 33, "cannot be"), ("systemd-x", "cannot be"), ("0day", "cannot be"),
    ("entra_admins", "cannot be"), ("wheel", "programs"),
)


@cases("P7", "short names: root, sudo, docker, postgres, a local user's and names of another shape are never one, nor a group",
       NEVER_SHORT, every=3)
def never_short(env: Environment, names: Sequence[tuple[str, str]]) -> str:
    with short_names(env, "shortnever") as host:
        for name, why in names:
            person = renamed(env, f"{name}@contoso.com")
            shown = keeps_whole_name(host, person, "short name none:", why)
            shut_out(host.ssh(called(person, name), f"echo {MARK}"))
            outcome = host.tool("users", "rename", person.login, "--short")
            require(not outcome.ok, f"users rename {person.login} --short: {outcome.text}")
        admitted(host.ssh(env.lisa, "id -Gn"), "lisa sudo\n")
    return shown


@case("P5", "short names: capital letters in Entra's spelling are one account; in ssh's they are nobody's")
def letter_case(env: Environment) -> str:
    with short_names(env, "shortcase") as host:
        person = renamed(env, "Mixed.Case@Contoso.com")
        for login in ("mixed.case", "mixed.case@contoso.com"):
            admitted(host.ssh(called(person, login), "id -un; pwd"), "mixed.case\n/home/mixed.case\n")
        for login in ("Mixed.Case", "MIXED.CASE", "mixed.case@", "mixed.case@fabrikam.com"):
            shut_out(host.ssh(called(person, login), f"echo {MARK}"))
        require(not host.machine.passwd("Mixed.Case"), "getent in capitals")
    return "one account"


@case("P5", "short names: users rename --short keeps number, home and files of an older account; the crontab is moved by hand")
def renamed_short(env: Environment) -> str:
    with env.fresh("shortrename") as host:
        machine, person, other = host.machine, env.newcomer(), env.newcomer()
        name, spool = local_part(person), "/var/spool/cron/crontabs"
        admitted(host.ssh(person, "echo hers >file"))
        admitted(host.ssh(other, "true"))
        machine.must("crontab", "-u", person.login, "-", input="@reboot id -un >/tmp/cron-ran\n")
        record = machine.passwd(person.login)
        require(not host.tool("users", "rename", person.login, "--short").ok, "renamed without ShortNames=")
        switch(host, ON)
        equal(machine.passwd(person.login), record, "the record before users rename")
        shut_out(host.ssh(short(person), f"echo {MARK}"))
        outcome = host.tool("users", "rename", person.login, "--short")
        require(outcome.ok and f"is called {name} now" in outcome.text, f"users rename: {outcome.text}")
        equal(machine.passwd(name), [name, *record[1:]], "the record")
        for login in (name, person.login):
            admitted(host.ssh(called(person, login), "id -un; cat file; pwd; stat -c %U file"),
                     f"{name}\nhers\n{record[5]}\n{name}\n")
        require(GROUP in admitted(host.ssh(short(person), "id -Gn")).split(), "groups")
        equal(machine.must("ls", spool).out, f"{person.login}\n", "crontabs")
        machine.must("mv", f"{spool}/{person.login}", f"{spool}/{name}")
        machine.start_cron()
        wait_for(lambda: machine.path("/tmp/cron-ran").exists() and machine.read("/tmp/cron-ran") == f"{name}\n", "the job")
        machine.stop_cron()
        require("short name" in card(host, name), card(host, name))
        add_local(env, host, local_part(other))
        said = host.tool("users", "rename", other.login, "--short")
        why = " ".join(said.text.split())
        require(not said.ok and "a local user is called" in why and "sign in again" not in why, f"a local user's name: {why}")
    return outcome.text.strip()


@case("P5", "short names: a name that an account has, or had, is no other account's, whatever Entra calls a person now")
def never_anothers(env: Environment) -> str:
    with short_names(env, "shortbound") as host:
        person = env.newcomer()
        name = local_part(person)
        uid = admitted(host.ssh(short(person), "id -u"))
        key = env.key_of(person)
        env.azure.post("rename", who=key, sign_in_name=f"{name}.new@contoso.com")
        env.testbed.directory.rename(key, sign_in_name=f"{name}.new@contoso.com")
        env.forget(key)
        new = env.person(key)
        outcome = host.ssh(new, "id")
        require(not outcome.ok and "sign in again" in outcome.text, f"the renamed person: {outcome.text}")
        equal(admitted(host.ssh(short(new), "id -u")), uid, "the number")
        admitted(host.ssh(new, "id -un; pwd"), f"{name}.new\n/home/{name}\n")
        successor = renamed(env, f"{name}@contoso.com")
        shut_out(host.ssh(called(successor, name), f"echo {MARK}"))
        outcome = host.ssh(successor, "id -un; id -u; pwd")
        require(uid.strip() not in outcome.out.split() and f"/home/{name}" not in outcome.out.split(), outcome.text)
    return outcome.text.strip().splitlines()[0]


@case("P7", "short names: a folder that a removed local alice has left is not the Entra alice's home: refused, and told why")
def left_home(env: Environment) -> str:
    with short_names(env, "shorthome") as host:
        person = env.newcomer()
        home = f"/home/{local_part(person)}"
        host.machine.must("install", "-d", "-m", "0700", "-o", "3333", "-g", "3333", home)
        host.machine.must("install", "-m", "0600", "-o", "3333", "-g", "3333", "/dev/null", f"{home}/hers")
        text = ""
        for login in (short(person), person):
            outcome = host.ssh(login, f"echo {MARK}")
            shut_out(outcome, home)
            text = outcome.text
        explained = " ".join(host.tool("explain", person.login).text.split())
        require(home in explained, f"explain: {explained}")
        equal(host.machine.path(f"{home}/hers").stat().st_uid, 3333, "the file's owner")
        host.machine.must("mv", home, "/home/of-before")
        admitted(host.ssh(short(person), "pwd"), f"{home}\n")
    return text.splitlines()[0]


@case("P5", "short names: users add, show, lock and retire take either name; a group of root's gets the short one")
def administered(env: Environment) -> str:
    with short_names(env, "shortadd") as host:
        machine, person = host.machine, env.newcomer()
        name, key = local_part(person), env.key_of(person)
        machine.must("groupadd", "builders")
        added = host.tool("users", "add", person.login, "--object-id", env.testbed.directory.principals[key].object_id,
                          "--groups", "builders")
        require(added.ok, f"users add: {added.text}")
        equal(machine.passwd(name)[5], f"/home/{name}", "home")
        require(machine.read("/etc/group").splitlines()[-1].endswith(f":{name}"), machine.read("/etc/group")[-200:])
        said = admitted(host.ssh(short(person), "id -un; id -Gn")).splitlines()
        require(said[0] == name and "builders" in said[1].split(), str(said))
        for spelled, verb in ((name, "lock"), (person.login, "unlock"), (person.login, "lock"), (name, "unlock")):
            require(host.tool("users", verb, spelled).ok, f"users {verb} {spelled}")
            for login in (person, short(person)):
                outcome = host.ssh(login, f"echo {MARK}")
                require(outcome.ok == (verb == "unlock"), f"users {verb} {spelled}, then {login.login}: {outcome.text}")
        for spelled in (name, person.login):
            for words in (["explain"], ["check"], ["users", "show"]):
                shown = host.tool(*words, spelled).text
                require(person.login in shown, f"{words} {spelled}: {shown}")
        retired = host.tool("users", "retire", name)
        require(retired.ok, retired.text)
        require(not machine.passwd(name) and not machine.passwd(person.login), "the retired account is there")
        require(name not in machine.read("/etc/group").rpartition("builders")[2], "still a member of builders")
        for login in (person, short(person)):
            shut_out(host.ssh(login, f"echo {MARK}"))
    return one_line(retired.text, 100)
