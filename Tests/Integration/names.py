# SPDX-License-Identifier: Apache-2.0
"""P3, P7, P8 and P9 as other programs see them: a user who never signed in exists only for sshd, and other services in
nsswitch.conf work as before. The programs are Debian's own."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from case import case
from environment import Environment, Host
from identity import FIRST_UID, LAST_UID
from local_people import beside
from testbed import Outcome, Service, wire
from testbed.asking import ask, place
from testbed.checks import admitted, equal, require
from testbed.machine import wait_for
from testbed.tracing import SOCKETS, tracing_sshd

MAIL_LOG = "/var/log/mail.log"
OWNER = 12_345  # the uid in the archive, beside the name; no account has it
SSSD = """[sssd]
services = nss
domains = theirs
[domain/theirs]
id_provider = proxy
proxy_lib_name = extrausers
auth_provider = none
access_provider = permit
"""


def seen_by_sshd(env: Environment, host: Host, name: str) -> int:
    """The uid that sshd sees; without it there would be no provisional record for other programs to find."""
    (answer,) = ask(host.machine, env.testbed.scratch / "programs", [f"name {name}"])
    require(len(answer.ids) == 1, f"sshd gets no record of {name}")
    return answer.ids[0]


def owner(host: Host, path: str) -> int:
    return host.machine.path(path).stat().st_uid


def archive(name: str) -> bytes:
    entry = tarfile.TarInfo("file")
    entry.uname, entry.gname, entry.uid, entry.gid = name, name, OWNER, OWNER
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        tar.addfile(entry)
    return content.getvalue()


def unknown(outcome: Outcome, what: str) -> None:
    require(not outcome.ok, f"{what} knows the name: {outcome.text}")


@case("P3", "no ghosts: getent, id, chown, install, find, su, sudo and crontab of root do not know who never signed in")
def plain_programs(env: Environment) -> str:
    with env.fresh("ghosts", layered=True) as host:
        ghost = env.newcomer().login
        uid, before = seen_by_sshd(env, host, ghost), host.rest()
        host.machine.write("/tmp/file", "x")
        tried = (
            ("getent", "passwd", ghost), ("getent", "group", ghost), ("getent", "initgroups", ghost), ("id", ghost),
            ("getent", "passwd", str(uid)), ("chown", ghost, "/tmp/file"), ("chown", f"{ghost}:", "/tmp/file"),
            ("chgrp", ghost, "/tmp/file"), ("install", "-o", ghost, "/tmp/file", "/tmp/copy"),
            ("find", "/tmp", "-user", ghost), ("su", ghost, "-c", "id"), ("sudo", "-n", "-u", ghost, "id"),
            ("crontab", "-u", ghost, "-l"),
        )
        for command in tried:
            outcome = host.machine.run(*command)
            if command[:2] == ("getent", "initgroups"):
                equal(outcome.out.split(), [ghost], "groups")
            else:
                unknown(outcome, " ".join(command))
        equal(owner(host, "/tmp/file"), 0, "the file's owner")
        equal(host.state(), before, "the state folder")
        require(seen_by_sshd(env, host, ghost) == uid, "sshd's own answer changed")
    return f"{len(tried)} commands; sshd is told {uid}"


@case("P3", "no ghosts: tar and rsync of root give no file to who never signed in, and to an enrolled person they do")
def archives(env: Environment) -> str:
    with env.fresh("archives", layered=True) as host:
        person, ghost = env.newcomer(), env.newcomer().login
        admitted(host.ssh(person, "true"))
        enrolled, uid = host.machine.uid(person.login), seen_by_sshd(env, host, ghost)
        for name, expected in ((ghost, OWNER), (person.login, enrolled)):
            host.machine.path("/tmp/archive.tar").write_bytes(archive(name))
            host.machine.must("rm", "-rf", "/tmp/out")
            host.machine.must("install", "-d", "/tmp/out/copy")
            host.machine.must("tar", "--extract", "--file", "/tmp/archive.tar", "--directory", "/tmp/out")
            equal(owner(host, "/tmp/out/file"), expected, f"owner of what tar extracted for {name}")
            for number, option in enumerate((f"--chown={name}", f"--usermap=*:{name}")):
                host.machine.run("rsync", "--archive", option, "/tmp/out/file", f"/tmp/out/copy/{number}")
                copy = host.machine.path(f"/tmp/out/copy/{number}")
                got = copy.stat().st_uid if copy.exists() else None
                require(got == expected or (got != uid and name == ghost), f"rsync {option}: owner {got}")
    return f"the newcomer's would be {uid}: no file has it; {person.login} gets hers"


@contextmanager
def postfix(host: Host) -> Iterator[None]:
    machine = host.machine
    machine.write("/etc/postfix/main.cf",
                  "compatibility_level = 3.6\nmyhostname = contoso-vm\nmydestination = localhost\n"
                  "resolve_dequoted_address = no\n"  # an @ in a quoted local part is just a character
                  f"inet_interfaces = loopback-only\nmaillog_file = {MAIL_LOG}\nmynetworks = 127.0.0.0/8\n")
    machine.shell("grep -q ^postlog /etc/postfix/master.cf || "
                  "echo 'postlog unix-dgram n - n - 1 postlogd' >>/etc/postfix/master.cf")
    machine.must("postfix", "start")
    try:
        yield
    finally:
        machine.run("postfix", "stop")


@case("P3", "no ghosts: a mail server (postfix) delivers to enrolled people, and not to who never signed in")
def mail(env: Environment) -> str:
    with env.fresh("mail", layered=True) as host:
        person, ghost = env.newcomer(), env.newcomer().login
        admitted(host.ssh(person, "true"))
        seen_by_sshd(env, host, ghost)
        with postfix(host):
            said = {name: verdict(host, name) for name in (ghost, person.login, "lisa")}
        require("unknown user" in said[ghost], f"{ghost}: {said[ghost]}")
        for name in (person.login, "lisa"):
            require("status=deliverable" in said[name], f"{name}: {said[name]}")
    return said[ghost][-90:]


def verdict(host: Host, name: str) -> str:
    """How local(8), which runs as root, resolves the address, without delivering anything."""
    host.machine.must("sendmail", "-bv", f'"{name}"@localhost')
    log = host.machine.path(MAIL_LOG)
    found: list[str] = []

    def there() -> bool:
        text = log.read_text() if log.exists() else ""
        found[:] = [line for line in text.splitlines() if "postfix/local" in line and name in line]
        return bool(found)

    wait_for(there, f"postfix on {name}", 60)
    return found[-1]


@contextmanager
def running(host: Host, *command: str) -> Iterator[None]:
    """Runs one of Debian's daemons in the foreground, as root."""
    log = host.machine.folder / f"{Path(command[0]).name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(host.machine.argv(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   start_new_session=True)
    try:
        yield
        require(process.poll() is None, f"{command[0]} ended by itself: {log.read_text()[-500:]}")
    finally:
        process.terminate()
        process.wait()


