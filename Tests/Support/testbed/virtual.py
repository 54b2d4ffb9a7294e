# SPDX-License-Identifier: Apache-2.0
"""A virtual machine: a kernel of its own, and with it SELinux or AppArmor. A minute to boot, seconds for a sign-in."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from simulator.clouds import HOST_NAMES
from simulator.simulator import Addresses

from .machine import HERE, Machine, Outcome, wait_for
from .person import Person

_ADDRESS = "169.254.169.15/24"  # in QEMU's network, like the metadata address
_PLACES = {"entra": "169.254.169.201", "pas": "169.254.169.202", "arm": "169.254.169.203",
           "graph": "169.254.169.204"}
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class VirtualMachine(Machine):
    """Boots from an image when it is made; `stop` cuts its power. Commands run over one ssh connection as its administrator
    `root`, so they have the rights that the policy gives to root over ssh."""

    def __init__(self, folder: Path, image: Path, root: Person, lsm: str, port: int, limit: float = 300) -> None:
        self.folder = folder
        self.root = Path("/nonexistent")  # its files are only in the image
        self.port = port
        self._sshd = None
        self._administrator = root
        folder.mkdir(parents=True)
        (folder / "image").symlink_to(image)
        (folder / "ways").write_text("".join(f"{line}\n" for line in _ways()))
        began = time.monotonic()
        self._holder = subprocess.Popen([str(HERE / "boot-virtual"), str(folder), lsm, str(port)],
                                        stderr=(folder / "qemu.log").open("wb"), text=True)
        wait_for(self._answers, "the virtual machine's sshd", limit)
        self.seconds_to_sshd = time.monotonic() - began

    def _answers(self) -> bool:
        if self._holder.poll() is not None:
            raise RuntimeError(f"the machine did not boot: {(self.folder / 'qemu.log').read_text()}{self.console()}")
        # QEMU accepts the connection before sshd runs, and keeps it waiting.
        return self.run("true", timeout=20).ok

    def argv(self, command: Sequence[str], user: str | None = None) -> list[str]:
        """The first command makes the connection, which stays open. `user` is a local account."""
        become = [] if user is None else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        inside = [*become, "/usr/bin/env", "-i", f"PATH={_PATH}", "LANG=C.UTF-8", "TERM=dumb", "HOME=/root", *command]
        kept = {"ControlMaster": "auto", "ControlPath": str(self.folder / "ssh"), "ControlPersist": "yes"}
        return self._administrator.argv("-q", "-p", str(self.port), "root@127.0.0.1", shlex.join(inside), options=kept)

    def read(self, inside: str) -> str:
        return self.must("cat", inside).out

    def write(self, inside: str, text: str, mode: int = 0o644) -> None:
        """Writes in place, so that an existing file keeps its label; a new file gets the label of its path."""
        script = 'mkdir -p "${1%/*}" && cat >"$1" && chmod "$2" "$1" && if selinuxenabled; then restorecon "$1"; fi'
        self.must("/bin/sh", "-c", script, "write", inside, f"{mode:o}", input=text)

    def remove(self, inside: str) -> None:
        self.must("rm", "-rf", inside)

    def shell(self, script: str, user: str | None = None, limit: float = 120) -> Outcome:
        return self.run("/bin/bash", "-c", script, user=user, timeout=limit)

    def property(self, unit: str, name: str) -> str:
        return self.run("systemctl", "show", "--value", "-p", name, unit).out.strip()

    def console(self) -> str:
        log = self.folder / "console.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def terminal(self) -> Terminal:
        """The second serial line, ttyS1: one user at a time."""
        return Terminal(self.folder / "terminal.sock")

    def stop(self) -> None:
        if self._holder.poll() is None:
            self._holder.kill()
            self._holder.wait()


class Terminal:
    """A person at a serial line."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.setblocking(False)
        self.text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def type(self, line: str) -> None:
        self._socket.sendall(f"{line}\r".encode())

    def expect(self, words: str, limit: float = 60) -> str:
        """Waits for these words; returns the text before them. Drops that text and the words."""

        def is_there() -> bool:
            with suppress(BlockingIOError):
                self.text += self._socket.recv(65536).decode(errors="replace").replace("\r", "")
            return words in self.text

        try:
            wait_for(is_there, f"{words!r} on the terminal", limit)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; it shows {self.text!r}") from None
        seen, _, self.text = self.text.partition(words)
        return seen


def make_image(machine: Machine, image: Path) -> None:
    """Makes an image, with labels, of a stopped machine of the testbed. `prepare` the machine before it is stopped."""
    tree = image.parent / f"{image.name}-tree"
    overlay = image.parent / f"{image.name}-overlay"
    overlay.mkdir()
    lower = f"{machine.folder}/changes:{os.environ['TESTBED_ROOT']}"
    subprocess.run(["mount", "-t", "overlay", "image", "-o", f"ro,lowerdir={lower}", str(overlay)], check=True)
    try:
        subprocess.run(["cp", "-a", f"{overlay}/.", f"{tree}/"], check=True)
    finally:
        subprocess.run(["umount", str(overlay)], check=True)
    done = subprocess.run([str(HERE / "make-image"), str(tree), str(image)], capture_output=True, text=True, check=False)
    shutil.rmtree(tree)
    if done.returncode != 0:
        raise RuntimeError(f"make-image: {done.stdout}{done.stderr}")


def prepare(machine: Machine) -> None:
    """Gives a machine of the testbed what it needs as a virtual machine: a disk, a network, names that lead to the simulator."""
    machine.write("/etc/fstab", "/dev/vda / ext4 defaults,noatime 0 1\n")
    machine.write("/etc/hostname", "contoso-vm\n")
    machine.write("/etc/hosts", "127.0.0.1 localhost contoso-vm\n" + "".join(
        f"{_PLACES[role]} {name}\n" for role, names in HOST_NAMES.items() for name in names))
    machine.write("/etc/systemd/network/20-testbed.network", f"[Match]\nName=e*\n\n[Network]\nAddress={_ADDRESS}\n")
    machine.write("/etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=default\n")
    machine.must("systemctl", "enable", "systemd-networkd.service")
    # Emulation is slow, so the units that no test needs do not start.
    machine.must("systemctl", "mask", "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer",
                 "e2scrub_reap.service", "serial-getty@ttyS0.service", "getty@tty1.service", "systemd-timesyncd.service")


def _ways() -> list[str]:
    """For each endpoint of the simulator, the address that the machine uses and the one on which the simulator listens."""
    addresses = Addresses()
    places = {"imds": addresses.imds[0], **_PLACES}
    return [f"{place}:{port} {host}:{port}" for role, place in places.items() for host, port in [getattr(addresses, role)]]
