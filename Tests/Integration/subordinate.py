# SPDX-License-Identifier: Apache-2.0
"""SubordinateIDs=yes: ranges for rootless containers; all other users' lines stay as they were."""

from __future__ import annotations

import itertools
import json
import signal
from concurrent.futures import ThreadPoolExecutor

from bed import Person
from bed.checks import admitted, equal, require
from bed.machine import wait_for
from case import case
from ground import SETTINGS, Ground, Site
from tool import findings

FILES = ("/etc/subuid", "/etc/subgid")
ON = "[Accounts]\nSubordinateIDs=yes\n"
CHANGED = "/run/entralogin/nss/changed"
SIZE = 65536
FIRST, LAST = 1073741824, 1879048191
# A file as it may be: without a last line end, with a broken line, and a number in another base.
LISAS = "lisa:100000:65536\n# of lisa's\nbroken\nlisa:0x80000:1"


def prepared(site: Site) -> None:
    for path in FILES:
        site.machine.write(path, LISAS)


def give(site: Site) -> str:
    """Does at once what entralogin-subids.service does, which may have run already."""
    outcome = site.tool("subids", "--write")
    require(outcome.ok, f"subids --write: {outcome.text}")
    return outcome.out


def ranges(site: Site, person: Person, path: str = FILES[0]) -> list[tuple[int, int]]:
    lines = [line.split(":") for line in site.machine.read(path).splitlines()]
    return [(int(line[1]), int(line[2])) for line in lines if line[0] == person.login]


def first_of(site: Site, person: Person) -> int:
    """The first id of an account's range; requires one line with its name in each file, the same in both."""
    found = ranges(site, person)
    equal(ranges(site, person, FILES[1]), found, f"{person.login} in both files")
    require(len(found) == 1 and found[0][1] == SIZE and FIRST <= found[0][0] <= LAST - SIZE + 1, f"{person.login}: {found}")
    return found[0][0]


@case("P7", "SubordinateIDs=yes: each account gets a range of its own, a GUID too; other lines stay, and useradd passes by")
def given(ground: Ground) -> str:
    with ground.fresh("subids", settings=ON) as site:
        machine, people = site.machine, [ground.newcomer(), ground.newcomer(), ground.person("svc")]
        prepared(site)
        for person in people:
            # The lines must be there for the first command of the first session.
            found = admitted(site.ssh(person, f"grep -h ^{person.login}: {' '.join(FILES)}")).split()
            require(len(found) == 2 and len(set(found)) == 1, f"{person.login} in its first session: {found}")
        require(not [f for f in findings(site) if f.startswith("subids")], "doctor")
        firsts = sorted(first_of(site, person) for person in people)
        require(all(b - a >= SIZE for a, b in itertools.pairwise(firsts)), f"{firsts} overlap")
        for path in FILES:
            require(machine.read(path).startswith(LISAS + "\n"), f"lisa's lines: {machine.read(path)}")
            equal(machine.must("stat", "-c", "%a %u:%g", path).out, "644 0:0\n", "mode and owner")
        before = [machine.read(path) for path in FILES]
        equal((give(site), [machine.read(path) for path in FILES]), ("", before), "once more")
        machine.must("useradd", "bart")
        require("\nbart:165536:65536\n" in machine.read(FILES[0]), f"useradd: {machine.read(FILES[0])}")
        require(f"{firsts[0]}-{firsts[0] + SIZE - 1}" in site.tool("subids").out, "subids")
        first = first_of(site, people[0])
        card = json.loads(site.tool("--json", "users", "show", people[0].login).out)
        equal(card["subordinateIDs"], f"{first}-{first + SIZE - 1}", "users show")
        new = "renamed@contoso.com"
        require(site.tool("users", "rename", people[0].login, new).ok, "rename")
        give(site)
        require(f"\n{new}:{first}:{SIZE}\n" in machine.read(FILES[0]) and not ranges(site, people[0]), "the line after a rename")
        require(site.tool("users", "retire", people[1].login).ok, "retire")
        second = first_of(site, people[1])
        admitted(site.ssh(later := ground.newcomer(), "true"))
        give(site)
        equal(first_of(site, people[1]), second, "a retired account's line")
        require(abs(first_of(site, later) - second) >= SIZE, "a retired account's numbers are given again")
    return f"from {firsts[0]} on"


@case("P3", "without SubordinateIDs=yes nobody gets a range: nothing is written, and nobody is told of new accounts")
def off(ground: Ground) -> str:
    with ground.fresh("nosubids") as site:
        prepared(site)
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        require(not site.machine.path(CHANGED).exists(), "root's program was told")
        require("nothing was written" in give(site), "the tool's word")
        equal([site.machine.read(path) for path in FILES], [LISAS, LISAS], "the files")
        require("subids" not in site.tool("--json", "doctor").out, "doctor speaks of them")
        site.machine.write(SETTINGS, ON)
        site.service.signal(signal.SIGHUP)
        wait_for(site.machine.path(CHANGED).exists, "root's program to be told of a reload")
        give(site)
        first_of(site, person)
    return "and after a reload with it, one"