@contextmanager
def nscd(host: Host) -> Iterator[None]:
    host.machine.must("mkdir", "-p", "/run/nscd")
    with running(host, "/usr/sbin/nscd", "--foreground"):
        wait_for(lambda: host.machine.run("nscd", "--statistics").ok, "nscd")
        yield


@case("P3", "no ghosts: nscd, running as root, knows enrolled and local users, and not who never signed in")
def cache_daemon(env: Environment) -> str:
    with env.fresh("nscd", layered=True) as host:
        person, ghost = env.newcomer(), env.newcomer().login
        admitted(host.ssh(person, "true"))
        record = host.machine.passwd(person.login)
        seen_by_sshd(env, host, ghost)
        with nscd(host):
            for _ in range(2):  # the second answer comes from the cache
                unknown(host.machine.run("getent", "passwd", ghost), "nscd")
                equal(host.machine.passwd(person.login), record, "the enrolled person's record")
                equal(host.machine.passwd(record[2]), record, "by number")
                require(host.machine.uid("lisa") < 60_000, "lisa")
                require("entra_users" in host.machine.must("id", "-Gn", person.login).out, "groups")
            admitted(host.ssh(person, "id -un"), f"{person.login}\n")
            admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
            held = host.machine.must("nscd", "--statistics").out
        # nscd's clients find most answers in shared memory, which it does not count; it counts its own lookups.
        pattern = r"^\s*(\d+)\s+cache misses on (?:posi|nega)tive entries"
        asked = [int(n) for n in re.findall(pattern, held, re.MULTILINE)]
        require(len(asked) > 3 and asked[0] > 0 and asked[1] > 0, f"nscd was not asked: {asked}")
    return f"it looked up {asked[0]} records of passwd that there are, and {asked[1]} that there are not"


@case("P3", "no ghosts: systemd-userdbd, running as root, shows enrolled people, and not who never signed in")
def user_database(env: Environment) -> str:
    with env.fresh("userdbd", layered=True) as host:
        person, ghost = env.newcomer(), env.newcomer().login
        admitted(host.ssh(person, "true"))
        uid = seen_by_sshd(env, host, ghost)
        # The unit's limit on open files may be higher than the tests' environment allows.
        host.machine.must("sed", "-i", "/^LimitNOFILE=/d", "/usr/lib/systemd/system/systemd-userdbd.service")
        database = Service(host.machine, "systemd-userdbd.service")
        database.start()
        try:
            for link in ("NameServiceSwitch", "DropIn"):
                host.machine.path(f"/run/systemd/userdb/io.systemd.{link}").symlink_to("io.systemd.Multiplexer")
            for question in (ghost, str(uid)):
                unknown(host.machine.run("userdbctl", "user", question), "systemd-userdbd")
                unknown(host.machine.run("getent", "passwd", question), "getent")
            shown = host.machine.must("userdbctl", "user", person.login).out
            require(str(host.machine.uid(person.login)) in shown, shown)
            require("lisa" in host.machine.must("userdbctl", "user", "lisa").out, "lisa")
        finally:
            database.stop()
    return " ".join(line.strip() for line in shown.splitlines() if "User name" in line or "UID" in line)


