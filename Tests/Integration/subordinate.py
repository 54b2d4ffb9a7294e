# SPDX-License-Identifier: Apache-2.0
"""SubordinateIDs=yes: ranges for rootless containers; all other users' lines stay as they were."""

from __future__ import annotations

import itertools
import json
import signal
from concurrent.futures import ThreadPoolExecutor

from case import case
from environment import SETTINGS, Environment, Host
from testbed import Person
from testbed.checks import admitted, equal, require
from testbed.machine import wait_for
from tool import findings

FILES = ("/etc/subuid", "/etc/subgid")
ON = "[Accounts]\nSubordinateIDs=yes\n"
CHANGED = "/run/entralogin/nss/changed"
SIZE = 65536
FIRST, LAST = 1073741824, 1879048191
# A file as it may be found: no newline at its end, a broken line, and a number in another base.
LISAS = "lisa:100000:65536\n# of lisa's\nbroken\nlisa:0x80000:1"


def prepared(host: Host) -> None:
    for path in FILES:
        host.machine.write(path, LISAS)


def give(host: Host) -> str:
    """Does at once what entralogin-subids.service does, which may have run already."""
    outcome = host.tool("subids", "--write")
    require(outcome.ok, f"subids --write: {outcome.text}")
    return outcome.out


def ranges(host: Host, person: Person, path: str = FILES[0]) -> list[tuple[int, int]]:
    lines = [line.split(":") for line in host.machine.read(path).splitlines()]
    return [(int(line[1]), int(line[2])) for line in lines if line[0] == person.login]


def first_of(host: Host, person: Person) -> int:
    """The first id of an account's range; requires one line with its name in each file, the same in both."""
    found = ranges(host, person)
    equal(ranges(host, person, FILES[1]), found, f"{person.login} in both files")
    require(len(found) == 1 and found[0][1] == SIZE and FIRST <= found[0][0] <= LAST - SIZE + 1, f"{person.login}: {found}")
    return found[0][0]


@case("P7", "SubordinateIDs=yes: each account gets a range of its own, a GUID too; other lines stay, and useradd passes by")
def given(env: Environment) -> str:
    with env.fresh("subids", settings=ON) as host:
        machine, people = host.machine, [env.newcomer(), env.newcomer(), env.person("svc")]
        prepared(host)
        for person in people:
            # The lines must be there for the first command of the first session.
            found = admitted(host.ssh(person, f"grep -h ^{person.login}: {' '.join(FILES)}")).split()
            require(len(found) == 2 and len(set(found)) == 1, f"{person.login} in its first session: {found}")
        require(not [f for f in findings(host) if f.startswith("subids")], "doctor")
        firsts = sorted(first_of(host, person) for person in people)
        require(all(b - a >= SIZE for a, b in itertools.pairwise(firsts)), f"{firsts} overlap")
        for path in FILES:
            require(machine.read(path).startswith(LISAS + "\n"), f"lisa's lines: {machine.read(path)}")
            equal(machine.must("stat", "-c", "%a %u:%g", path).out, "644 0:0\n", "mode and owner")
        before = [machine.read(path) for path in FILES]
        equal((give(host), [machine.read(path) for path in FILES]), ("", before), "once more")
        machine.must("useradd", "bart")
        require("\nbart:165536:65536\n" in machine.read(FILES[0]), f"useradd: {machine.read(FILES[0])}")
        require(f"{firsts[0]}-{firsts[0] + SIZE - 1}" in host.tool("subids").out, "subids")
        first = first_of(host, people[0])
        card = json.loads(host.tool("--json", "users", "show", people[0].login).out)
        equal(card["subordinateIDs"], f"{first}-{first + SIZE - 1}", "users show")
        new = "renamed@contoso.com"
        require(host.tool("users", "rename", people[0].login, new).ok, "rename")
        give(host)
        require(f"\n{new}:{first}:{SIZE}\n" in machine.read(FILES[0]) and not ranges(host, people[0]), "the line after a rename")
        require(host.tool("users", "retire", people[1].login).ok, "retire")
        second = first_of(host, people[1])
        admitted(host.ssh(later := env.newcomer(), "true"))
        give(host)
        equal(first_of(host, people[1]), second, "a retired account's line")
        require(abs(first_of(host, later) - second) >= SIZE, "a retired account's numbers are given again")
    return f"from {firsts[0]} on"


@case("P3", "without SubordinateIDs=yes nobody gets a range: nothing is written, and nobody is told of new accounts")
def off(env: Environment) -> str:
    with env.fresh("nosubids") as host:
        prepared(host)
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        require(not host.machine.path(CHANGED).exists(), "root's program was told")
        require("nothing was written" in give(host), "the tool's word")
        equal([host.machine.read(path) for path in FILES], [LISAS, LISAS], "the files")
        require("subids" not in host.tool("--json", "doctor").out, "doctor speaks of them")
        host.machine.write(SETTINGS, ON)
        host.service.signal(signal.SIGHUP)
        wait_for(host.machine.path(CHANGED).exists, "root's program to be told of a reload")
        give(host)
        first_of(host, person)
    return "and after a reload with it, one"


