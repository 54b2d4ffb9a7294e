# SPDX-License-Identifier: Apache-2.0
"""A machine whose own systemd is process 1: real units, journal, login service, message bus. Half a second to boot."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from .machine import HERE, Machine, Outcome, run, wait_for

_GROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_POWER_OFF = signal.SIGRTMIN + 4  # systemd(1)
_UNFILTERED = "SYSTEMD_SECCOMP"  # systemd's ENVIRONMENT.md
_BOOT_ID = "/proc/sys/kernel/random/boot_id"


class BootedMachine(Machine):
    """Boots when it is made, on the files of stopped machines (`bases`, the newest first), of `enter --layer` and of the
    private root; `stop` or `cut` ends it. It uses the testbed's network, so each machine's sshd needs a port of its own.
    `audits`: turns off nspawn's filter of system calls, which keeps containers from the kernel's audit system."""

    def __init__(self, folder: Path, bases: Sequence[Machine], boots: bool = True,
                 audits: bool = False) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.sshd_log = folder / "console.log"
        self._sshd = self._cron = None
        self._name = f"testbed-{secrets.token_hex(4)}"
        self._leader = 0
        self._environment = dict(os.environ, **({_UNFILTERED: "0"} if audits else {}))
        for part in ("changes", "work", "root"):
            (folder / part).mkdir(parents=True)
        layers = filter(None, (os.environ.get("TESTBED_LAYER"), os.environ["TESTBED_ROOT"]))
        lower = ":".join(str(path) for path in (*(b.folder / "changes" for b in bases), *layers))
        options = f"lowerdir={lower},upperdir={folder}/changes,workdir={folder}/work"
        subprocess.run(["mount", "-t", "overlay", "machine", "-o", options, str(self.root)], check=True)
        if boots:
            self.boot()

    def boot(self) -> None:
        """Returns when process 1 runs; `wait_until_up` waits for the units that it starts."""
        self._booted_at = time.monotonic()
        self._holder = subprocess.Popen([str(HERE / "boot-root"), str(self.folder), self._name],  # type: ignore
                                        stderr=subprocess.PIPE, text=True, env=self._environment)
        wait_for(lambda: bool(self._found()), f"process 1 of {self._name}", 60)
        self._leader = self._found()

    def _found(self) -> int:
        """The child of nspawn that is process 1 in its own process namespace; 0 while there is none."""
        if self._holder.poll() is not None:
            said = self._holder.stderr.read() if self._holder.stderr else ""
            raise RuntimeError(f"the machine did not boot: {said}{self.console()}")
        own = os.readlink("/proc/self/ns/pid")
        for pid in _children(self._holder.pid):
            try:
                if os.readlink(f"/proc/{pid}/ns/pid") != own and Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                    return pid
            except OSError:
                continue
        return 0

    def wait_until_up(self, limit: float = 120) -> str:
        """Waits until systemd has nothing more to start; returns "running" or "degraded"."""
        state = ""

        def is_up() -> bool:
            nonlocal state
            state = self.run("systemctl", "is-system-running").out.strip()
            return state in ("running", "degraded")

        wait_for(is_up, f"the boot of {self._name}", limit)
        return state

    def show_true_boot_id(self) -> None:
        """Removes the boot id that nspawn binds over the kernel's. Units with ProtectKernelTunables= and the like see the
        kernel's, and would disagree with all other processes."""
        self.must("umount", _BOOT_ID)

    @property
    def holder(self) -> int:
        return self._leader

    @property
    def sshd_pid(self) -> int:
        return self.outer_pid("ssh.service")

    def argv(self, command: Sequence[str], user: str | None = None) -> list[str]:
        inside = ["nsenter", f"--target={self._leader}", "--all", "--wdns=/"]
        environment = ["/usr/bin/env", "-i", f"PATH={_PATH}", "LANG=C.UTF-8", "TERM=dumb"]
        if user is None:
            return [*inside, *environment, "HOME=/root", *command]
        return [*inside, "/usr/bin/setpriv", f"--reuid={user}", f"--regid={self.primary_group(user)}", "--init-groups",
                *environment, f"USER={user}", f"HOME={self.home(user)}", *command]

    # Units

    def systemctl(self, *arguments: str, timeout: float = 60) -> Outcome:
        return self.must("systemctl", *arguments, timeout=timeout)

    def property(self, unit: str, name: str) -> str:
        """Empty while systemd does not answer yet."""
        return self.run("systemctl", "show", "--value", "-p", name, unit).out.strip()

    def milliseconds(self, unit: str, name: str = "ActiveEnterTimestampMonotonic") -> float:
        """From the start of process 1 until the unit became active (or another time, `name`); 0 if it never did. systemd counts
        from the kernel's boot, and the machine shares the host's kernel."""
        began = float(self.must("systemctl", "show", "--value", "-p", "UserspaceTimestampMonotonic").out)
        then = float(self.property(unit, name) or 0)
        return (then - began) / 1000 if then else 0.0

    def main_pid(self, unit: str) -> int:
        """The process id as seen in the machine."""
        return int(self.property(unit, "MainPID"))

    def outer_pid(self, unit: str) -> int:
        """The same process as seen from the testbed."""
        inner = str(self.main_pid(unit))
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
                there = os.readlink(status.parent / "ns/pid") == os.readlink(f"/proc/{self._leader}/ns/pid")
            except OSError:
                continue
            if there and lines.get("NSpid", "").split()[-1] == inner:
                return int(status.parent.name)
        raise RuntimeError(f"{unit} has no process")

    def override(self, unit: str, text: str) -> None:
        """Writes a drop-in as the administrator would; on a running machine systemd reads it at once."""
        self.write_file(f"/etc/systemd/system/{unit}.d/50-test.conf", text)
        if self._leader:
            self.systemctl("daemon-reload")

    def write_file(self, inside: str, text: str) -> None:
        """Also works before the machine boots."""
        path = self.path(inside) if self._leader else self.root / inside.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def start_cron(self) -> None:
        """Restarts cron's unit, which runs the @reboot jobs at once."""
        self.remove("/run/crond.reboot")
        self.systemctl("restart", "cron.service")

    def stop_cron(self) -> None:
        self.systemctl("stop", "cron.service")

    def reload_sshd(self, port: int = 22) -> None:
        """Reloads sshd by its unit, and waits until it listens with the new configuration: on SIGHUP it closes its socket and
        starts again."""
        before = _listening(port)
        self.systemctl("reload", "ssh.service")
        wait_for(lambda: bool(_listening(port) - before), f"sshd on port {port} after its reload")

    # Journal

    def journal(self, *matches: str) -> list[dict[str, Any]]:
        """The daemon's matching records of this boot, oldest first; selected by its unit, which no other process can claim. The
        boot id does not distinguish boots here: it is the kernel's (`show_true_boot_id`)."""
        found = self.run("journalctl", "--no-pager", "-o", "json", "_SYSTEMD_UNIT=entralogind.service", *matches)
        records = [json.loads(line) for line in found.out.splitlines()]
        return [r for r in records if int(r["__MONOTONIC_TIMESTAMP"]) >= self._booted_at * 1e6]

    def console(self) -> str:
        log = self.folder / "console.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def journal_on_disk(self) -> list[dict[str, Any]]:
        """The persistent journal of a machine that has ended."""
        found = run(["journalctl", "--no-pager", "-o", "json", "-D", str(self.folder / "changes/var/log/journal")])
        return [json.loads(line) for line in found.out.splitlines()]

    def power_off(self, limit: float = 60) -> float:
        """Powers it off as its administrator does; returns the seconds until it was off."""
        began = time.monotonic()
        self.systemctl("poweroff", "--no-block")
        wait_for(lambda: self._holder.poll() is not None, f"the end of {self._name}", limit)
        return time.monotonic() - began

    def stop(self) -> None:
        """Powers it off through its systemd; cuts its power after 5 s."""
        if self._leader:
            os.kill(self._leader, _POWER_OFF)
            with suppress(subprocess.TimeoutExpired):
                self._holder.wait(5)
        self.cut()

    def cut(self) -> None:
        """Cuts its power."""
        if self._leader:
            if self._holder.poll() is None:
                os.kill(self._leader, signal.SIGKILL)
            self._holder.wait()
            self._leader = 0
            _remove_groups(self._name)
        subprocess.run(["umount", "-l", str(self.root)], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder / "work", ignore_errors=True)


def _children(pid: int) -> list[int]:
    listing = run(["ps", "-o", "pid=", "--ppid", str(pid)])
    return [int(word) for word in listing.out.split()]


def _listening(port: int) -> set[str]:
    """The inodes of the sockets that listen on the port. In /proc/net/tcp, ports are hexadecimal and the state 0A is
    "listening" (the kernel's proc_net_tcp.rst)."""
    rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()]
    return {row[9] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}


def _remove_groups(name: str) -> None:
    """Removes the control groups that the machine leaves behind, which are empty once the last process is reaped."""

    def are_gone() -> bool:
        try:
            for top in _GROUPS:
                folder = Path(top) / name
                for group in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
                    group.rmdir()
                if folder.exists():
                    folder.rmdir()
        except OSError:
            return False
        return True

    wait_for(are_gone, f"the end of {name}")
