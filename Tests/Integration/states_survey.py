# SPDX-License-Identifier: Apache-2.0
"""What `make install` and `configure` put in place on this suite's machine: files, and lines in other programs' files."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from testbed import Machine, Testbed
from testbed.installed import put_in_place

# Files for people and for shell completion; nothing here runs or reads them.
INERT = ("/usr/share/man/", "/usr/share/doc/", "/usr/share/bash-completion/", "/usr/share/zsh/", "/usr/share/fish/",
         "/usr/lib/systemd/catalog/")
# Files that any change of accounts or libraries rewrites, and those that lead this machine to the simulated Azure.
_OTHERS = ("/etc/.pwd.lock", "/etc/ld.so.cache", "/etc/hosts", "/etc/ssl/", "/var/", "/run/", "/tmp/", "/root/")
# The files that the daemon and its units keep once it runs: a case compares this list with a machine's folders.
STATE = ("/var/lib/entralogin/accounts", "/var/lib/entralogin/machine", "/var/lib/entralogin/sign-ins",
         "/var/lib/entralogin/nss/accounts.snapshot", "/var/lib/entralogin/ssh/trusted_user_ca_keys",
         "/var/lib/entralogin-sshd/trusted_user_ca_keys",
         "/run/entralogin/nss/grants.snapshot", "/run/entralogin/nss/answered", "/run/entralogin/stack-verified",
         "/run/entralogin/stack-verified.lock")
SOCKETS = ("/run/entralogin/control.sock", "/run/entralogin/principals.sock", "/run/entralogin/audit.sock",
           "/run/entralogin/sessions.sock")
FOLDERS = ("/etc/entralogin", "/etc/entralogin/entralogin.conf.d", "/etc/ssh/sshd_config.d", "/etc/pam.d", "/etc/sudoers.d",
           "/usr/libexec/entralogin", "/var/lib/entralogin", "/var/lib/entralogin/nss", "/var/lib/entralogin/ssh",
           "/var/lib/entralogin-sshd", "/run/entralogin", "/run/entralogin/nss", "/home")


@dataclass(frozen=True)
class PutFile:
    """`is_new`: the machine did not have the file before; `lines`: the numbers, from 0, of its new lines."""

    path: str
    is_new: bool
    is_link: bool
    text: str
    lines: tuple[int, ...]


def survey() -> list[PutFile]:
    """Finds them by installing on a machine made for this; takes two seconds."""
    with Testbed() as testbed:
        machine = Machine(testbed.scratch / "survey")
        try:
            put_in_place(machine)
            machine.must("systemctl", "enable", "entralogind.service")
            changes = machine.folder / "changes"
            paths = sorted(path for path in changes.rglob("*") if _counts(path, f"/{path.relative_to(changes)}"))
            return [_put(path, f"/{path.relative_to(changes)}") for path in paths]
        finally:
            machine.stop()


def _counts(path: Path, inside: str) -> bool:
    mode = path.lstat().st_mode
    is_backup = inside.endswith("-") and inside.startswith("/etc/")
    return (stat.S_ISREG(mode) or stat.S_ISLNK(mode)) and not inside.startswith(_OTHERS) and not is_backup


def _put(path: Path, inside: str) -> PutFile:
    before = Path(os.environ["TESTBED_ROOT"] + inside)
    is_new = not (before.exists() or before.is_symlink())
    text = "" if path.is_symlink() else path.read_bytes().decode(errors="replace")
    if "\0" in text or not inside.startswith("/etc/"):
        return PutFile(inside, is_new, path.is_symlink(), text, ())
    had = set() if is_new else set(before.read_text().splitlines())
    numbers = [n for n, line in enumerate(text.splitlines()) if line.strip() and line[0] != "#" and line not in had]
    return PutFile(inside, is_new, path.is_symlink(), text, tuple(numbers))
