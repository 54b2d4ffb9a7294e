# SPDX-License-Identifier: Apache-2.0
"""P1, P2, P4, P5 and P7 with short names (`ShortNames=`), as Documentation/how-to/short-names.md describes them: both names
mean one account; what its name, role and groups allow."""

from __future__ import annotations

import json

from case import case
from credentials import MARK, PLANTED, intruder, shut_out, taken, without_effect
from device import LOGIN, SWITCHED_ON, asks_for_code, offer, shell
from environment import Environment, Host
from identity import renamed
from mapped import NAME as MAPPED
from mapped import PERMISSIONS, RULE, SUDOERS, move
from mapped import SETTINGS as GROUPS
from roles import administrator, session_around
from short_environment import GROUP, add_local, called, local_part, short, short_names, switch
from simulator.sshkeys import public_line
from testbed import Person
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for
from testbed.terminal import Terminal, at_terminal

OTHER_FILE = "/etc/ssh/other.d/00-a.conf"
PAM_SSHD = "/etc/pam.d/sshd"
PAM_USERS = "/var/log/pam-users"
FACTS = "id -un; whoami; echo $USER $LOGNAME; pwd; id -gn; id -Gn; touch file; stat -c %U:%G file"


def facts(host: Host, person: Person, login: str) -> None:
    """Signs in by that name; requires that each command shows the account's short name, and the record its whole name."""
    name, mark = local_part(person), host.journal.mark()
    users, first, who, home, group, groups, file = admitted(host.ssh(called(person, login), FACTS)).splitlines()
    equal((users, first, who, home, group, file), (name, name, f"{name} {name}", f"/home/{name}", name, f"{name}:{name}"),
          f"by {login}")
    require({name, "entra_users", GROUP} <= set(groups.split()), f"groups by {login}: {groups}")
    record = host.journal.wait(mark, event="session-opened", user=person.login, decision="allow")
    require(person.login in record["MESSAGE"], f"the record lacks the whole name: {record}")


@case("P7", "short names: alice and alice@contoso.com are one account, whichever came first, called alice by id, PAM and who")
def one_account(env: Environment) -> str:
    with short_names(env, "short") as host:
        machine = host.machine
        machine.write(PAM_SSHD, machine.read(PAM_SSHD) + "session optional pam_exec.so seteuid log="
                      f"{PAM_USERS} quiet /usr/bin/printenv PAM_USER\n")
        machine.shell("touch /run/utmp /var/log/wtmp && chgrp utmp /run/utmp /var/log/wtmp && "
                      "chmod 664 /run/utmp /var/log/wtmp")
        host.stamped()
        names = []
        for first_whole in (True, False):
            person = env.newcomer()
            name = local_part(person)
            names.append(name)
            logins = [person.login, name] if first_whole else [name, person.login]
            require(not machine.passwd(name), f"{name} is there before")
            for login in logins:
                facts(host, person, login)
            record = machine.passwd(name)
            equal(machine.passwd(person.login), record, "getent by the whole name")
            equal(machine.passwd(record[2]), record, "getent by the number")
            equal(machine.must("getent", "group", record[2]).out, f"{name}:*:{record[2]}:\n", "the private group")
            for login in logins:
                said = admitted(host.ssh(called(person, login), "who | cut -d' ' -f1 | sort -u", tty=True))
                require(set(said.split()) <= {name}, f"who, signed in by {login}: {said}")  # newer systems have no utmp
        equal({line for line in machine.read(PAM_USERS).splitlines() if not line.startswith("***")}, set(names), "PAM_USER")
        require(not machine.path(f"/home/{names[0]}@contoso.com").exists(), "a second home")
    return " ".join(record)


@case("P2", "short names: the administrator's sudo works by both names, and a role withdrawn ends it in the open session")
def role_withdrawn(env: Environment) -> str:
    with short_names(env, "shortsudo") as host:
        for spelled in (short, lambda person: person):
            person = administrator(env)

            def between(who: Person = person) -> None:
                env.withdraw(who)
                host.flush()

            mark = host.journal.mark()
            outcome = session_around(env, host, spelled(person), "sudo -n id -u", between,
                                     "sudo -n id -u; echo ended $?; id -Gn")
            require(outcome.lines()[0] == "0", f"sudo before: {outcome.text}")
            require("ended 0" not in outcome.out and outcome.lines().count("0") == 1, f"sudo after: {outcome.text}")
            require("entra_admins" in outcome.out, f"the session has lost its group id: {outcome.text}")
            host.journal.wait(mark, event="account", user=person.login, service="sudoers", decision="deny")
            for login in (person, short(person)):
                refused(host.ssh(login, "id"), "role not assigned")
    return outcome.err.strip().splitlines()[0]