# --- The daemon frozen or gone ---


def questions_of(log: Path, mark: int = 0) -> list[float]:
    """The seconds that each of the name service's questions to the daemon took, from connect to close, in a trace."""
    connected: dict[tuple[str, str], float] = {}
    asked: set[tuple[str, str]] = set()
    found = []
    for line in log.read_text()[mark:].splitlines():
        match = re.match(r"(\d+) +([\d.]+) (\w+)\((\d+)", line)
        if match is None:
            continue
        pid, at, call, descriptor = match.groups()
        key, data = (pid, descriptor), bytes(int(h, 16) for h in re.findall(r"\\x([0-9a-f]{2})", line))
        if call == "connect" and wire.CONTROL.encode() in data:
            connected[key] = float(at)
        elif call == "sendto" and key in connected and data[6:8] == wire.NUMBERS["LOOK_UP_NAME"].to_bytes(2):
            asked.add(key)
        elif call == "close" and key in connected:
            began = connected.pop(key)
            if key in asked:
                asked.remove(key)
                found.append(float(at) - began)
    return found


@contextmanager
def timed_trace(env: Environment, host: Host) -> Iterator[Path]:
    log = env.testbed.scratch / f"trace-{host.port}"
    with tracing_sshd(host.machine, log, "connect,sendto,close", "-ttt", "-xx"):
        yield log


@case("P9", "a frozen daemon: the name service asks it nothing in an enrolled person's sign-in (traced)")
def frozen_for_the_enrolled(env: Environment) -> str:
    with env.fresh("frozennames") as host:
        person, newcomer = env.newcomer(), env.newcomer()
        admitted(host.ssh(person, "true"))
        with timed_trace(env, host) as log:
            admitted(host.ssh(newcomer, "true"))
            new = questions_of(log)
            mark = len(log.read_text())
            host.service.freeze()
            outcome = host.ssh(person, "id", timeout=40)
            host.service.thaw()
            frozen = questions_of(log, mark)
        require(len(new) > 0, "a first sign-in shows no question either: the trace proves nothing")
        require(not outcome.ok, "let in by a frozen daemon")
        equal(frozen, [], "questions of the name service in the enrolled person's sign-in")
        # As many calls as one login makes.
        calls = [f"name {person.login}"] * 15 + [f"groups {person.login}", "groups nobody", "groups root"] * 4
        host.service.freeze()
        connects = connections_of(env, host, calls)
        host.service.thaw()
        equal(connects, 0, f"connections for {len(calls)} calls as sshd makes them")
        require(connections_of(env, host, [f"name {env.newcomer().login}"]) > 0, "nor for a name never seen: no proof")
    return f"a first sign-in asks {len(new)} times; an enrolled person's never; {len(calls)} calls connect to nothing"


def connections_of(env: Environment, host: Host, questions: list[str]) -> int:
    """How often a process called sshd connects to entralogin's sockets for these questions."""
    program, log = place(host.machine, env.testbed.scratch / "programs"), "/tmp/trace-connections"
    host.machine.must("strace", "-f", "-o", log, "-s", "200", "-e", "trace=connect", program, "sshd",
                      input="".join(f"{question}\n" for question in questions))
    return host.machine.read(log).count(SOCKETS)


@case("P8", "a frozen daemon: a local user's whole sign-in asks it nothing and opens none of its sockets (traced)")
def frozen_for_local_people(env: Environment) -> str:
    with env.fresh("frozenlocal") as host:
        admitted(host.ssh(env.person("alice"), "true"))
        host.service.freeze()
        try:
            seen, before = beside(env, host, "frozen")
            log = env.testbed.scratch / f"trace-{host.port}"
            with tracing_sshd(host.machine, log, "connect"):
                admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
                trace = log.read_text()
        finally:
            host.service.thaw()
        require("/run/entralogin/" not in trace, next((li for li in trace.splitlines() if "entralogin" in li), ""))
    return f"{seen / before:.2f} of the time with the daemon running; no connection to us"


