# SPDX-License-Identifier: Apache-2.0
"""P1 and P4 on an Arc-enabled server: found without a setting, tokens by challenge, every check of the challenge."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from case import case
from environment import Environment, Host
from simulator import contoso
from testbed.checks import admitted, equal, refused, require
from testbed.installed import CONFIGURE
from testbed.machine import wait_for

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
def arc_server(env: Environment, name: str, joined: bool = True) -> Iterator[Host]:
    """A machine with the Connected Machine agent's files, before the daemon is started."""
    with env.fresh(name, started=False) as host:
        machine = host.machine
        machine.must("groupadd", "--system", "himds")
        machine.must("useradd", "--system", "--no-create-home", "--gid", "himds", "himds")
        machine.write("/opt/azcmagent/bin/himds", "", 0o755)
        machine.must("install", "-d", "-m", "0750", "-o", "himds", "-g", "himds", FOLDER)
        env.azure.post("arc", folder=str(machine.path(FOLDER)))
        if joined:
            machine.must(CONFIGURE, "--enable")
        machine.start_sshd(host.port)
        yield host


def statuses(host: Host) -> list[int]:
    return [r["status"] for r in host.requests("himds") if r["path"] == TOKENS]


@case("P1", "an Arc server is found by its agent; the tenant comes from its own token, each key is used once")
def arc(env: Environment) -> str:
    with arc_server(env, "arc") as host:
        host.begin()
        host.stamped()
        person, carol = env.newcomer(), env.person("carol")
        refused(host.ssh(person, "id"), "role not assigned")  # the role is held at another machine
        env.azure.assign(env.key_of(person), contoso.USER, "arc")
        host.flush()
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
        alice = admitted(host.ssh(env.person("alice"), "id -Gn; sudo -n id -u"))
        require("entra_admins" in alice and alice.endswith("\n0\n"), f"alice by her group's role: {alice}")
        refused(host.ssh(carol, "id"), "Microsoft.HybridCompute/machines")
        # If the daemon used a key twice, there would always be one challenge more than tokens. A request in flight ends soon.
        wait_for(lambda: statuses(host).count(401) == statuses(host).count(200), "a token for each challenge")
        equal(host.count("imds", "token"), 0, "questions to the metadata of a VM")
        paths = {r["path"] for r in host.requests("pas")}
        require(all("Microsoft.HybridCompute/machines/" in path for path in paths), f"asked about {paths}")
    return f"{statuses(host).count(200)} tokens, each for a challenge of its own"


def reason_of(env: Environment, host: Host) -> str:
    """A new user with the role signs in after the tokens have expired; returns the refusal's reason, or "" for a sign-in."""
    person = env.newcomer()
    env.azure.assign(env.key_of(person), contoso.USER, "arc")
    host.pass_by(90_000, wall=False)
    mark = host.journal.mark()
    outcome = host.ssh(person, "true")
    if outcome.ok:
        return ""
    refused(outcome, "Correlation id")
    record = host.journal.wait(mark, event="account", user=person.login, decision="deny")
    return str(record["ENTRALOGIN_REASON"])


def comes_to(env: Environment, host: Host, reason: str, what: str) -> None:
    """Requires this reason, or else at a second sign-in: a request that began before the change may decide the first."""
    if reason_of(env, host) != reason:
        equal(reason_of(env, host), reason, f"{what}: reason")


@case("P4", "each check of the agent's challenge refuses by itself, and leaves nothing behind")
def violations(env: Environment) -> str:
    with arc_server(env, "arc-checks") as host:
        host.begin()
        host.stamped()
        for wrong, reason in VIOLATIONS:
            with env.azure.fault("bad-key", "himds", wrong):
                comes_to(env, host, reason, wrong)
        comes_to(env, host, "", "a sound challenge again")
        by = {r["remark"] for r in host.requests("himds") if r["path"] == TOKENS and r["status"] == 200}
        equal(by, {"sound"}, "challenges by which a token was given")
    return ", ".join(wrong for wrong, _ in VIOLATIONS)


def many_listeners(ready: str, until: str) -> int:
    """Opens thousands of listening sockets as an unprivileged user, until a file is there; returns how many."""
    count = 0
    for process in range(PROCESSES):
        if os.fork() == 0:
            try:
                hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
                resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
                # Ports are given, because the search for a free one is slow once most are taken.
                held = [socket.create_server((f"127.0.1.{process}", 20_000 + number), backlog=1)
                        for number in range(LISTENERS // PROCESSES)]
                Path(f"{ready}.{os.getpid()}").write_text(str(len(held)))
                wait_for(Path(until).exists, "the end of the listeners", 120)
            finally:
                os._exit(0)
    for _ in range(PROCESSES):
        os.wait()
        count += LISTENERS // PROCESSES
    return count


@case("P1", "a local user's 20,000 listening sockets do not hide the agent's service", deep=True, attack="W2")
def hidden_by_many(env: Environment) -> str:
    with arc_server(env, "arc-listeners") as host:
        host.begin()
        host.stamped()
        person = env.newcomer()
        env.azure.assign(env.key_of(person), contoso.USER, "arc")
        folder = host.machine.path("/tmp")
        listeners = env.aside(host.machine.inside, lambda: many_listeners("/tmp/ready", "/tmp/enough"), "lisa", 180)
        try:
            wait_for(lambda: len(list(folder.glob("ready.*"))) == PROCESSES, "the listeners", 120)
            host.pass_by(90_000, wall=False)  # the tokens have expired
            before = len(statuses(host))
            admitted(host.ssh(person, "true"))
            require(200 in statuses(host)[before:], "no token was asked for: nothing was tried")
        finally:
            host.machine.write("/tmp/enough", "")
        held = listeners.result()
    return f"{held} sockets"


@case("P1", "the agent's service is not there yet when the daemon starts; and the daemon is not in its group")
def late(env: Environment) -> str:
    with arc_server(env, "arc-late", joined=False) as host:
        person = env.newcomer()
        env.azure.assign(env.key_of(person), contoso.USER, "arc")
        with env.azure.without("himds"):
            host.service.start()
            host.stamped()
            wait_for(lambda: "Waiting" in host.service.status(), "the daemon to wait for the metadata service")
        wait_for(lambda: bool(statuses(host)), "the daemon to find the service")
        wait_for(lambda: "group himds" in host.tool("status").text, "the missing group in status")
        refused(host.ssh(person, "id"))
        host.service.stop()
        host.machine.must(CONFIGURE, "--enable")
        host.begin()
        host.stamped()
        admitted(host.ssh(person, "true"))
    return "found when it came; the missing group is told, and fixed by configure --enable"
