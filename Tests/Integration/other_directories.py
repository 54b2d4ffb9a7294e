# SPDX-License-Identifier: Apache-2.0
"""P5, P7 and P8 beside another directory whose uids are in entralogin's range, as SSSD's and FreeIPA's defaults may be: its
users keep su, sudo and SSH, and no Entra account gets one of their uids. The directory is libnss-extrausers."""

from __future__ import annotations

import os

from case import case
from credentials import MARK, shut_out
from environment import PASSWORD, Environment, Host
from identity import FIRST_UID, first_uid
from simulator.sshkeys import public_line
from testbed import Person
from testbed.checks import Wrong, admitted, equal, require

FOLDER = "/var/lib/extrausers"
BLOCK = 200_000  # the size of one domain's id range, in SSSD and FreeIPA
# A short name, and one like an Entra account's (SSSD's use_fully_qualified_names).
SHORT, LONG = "theirs", "joe@corp.example"
NUMBERS = {SHORT: 2_000_000_500, LONG: 2_000_000_501}
ORDER = "files extrausers entralogin"


def publish(host: Host, numbers: dict[str, int], order: str = ORDER) -> None:
    """Makes the other directory serve exactly these users and their private groups."""
    host.machine.must("mkdir", "-p", FOLDER)
    records = (f"{name}:*:{number}:{number}::/home/{name}:/bin/bash" for name, number in numbers.items())
    host.machine.write(f"{FOLDER}/passwd", "".join(f"{record}\n" for record in records))
    host.machine.write(f"{FOLDER}/group", "".join(f"{name}:x:{number}:\n" for name, number in numbers.items()))
    host.machine.write(f"{FOLDER}/shadow", "")
    host.machine.write("/etc/nsswitch.conf", f"passwd: {order}\ngroup: {order}\nshadow: files\nhosts: files dns\n")


