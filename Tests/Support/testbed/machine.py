# SPDX-License-Identifier: Apache-2.0
"""One private Debian machine: files, commands, local accounts, a real sshd."""

from __future__ import annotations

import ctypes
import os
import pickle
import re
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# Operating system commands (OSC), which a terminal interprets and does not show. systemd 262 makes bash write OSC 3008.
_UNSEEN = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_CLONE_NEWNS = 0x00020000
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Outcome:
    """How a command ended. `text` is both outputs, as a person at a terminal sees them."""

    status: int
    out: str
    err: str
    milliseconds: float

    @property
    def ok(self) -> bool:
        return self.status == 0

    @property
    def text(self) -> str:
        return _UNSEEN.sub("", self.out + self.err).replace("\r", "")

    def lines(self) -> list[str]:
        return self.out.split("\n")[:-1] if self.out.endswith("\n") else self.out.split("\n")


def run(argv: Sequence[str], input: str | None = None, timeout: float = 60,
        environment: dict[str, str] | None = None) -> Outcome:
    began = time.monotonic()
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL if input is None else subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment, text=True, errors="replace", start_new_session=True,
    )
    try:
        out, err = process.communicate(input, timeout)
        status = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        status, err = 124, err + f"\nno end within {timeout} s\n"
    return Outcome(status, out, err, (time.monotonic() - began) * 1000)


def wait_for(condition: Callable[[], bool], what: str, limit: float = 30) -> None:
    """Polls until the condition holds; raises when it does not within `limit` seconds. Checks it once more after the limit,
    because the host may have been suspended all that time."""
    end = time.monotonic() + limit
    while True:
        over = time.monotonic() > end
        if condition():
            return
        if over:
            raise TimeoutError(f"{what}: not within {limit} s")
        time.sleep(0.005)


