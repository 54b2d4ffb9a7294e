# SPDX-License-Identifier: Apache-2.0
"""P7: no user gets another user's home."""

from __future__ import annotations

import re

from case import case
from credentials import MARK, shut_out
from environment import Environment, Host
from identity import nobody_else
from testbed import Person
from testbed.checks import admitted, equal, require

OBSTACLES = {
    "a folder of lisa's": "mkdir {home}; chown lisa: {home}",
    "a link to lisa's home": "ln -s /home/lisa {home}",
    "a link to nowhere": "ln -s /home/nowhere {home}",
    "a plain file": "touch {home}",
    "a leftover with .ssh/rc, of a number that nobody holds":
        "mkdir -p {home}/.ssh; echo 'touch /tmp/rc-ran' >{home}/.ssh/rc; chown -R 1900000000 {home}",
    "root's folder": "mkdir {home}",
}


def tried(env: Environment, host: Host, person: Person, what: str, script: str) -> None:
    home = f"/home/{person.login}"
    require(host.machine.shell(script.format(home=home)).ok, f"{what} could not be made")
    before = host.rest(), nobody_else(host, "/home/lisa"), nobody_else(host, home)
    shut_out(host.ssh(person, f"echo {MARK}"))
    after = host.state(), nobody_else(host, "/home/lisa"), nobody_else(host, home)
    equal(after, before, f"after {what}")
    require(not host.enrolled(person.login), f"{what}: enrolled")
    require(not host.machine.path("/tmp/rc-ran").exists(), "the leftover's rc was run")


@case("P7", "a home that is somebody else's, a link, a file or a leftover: refused, nothing enrolled, nothing touched")
def obstacles(env: Environment) -> str:
    with env.fresh("homes") as host:
        for what, script in OBSTACLES.items():
            person = env.newcomer()
            mark = host.journal.mark()
            tried(env, host, person, what, script)
            record = host.journal.wait(mark, user=person.login, decision="deny")
            equal(record.get("ENTRALOGIN_REASON"), "home-refused", f"reason for {what}")
            host.machine.remove(f"/home/{person.login}")
            admitted(host.ssh(person, "id -un"), f"{person.login}\n")
    return f"{len(OBSTACLES)} kinds; each person got in once the way was free"


@case("P7", "an enrolled person's home that was replaced by a link to lisa's: refused")
def replaced_later(env: Environment) -> str:
    with env.fresh("relinked") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        home = host.machine.home(person.login)
        require(host.machine.shell(f"mv {home} {home}.away; ln -s /home/lisa {home}").ok, "mv")
        before = nobody_else(host, "/home/lisa")
        shut_out(host.ssh(person, f"echo {MARK}"))
        equal(nobody_else(host, "/home/lisa"), before, "lisa's home")
        require(host.machine.shell(f"rm {home}; mv {home}.away {home}").ok, "mv back")
        admitted(host.ssh(person, "true"))
    return "refused; in again with the home back"


@case("P7", "a home that root began, with another file system in it: no beginning, so refused; without that, made anew")
def mounted(env: Environment) -> str:
    with env.fresh("homes-mounted") as host:
        machine, person = host.machine, env.newcomer()
        home = f"/home/{person.login}"
        machine.must("sh", "-c", f"mkdir -p /etc/skel/kept {home}/kept && chmod 0700 {home} && mount -t tmpfs kept {home}/kept")
        mark = host.journal.mark()
        shut_out(host.ssh(person, f"echo {MARK}"))
        record = host.journal.wait(mark, user=person.login, decision="deny")
        equal(record.get("ENTRALOGIN_REASON"), "home-refused", "reason")
        machine.must("umount", f"{home}/kept")
        admitted(host.ssh(person, "pwd"), f"{home}\n")
    return "refused while it was mounted"


@case("P7", "a folder above the home that others can write: refused")
def writable_above(env: Environment) -> str:
    with env.fresh("writable") as host:
        host.machine.must("chmod", "0777", "/home")
        person = env.newcomer()
        before = host.rest()
        shut_out(host.ssh(person, f"echo {MARK}"))
        equal(host.state(), before, "the state folder")
        host.machine.must("chmod", "0755", "/home")
        admitted(host.ssh(person, "true"))
    return "refused; in once /home is root's alone"


# Commands that fill /home; the names of their files begin with "fill".
BYTES, FILES = "dd if=/dev/zero of=/home/fill bs=4k", "i=0; while touch /home/fill$i; do i=$((i + 1)); done"
FULL = {
    "by size": ("size=64k", BYTES),
    "but for two inodes": ("nr_inodes=12", f"{FILES}; rm /home/fill0 /home/fill1"),
}


@case("P14", "a disk that is full at the first sign-in keeps nobody out, then or later: once there is room, the home is whole")
def full_disk(env: Environment) -> str:
    with env.fresh("full-homes", started=False) as host:
        machine = host.machine
        for what, (option, fill) in FULL.items():
            machine.must("mount", "-t", "tmpfs", "-o", f"{option},mode=0755", "homes", "/home")
            if what == next(iter(FULL)):
                machine.start_sshd(host.port)
                host.begin()
                host.stamped()
            else:
                host.sshd()
            machine.shell(f"{{ {fill}; }} 2>/dev/null")
            person = env.newcomer()
            home = f"/home/{person.login}"
            admitted(host.ssh(person, "pwd"), "/\n")
            admitted(host.ssh(person, "pwd"), "/\n")
            machine.must("sh", "-c", "rm /home/fill*")
            admitted(host.ssh(person, f"cd {home} && pwd"), f"{home}\n")
            uid = machine.passwd(person.login)[2]
            seen = machine.must("sh", "-c", f"stat -c '%u %a' {home} && diff -r /etc/skel {home}")
            equal(seen.text, f"{uid} 700\n", f"{what}: the home at last")
            machine.stop_sshd()
            machine.must("umount", "-l", "/home")
    return ", ".join(FULL)


@case("P16", "a home that userdel left and a /home that others may write: refused, said as it is, and in after the named command")
def said(env: Environment) -> str:
    with env.fresh("homes-said") as host:
        machine = host.machine

        def tells(*words: str) -> None:
            mark = host.journal.mark()
            outcome = host.ssh(person, f"echo {MARK}")
            shut_out(outcome)
            for word in (*words, "entraloginctl explain"):
                require(word in outcome.text, f"not said: {word!r}: {outcome.text}")
            record = host.journal.wait(mark, user=person.login, decision="deny")
            detail = str(record.get("ENTRALOGIN_DETAIL", record))
            command = re.search(r"chown -R \d+:\d+ \S+|chmod go-w \S+", detail)
            require(command is not None, f"no command in the record: {detail}")
            machine.must("sh", "-c", command[0] if command else "")
            admitted(host.ssh(person, "pwd"), f"{home}\n")

        person = env.newcomer()
        home = f"/home/{person.login}"
        machine.must("sh", "-c", f"useradd -m {person.login} && userdel {person.login}")
        left = machine.must("stat", "-c", "%u", home).out.strip()
        tells(f"{home} belongs to another user (uid {left})")
        for mode in ("0777", "1777", "0775"):
            machine.must("chmod", mode, "/home")
            tells("Others than root can write /home")
    return "uid and folder are named, and the command"