@case("P9", "a dead daemon: names never seen are answered at once")
def dead(env: Environment) -> str:
    with env.fresh("dead") as host:
        names = [f"name nobody{n}@contoso.com" for n in range(200)]
        scratch = env.testbed.scratch / "programs"
        require(all(a.ids for a in ask(host.machine, scratch, names[:3])), "sshd is not answered while the daemon runs")
        host.service.kill()
        for _ in range(5):  # retries, because the machine may be busy: a real wait for the daemon would occur each time
            answers = ask(host.machine, scratch, names)
            require(not any(a.ids for a in answers), "answered by a dead daemon")
            slowest, whole = max(a.microseconds for a in answers) / 1000, sum(a.microseconds for a in answers) / 1000
            if slowest < 100:
                break
        require(slowest < 100, f"the slowest took {slowest:.0f} ms")
    return f"200 names in {whole:.1f} ms, the slowest {slowest:.1f} ms"


# --- Other name services ---


@contextmanager
def sssd(host: Host) -> Iterator[None]:
    """SSSD with a user and a group of its own, both called `theirs`."""
    machine = host.machine
    machine.must("mkdir", "-p", "/var/lib/extrausers")
    machine.write("/var/lib/extrausers/passwd", "theirs:*:70001:70001:Theirs:/home/theirs:/bin/bash\n")
    machine.write("/var/lib/extrausers/group", "theirs:x:70001:\n")
    machine.write("/var/lib/extrausers/shadow", "")
    machine.write("/etc/sssd/sssd.conf", SSSD, 0o600)
    with running(host, "/usr/sbin/sssd", "--interactive", "--debug-level=0"):
        wait_for(lambda: machine.run("getent", "-s", "sss", "passwd", "theirs").ok, "SSSD's people", 60)
        yield


def wire_services(host: Host, passwd: str, group: str) -> None:
    host.machine.write("/etc/nsswitch.conf", f"passwd: {passwd}\ngroup: {group}\nshadow: files\nhosts: files dns\n")


def everybody_resolves(env: Environment, host: Host, enrolled: str, others: Callable[[], None]) -> None:
    machine = host.machine
    others()
    record = machine.passwd(enrolled)
    require(len(record) == 7 and FIRST_UID <= int(record[2]) <= LAST_UID, f"{enrolled}: {record}")
    equal(machine.passwd(record[2]), record, "by number")
    equal(machine.must("id", "-Gn", enrolled).out.split(), [enrolled, "entra_users"], "groups")
    equal(machine.passwd("root")[2:4], ["0", "0"], "root")
    equal(machine.must("id", "-Gn", "lisa").out.split(), ["lisa", "sudo"], "lisa's groups")
    require(not machine.run("getent", "passwd", "nosuchuser").ok, "nosuchuser")


@case("P7",
      "beside SSSD in nsswitch.conf, before entralogin and after it: theirs, Entra and local names resolve, sign-in works")
def beside_sssd(env: Environment) -> str:
    with env.fresh("sssd", layered=True) as host:
        person, newcomer = env.newcomer(), env.newcomer()
        admitted(host.ssh(person, "true"))

        def theirs() -> None:
            equal(host.machine.passwd("theirs")[2], "70001", "SSSD's person")
            equal(host.machine.passwd("70001")[0], "theirs", "SSSD's number")

        with sssd(host):
            for order in ("files systemd sss entralogin", "files entralogin sss"):
                wire_services(host, order, order)
                host.stamped()
                everybody_resolves(env, host, person.login, theirs)
                admitted(host.ssh(person, "id -un"), f"{person.login}\n")
                admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
            admitted(host.ssh(newcomer, "id -un"), f"{newcomer.login}\n")
    return "two orders; a first sign-in beside it works"


@case("P8",
      "[SUCCESS=merge] for groups: memberships are as they were, local users sign in, Entra users not until it is gone")
def merging(env: Environment) -> str:
    with env.fresh("merge", layered=True) as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        known = ("root", "sudo", "lisa", "nogroup", "entra_users", person.login)

        def groups() -> list[str]:
            return [host.machine.run("getent", "group", name).out for name in known]

        plain = "files systemd entralogin"
        wire_services(host, plain, plain)
        before = groups()
        require(all(before), f"groups {before}")
        for merged in ("files [SUCCESS=merge] systemd [SUCCESS=merge] entralogin", "files [SUCCESS=merge] entralogin"):
            wire_services(host, plain, merged)
            equal(groups(), before, f"groups with {merged}")
            everybody_resolves(env, host, person.login, lambda: None)
            admitted(host.ssh(env.lisa, "id -Gn"), "lisa sudo\n")
            require(not host.stamp(), "the stack check does not mind the merging")
            require("merge" in host.tool("stack").text, "the stack check does not name the merging")
            require(not host.ssh(person, "id").ok, "our people are let in where groups are merged")
        wire_services(host, plain, plain)
        host.stamped()
        admitted(host.ssh(person, "id -Gn"), f"{person.login} entra_users\n")
    return f"{len(known)} groups, two ways to merge"
