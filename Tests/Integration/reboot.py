# SPDX-License-Identifier: Apache-2.0
"""P1, P2, P8 and P17: what starts by itself after a reboot (lingering user managers, cron, at) runs with Azure's yes, also a
late one, and never without it."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from bed import Person, pam
from bed.booted import BootedMachine
from bed.checks import admitted, equal, require
from bed.compiled import placed
from bed.machine import wait_for
from booted_ground import DAEMON, BootedGround, BootedSite
from case import case
from simulator import contoso

LINGER = "/var/lib/systemd/linger"
SERVICE = ("[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'id -un >%h/ran-service'\n"
           "[Install]\nWantedBy=default.target\n")
KINDS = ("service", "cron", "at")
LIMIT = 60.0  # s that a job waits at most (ENTRALOGIN_BATCH_DEADLINE_MS)
LOCAL = ("lisa", "root")
LATE = "[Service]\nExecStartPre=/bin/sleep 12\n"  # longer than PAM waits in other services


@dataclass
class Lingerer:
    """An Entra user with a lingering service, a cron job for each boot and a job of at."""
    person: Person
    uid: int
    off_at: float = 0.0

    @property
    def unit(self) -> str:
        return f"user@{self.uid}.service"

    def state(self, site: BootedSite) -> str:
        return site.machine.property(self.unit, "ActiveState")

    def ran(self, site: BootedSite) -> set[str]:
        """Which of the user's jobs ran on this machine."""
        return {kind for kind in KINDS if site.machine.path(f"/home/{self.person.login}/ran-{kind}").exists()}

    def records(self, site: BootedSite, service: str) -> list[dict[str, Any]]:
        found = site.machine.journal("ENTRALOGIN_EVENT=account", f"ENTRALOGIN_USER={self.person.login}",
                                     f"ENTRALOGIN_SERVICE={service}")
        return [record for record in found if int(record["__REALTIME_TIMESTAMP"]) / 1e6 > self.off_at]


def has_record(site: BootedSite, lingerer: Lingerer, service: str) -> bool:
    return bool(lingerer.records(site, service))


def has_failed(site: BootedSite, lingerer: Lingerer) -> bool:
    return lingerer.state(site) == "failed"


def powered_off(ground: BootedGround, name: str, people: int) -> tuple[BootedMachine, list[Lingerer]]:
    """A machine that was powered off with services and jobs of that many Entra users, and with local users' jobs."""
    with ground.boot(f"{name}-before") as site:
        machine = site.machine
        machine.wait_until_up()
        site.wait_until_ready()
        machine.systemctl("stop", "atd.service")
        lingerers = []
        for _ in range(people):
            person = ground.newcomer()
            uid = int(admitted(site.ssh(person, "id -u")))
            script = ("mkdir -p ~/.config/systemd/user/default.target.wants && cd ~/.config/systemd/user && "
                      "cat >own.service && ln -sf ../own.service default.target.wants/own.service")
            admitted(site.ssh(person, script, input=SERVICE))
            # What loginctl enable-linger does, which systemd 257 refuses in this machine.
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


def local_jobs_ran(site: BootedSite) -> bool:
    homes = {"lisa": "/home/lisa", "root": "/root"}
    return all(site.machine.path(f"{homes[who]}/ran-{kind}").exists() for who in LOCAL for kind in ("cron", "at"))


def cut_off(ground: BootedGround) -> None:
    """Azure is out of reach, until the faults are cleared."""
    for endpoint in ("pas", "arm"):
        ground.azure.set_fault("refuse", endpoint)


@case("P17", "a reboot with a slow Azure: lingering services and jobs start with its yes, not with its no; "
              "nobody else waits")
def slow(ground: BootedGround) -> str:
    base, (alice, carol) = powered_off(ground, "slow", 2)
    ground.azure.withdraw(ground.key_of(carol.person))
    cut_off(ground)
    with ground.boot("slow", base=base, units={DAEMON: LATE}) as site:
        machine = site.machine
        wait_for(lambda: local_jobs_ran(site), "the local users' jobs", LIMIT)
        wait_for(lambda: all(it.state(site) != "inactive" for it in (alice, carol)), "the user managers' start", LIMIT)
        for lingerer in (alice, carol):
            equal(lingerer.state(site), "activating", f"{lingerer.unit} while the local users' jobs have run")
            equal(lingerer.ran(site), set(), "what ran without an answer")
        # Process 1, cron and atd do not wait: they work while the Entra users' jobs wait.
        admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
        machine.systemctl("start", "systemd-tmpfiles-clean.service", timeout=20)
        for name in ("cron", "atd"):
            equal(machine.property(f"{name}.service", "ActiveState"), "active", name)
        wait_for(lambda: machine.property(DAEMON, "ActiveState") == "active", "the daemon", 60)
        equal([it.state(site) for it in (alice, carol)], ["activating"] * 2, "the managers when the daemon is there")
        ground.azure.clear_faults()
        wait_for(lambda: alice.ran(site) == set(KINDS), "the service and the jobs", 120)
        wait_for(lambda: alice.state(site) == "active", "the user manager", 60)
        wait_for(lambda: carol.state(site) == "failed", "the refused user manager", 60)
        for service in ("systemd-user", "cron", "atd"):
            wait_for(partial(has_record, site, carol, service), f"the record of {service}", 60)
            equal([r.get("ENTRALOGIN_REASON") for r in carol.records(site, service)], ["role-not-assigned"], service)
            equal([r.get("ENTRALOGIN_DECISION") for r in alice.records(site, service)], ["allow"], service)
        equal(carol.ran(site), set(), "what ran after a no")
    return "service, cron and at of the user with the role"


