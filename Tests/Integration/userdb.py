# SPDX-License-Identifier: Apache-2.0
"""systemd's user database: the same records as in the name service, and in nobody's way."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from bed.checks import admitted, equal, refused, require
from bed.machine import wait_for
from boot import HANGING, MARGIN, milestones, without_us
from booted_ground import DAEMON, BootedGround, BootedSite
from case import case
from simulator import contoso

SERVICE = "io.entralogin"
LINK = f"/run/systemd/userdb/{SERVICE}"
ON = "[Accounts]\nUserDatabase=yes\n"
ONLY_OURS = ("--json=short", f"--service={SERVICE}", "--with-nss=no", "--with-dropin=no", "--synthesize=no")


def has_link(site: BootedSite) -> bool:
    return site.machine.path(LINK).is_symlink()


@contextmanager
def served(site: BootedSite, more: str = "") -> Iterator[None]:
    site.settings(ON + more)
    wait_for(lambda: has_link(site), "the link")
    try:
        yield
    finally:
        site.settings("")


@contextmanager
def userdbd(site: BootedSite) -> Iterator[None]:
    """systemd's own service in front of all the others."""
    site.machine.systemctl("start", "systemd-userdbd.socket")
    try:
        yield
    finally:
        site.machine.systemctl("stop", "systemd-userdbd.socket", "systemd-userdbd.service")


def records(site: BootedSite, *question: str, multiplexer: bool = False) -> list[dict[str, Any]]:
    outcome = site.machine.run("userdbctl", *ONLY_OURS, f"--multiplexer={'yes' if multiplexer else 'no'}", *question)
    return [json.loads(line) for line in outcome.out.splitlines()]


def ours(site: BootedSite, table: str, key: str) -> list[str]:
    """The fields of an entry as our NSS module gives it, whatever stands before it."""
    found = site.machine.run("getent", "-s", "entralogin", table, key)
    return found.out.rstrip("\n").split(":") if found.ok else []


