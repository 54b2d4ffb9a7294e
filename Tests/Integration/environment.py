# SPDX-License-Identifier: Apache-2.0
"""What the cases stand on: one machine that most of them share, fresh ones where a case breaks something, people."""

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

__all__ = ["EARLY", "KEYS", "NUMBERED_USERS", "PASSWORD", "SETTINGS", "STATE", "Environment", "Host", "ours"]

STATE = "/var/lib/entralogin"
KEYS = "/var/lib/entralogin-sshd/trusted_user_ca_keys"  # what sshd reads
SETTINGS = "/etc/entralogin/entralogin.conf.d/50-test.conf"
EARLY = "/etc/ssh/sshd_config.d/00-a.conf"  # read before our drop-in, so its values win


def ours(*settings: str) -> str:
    """A Match block for our people, whose values win where it is read before ours."""
    return "Match User *@*\n" + "".join(f"    {setting}\n" for setting in settings)


@dataclass
class Host(Installed):
    """A machine of a case: our daemon with its journal, its clock and its own address towards Azure, and an sshd on a port of
    its own."""

    journal: Journal
    clock: Clock
    source: Source
    port: int
    azure: SimulatorControl

    def environment(self, bare: bool = False) -> dict[str, str]:
        """What the daemon needs to use its address and, unless `bare`, its clock."""
        if bare:
            return dict(self.source.environment)
        libraries = [of.environment["LD_PRELOAD"] for of in (self.clock, self.source)]
        return self.clock.environment | self.source.environment | {"LD_PRELOAD": ":".join(libraries)}

    def requests(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """What this machine's daemon asked since the last `forget_requests`, over IPv4 and without a proxy: the other machines'
        daemons ask at times of their own."""
        return [one for one in self.azure.requests(endpoint) if one.get("client") == self.source.address]

    def count(self, *endpoints: str) -> int:
        return sum(len(self.requests(endpoint)) for endpoint in endpoints)

    def questions(self) -> int:
        """How often this machine's daemon asked about somebody's role."""
        return self.count("pas", "arm")

    def ssh(self, person: Person, *command: str, **options: Any) -> Outcome:
        return person.ssh(*command, port=self.port, **options)

    def tool(self, *arguments: str) -> Outcome:
        return self.machine.run(TOOL, *arguments)

    def begin(self) -> None:
        """Starts the daemon, and waits until it knows what it is in Azure, and sshd knows Entra's keys."""
        self.service.start()
        keys = self.machine.path(KEYS)
        wait_for(lambda: keys.exists() and keys.stat().st_size > 0, "Entra's keys in sshd's file")
        wait_for(lambda: self.service.status().startswith("Serving"), "the machine's tenant")

    def sshd(self, *options: str) -> None:
        """sshd anew, with options on its command line, which win over every file and which `sshd -T` does not show."""
        self.machine.stop_sshd()
        self.machine.start_sshd(self.port, options=options)

    def hidden_sshd(self, *settings: str) -> None:
        """sshd anew, from another file than sshd_config: there, these settings come before ours for our people. The
        stack check does not see them: what is tried then is PAM, and the daemon behind it."""
        script = ("mkdir -p /etc/ssh/other.d && cp /etc/ssh/sshd_config.d/*.conf /etc/ssh/other.d/ && "
                  "sed 's/sshd_config\\.d/other.d/' /etc/ssh/sshd_config >/etc/ssh/other_config")
        require(self.machine.shell(script).ok, "the other configuration")
        self.machine.write("/etc/ssh/other.d/00-a.conf", ours(*settings))
        self.machine.stop_sshd()
        self.machine.start_sshd(self.port, config="/etc/ssh/other_config")
        self.stamped()

    def pass_by(self, seconds: int, wall: bool = True) -> None:
        """So much time passes, as `Clock.pass_by` has it, once Azure has answered every question that is known of: people are
        let in before their role is confirmed, and the daemon keeps no answer that a jump of the clock has overtaken."""
        self.all_answered()
        self.clock.pass_by(seconds, wall)

    def all_answered(self) -> None:
        """Waits until Azure has answered every question that is known of."""
        wait_for(lambda: not self._unanswered(), "the answers to all questions")

    def _unanswered(self) -> set[str]:
        """The correlation ids of the questions by whose first answer this daemon let somebody in, and whose last is not there."""
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
        """sshd reads its files again."""
        self.machine.reload_sshd(self.port)

    def stamped(self) -> None:
        """Requires that the stack check is content."""
        if not self.stamp():
            raise Mismatch(f"the stack check refuses {self.machine.folder.name}: {self.tool('stack').text}")

    def flush(self) -> None:
        outcome = self.tool("flush")
        require(outcome.ok, f"entraloginctl flush: {outcome.text}")

    def state(self) -> dict[str, str]:
        """A digest of every file that holds accounts or grants, and of its place in the file system. Left out: the
        published keys, when people last signed in, which is written once a minute, and the empty file by which the daemon
        says that Azure has answered since boot."""
        return {str(p): f"{p.stat().st_ino}:{p.stat().st_mtime_ns}:{hashlib.sha256(p.read_bytes()).hexdigest()}"
                for top in (STATE, "/run/entralogin/nss") for p in sorted(self.machine.path(top).rglob("*"))
                if p.is_file() and p.parent.name != "ssh" and p.name not in ("sign-ins", "answered")}

    def rest(self) -> dict[str, str]:
        """The state once what ended sessions leave behind is written: sshd's processes have gone, and then it was the
        same at several looks, which take a machine that stands still between them for what it is."""
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
        """The machine that cases share. Whoever breaks something there mends it."""
        if self._vm is None:
            self._vm = self._host(f"vm{len(self.hosts)}", 22, "", "")
            self._start(self._vm)
        return self._vm

    @contextmanager
    def fresh(self, name: str, sshd: str = "", settings: str = "", started: bool = True,
              bare: bool = False, layered: bool = False) -> Iterator[Host]:
        """A machine of its own for one case. `sshd` is what its administrator put before our drop-in; `bare` leaves the
        daemon's clock alone, whose reading costs time; `layered`: with other name services and a mail server, not
        running."""
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
        """Runs beside the case."""
        return self._pool.submit(function, *arguments, **options)

    # Between cases

    def settle(self) -> None:
        """After a good case: faults off, and the shared daemon must have lived through it."""
        self.azure.clear_faults()
        if self._vm is not None and self._vm.service.ended:
            raise Mismatch(f"the shared daemon ended: {self._vm.service.output()[-2000:]}")

    def recover(self) -> None:
        """After a failure: the next case finds a working machine, if that can be had."""
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
