# SPDX-License-Identifier: Apache-2.0
"""P1, P2, P8 and P17: what starts by itself after a reboot (lingering user managers, cron, at) runs after Azure's yes, also if
that is late, and never without it."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from booted_environment import DAEMON, BootedEnvironment, BootedHost
from case import case
from simulator import contoso
from testbed import Person, pam
from testbed.booted import BootedMachine
from testbed.checks import admitted, equal, require
from testbed.compiled import placed
from testbed.machine import wait_for

LINGER = "/var/lib/systemd/linger"
SERVICE = ("[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'id -un >%h/ran-service'\n"
           "[Install]\nWantedBy=default.target\n")
KINDS = ("service", "cron", "at")
LIMIT = 60.0  # s that a job waits at most (ENTRALOGIN_BATCH_DEADLINE_MS)
LOCAL = ("lisa", "root")
LATE = "[Service]\nExecStartPre=/bin/sleep 12\n"  # longer than the PAM module waits in other services


@dataclass
class Lingerer:
    """An Entra user with a lingering service, a cron job for each boot and a job of at."""
    person: Person
    uid: int
    off_at: float = 0.0

    @property
    def unit(self) -> str:
        return f"user@{self.uid}.service"

    def state(self, host: BootedHost) -> str:
        return host.machine.property(self.unit, "ActiveState")

    def ran(self, host: BootedHost) -> set[str]:
        """Which of the user's jobs ran on this machine."""
        return {kind for kind in KINDS if host.machine.path(f"/home/{self.person.login}/ran-{kind}").exists()}

    def records(self, host: BootedHost, service: str) -> list[dict[str, Any]]:
        found = host.machine.journal("ENTRALOGIN_EVENT=account", f"ENTRALOGIN_USER={self.person.login}",
                                     f"ENTRALOGIN_SERVICE={service}")
        return [record for record in found if int(record["__REALTIME_TIMESTAMP"]) / 1e6 > self.off_at]


def has_record(host: BootedHost, lingerer: Lingerer, service: str) -> bool:
    return bool(lingerer.records(host, service))


def has_failed(host: BootedHost, lingerer: Lingerer) -> bool:
    return lingerer.state(host) == "failed"


def powered_off(env: BootedEnvironment, name: str, people: int) -> tuple[BootedMachine, list[Lingerer]]:
    """A machine that was powered off with services and jobs of that many Entra users, and with local users' jobs."""
    with env.boot(f"{name}-before") as host:
        machine = host.machine
        machine.wait_until_up()
        host.wait_until_ready()
        machine.systemctl("stop", "atd.service")
        lingerers = []
        for _ in range(people):
            person = env.newcomer()
            uid = int(admitted(host.ssh(person, "id -u")))
            script = ("mkdir -p ~/.config/systemd/user/default.target.wants && cd ~/.config/systemd/user && "
                      "cat >own.service && ln -sf ../own.service default.target.wants/own.service")
            admitted(host.ssh(person, script, input=SERVICE))
            # What `loginctl enable-linger` does; systemd 257 refuses that command on this machine.
            machine.must("sh", "-c", f"mkdir -p {LINGER} && touch {LINGER}/{person.login}")
            lingerers.append(Lingerer(person, uid))
        for login in (*LOCAL, *(lingerer.person.login for lingerer in lingerers)):
            machine.must("crontab", "-u", login, "-", input="@reboot id -un >~/ran-cron\n")
            machine.must("at", "-M", "now", user=login, input="id -un >~/ran-at\n")
        machine.must("sh", "-c", "rm -f /home/*/ran-*")
        machine.power_off()
        for lingerer in lingerers:
            lingerer.off_at = time.time()
        return machine, lingerers


def local_jobs_ran(host: BootedHost) -> bool:
    homes = {"lisa": "/home/lisa", "root": "/root"}
    return all(host.machine.path(f"{homes[who]}/ran-{kind}").exists() for who in LOCAL for kind in ("cron", "at"))


def cut_off(env: BootedEnvironment) -> None:
    """Makes Azure unreachable until the case clears the faults."""
    for endpoint in ("pas", "arm"):
        env.azure.set_fault("refuse", endpoint)


@case("P17", "a reboot with a slow Azure: lingering services and jobs start with its yes, not with its no; "
              "nobody else waits")
def slow(env: BootedEnvironment) -> str:
    base, (alice, carol) = powered_off(env, "slow", 2)
    env.azure.withdraw(env.key_of(carol.person))
    cut_off(env)
    with env.boot("slow", base=base, units={DAEMON: LATE}) as host:
        machine = host.machine
        wait_for(lambda: local_jobs_ran(host), "the local users' jobs", LIMIT)
        wait_for(lambda: all(it.state(host) != "inactive" for it in (alice, carol)), "the user managers' start", LIMIT)
        for lingerer in (alice, carol):
            equal(lingerer.state(host), "activating", f"{lingerer.unit} while the local users' jobs have run")
            equal(lingerer.ran(host), set(), "what ran without an answer")
        # Process 1, cron and atd do not wait: they work while the Entra users' jobs wait.
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
        machine.systemctl("start", "systemd-tmpfiles-clean.service", timeout=20)
        for name in ("cron", "atd"):
            equal(machine.property(f"{name}.service", "ActiveState"), "active", name)
        wait_for(lambda: machine.property(DAEMON, "ActiveState") == "active", "the daemon", 60)
        equal([it.state(host) for it in (alice, carol)], ["activating"] * 2, "the managers when the daemon is there")
        env.azure.clear_faults()
        wait_for(lambda: alice.ran(host) == set(KINDS), "the service and the jobs", 120)
        wait_for(lambda: alice.state(host) == "active", "the user manager", 60)
        wait_for(lambda: carol.state(host) == "failed", "the refused user manager", 60)
        for service in ("systemd-user", "cron", "atd"):
            wait_for(partial(has_record, host, carol, service), f"the record of {service}", 60)
            equal([r.get("ENTRALOGIN_REASON") for r in carol.records(host, service)], ["role-not-assigned"], service)
            equal([r.get("ENTRALOGIN_DECISION") for r in alice.records(host, service)], ["allow"], service)
        equal(carol.ran(host), set(), "what ran after a no")
    return "service, cron and at of the user with the role"