class Machine:
    """Made by `Testbed.machine`. Each machine has its own files and mounts; machines of one testbed share all other namespaces:
    network, processes, IPC and host name."""

    # The env(1) that starts the machine's commands. It must become the command: an env that runs the command as a child, such
    # as that of uutils 0.0.30, would get the command's signals. A machine takes this path from its `base`.
    env = "/usr/bin/env"

    def __init__(self, folder: Path, base: Machine | None = None, layer: Path | None = None) -> None:
        """`base` is a stopped machine whose files this one begins with; `layer`, packages over the private root."""
        self.folder = folder
        self.root = folder / "root"  # the overlay as seen from outside: a value for DESTDIR
        self._below = [] if layer is None else [layer]
        if base is not None:
            self._below = [base.folder / "changes", *base._below]
            self.env = base.env
        below = {"TESTBED_BELOW": ":".join(map(str, self._below)), "TESTBED_BASED": "" if base is None else "yes"}
        self._holder = subprocess.Popen([str(HERE / "machine-root"), str(folder)], stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **below})
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "ready\n":
            raise RuntimeError(f"the machine in {folder} did not start")
        self._sshd: subprocess.Popen[bytes] | None = None
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        self.sshd_log = folder / "sshd.log"

    @property
    def holder(self) -> int:
        """The process that holds the mount namespace."""
        return self._holder.pid

    # Commands

    def argv(self, command: Sequence[str], user: str | None = None) -> list[str]:
        """The command line that runs `command` inside, as `user` with that user's groups, in a clean environment."""
        inside = ["nsenter", f"--target={self.holder}", "--mount", "--root", "--wd"]
        environment = [self.env, "-i", f"PATH={_PATH}", "LANG=C.UTF-8", "TERM=dumb"]
        if user is None:
            return [*inside, *environment, "HOME=/root", *command]
        return [*inside, "/usr/bin/setpriv", f"--reuid={user}", f"--regid={self.primary_group(user)}", "--init-groups",
                *environment, f"USER={user}", f"HOME={self.home(user)}", *command]

    def run(self, *command: str, user: str | None = None, input: str | None = None, timeout: float = 60) -> Outcome:
        return run(self.argv(command, user), input, timeout)

    def must(self, *command: str, user: str | None = None, input: str | None = None, timeout: float = 60) -> Outcome:
        """Like `run`, but raises an error when the command fails."""
        outcome = self.run(*command, user=user, input=input, timeout=timeout)
        if not outcome.ok:
            raise RuntimeError(f"{' '.join(command)}: exit status {outcome.status}\n{outcome.text}")
        return outcome

    def shell(self, script: str, user: str | None = None) -> Outcome:
        return self.run("/bin/bash", "-c", script, user=user)

    def inside(self, function: Callable[[], Any], user: str = "root", limit: float = 60) -> Any:
        """Runs `function` in a child process that sees this machine's files and has become `user`, a local account in the
        machine's own tables; returns the function's result. The caller must have imported the modules that it needs."""
        who = _LocalIdentity.read(self, user)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _in_child(self.holder, who, function, writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            if not select.select([pipe], [], [], limit)[0]:
                os.kill(child, signal.SIGKILL)
            answer = pipe.read()
        os.waitpid(child, 0)
        if not answer:
            raise RuntimeError(f"the child of {user} ended without an answer within {limit} s")
        good, value = pickle.loads(answer)
        if not good:
            raise RuntimeError(f"in the child of {user}: {value}")
        return value

    # Files

    def path(self, inside: str) -> Path:
        """A path of the machine as this process sees it, /run and /tmp included. An absolute symbolic link on it would lead out
        of the machine."""
        return Path(f"/proc/{self.holder}/root{inside}")

    def read(self, inside: str) -> str:
        return self.path(inside).read_text(errors="replace")

    def write(self, inside: str, text: str, mode: int = 0o644) -> None:
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def remove(self, inside: str) -> None:
        path = self.path(inside)
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)

    # Accounts

    def passwd(self, name: str) -> list[str]:
        """The seven fields of the passwd record, or an empty list."""
        found = self.run("getent", "passwd", name)
        return found.out.strip().split(":") if found.ok else []

    def uid(self, name: str) -> int:
        return int(self.passwd(name)[2])

    def primary_group(self, name: str) -> str:
        return self.passwd(name)[3]

    def home(self, name: str) -> str:
        return self.passwd(name)[5]

    def add_local_user(self, name: str, password: str, public_key: str, home: str | None = None) -> None:
        self.must("useradd", "--create-home", "--shell", "/bin/bash", "--home-dir", home or f"/home/{name}", name)
        self.set_credentials(name, password, public_key)

    def set_credentials(self, name: str, password: str, public_key: str) -> None:
        self.must("chpasswd", input=f"{name}:{password}\n")
        home = self.home(name)
        self.write(f"{home}/.ssh/authorized_keys", public_key + "\n", 0o600)
        self.path(f"{home}/.ssh").chmod(0o700)
        self.must("chown", "-R", f"{name}:", f"{home}/.ssh")

    # Daemons of Debian

    def start_sshd(self, *ports: int, options: Sequence[str] = (), config: str = "",
                   before: Sequence[str] = ()) -> None:
        """Starts Debian's sshd with the machine's own configuration. The ports are on its command line, and so are `options`,
        which override every file; `config` is a file to use instead of sshd_config; `before` is a command that runs sshd."""
        listening = [part for port in ports or (22,) for part in ("-p", str(port))]
        listening += [part for option in options for part in ("-o", option)]
        listening += ["-f", config] if config else []
        command = [*before, "/usr/sbin/sshd", "-D", "-E", "/var/log/sshd.log", *listening]
        self._sshd = subprocess.Popen(self.argv(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=self.sshd_log.open("ab"), start_new_session=True)
        wait_for(lambda: self._gone() or all(map(_answers, ports or (22,))), f"sshd on port {ports or 22}")
        if self._gone():
            raise RuntimeError(f"sshd ended at once: {self.sshd_log.read_text()}{self.read('/var/log/sshd.log')}")

    @property
    def sshd_pid(self) -> int:
        assert self._sshd is not None, "sshd is not running"
        return self._sshd.pid

    def reload_sshd(self, port: int = 22) -> None:
        """Sends SIGHUP, and waits until sshd listens with the new configuration."""
        before = self.read("/var/log/sshd.log").count("Server listening")
        os.kill(self.sshd_pid, signal.SIGHUP)
        wait_for(lambda: self.read("/var/log/sshd.log").count("Server listening") > before, "sshd after SIGHUP")
        wait_for(lambda: _answers(port), f"sshd on port {port}")

    def connections(self) -> list[int]:
        """sshd's child processes that still run, one for each connection; each closes its PAM session before it ends."""
        listing = run(["ps", "-o", "pid=", "--ppid", str(self.sshd_pid)])
        return [int(word) for word in listing.out.split()]

    def stop_sshd(self) -> None:
        if self._sshd is not None:
            _stop(self._sshd)
            self._sshd = None

    def start_cron(self) -> None:
        """Starts a new cron, which runs the @reboot jobs at once."""
        self.stop_cron()
        self.remove("/run/crond.reboot")
        self.start_daemon("/usr/sbin/cron", "-f")

    def stop_cron(self) -> None:
        self.stop_daemon("/usr/sbin/cron")

    def start_daemon(self, program: str, *arguments: str) -> int:
        """Starts one of Debian's daemons in the foreground and stops an earlier one of that program; returns its process id."""
        self.stop_daemon(program)
        process = subprocess.Popen(self.argv([program, *arguments]), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self._daemons[program] = process
        return process.pid

    def stop_daemon(self, program: str) -> None:
        if program in self._daemons:
            _stop(self._daemons.pop(program))

    def stop(self) -> None:
        for program in list(self._daemons):
            self.stop_daemon(program)
        self.stop_sshd()
        if self._holder.poll() is None:
            _stop(self._holder)
            subprocess.run(["umount", "-l", str(self.root)], check=False)

    def _gone(self) -> bool:
        return self._sshd is None or self._sshd.poll() is not None


@dataclass(frozen=True)
class _LocalIdentity:
    uid: int
    gid: int
    groups: tuple[int, ...]

    @staticmethod
    def read(machine: Machine, user: str) -> _LocalIdentity:
        fields = next(f for f in _table(machine, "/etc/passwd") if f[0] == user)
        groups = [int(f[2]) for f in _table(machine, "/etc/group") if user in f[3].split(",")]
        return _LocalIdentity(int(fields[2]), int(fields[3]), (int(fields[3]), *groups))


def _table(machine: Machine, path: str) -> list[list[str]]:
    return [line.split(":") for line in machine.read(path).splitlines() if line.count(":") >= 3]


def _in_child(holder: int, who: _LocalIdentity, function: Callable[[], Any], writer: int) -> None:
    """All that the child does; never returns."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        namespace = os.open(f"/proc/{holder}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        if libc.setns(namespace, _CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.setgroups(who.groups)
        os.setresgid(who.gid, who.gid, who.gid)
        os.setresuid(who.uid, who.uid, who.uid)
        answer = (True, function())
    except BaseException as error:  # noqa: BLE001  a child must not run the parent's code
        answer = (False, f"{type(error).__name__}: {error}")
    try:
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(answer, pipe)
    finally:
        os._exit(0)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _stop(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