@case("P14", "usermod --add-subuids at the same time: both take the system's lock, and no line of either is lost")
def at_once(env: Environment) -> str:
    with env.fresh("subidsatonce", settings=ON) as host:
        prepared(host)
        machine, person, rounds = host.machine, env.newcomer(), 12
        admitted(host.ssh(person, "true"))

        def roots() -> None:
            for number in range(rounds):
                low = 700000 + number * 1000
                machine.must("usermod", "--add-subuids", f"{low}-{low + 999}", "--add-subgids", f"{low}-{low + 999}", "lisa")

        def entralogins() -> None:
            for _ in range(rounds):
                give(host)
                first = first_of(host, person)
                taken_out = f"{first}-{first + SIZE - 1}"
                machine.must("usermod", "--del-subuids", taken_out, "--del-subgids", taken_out, person.login)
            give(host)

        with ThreadPoolExecutor() as pool:
            for future in [pool.submit(roots), pool.submit(entralogins)]:
                future.result()
        for path in FILES:
            lines = machine.read(path).splitlines()
            equal([number for number in range(rounds) if f"lisa:{700000 + number * 1000}:1000" not in lines], [], path)
            equal(lines[:4], LISAS.splitlines(), "lisa's first lines")
        first_of(host, person)
    return f"{rounds} rounds of each"


# The calls of a run that writes both files: the run can be ended at each of them.
CALLS = [(call, number) for call in ("rename", "fsync", "fchmod", "unlink") for number in (1, 2)]


@case("P14", "ended by kill -9 anywhere, it leaves whole files and no lock; the next run completes them with the same numbers")
def killed(env: Environment) -> str:
    with env.fresh("subidskilled", settings=ON) as host:
        machine, person, states = host.machine, env.newcomer(), set[tuple[bool, ...]]()
        admitted(host.ssh(person, "true"))
        for call, number in CALLS:
            prepared(host)
            names = f"/^{call}(at2?|at)?$"
            machine.run("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={names}", "-e",
                        f"inject={names}:signal=SIGKILL:when={number}", "/usr/bin/entraloginctl", "subids", "--write")
            found = tuple(bool(ranges(host, person, path)) for path in FILES)
            for path, has in zip(FILES, found, strict=True):
                text = machine.read(path)
                require(text == LISAS or (has and text.startswith(LISAS + "\n") and text.endswith(f":{SIZE}\n")), text)
            states.add(found)
            seen = [ranges(host, person, path) for path in FILES if ranges(host, person, path)]
            give(host)
            require(all(kept == [(first_of(host, person), SIZE)] for kept in seen), f"{call} {number}: other numbers")
            require(not machine.shell("ls /etc/.subuid.new /etc/.subgid.new").ok, "a file is left behind")
            machine.must("usermod", "--add-subuids", "900000-900001", "lisa")
        require({(False, False), (True, False)} <= states, f"never ended between the two files: {states}")
    return f"{len(CALLS)} places, {len(states)} kinds of files"


@case("P16", "a read-only /etc, another source of ranges, no range left: sign-in goes on, the reason is said, nothing is half")
def refused(env: Environment) -> str:
    few = f"{ON}SubordinateIDRange=600000-{600000 + 2 * SIZE - 1}\n"
    with env.fresh("subidsnone", settings=few) as host:
        machine, people = host.machine, [env.newcomer() for _ in range(3)]
        prepared(host)
        machine.must("sh", "-c", "mount --bind /etc /etc && mount -o remount,bind,ro /etc")
        mark = host.journal.mark()
        for person in people:
            admitted(host.ssh(person, "true"))
        require("no subordinate ids yet" in host.journal.wait(mark, event="fault", user=people[0].login)["MESSAGE"], "the record")
        outcome = host.tool("subids", "--write")
        require(outcome.status == 1 and "Read-only file system" in outcome.text, f"a read-only /etc: {outcome.text}")
        found = findings(host)
        require("read-only" in str(found.get("subids.missing")), f"doctor: a read-only /etc: {sorted(found)}")
        machine.must("umount", "/etc")
        names = machine.read("/etc/nsswitch.conf")
        machine.write("/etc/nsswitch.conf", names + "subid: sss\n")
        outcome = host.tool("subids", "--write")
        require(outcome.status == 1 and "come from sss" in outcome.text, f"another source: {outcome.text}")
        require("subids.source" in findings(host), "doctor: another source")
        machine.write("/etc/nsswitch.conf", names)
        equal([machine.read(path) for path in FILES], [LISAS, LISAS], "the files so far")
        outcome = host.tool("subids", "--write")
        require(outcome.status == 1 and "is taken" in outcome.text, f"the last range: {outcome.text}")
        equal(sum(len(ranges(host, person)) for person in people), 2, "ranges given")
        require("subids.exhausted" in findings(host), "doctor: no range is left")
        host.stamped()
        admitted(host.ssh(env.newcomer(), "true"))
        machine.write(SETTINGS, f"{ON}SubordinateIDRange=600000-{600000 + 9 * SIZE - 1}\n")
        give(host)
        equal(sum(len(ranges(host, person)) for person in people), 3, "with more ranges")
    return "three reasons"