@case("P14", "usermod --add-subuids at the same time: both take the system's lock, and no line of either is lost")
def at_once(ground: Ground) -> str:
    with ground.fresh("subidsatonce", settings=ON) as site:
        prepared(site)
        machine, person, rounds = site.machine, ground.newcomer(), 12
        admitted(site.ssh(person, "true"))

        def roots() -> None:
            for number in range(rounds):
                low = 700000 + number * 1000
                machine.must("usermod", "--add-subuids", f"{low}-{low + 999}", "--add-subgids", f"{low}-{low + 999}", "lisa")

        def entralogins() -> None:
            for _ in range(rounds):
                give(site)
                first = first_of(site, person)
                taken_out = f"{first}-{first + SIZE - 1}"
                machine.must("usermod", "--del-subuids", taken_out, "--del-subgids", taken_out, person.login)
            give(site)

        with ThreadPoolExecutor() as pool:
            for future in [pool.submit(roots), pool.submit(entralogins)]:
                future.result()
        for path in FILES:
            lines = machine.read(path).splitlines()
            equal([number for number in range(rounds) if f"lisa:{700000 + number * 1000}:1000" not in lines], [], path)
            equal(lines[:4], LISAS.splitlines(), "lisa's first lines")
        first_of(site, person)
    return f"{rounds} rounds of each"


# The calls of a run that writes both files: the run can be ended at each of them.
CALLS = [(call, number) for call in ("rename", "fsync", "fchmod", "unlink") for number in (1, 2)]


@case("P14", "ended by kill -9 anywhere, it leaves whole files and no lock; the next run completes them with the same numbers")
def killed(ground: Ground) -> str:
    with ground.fresh("subidskilled", settings=ON) as site:
        machine, person, states = site.machine, ground.newcomer(), set[tuple[bool, ...]]()
        admitted(site.ssh(person, "true"))
        for call, number in CALLS:
            prepared(site)
            names = f"/^{call}(at2?|at)?$"
            machine.run("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={names}", "-e",
                        f"inject={names}:signal=SIGKILL:when={number}", "/usr/bin/entraloginctl", "subids", "--write")
            found = tuple(bool(ranges(site, person, path)) for path in FILES)
            for path, has in zip(FILES, found, strict=True):
                text = machine.read(path)
                require(text == LISAS or (has and text.startswith(LISAS + "\n") and text.endswith(f":{SIZE}\n")), text)
            states.add(found)
            seen = [ranges(site, person, path) for path in FILES if ranges(site, person, path)]
            give(site)
            require(all(kept == [(first_of(site, person), SIZE)] for kept in seen), f"{call} {number}: other numbers")
            require(not machine.shell("ls /etc/.subuid.new /etc/.subgid.new").ok, "a file is left behind")
            machine.must("usermod", "--add-subuids", "900000-900001", "lisa")
        require({(False, False), (True, False)} <= states, f"never ended between the two files: {states}")
    return f"{len(CALLS)} places, {len(states)} kinds of files"


@case("P16", "a read-only /etc, another source of ranges, no range left: sign-in goes on, the reason is said, nothing is half")
def refused(ground: Ground) -> str:
    few = f"{ON}SubordinateIDRange=600000-{600000 + 2 * SIZE - 1}\n"
    with ground.fresh("subidsnone", settings=few) as site:
        machine, people = site.machine, [ground.newcomer() for _ in range(3)]
        prepared(site)
        machine.must("sh", "-c", "mount --bind /etc /etc && mount -o remount,bind,ro /etc")
        mark = site.journal.mark()
        for person in people:
            admitted(site.ssh(person, "true"))
        require("no subordinate ids yet" in site.journal.wait(mark, event="fault", user=people[0].login)["MESSAGE"], "the record")
        outcome = site.tool("subids", "--write")
        require(outcome.status == 1 and "Read-only file system" in outcome.text, f"a read-only /etc: {outcome.text}")
        found = findings(site)
        require("read-only" in str(found.get("subids.missing")), f"doctor: a read-only /etc: {sorted(found)}")
        machine.must("umount", "/etc")
        names = machine.read("/etc/nsswitch.conf")
        machine.write("/etc/nsswitch.conf", names + "subid: sss\n")
        outcome = site.tool("subids", "--write")
        require(outcome.status == 1 and "come from sss" in outcome.text, f"another source: {outcome.text}")
        require("subids.source" in findings(site), "doctor: another source")
        machine.write("/etc/nsswitch.conf", names)
        equal([machine.read(path) for path in FILES], [LISAS, LISAS], "the files so far")
        outcome = site.tool("subids", "--write")
        require(outcome.status == 1 and "is somebody's" in outcome.text, f"the last range: {outcome.text}")
        equal(sum(len(ranges(site, person)) for person in people), 2, "ranges given")
        require("subids.exhausted" in findings(site), "doctor: no range is left")
        site.stamped()
        admitted(site.ssh(ground.newcomer(), "true"))
        machine.write(SETTINGS, f"{ON}SubordinateIDRange=600000-{600000 + 9 * SIZE - 1}\n")
        give(site)
        equal(sum(len(ranges(site, person)) for person in people), 3, "with more ranges")
    return "three reasons"