def hidden_sshd(host: Host, *settings: str) -> None:
    """As `Host.hidden_sshd`, but for a group: these settings come before entralogin's for an account by either of its names."""
    host.hidden_sshd()
    host.machine.write(OTHER_FILE, "Match Group entra_users\n" + "".join(f"    {setting}\n" for setting in settings))
    host.machine.stop_sshd()
    host.machine.start_sshd(host.port, config="/etc/ssh/other_config")
    host.stamped()


@case("P4", "short names: a key planted in the home or where sshd looks, and a password, open nothing by either name")
def planted(env: Environment) -> str:
    with short_names(env, "shortplanted") as host:
        alice, stranger = env.newcomer(), env.newcomer()
        name = local_part(alice)
        thief = intruder(env, short(alice))
        thief.folder.mkdir(parents=True, exist_ok=True)
        line = public_line(thief.identity)
        admitted(host.ssh(short(alice), f"mkdir .ssh && echo '{line}' >.ssh/authorized_keys && chmod -R go= .ssh"))
        for login in (name, alice.login):
            refused(host.ssh(called(thief, login), f"echo {MARK}"), "Permission denied")
        equal(taken(host, called(thief, name)), 1, "credentials that sshd took: alice's certificate alone")
        hidden_sshd(host, f"AuthorizedKeysFile {PLANTED}/%u .ssh/authorized_keys", "PasswordAuthentication yes",
                    "KbdInteractiveAuthentication yes", "AuthenticationMethods any")
        for person in (alice, stranger):
            host.machine.write(f"{PLANTED}/{local_part(person)}", line + "\n")
            before, mark = host.rest(), host.journal.mark()
            for login in (local_part(person), person.login):
                already = host.machine.read("/var/log/sshd.log").count("by PAM account configuration")
                shut_out(host.ssh(called(thief, login), f"echo {MARK}"), "Correlation id")
                now = host.machine.read("/var/log/sshd.log").count("by PAM account configuration")
                require(now > already, f"sshd did not take the planted key for {login}: nothing was tried")
            equal(host.state(), before, "the state folder")
            record = host.journal.wait(mark, event="account", user=person.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], "certificate-not-verified", "the reason")
        without_effect(host, short(stranger), before)
        shut_out(thief.with_password(f"echo {MARK}", port=host.port))
        require("Failed password" in host.machine.read("/var/log/sshd.log"), "sshd did not try the password")
    return record["MESSAGE"]


@case("P7", "short names: a person of another domain and a service principal keep whole names, one alice beside the other",
      deep=True)
def other_domains(env: Environment) -> str:
    with short_names(env, "shortothers") as host:
        person = env.newcomer()
        name = local_part(person)
        namesake = renamed(env, f"{name}@fabrikam.com")
        facts(host, person, name)
        for other in (namesake, env.person("svc")):
            said = admitted(host.ssh(other, "id -un; pwd; id -Gn")).splitlines()
            equal(said[:2], [other.login, f"/home/{other.login}"], "name and home")
            require(GROUP not in said[2].split(), f"groups of {other.login}: {said[2]}")
        refused(host.ssh(called(namesake, name), "id"))
        refused(host.ssh(called(person, namesake.login), "id"))
        uids = {host.machine.uid(login) for login in (name, person.login, namesake.login)}
        equal(len(uids), 2, f"numbers {uids}")
        users = json.loads(host.tool("users", "--json").out)["users"]
        listed = {(user["name"], user.get("shortName")) for user in users}
        require({(person.login, name), (namesake.login, None)} <= listed, f"users: {listed}")
    return namesake.login


