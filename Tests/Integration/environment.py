# SPDX-License-Identifier: Apache-2.0
"""The environment of the cases: one machine that most of them share, fresh machines for cases that break something, people."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from people import NUMBERED_USERS, PASSWORD, People
from simulator import contoso
from simulator.client import SimulatorControl
from testbed import Clock, Installed, Journal, Machine, Outcome, Person, Service, Source, Testbed
from testbed.checks import Mismatch, require
from testbed.installed import TOOL, put_in_place
from testbed.machine import wait_for

__all__ = ["EARLY", "KEYS", "NUMBERED_USERS", "PASSWORD", "SETTINGS", "STATE", "Environment", "Host", "entra_block"]

STATE = "/var/lib/entralogin"
KEYS = "/var/lib/entralogin-sshd/trusted_user_ca_keys"  # what sshd reads
SETTINGS = "/etc/entralogin/entralogin.conf.d/50-test.conf"
EARLY = "/etc/ssh/sshd_config.d/00-a.conf"  # read before entralogin's drop-in, so its values win


def entra_block(*settings: str) -> str:
    """A Match block for Entra users; its values win where sshd reads it before entralogin's."""
    return "Match User *@*\n" + "".join(f"    {setting}\n" for setting in settings)


@dataclass
class Host(Installed):
    """A machine of a case: the daemon with its own journal, clock and address towards Azure, and sshd on its own port."""

    journal: Journal
    clock: Clock
    source: Source
    port: int
    azure: SimulatorControl

    def environment(self, bare: bool = False) -> dict[str, str]:
        """The variables by which the daemon uses its own address and, unless `bare`, its own clock."""
        if bare:
            return dict(self.source.environment)
        libraries = [of.environment["LD_PRELOAD"] for of in (self.clock, self.source)]
        return self.clock.environment | self.source.environment | {"LD_PRELOAD": ":".join(libraries)}

    def requests(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """The requests of this machine's daemon since the last `forget_requests`, over IPv4 and without a proxy. Those of other
        machines' daemons, which come at any time, are left out."""
        return [one for one in self.azure.requests(endpoint) if one.get("client") == self.source.address]

    def count(self, *endpoints: str) -> int:
        return sum(len(self.requests(endpoint)) for endpoint in endpoints)

    def questions(self) -> int:
        """How often this machine's daemon asked about a user's role."""
        return self.count("pas", "arm")

    def ssh(self, person: Person, *command: str, **options: Any) -> Outcome:
        return person.ssh(*command, port=self.port, **options)

    def tool(self, *arguments: str) -> Outcome:
        return self.machine.run(TOOL, *arguments)

    def begin(self) -> None:
        """Starts the daemon, and waits until it knows the machine's tenant and sshd's file has Entra's keys."""
        self.service.start()
        keys = self.machine.path(KEYS)
        wait_for(lambda: keys.exists() and keys.stat().st_size > 0, "Entra's keys in sshd's file")
        wait_for(lambda: self.service.status().startswith("Serving"), "the machine's tenant")

    def sshd(self, *options: str) -> None:
        """Restarts sshd with options on its command line, which override every file and which `sshd -T` does not show."""
        self.machine.stop_sshd()
        self.machine.start_sshd(self.port, options=options)

    def hidden_sshd(self, *settings: str) -> None:
        """Restarts sshd with another file than sshd_config, in which these settings for Entra users precede entralogin's. The
        integration check does not see that file, so the case tests PAM and the daemon behind it."""
        script = ("mkdir -p /etc/ssh/other.d && cp /etc/ssh/sshd_config.d/*.conf /etc/ssh/other.d/ && "
                  "sed 's/sshd_config\\.d/other.d/' /etc/ssh/sshd_config >/etc/ssh/other_config")
        require(self.machine.shell(script).ok, "the other configuration")
        self.machine.write("/etc/ssh/other.d/00-a.conf", entra_block(*settings))
        self.machine.stop_sshd()
        self.machine.start_sshd(self.port, config="/etc/ssh/other_config")
        self.stamped()

    def pass_by(self, seconds: int, wall: bool = True) -> None:
        """Lets time pass (`Clock.pass_by`), after Azure has answered every request that the journal shows: the daemon admits
        users before their role is confirmed, and discards an answer if the clock has jumped meanwhile."""
        self.all_answered()
        self.clock.pass_by(seconds, wall)

    def all_answered(self) -> None:
        """Waits until Azure has answered every request that the journal shows."""
        wait_for(lambda: not self._unanswered(), "the answers to all questions")

    def _unanswered(self) -> set[str]:
        """Correlation ids of the access checks whose first answer admitted a user and whose last answer is outstanding."""
        admitted, ended = set[str](), set[str]()
        for record in self.journal.since():
            event, correlation = record.get("ENTRALOGIN_EVENT"), record.get("ENTRALOGIN_CORRELATION_ID", "")
            if event == "started":
                admitted.clear()
            elif event == "access-check":
                ended.add(correlation)
            elif event == "account" and record.get("ENTRALOGIN_DETAIL") == "azure" and record["ENTRALOGIN_DECISION"] == "allow":
                admitted.add(correlation)
        return admitted - ended

    def reload(self) -> None:
        """Makes sshd read its files again."""
        self.machine.reload_sshd(self.port)

    def stamped(self) -> None:
        """Requires that the integration check finds nothing wrong."""
        if not self.stamp():
            raise Mismatch(f"the stack check refuses {self.machine.folder.name}: {self.tool('stack').text}")

    def flush(self) -> None:
        outcome = self.tool("flush")
        require(outcome.ok, f"entraloginctl flush: {outcome.text}")

    def state(self) -> dict[str, str]:
        """Inode, modification time and digest of every file that holds accounts or grants. Left out: the published keys, the
        times of the last sign-ins, which the daemon writes once a minute, and the empty file by which the daemon says that
        Azure has answered since boot."""
        return {str(p): f"{p.stat().st_ino}:{p.stat().st_mtime_ns}:{hashlib.sha256(p.read_bytes()).hexdigest()}"
                for top in (STATE, "/run/entralogin/nss") for p in sorted(self.machine.path(top).rglob("*"))
                if p.is_file() and p.parent.name != "ssh" and p.name not in ("sign-ins", "answered")}

    def rest(self) -> dict[str, str]:
        """The state after the daemon has written what ended sessions change: once sshd's connections are closed, eight readings
        in a row must be equal to the one before. One is not enough: the machine may be suspended between two readings."""
        wait_for(lambda: not self.machine.connections(), "the end of all connections")
        last, same = self.state(), 0
        end = time.monotonic() + 30
        while same < 8:
            time.sleep(0.05)
            now = self.state()
            last, same = now, same + 1 if now == last else 0
            require(time.monotonic() < end, "the state folder does not come to rest")
        return last

    def enrolled(self, name: str) -> bool:
        return bool(self.machine.passwd(name))


class Environment(People):
    def __init__(self, testbed: Testbed) -> None:
        super().__init__(testbed)
        self._pool = ThreadPoolExecutor(16)
        self._next_port = 2300
        self.hosts: dict[str, Host] = {}
        self._template = self._installed()
        self._layered: Machine | None = None
        self._vm: Host | None = None

    # Machines

    @property
    def vm(self) -> Host:
        """The machine that the cases share. A case that breaks something there repairs it."""
        if self._vm is None:
            self._vm = self._host(f"vm{len(self.hosts)}", 22, "", "")
            self._start(self._vm)
        return self._vm

    @contextmanager
    def fresh(self, name: str, sshd: str = "", settings: str = "", started: bool = True,
              bare: bool = False, layered: bool = False) -> Iterator[Host]:
        """A machine for one case. `sshd`: settings that its administrator put before entralogin's drop-in; `bare`: the daemon
        reads the real clock, because reading the test's clock costs time; `layered`: with other name services and a mail
        server, which do not run."""
        self._next_port += 1
        host = self._host(f"{name}-{self._next_port}", self._next_port, sshd, settings, layered)
        if bare:
            host.service.environment = host.environment(bare=True)
        try:
            if started:
                self._start(host)
            yield host
        finally:
            host.service.stop(limit=2)
            host.machine.stop()

    def _host(self, name: str, port: int, sshd: str, settings: str, layered: bool = False) -> Host:
        if layered and self._layered is None:
            self._layered = self._installed(layered=True)
        machine = self.testbed.machine(name, base=self._layered if layered else self._template)
        machine.must("systemd-tmpfiles", "--create", "entralogin.conf")
        if sshd:
            machine.write(EARLY, sshd)
        if settings:
            machine.write(SETTINGS, settings)
        programs = self.testbed.scratch / "programs"
        host = Host(machine, Service(machine), Journal(machine), Clock(machine, programs), Source(machine, programs, port), port,
                    self.azure)
        host.service.environment = host.environment()
        self.hosts[name] = host
        return host

    def _start(self, host: Host) -> None:
        host.machine.start_sshd(host.port)
        host.begin()
        require(bool(host.requests()), f"no request from {host.source.address}: nothing that the case counts would be found")
        host.stamped()

    def _installed(self, layered: bool = False) -> Machine:
        machine = self.testbed.machine("installed-layered" if layered else "installed", layered=layered)
        self.administer(machine)
        put_in_place(machine)
        machine.stop()
        return machine

    # People and Azure

    def make_administrator(self, person: Person) -> None:
        self.azure.assign(self.key_of(person), contoso.ADMINISTRATOR)

    def withdraw(self, person: Person, **which: str) -> None:
        require(self.azure.withdraw(self.key_of(person), **which) > 0, f"{person.login} had no such role")

    def aside(self, function: Any, *arguments: Any, **options: Any) -> Future[Any]:
        """Calls the function in another thread, beside the case."""
        return self._pool.submit(function, *arguments, **options)

    # Between cases

    def settle(self) -> None:
        """Called after a case that passed: clears the faults; requires that the shared daemon still runs."""
        self.azure.clear_faults()
        if self._vm is not None and self._vm.service.ended:
            raise Mismatch(f"the shared daemon ended: {self._vm.service.output()[-2000:]}")

    def recover(self) -> None:
        """Called after a failure, so that the next case has a working machine."""
        self.azure.clear_faults()
        if self._vm is not None:
            self._vm.machine.stop()
            self._vm.service.stop(limit=1)
            self._vm = None

    def keep_logs(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, host in self.hosts.items():
            (folder / f"{name}-journal.txt").write_text(host.journal.text())
            for log in (*host.machine.folder.glob("*.log"), host.machine.folder / "changes/var/log/sshd.log"):
                if log.exists():
                    (folder / f"{name}-{log.name}").write_bytes(log.read_bytes())
        (folder / "azure-requests.jsonl").write_bytes((self.testbed.azure_folder / "requests.jsonl").read_bytes())
