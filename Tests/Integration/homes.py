# SPDX-License-Identifier: Apache-2.0
"""P7: no user gets another user's home."""

from __future__ import annotations

import re

from bed import Person
from bed.checks import admitted, equal, require
from case import case
from credentials import MARK, shut_out
from ground import Ground, Site
from identity import nobody_else

OBSTACLES = {
    "a folder of lisa's": "mkdir {home}; chown lisa: {home}",
    "a link to lisa's home": "ln -s /home/lisa {home}",
    "a link to nowhere": "ln -s /home/nowhere {home}",
    "a plain file": "touch {home}",
    "a leftover with .ssh/rc, of a number that nobody holds":
        "mkdir -p {home}/.ssh; echo 'touch /tmp/rc-ran' >{home}/.ssh/rc; chown -R 1900000000 {home}",
    "root's folder": "mkdir {home}",
}


def tried(ground: Ground, site: Site, person: Person, what: str, script: str) -> None:
    home = f"/home/{person.login}"
    require(site.machine.shell(script.format(home=home)).ok, f"{what} could not be made")
    before = site.rest(), nobody_else(site, "/home/lisa"), nobody_else(site, home)
    shut_out(site.ssh(person, f"echo {MARK}"))
    after = site.state(), nobody_else(site, "/home/lisa"), nobody_else(site, home)
    equal(after, before, f"after {what}")
    require(not site.enrolled(person.login), f"{what}: enrolled")
    require(not site.machine.path("/tmp/rc-ran").exists(), "the leftover's rc was run")


@case("P7", "a home that is somebody else's, a link, a file or a leftover: refused, nothing enrolled, nothing touched")
def obstacles(ground: Ground) -> str:
    with ground.fresh("homes") as site:
        for what, script in OBSTACLES.items():
            person = ground.newcomer()
            mark = site.journal.mark()
            tried(ground, site, person, what, script)
            record = site.journal.wait(mark, user=person.login, decision="deny")
            equal(record.get("ENTRALOGIN_REASON"), "home-refused", f"reason for {what}")
            site.machine.remove(f"/home/{person.login}")
            admitted(site.ssh(person, "id -un"), f"{person.login}\n")
    return f"{len(OBSTACLES)} kinds; each person got in once the way was free"


@case("P7", "an enrolled person's home that was replaced by a link to lisa's: refused")
def replaced_later(ground: Ground) -> str:
    with ground.fresh("relinked") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        home = site.machine.home(person.login)
        require(site.machine.shell(f"mv {home} {home}.away; ln -s /home/lisa {home}").ok, "mv")
        before = nobody_else(site, "/home/lisa")
        shut_out(site.ssh(person, f"echo {MARK}"))
        equal(nobody_else(site, "/home/lisa"), before, "lisa's home")
        require(site.machine.shell(f"rm {home}; mv {home}.away {home}").ok, "mv back")
        admitted(site.ssh(person, "true"))
    return "refused; in again with the home back"


@case("P7", "a home that root began, with another file system in it: no beginning, so refused; without that, made anew")
def mounted(ground: Ground) -> str:
    with ground.fresh("homes-mounted") as site:
        machine, person = site.machine, ground.newcomer()
        home = f"/home/{person.login}"
        machine.must("sh", "-c", f"mkdir -p /etc/skel/kept {home}/kept && chmod 0700 {home} && mount -t tmpfs kept {home}/kept")
        mark = site.journal.mark()
        shut_out(site.ssh(person, f"echo {MARK}"))
        record = site.journal.wait(mark, user=person.login, decision="deny")
        equal(record.get("ENTRALOGIN_REASON"), "home-refused", "reason")
        machine.must("umount", f"{home}/kept")
        admitted(site.ssh(person, "pwd"), f"{home}\n")
    return "refused while it was mounted"


@case("P7", "a folder above the home that others can write: refused")
def writable_above(ground: Ground) -> str:
    with ground.fresh("writable") as site:
        site.machine.must("chmod", "0777", "/home")
        person = ground.newcomer()
        before = site.rest()
        shut_out(site.ssh(person, f"echo {MARK}"))
        equal(site.state(), before, "the state folder")
        site.machine.must("chmod", "0755", "/home")
        admitted(site.ssh(person, "true"))
    return "refused; in once /home is root's alone"


# Commands that fill the folder of homes; their files are named fill.
BYTES, FILES = "dd if=/dev/zero of=/home/fill bs=4k", "i=0; while touch /home/fill$i; do i=$((i + 1)); done"
FULL = {
    "by size": ("size=64k", BYTES),
    "but for two inodes": ("nr_inodes=12", f"{FILES}; rm /home/fill0 /home/fill1"),
}


@case("P14", "a disk that is full at the first sign-in keeps nobody out, then or later: once there is room, the home is whole")
def full_disk(ground: Ground) -> str:
    with ground.fresh("full-homes", started=False) as site:
        machine = site.machine
        for what, (option, fill) in FULL.items():
            machine.must("mount", "-t", "tmpfs", "-o", f"{option},mode=0755", "homes", "/home")
            if what == next(iter(FULL)):
                machine.start_sshd(site.port)
                site.begin()
                site.stamped()
            else:
                site.sshd()
            machine.shell(f"{{ {fill}; }} 2>/dev/null")
            person = ground.newcomer()
            home = f"/home/{person.login}"
            admitted(site.ssh(person, "pwd"), "/\n")
            admitted(site.ssh(person, "pwd"), "/\n")
            machine.must("sh", "-c", "rm /home/fill*")
            admitted(site.ssh(person, f"cd {home} && pwd"), f"{home}\n")
            uid = machine.passwd(person.login)[2]
            seen = machine.must("sh", "-c", f"stat -c '%u %a' {home} && diff -r /etc/skel {home}")
            equal(seen.text, f"{uid} 700\n", f"{what}: the home at last")
            machine.stop_sshd()
            machine.must("umount", "-l", "/home")
    return ", ".join(FULL)


@case("P16", "a home that userdel left and a /home that others may write: refused, said as it is, and in after the named command")
def said(ground: Ground) -> str:
    with ground.fresh("homes-said") as site:
        machine = site.machine

        def tells(*words: str) -> None:
            mark = site.journal.mark()
            outcome = site.ssh(person, f"echo {MARK}")
            shut_out(outcome)
            for word in (*words, "entraloginctl explain"):
                require(word in outcome.text, f"not said: {word!r}: {outcome.text}")
            record = site.journal.wait(mark, user=person.login, decision="deny")
            detail = str(record.get("ENTRALOGIN_DETAIL", record))
            command = re.search(r"chown -R \d+:\d+ \S+|chmod go-w \S+", detail)
            require(command is not None, f"no command in the record: {detail}")
            machine.must("sh", "-c", command[0] if command else "")
            admitted(site.ssh(person, "pwd"), f"{home}\n")

        person = ground.newcomer()
        home = f"/home/{person.login}"
        machine.must("sh", "-c", f"useradd -m {person.login} && userdel {person.login}")
        left = machine.must("stat", "-c", "%u", home).out.strip()
        tells(f"{home} belongs to another user (uid {left})")
        for mode in ("0777", "1777", "0775"):
            machine.must("chmod", mode, "/home")
            tells("Others than root can write /home")
    return "uid and folder are named, and the command"