@case("P1", "short names: an Entra group is a Unix group of alice's, and sudo by it ends once she is out of it")
def entra_group(env: Environment) -> str:
    env.azure.post("graph", permissions=PERMISSIONS)
    try:
        with short_names(env, "shortgroups", settings=GROUPS) as host:
            wait_for(lambda: host.machine.run("getent", "group", MAPPED).ok, "the published groups")
            host.machine.write(SUDOERS, RULE, 0o440)
            host.stamped()
            person = env.newcomer()
            move(env, person, "join")
            for login in (local_part(person), person.login):
                said = admitted(host.ssh(called(person, login), "id -Gn; sudo -n id -u")).splitlines()
                require(MAPPED in said[0].split() and said[1] == "0", f"by {login}: {said}")
            move(env, person, "leave")
            host.flush()
            outcome = host.ssh(short(person), "id -Gn; sudo -n id -u")
            require(MAPPED not in outcome.text and "0" not in outcome.lines(), f"once she is out: {outcome.text}")
    finally:
        env.azure.post("graph", permissions=[])
    return said[0]


@case("P5", "short names: switched off the account answers by its whole name with number and home; on again, by the short one")
def off_and_on(env: Environment) -> str:
    with short_names(env, "shortoff") as host:
        machine, person = host.machine, env.newcomer()
        name = local_part(person)
        admitted(host.ssh(short(person), "echo hers >file"))
        record = machine.passwd(name)
        nsswitch = machine.read("/etc/nsswitch.conf")
        switch(host, "")
        require("entralogin_short" not in machine.read("/etc/nsswitch.conf"), machine.read("/etc/nsswitch.conf"))
        equal(machine.passwd(person.login), [person.login, *record[1:]], "the record by the whole name")
        equal(machine.passwd(record[2])[0], person.login, "by the number")
        require(not machine.passwd(name) and not machine.run("getent", "group", name).ok, f"{name} is still there")
        admitted(host.ssh(person, "id -un; cat file; pwd"), f"{person.login}\nhers\n/home/{name}\n")
        refused(host.ssh(short(person), "id"))
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
        local = add_local(env, host, name)
        admitted(host.ssh(local, "id -u"), "2001\n")
        admitted(host.ssh(person, "true"))
        for path in ("/etc/passwd", "/etc/group", "/etc/shadow"):
            machine.must("sed", "-i", f"/^{name}:/d", path)
        switch(host, "[Accounts]\nShortNames=contoso.com\n")
        equal((machine.passwd(name), machine.read("/etc/nsswitch.conf")), (record, nsswitch), "on again")
        for login in (name, person.login):
            admitted(host.ssh(called(person, login), "id -un; cat file"), f"{name}\nhers\n")
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
    return ":".join(record)


@case("P1", "short names: a code typed elsewhere opens a console's login by both names, where PAM's auth line has short_names")
def by_code(env: Environment) -> str:
    with short_names(env, "shortcode", settings=SWITCHED_ON) as host:
        person = administrator(env)
        name = local_part(person)
        admitted(host.ssh(short(person), "true"))
        host.machine.must("sed", "-i", "s/delay=[0-9]*/delay=0/", "/etc/pam.d/login")
        offer(host, "login")
        require("no code is offered to short names in login" in " ".join(host.tool("doctor").text.split()), "doctor is content")
        host.machine.must("sed", "-i", "/^auth .*pam_entralogin.so$/s/$/ short_names/", "/etc/pam.d/login")
        host.stamped()
        doctor = " ".join(host.tool("doctor").text.split())
        require("login offers sign-in with a code" in doctor and "short_names)" not in doctor, f"doctor: {doctor}")

        def act(terminal: Terminal) -> str:
            code = asks_for_code(terminal, called(person, login))
            env.azure.post("approve", user_code=code, who=env.key_of(person))
            seen = shell(terminal, "echo $(id -un) $USER $(sudo -n id -u)")
            terminal.type("exit")
            terminal.end()
            return seen

        for login in (name, person.login):
            mark = host.journal.mark()
            equal(at_terminal(host.machine, LOGIN, act), f"{name} {name} 0", f"by {login}")
            host.journal.wait(mark, event="device-sign-in", user=person.login, decision="allow")
            host.journal.wait(mark, event="session-closed", user=person.login)
    return "in by both"
