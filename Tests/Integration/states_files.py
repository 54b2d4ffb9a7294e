# SPDX-License-Identifier: Apache-2.0
"""States of the files, folders and lines that the installation and `configure` put in place, each in every broken form."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from booted_environment import BootedHost
from state import State
from states_survey import FOLDERS, INERT, SOCKETS, STATE, PutFile

NOBODY = 65534
Break = Callable[[Path], object]
UNITS, ACCOUNTS = "/usr/lib/systemd/system/", ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")


def _put(path: Path, content: bytes) -> None:
    """Writes by rename, as installers do, because a running program cannot be written to."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content)
    shutil.copystat(path, new)
    shutil.chown(new, path.stat().st_uid, path.stat().st_gid)
    new.replace(path)


def _cut(path: Path) -> None:
    """Removes the last line; of a program, the second half."""
    content = path.read_bytes()
    whole = content.splitlines(keepends=True)[:-1]
    _put(path, content[: len(content) // 2] if b"\0" in content else b"".join(whole))


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


BREAKS: dict[str, Break] = {
    "missing": Path.unlink, "empty": lambda path: _put(path, b""), "mode 0000": lambda path: path.chmod(0),
    "mode 0666": lambda path: path.chmod(path.stat().st_mode | 0o666), "owned by nobody": lambda path: shutil.chown(path, NOBODY),
    "a folder in its place": _a_folder, "the end is missing": _cut,
}
FOLDER_BREAKS: dict[str, Break] = {
    "missing": shutil.rmtree, "mode 0700": lambda path: path.chmod(0o700), "mode 0777": lambda path: path.chmod(0o777),
    "owned by nobody": lambda path: shutil.chown(path, NOBODY),
}
CORE = {"pam_entralogin.so", "libnss_entralogin.so.2", "sudo_entralogin.so", "authorized-principals", "entralogind",
        "00-entralogin.conf", "nsswitch.conf", "common-account", "common-session", "entralogin.conf"}
RELOADED = "systemctl reload ssh"
RESTARTED = "systemctl daemon-reload; systemctl restart --no-block entralogind"


def _broken(path: str, change: Break, host: BootedHost) -> None:
    if not host.machine.path(path).is_symlink():
        host.machine.must("touch", "-a", path)  # a file that is written only now and then may be missing
    change(host.machine.path(path))


def files(found: list[PutFile]) -> Iterator[State]:
    """A state for each file that was put in place; the files that nothing reads are one state."""
    read = [one for one in found if not one.path.startswith(INERT)]
    inert = tuple(one.path for one in found if one.path.startswith(INERT))
    yield State("file", "the manual and what completes words, missing",
                lambda host: host.machine.must("rm", *inert), inert)
    for one in read:
        breaks = ["missing"] if one.is_link else list(BREAKS)
        if one.path.startswith("/usr/share/") or one.path.endswith(".sh"):
            breaks = ["missing", "empty", "mode 0666"]  # read only by `configure`
        for how in breaks:
            # Half a library crashes every process that loads it, because glibc maps more than the file has.
            is_half = how == "the end is missing" and ".so" in one.path
            is_local = one.is_new and not one.path.startswith("/etc/pam.d") and not is_half
            yield State("file", f"{one.path}, {how}", partial(_broken, one.path, BREAKS[how]), (one.path,), _after(one.path),
                        local=is_local, deep=_is_deep(one, how))


def _is_deep(one: PutFile, how: str) -> bool:
    """Whether the state runs only with --deep. Every run breaks the core files in every way, other programs in two ways and the
    rest in one; it leaves out links, scripts and the `-again` services."""
    if Path(one.path).name in CORE:
        return False
    if one.is_link or one.path.endswith("-again.service"):
        return True
    is_program = one.path.startswith(("/usr/bin/", "/usr/libexec/")) and not one.path.endswith(".sh")
    return how not in (("missing", "mode 0666") if is_program else ("missing",)) or one.path.endswith(".sh")


def _after(path: str) -> str:
    """What makes the machine use the changed file: a restart, or a reload."""
    if path.startswith("/etc/ssh/"):
        return RELOADED
    if path.startswith("/etc/") and "/systemd/" not in path and not path.startswith("/etc/entralogin"):
        return ""  # it is read at each sign-in
    unit = Path(path).name if path.startswith(UNITS) else ""
    again = f"; systemctl restart --no-block {unit}" if unit.endswith((".socket", ".path")) else ""
    return RESTARTED + again


def state(found: list[PutFile]) -> Iterator[State]:
    """Each file of the daemon and its units, broken while it runs and before its next start."""
    del found
    for path in STATE:
        for how, change in BREAKS.items():
            yield State("state", f"{path}, {how}", partial(_broken, path, change), (path,), rebuild=True,
                        deep=how in ("owned by nobody", "a folder in its place"))
            if how != "mode 0666":
                yield State("state", f"{path}, {how}, before a start", partial(_broken, path, change), (path,), RESTARTED,
                            rebuild=True, deep=path.startswith("/run/") or how not in ("missing", "empty", "the end is missing"))
    for path in SOCKETS:
        for how in ("missing", "mode 0000", "mode 0666", "owned by nobody"):
            yield State("socket", f"{path}, {how}", partial(_broken, path, BREAKS[how]), rebuild=True,
                        deep=how.startswith("mode"))


def folders(found: list[PutFile]) -> Iterator[State]:
    del found
    for path in FOLDERS:
        is_kept = path.startswith(("/var/", "/run/"))
        for how, change in FOLDER_BREAKS.items():
            if how == "missing" and path in ("/etc/pam.d", "/home"):
                continue  # not entralogin's, and without it no user can sign in
            yield State("folder", f"{path}, {how}", partial(_broken, path, change), (path,) if path != "/home" else (),
                        RELOADED if path.startswith("/etc/ssh") else "", undo="chmod 755 /home; chown root /home",
                        local=path not in ("/etc/pam.d", "/home", "/etc/ssh/sshd_config.d"), rebuild=is_kept,
                        deep=how == "mode 0700" and not is_kept)


def lines(found: list[PutFile]) -> Iterator[State]:
    """Each line that was put in place: removed, commented out, moved to the end (PAM), or put after another Match (sshd)."""
    for one in found:
        if one.path.startswith("/etc/entralogin") or one.path.startswith("/etc/apparmor"):
            continue
        forms = {"removed": _removed}
        if one.path not in ACCOUNTS:
            forms["commented out"] = _commented
        if one.path.startswith("/etc/pam.d"):
            forms["last in its file"] = _moved
        if one.path.startswith("/etc/ssh/"):
            forms["behind another Match"] = _behind
        for number in one.lines:
            line = one.text.splitlines()[number]
            # Without the Match line its block applies to all users; PAM's control values count the lines that they skip.
            is_local = "Match User" not in line and not one.path.startswith("/etc/pam.d")
            for how, change in forms.items():
                yield State("line", f"{one.path}: {_short(line)}, {how}", partial(_edited, one.path, line, change), (one.path,),
                            RELOADED if one.path.startswith("/etc/ssh/") else "", local=is_local,
                            deep=how == "commented out")


def _short(line: str) -> str:
    words = " ".join(line.split())
    return words if len(words) < 60 else f"{words[:50]}…{words[-9:]}"


def _edited(path: str, line: str, change: Callable[[list[str], int], list[str]], host: BootedHost) -> None:
    """Edits in place, so that owner and mode stay."""
    text = host.machine.read(path).splitlines()
    host.machine.path(path).write_text("\n".join(change(text, text.index(line))) + "\n")


def _removed(text: list[str], number: int) -> list[str]:
    return text[:number] + text[number + 1:]


def _commented(text: list[str], number: int) -> list[str]:
    return [*text[:number], "#" + text[number], *text[number + 1:]]


def _moved(text: list[str], number: int) -> list[str]:
    return [*_removed(text, number), text[number]]


def _behind(text: list[str], number: int) -> list[str]:
    return [*text[:number], "Match User nobody", *text[number:]]