@case("P17", "Azure away for longer than jobs wait: lost jobs are reported, managers start later with its yes, "
              "not after a no", deep=True)
def away(ground: BootedGround) -> str:
    base, (alice, carol) = powered_off(ground, "away", 2)
    cut_off(ground)
    with ground.boot("away", base=base) as site:
        machine = site.machine
        for lingerer in (alice, carol):
            wait_for(partial(has_failed, site, lingerer), "the end of the wait", 2 * LIMIT)
            equal(lingerer.ran(site), set(), "what ran without an answer")
        words_of = {"systemd-user": "when Azure says yes", "cron": "@reboot", "atd": "not run it again"}
        for service, words in words_of.items():
            wait_for(partial(has_record, site, alice, service), f"the record of {service}", LIMIT)
            record, = alice.records(site, service)
            equal((record.get("ENTRALOGIN_REASON"), record["PRIORITY"]), ("no-recent-decision", "4"), service)
            require(words in str(record.get("ENTRALOGIN_DETAIL")), f"{service}: {record}")
        warned = [w["id"] for w in json.loads(site.tool("--json", "status").out)["warnings"]]
        require("jobs-not-run" in warned, f"status warns of {warned}")
        ground.azure.withdraw(ground.key_of(carol.person))
        ground.azure.clear_faults()
        # Azure's first answer since boot, about any user, shows that it answers again.
        site.wait_until_ready()
        admitted(site.ssh(ground.newcomer(), "true"))
        wait_for(lambda: alice.state(site) == "active" and alice.ran(site) == {"service"}, "alice's manager", 60)
        wait_for(lambda: bool([r for r in carol.records(site, "systemd-user")
                               if r.get("ENTRALOGIN_REASON") == "role-not-assigned"]), "carol, tried again", 60)
        equal((carol.state(site), carol.ran(site)), ("failed", set()), "carol's manager after a no")
        # After a no nothing is retried; an answer about another user changes nothing.
        admitted(site.ssh(ground.newcomer(), "true"))
        tries = len(carol.records(site, "systemd-user"))
        # Azure gives the role again: the daemon learns of it, and so does the manager.
        ground.azure.assign(ground.key_of(carol.person), contoso.USER)
        machine.systemctl("restart", DAEMON)
        wait_for(lambda: carol.state(site) == "active" and carol.ran(site) == {"service"}, "carol's manager", 60)
        equal(len(carol.records(site, "systemd-user")), tries + 1, "carol's records")
        pid = machine.main_pid(alice.unit)
        machine.systemctl("restart", DAEMON)
        site.wait_until_ready()
        equal(machine.main_pid(alice.unit), pid, "alice's manager after a restart of the daemon")
        # A manager that the administrator stops stays stopped.
        machine.systemctl("stop", alice.unit)
        machine.systemctl("restart", DAEMON)
        site.wait_until_ready()
        machine.systemctl("start", "entralogin-linger.service")
        equal(alice.state(site), "inactive", "a manager that was stopped")
    return "reported; one started with the yes, the other not before it had one"


@case("P17", "after a restart of the daemon a job is decided by its first answer, also where that is late; "
              "other users' jobs do not wait")
def restarted(ground: BootedGround) -> str:
    site, person = ground.vm, ground.newcomer()
    machine, services = site.machine, ("systemd-user", "cron", "atd")
    client = placed(machine, "pam.c", ground.bed.scratch / "programs", "-lpam")
    admitted(site.ssh(person, "true"))

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
    cut_off(ground)
    machine.systemctl("restart", DAEMON)
    jobs = [ask(service, person.login) for service in services]
    time.sleep(3)
    equal([job.poll() for job in jobs], [None] * len(jobs), "jobs that have ended without an answer")
    equal(result(ask("cron", "lisa")), pam.SUCCESS, "a local user's job")
    equal([job.poll() for job in jobs], [None] * len(jobs), "jobs that have ended before lisa's")
    ground.azure.clear_faults()
    equal({result(job) for job in jobs}, {pam.SUCCESS}, "with the yes")
    ground.azure.withdraw(ground.key_of(person))
    site.restart()
    equal({result(ask(service, person.login)) for service in services}, {pam.DENIED}, "with the no")
    return "three services"