def call(method: str, more: bool = False, path: str = LINK, **parameters: Any) -> list[dict[str, Any]]:
    """The replies to one call of varlink; to be run inside the machine."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        asked = {"method": method, "parameters": parameters, **({"more": True} if more else {})}
        client.sendall(json.dumps(asked).encode() + b"\0")
        data = b""
        while True:
            piece = client.recv(1 << 16)
            data += piece
            replies = [json.loads(frame) for frame in data.split(b"\0")[:-1]]
            if not piece or (replies and not replies[-1].get("continues")):
                return replies


@case("P8", "the user database is off by default: no socket, no link; userdbctl shows people through the name service")
def off(ground: BootedGround) -> str:
    site, alice = ground.vm, ground.person("alice")
    admitted(site.ssh(alice, "true"))
    require(not site.machine.path("/run/entralogin/nss/userdb.sock").exists(), "a socket")
    require(not has_link(site), "a link")
    found = json.loads(site.machine.must("userdbctl", "--json=short", "user", alice.login).out)
    equal(found["uid"], site.machine.uid(alice.login), "alice's uid")
    require(found.get("service") != SERVICE, f"{found}")
    return "alice by the name service"


def same_user(site: BootedSite, login: str) -> None:
    name, _, uid, gid, gecos, home, shell = ours(site, "passwd", login)
    for question in (("user", login), ("user", uid)):
        found = records(site, *question)
        equal(len(found), 1, f"records of {question}")
        seen = found[0]
        equal((seen["userName"], seen["uid"], seen["gid"], seen.get("realName", ""), seen["homeDirectory"], seen["shell"]),
              (name, int(uid), int(gid), gecos, home, shell), f"{question}")
        equal((seen["disposition"], seen["service"]), ("regular", SERVICE), f"{question}")


def same_group(site: BootedSite, group: str, *logins: str) -> None:
    """The name service lists no members; of these people it says whether each of them has the group."""
    name, _, gid, listed = ours(site, "group", group)
    for question in (("group", group), ("group", gid)):
        found = records(site, *question)
        equal([(g["groupName"], g["gid"], g["service"]) for g in found], [(name, int(gid), SERVICE)], f"{question}")
    path = LINK
    replies = site.machine.inside(lambda: call("io.systemd.UserDatabase.GetMemberships", True, path, service=SERVICE,
                                               groupName=group))
    seen = {r["parameters"]["userName"] for r in replies if "error" not in r}
    members = {login for login in logins if group in groups(site, login)}
    equal((listed, seen & set(logins)), ("", members), f"members of {group}")


def groups(site: BootedSite, login: str) -> set[str]:
    """The shared groups of a person as the name service gives them to a process of theirs."""
    gids = site.machine.must("getent", "-s", "entralogin", "initgroups", login).out.split()[1:]
    return {ours(site, "group", gid)[0] for gid in gids}


@case("P7", "userdbctl and the name service agree on every account and group, and on who is administrator for how long")
def agreement(ground: BootedGround) -> str:
    site = ground.vm
    people = [ground.newcomer() for _ in range(4)]
    chief = people[-1]
    ground.azure.assign(ground.key_of(chief), contoso.ADMINISTRATOR)
    with served(site):
        for person in people:
            admitted(site.ssh(person, "true"))
            same_user(site, person.login)
            same_group(site, person.login)
        question = " ".join(("userdbctl", *ONLY_OURS, "user", chief.login))
        lines = admitted(site.ssh(chief, f"id -Gn; {question}; sudo -n id -u")).splitlines()
        equal(lines[0].split(), [chief.login, "entra_users", "entra_admins"], "groups while signed in")
        equal(json.loads(lines[1])["memberOf"], ["entra_users", "entra_admins"], "the record while signed in")
        # sshd tells of the end of a session when the client has gone already.
        wait_for(lambda: groups(site, chief.login) == {"entra_users"}, f"{chief.login} to be no administrator any more")
        for person in people:
            equal(records(site, "user", person.login)[0]["memberOf"], ["entra_users"], f"the record of {person.login}")
        for group in ("entra_users", "entra_admins"):
            same_group(site, group, *(person.login for person in people))
        with userdbd(site):
            through = records(site, "user", chief.login, multiplexer=True)
            equal([(r["userName"], r["service"]) for r in through], [(chief.login, SERVICE)], "through systemd-userdbd")
            equal(site.machine.must("id", "-u", chief.login).out.strip(), ours(site, "passwd", chief.login)[2], "id")
    return f"{len(people)} accounts, {len(people) + 2} groups"


@case("P3", "the user database knows nobody who has not enrolled, lists nobody unless told to, and changes nothing")
def ghosts(ground: BootedGround) -> str:
    site, stranger = ground.vm, ground.newcomer()
    get = "io.systemd.UserDatabase.GetUserRecord"
    with served(site):
        for user in ("root", "lisa"):
            replies = site.machine.inside(lambda: call(get, service=SERVICE, userName=stranger.login), user)
            equal([r.get("error") for r in replies], ["io.systemd.UserDatabase.NoRecordFound"], f"asked by {user}")
            replies = site.machine.inside(lambda: call(get, True, service=SERVICE), user)
            equal([r.get("error") for r in replies], ["io.systemd.UserDatabase.EnumerationNotSupported"], user)
        for name in ("root", "lisa", "entralogin", "sudo"):
            require(not records(site, "user", name) and not records(site, "group", name), f"{name} is answered")
        # Through the whole of nsswitch, as sshd asks: the first sign-in works with us in front of ourselves, and with
        # systemd-userdbd between, whose workers ask all name services as root.
        with userdbd(site):
            require(not site.machine.run("userdbctl", "user", stranger.login).ok, "a ghost in userdbctl")
            admitted(site.ssh(stranger, "id -un"), f"{stranger.login}\n")
        equal(len(records(site, "user", stranger.login)), 1, "records after the first sign-in")
        shadow = site.machine.must("getent", "shadow", stranger.login).out.split(":")[1]
        require(shadow.startswith("!"), f"the password field is {shadow!r}")
    with served(site, "Enumerate=yes\n"):
        listed = {r["userName"] for r in records(site, "user")}
        require(stranger.login in listed and "root" not in listed, f"listed: {listed}")
    return "asked by root and by lisa; a first sign-in with nss-systemd in front"


@case("P8", "stopped or killed, the daemon keeps nobody waiting in the user database")
def gone(ground: BootedGround) -> str:
    site, alice = ground.vm, ground.person("alice")
    admitted(site.ssh(alice, "true"))
    with served(site):
        usual = site.machine.run("getent", "passwd", "nosuch").milliseconds
        site.machine.systemctl("kill", "--signal=KILL", DAEMON)
        killed = site.machine.run("getent", "passwd", "nosuch")
        require(killed.status == 2 and killed.milliseconds < usual + MARGIN, f"killed: {killed}")
        wait_for(site.is_ready, "the daemon after SIGKILL", 60)
        wait_for(lambda: bool(records(site, "user", alice.login)), "the user database after SIGKILL")
        site.machine.systemctl("stop", DAEMON)
        require(not has_link(site), "the link outlives the daemon")
        stopped = site.machine.run("getent", "passwd", "nosuch")
        require(stopped.status == 2 and stopped.milliseconds < usual + MARGIN, f"stopped: {stopped}")
    return f"a foreign name: {usual:.0f} ms; killed {killed.milliseconds:.0f} ms; stopped {stopped.milliseconds:.0f} ms"


def crowd_of_silent(count: int, kept: int) -> tuple[int, int]:
    """Connects so often and says nothing: how many were let go at once, until `kept` were left, and how many had not gone
    after a long time."""
    clients = []
    for _ in range(count):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(20)
        client.connect(LINK)
        client.settimeout(0)
        clients.append(client)

    def gone() -> int:
        return sum(_is_closed(client) for client in clients)

    wait_for(lambda: gone() >= count - kept, "the daemon to let the crowd go")
    time.sleep(0.5)  # more would go now, if fewer were kept
    early = gone()
    end = time.monotonic() + 20
    while gone() < count and time.monotonic() < end:
        time.sleep(0.05)
    return early, count - gone()


def busy(seconds: float) -> int:
    """Asks as fast as it can; how often."""
    end, times = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        call("io.systemd.UserDatabase.GetMemberships", True, service=SERVICE, groupName="entra_users")
        times += 1
    return times


def _is_closed(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@case("P13", "a local user who floods the user database takes 16 connections, keeps none, and nobody's sign-in")
def flood(ground: BootedGround) -> str:
    site, alice = ground.vm, ground.person("alice")
    with served(site):
        for _ in range(3):  # where the machine stands still, the patience of those who are kept is over with it
            early, late = site.machine.inside(lambda: crowd_of_silent(200, 16), "lisa", 120)
            if early == 200 - 16:
                break
        equal((early, late), (200 - 16, 0), "let go at once, and there after the patience")
        usual = site.ssh(alice, "true").milliseconds
        with ThreadPoolExecutor(1) as pool:
            flooding = pool.submit(site.machine.inside, lambda: busy(2), "lisa")
            outcome = site.ssh(alice, "sudo -n id -u")
            status = site.tool("status")
            times = flooding.result()
        admitted(outcome, "0\n")
        require(status.ok and status.milliseconds < 5000, f"status: {status}")
        require(outcome.milliseconds < usual + 5000, f"{outcome.milliseconds:.0f} ms, {usual:.0f} ms usually")
    return f"{times} lists asked in 2 s; alice {usual:.0f} ms, meanwhile {outcome.milliseconds:.0f} ms"


@case("P8", "boot with the user database on: nothing is later, with a daemon that hangs either")
def boot_with(ground: BootedGround) -> str:
    without = without_us(ground)
    seen = [f"without us {without['multi-user.target']:.0f} ms"]
    for name, units in (("running", {}), ("hanging", {DAEMON: HANGING})):
        with ground.boot(f"userdb-{name}", units=units, settings=ON) as site:
            times = milestones(site)
            late = {u: t for u, t in times.items() if t > without[u] + MARGIN}
            equal(late, {}, f"late with a {name} daemon")
            lookup = site.machine.run("getent", "passwd", "nosuch")
            require(lookup.status == 2 and lookup.milliseconds < MARGIN, f"{name}: {lookup}")
            if name == "running":
                wait_for(lambda: has_link(site), "the link")
            else:
                require(not has_link(site), "a link to a daemon that does not serve")
            seen.append(f"{name} {times['multi-user.target']:.0f} ms")
    return ", ".join(seen)


@case("P8", "what UserDatabase=yes costs with a frozen daemon: each foreign name 45 s, which is why it is off", deep=True)
def price(ground: BootedGround) -> str:
    site = ground.vm
    with served(site):
        site.machine.systemctl("kill", "--signal=STOP", DAEMON)
        user = site.machine.run("getent", "passwd", "nosuch", timeout=100)
        site.machine.systemctl("kill", "--signal=CONT", DAEMON)
        require(40_000 < user.milliseconds < 60_000, f"{user.milliseconds:.0f} ms: systemd's time-out is another now")
    refused(site.ssh(ground.person("carol"), "id"), contoso.USER)
    return f"{user.milliseconds / 1000:.1f} s"