@case("P17", "Azure away for longer than jobs wait: lost jobs are reported, managers start later with its yes, "
              "not after a no", deep=True)
def away(env: BootedEnvironment) -> str:
    base, (alice, carol) = powered_off(env, "away", 2)
    cut_off(env)
    with env.boot("away", base=base) as host:
        machine = host.machine
        for lingerer in (alice, carol):
            wait_for(partial(has_failed, host, lingerer), "the end of the wait", 2 * LIMIT)
            equal(lingerer.ran(host), set(), "what ran without an answer")
        words_of = {"systemd-user": "when Azure says yes", "cron": "@reboot", "atd": "not run it again"}
        for service, words in words_of.items():
            wait_for(partial(has_record, host, alice, service), f"the record of {service}", LIMIT)
            record, = alice.records(host, service)
            equal((record.get("ENTRALOGIN_REASON"), record["PRIORITY"]), ("no-recent-decision", "4"), service)
            require(words in str(record.get("ENTRALOGIN_DETAIL")), f"{service}: {record}")
        warned = [w["id"] for w in json.loads(host.tool("--json", "status").out)["warnings"]]
        require("jobs-not-run" in warned, f"status warns of {warned}")
        env.azure.withdraw(env.key_of(carol.person))
        env.azure.clear_faults()
        # Azure's first answer since boot, about any user, shows that it answers again.
        host.wait_until_ready()
        admitted(host.ssh(env.newcomer(), "true"))
        wait_for(lambda: alice.state(host) == "active" and alice.ran(host) == {"service"}, "alice's manager", 60)
        wait_for(lambda: bool([r for r in carol.records(host, "systemd-user")
                               if r.get("ENTRALOGIN_REASON") == "role-not-assigned"]), "carol, tried again", 60)
        equal((carol.state(host), carol.ran(host)), ("failed", set()), "carol's manager after a no")
        # After a no nothing is retried; an answer about another user changes nothing.
        admitted(host.ssh(env.newcomer(), "true"))
        tries = len(carol.records(host, "systemd-user"))
        # Azure gives the role again: after its restart the daemon learns of it, and the manager starts.
        env.azure.assign(env.key_of(carol.person), contoso.USER)
        machine.systemctl("restart", DAEMON)
        wait_for(lambda: carol.state(host) == "active" and carol.ran(host) == {"service"}, "carol's manager", 60)
        equal(len(carol.records(host, "systemd-user")), tries + 1, "carol's records")
        pid = machine.main_pid(alice.unit)
        machine.systemctl("restart", DAEMON)
        host.wait_until_ready()
        equal(machine.main_pid(alice.unit), pid, "alice's manager after a restart of the daemon")
        # A manager that the administrator stops stays stopped.
        machine.systemctl("stop", alice.unit)
        machine.systemctl("restart", DAEMON)
        host.wait_until_ready()
        machine.systemctl("start", "entralogin-linger.service")
        equal(alice.state(host), "inactive", "a manager that was stopped")
    return "reported; one started with the yes, the other not before it had one"


@case("P17", "after a restart of the daemon a job is decided by its first answer, also where that is late; "
              "other users' jobs do not wait")
def restarted(env: BootedEnvironment) -> str:
    host, person = env.vm, env.newcomer()
    machine, services = host.machine, ("systemd-user", "cron", "atd")
    client = placed(machine, "pam.c", env.testbed.scratch / "programs", "-lpam")
    admitted(host.ssh(person, "true"))

    def ask(service: str, login: str) -> subprocess.Popen[str]:
        argv = machine.argv([client, "client", service, login, "0", "account"])
        return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)

    def result(job: subprocess.Popen[str]) -> int:
        """The result of the account stage."""
        stage = job.communicate(timeout=2 * LIMIT)[0].splitlines()[1].split()
        equal(stage[0], "account", "the stage")
        return int(stage[1])

    for service in services:
        machine.systemctl("restart", DAEMON)
        equal(result(ask(service, person.login)), pam.SUCCESS, f"{service} just after a restart")
    cut_off(env)
    machine.systemctl("restart", DAEMON)
    jobs = [ask(service, person.login) for service in services]
    time.sleep(3)
    equal([job.poll() for job in jobs], [None] * len(jobs), "jobs that have ended without an answer")
    equal(result(ask("cron", "lisa")), pam.SUCCESS, "a local user's job")
    equal([job.poll() for job in jobs], [None] * len(jobs), "jobs that have ended before lisa's")
    env.azure.clear_faults()
    equal({result(job) for job in jobs}, {pam.SUCCESS}, "with the yes")
    env.azure.withdraw(env.key_of(person))
    host.restart()
    equal({result(ask(service, person.login)) for service in services}, {pam.DENIED}, "with the no")
    return "three services"
