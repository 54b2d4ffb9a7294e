# SPDX-License-Identifier: Apache-2.0
"""P1 and P4 on an Arc-enabled server: found without a setting, tokens by challenge, every check of the challenge."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bed.checks import admitted, equal, refused, require
from bed.installed import CONFIGURE
from bed.machine import wait_for
from case import case
from ground import Ground, Site
from simulator import contoso

FOLDER = "/var/opt/azcmagent/tokens"
TOKENS = "/metadata/identity/oauth2/token"
# 7,000 lines of the kernel's list are 1 MiB.
LISTENERS, PROCESSES = 20_000, 4
# The flaws of a challenge, and the reason in the refusal's record.
VIOLATIONS = (
    ("link", "metadata-closed"), ("owner", "metadata-closed"), ("writable", "metadata-closed"),
    ("size", "metadata-closed"), ("absent", "metadata-closed"), ("suffix", "malformed-answer"),
    ("folder", "malformed-answer"), ("header", "malformed-answer"), ("stale", "metadata-closed"),
)


@contextmanager
def arc_server(ground: Ground, name: str, joined: bool = True) -> Iterator[Site]:
    """A machine with the Connected Machine agent's files, before the daemon is started."""
    with ground.fresh(name, started=False) as site:
        machine = site.machine
        machine.must("groupadd", "--system", "himds")
        machine.must("useradd", "--system", "--no-create-home", "--gid", "himds", "himds")
        machine.write("/opt/azcmagent/bin/himds", "", 0o755)
        machine.must("install", "-d", "-m", "0750", "-o", "himds", "-g", "himds", FOLDER)
        ground.azure.post("arc", folder=str(machine.path(FOLDER)))
        if joined:
            machine.must(CONFIGURE, "--enable")
        machine.start_sshd(site.port)
        yield site


def statuses(site: Site) -> list[int]:
    return [r["status"] for r in site.requests("himds") if r["path"] == TOKENS]


@case("P1", "an Arc server is found by its agent; the tenant comes from its own token, each key is used once")
def arc(ground: Ground) -> str:
    with arc_server(ground, "arc") as site:
        site.begin()
        site.stamped()
        person, carol = ground.newcomer(), ground.person("carol")
        refused(site.ssh(person, "id"), "role not assigned")  # the role is held at another machine
        ground.azure.assign(ground.key_of(person), contoso.USER, "arc")
        site.flush()
        admitted(site.ssh(person, "id -un"), f"{person.login}\n")
        alice = admitted(site.ssh(ground.person("alice"), "id -Gn; sudo -n id -u"))
        require("entra_admins" in alice and alice.endswith("\n0\n"), f"alice by her group's role: {alice}")
        refused(site.ssh(carol, "id"), "Microsoft.HybridCompute/machines")
        # With a key used twice there would always be one challenge more than tokens; a request under way ends in a moment.
        wait_for(lambda: statuses(site).count(401) == statuses(site).count(200), "a token for each challenge")
        equal(site.count("imds", "token"), 0, "questions to the metadata of a VM")
        paths = {r["path"] for r in site.requests("pas")}
        require(all("Microsoft.HybridCompute/machines/" in path for path in paths), f"asked about {paths}")
    return f"{statuses(site).count(200)} tokens, each for a challenge of its own"


def reason_of(ground: Ground, site: Site) -> str:
    """A new user with the role signs in after the tokens have expired; returns the refusal's reason, or "" for a sign-in."""
    person = ground.newcomer()
    ground.azure.assign(ground.key_of(person), contoso.USER, "arc")
    site.pass_by(90_000, wall=False)
    mark = site.journal.mark()
    outcome = site.ssh(person, "true")
    if outcome.ok:
        return ""
    refused(outcome, "Correlation id")
    record = site.journal.wait(mark, event="account", user=person.login, decision="deny")
    return str(record["ENTRALOGIN_REASON"])


def comes_to(ground: Ground, site: Site, reason: str, what: str) -> None:
    """Requires this reason, perhaps only of the second sign-in: a request that began before the change may decide the first."""
    if reason_of(ground, site) != reason:
        equal(reason_of(ground, site), reason, f"{what}: reason")


@case("P4", "each check of the agent's challenge refuses by itself, and leaves nothing behind")
def violations(ground: Ground) -> str:
    with arc_server(ground, "arc-checks") as site:
        site.begin()
        site.stamped()
        for wrong, reason in VIOLATIONS:
            with ground.azure.fault("bad-key", "himds", wrong):
                comes_to(ground, site, reason, wrong)
        comes_to(ground, site, "", "a sound challenge again")
        by = {r["remark"] for r in site.requests("himds") if r["path"] == TOKENS and r["status"] == 200}
        equal(by, {"sound"}, "challenges by which a token was given")
    return ", ".join(wrong for wrong, _ in VIOLATIONS)


def crowd_of_listeners(ready: str, until: str) -> int:
    """Opens thousands of listening sockets as an unprivileged user, until a file is there; returns how many."""
    count = 0
    for process in range(PROCESSES):
        if os.fork() == 0:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            # Ports are given, because the search for a free one is slow once most are taken.
            held = [socket.create_server((f"127.0.1.{process}", 20_000 + number), backlog=1)
                    for number in range(LISTENERS // PROCESSES)]
            Path(f"{ready}.{os.getpid()}").write_text(str(len(held)))
            wait_for(Path(until).exists, "the end of the crowd", 120)
            os._exit(0)
    for _ in range(PROCESSES):
        os.wait()
        count += LISTENERS // PROCESSES
    return count


@case("P1", "a local user's 20,000 listening sockets do not hide the agent's service", deep=True, attack="W2")
def crowded(ground: Ground) -> str:
    with arc_server(ground, "arc-crowd") as site:
        site.begin()
        site.stamped()
        person = ground.newcomer()
        ground.azure.assign(ground.key_of(person), contoso.USER, "arc")
        folder = site.machine.path("/tmp")
        crowd = ground.aside(site.machine.inside, lambda: crowd_of_listeners("/tmp/ready", "/tmp/enough"), "lisa", 180)
        try:
            wait_for(lambda: len(list(folder.glob("ready.*"))) == PROCESSES, "the crowd of listeners", 120)
            site.pass_by(90_000, wall=False)  # the tokens have ended
            before = len(statuses(site))
            admitted(site.ssh(person, "true"))
            require(200 in statuses(site)[before:], "no token was asked for: nothing was tried")
        finally:
            site.machine.write("/tmp/enough", "")
        held = crowd.result()
    return f"{held} sockets"


@case("P1", "the agent's service is not there yet when the daemon starts; and the daemon is not in its group")
def late(ground: Ground) -> str:
    with arc_server(ground, "arc-late", joined=False) as site:
        person = ground.newcomer()
        ground.azure.assign(ground.key_of(person), contoso.USER, "arc")
        with ground.azure.without("himds"):
            site.service.start()
            site.stamped()
            wait_for(lambda: "Waiting" in site.service.status(), "the daemon to wait for the metadata service")
        wait_for(lambda: bool(statuses(site)), "the daemon to find the service")
        wait_for(lambda: "group himds" in site.tool("status").text, "the missing group in status")
        refused(site.ssh(person, "id"))
        site.service.stop()
        site.machine.must(CONFIGURE, "--enable")
        site.begin()
        site.stamped()
        admitted(site.ssh(person, "true"))
    return "found when it came; the missing group is told, and mended by configure --enable"