def move_in(env: Environment, host: Host, name: str, number: int) -> Person:
    """Gives one of the directory's users a home with a key and a secret, and a sudo rule."""
    machine, home = host.machine, f"/home/{name}"
    machine.write(f"{home}/.ssh/authorized_keys", public_line(env.lisa.identity) + "\n", 0o600)
    machine.write(f"{home}/secret", f"of {name}\n", 0o600)
    machine.must("chown", "-R", f"{number}:{number}", home)
    machine.must("chmod", "0700", home, f"{home}/.ssh")
    rule = name.replace("@", "\\@")
    machine.write(f"/etc/sudoers.d/{name.partition('@')[0]}", f"{rule} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    return Person(name, env.lisa.folder, env.lisa.identity)


def works(host: Host, person: Person, what: str) -> None:
    """Requires that sudo, su to a local user, su to this user, and SSH with a key work without a message of entralogin. (sshd's
    Match block applies to a name with an @, and accepts no keys.)"""
    name = person.login
    said = [
        *([(host.ssh(person, "id -un", timeout=40), name)] if "@" not in name else []),
        (host.machine.run("su", name, "-c", "sudo -n id -u"), "0"),
        (host.machine.run("su", name, "-c", "su lisa -c 'id -un'", input=f"{PASSWORD}\n"), "lisa"),
    ]
    for outcome, expected in said:
        require(outcome.ok and outcome.out.strip() == expected and "entralogin" not in outcome.text,
                f"{name}, {what}: {outcome.status} {outcome.text}")


@case("P8", "another directory's users with a number in the range: SSH, sudo and su with the daemon running, frozen, stopped")
def not_affected(env: Environment) -> str:
    with env.fresh("others", layered=True) as host:
        person = env.newcomer()
        uid = int(admitted(host.ssh(person, "id -u")))
        publish(host, NUMBERS)
        host.stamped()
        users = [move_in(env, host, name, number) for name, number in NUMBERS.items()]
        for user in users:
            works(host, user, "with the daemon running")
        refusals(host, uid, "with the daemon running")
        host.service.freeze()
        try:
            for user in users:
                works(host, user, "with the daemon frozen")
        finally:
            host.service.thaw()
        host.service.stop()
        for user in users:
            works(host, user, "with the daemon stopped")
        refusals(host, uid, "with the daemon stopped")
    return f"{len(NUMBERS)} users, three states of the daemon"


def refusals(host: Host, uid: int, what: str) -> None:
    """Control: su refuses a process with a uid that no name service knows or, with the daemon stopped, with an Entra user's."""
    nobody = NUMBERS[LONG] + 1
    for number in (nobody, *([uid] if "stopped" in what else ())):
        outcome = as_number(host, number, "su", "lisa", "-c", "id -un", input=f"{PASSWORD}\n")
        if outcome.ok:
            raise Wrong(f"uid {number} is let through {what}: {outcome.text}")


def as_number(host: Host, number: int, *command: str, input: str = ""):
    return host.machine.run("setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", *command, input=input)


@case("P8", "an Entra user does not pass for another directory's: not with a small limit, not where its number is theirs, too")
def no_disguise(env: Environment) -> str:
    with env.fresh("disguise", layered=True) as host:
        person = env.newcomer()
        uid = int(admitted(host.ssh(person, "id -u")))
        env.withdraw(person)
        host.flush()
        # From now on the uid is also one of the directory's users; su reads the file that says so under a limit on open files.
        publish(host, {SHORT: uid})
        for limit in ("", "--nofile=4", "--nofile=5"):  # each refusal takes su some seconds
            command = ("su", "lisa", "-c", "id -un")
            outcome = as_number(host, uid, *(("prlimit", limit) if limit else ()), *command, input=f"{PASSWORD}\n")
            if outcome.ok:
                raise Wrong(f"let through {limit}: {outcome.text}")
        control = as_number(host, 70_001, "su", "lisa", "-c", "id -un", input=f"{PASSWORD}\n")
        equal(control.out, "lisa\n", f"a number outside our range ({control.text})")
    return "three limits; a number of nobody's outside the range goes through"


@case("P5", "a number that another directory answers for is never an Entra account's: the first sign-in says so, the next works",
      attack="H6")
def given_already(env: Environment) -> str:
    with env.fresh("given", layered=True) as host:
        seen = []
        for database in ("passwd", "group"):
            person = env.newcomer()
            number = first_uid(person.login)
            publish(host, {SHORT: number})
            if database == "group":
                host.machine.write(f"{FOLDER}/passwd", "")
            host.stamped()
            move_in(env, host, SHORT, number)
            # Control: with that uid, the secret can be read.
            equal(as_number(host, number, "cat", f"/home/{SHORT}/secret").out, f"of {SHORT}\n", "the secret")
            before = host.rest()
            mark = host.journal.mark()
            outcome = host.ssh(person, f"echo {MARK}")
            shut_out(outcome)
            require("please sign in again" in outcome.text, f"the screen: {outcome.text}")
            host.journal.wait(mark, user=person.login, decision="deny", reason="number-taken")
            equal(host.state(), before, "the state folder")
            uid = int(admitted(host.ssh(person, "id -u")))
            require(uid // BLOCK != number // BLOCK and uid >= FIRST_UID, f"uid {uid} beside {number}")
            require(not host.ssh(person, f"cat /home/{SHORT}/secret").ok, "the secret is read")
            equal(int(admitted(host.ssh(person, "id -u"))), uid, "the number of the next sign-in")
            seen.append(f"{database}: {number} is theirs, {uid} is hers")
    return "; ".join(seen)


@case("P5", "a directory that does not answer at a first sign-in: refused in time, and let in when it answers again", deep=True)
def silent_directory(env: Environment) -> str:
    with env.fresh("silent", layered=True) as host:
        person, enrolled = env.newcomer(), env.newcomer()
        admitted(host.ssh(enrolled, "true"))
        publish(host, {}, "files entralogin extrausers")
        host.stamped()
        path = host.machine.path(f"{FOLDER}/passwd")
        path.unlink()
        os.mkfifo(path)  # opening it waits
        mark = host.journal.mark()
        shut_out(host.ssh(person, f"echo {MARK}", timeout=60))
        host.journal.wait(mark, user=person.login, decision="deny", reason="enrolment-failed")
        admitted(host.ssh(enrolled, "true"))
        path.unlink()
        host.machine.write(f"{FOLDER}/passwd", "")
        admitted(host.ssh(person, "true"))
    return "refused; an enrolled account signs in meanwhile"
