# SPDX-License-Identifier: Apache-2.0
"""P2 and P11: which sessions a final no, a command, a retired account and a revoked key end, and what they never touch."""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from booted_environment import BootedEnvironment, BootedHost
from case import case
from revocation import LIST, revoke
from simulator import contoso
from simulator.sshkeys import public_line
from testbed import Person, wire
from testbed.checks import admitted, equal, refused, require
from testbed.compiled import placed
from testbed.machine import Outcome, run, wait_for
from testbed.terminal import Terminal

SOCKET = "/run/entralogin/sessions.sock"
UNIT = "entralogin-sessions"
ON = "[SignIn]\nEndSessions=yes\n"
MAY_KILL = f"{1 << 5:016x}"  # CAP_KILL (capabilities(7))
SENTENCE = "your sessions on this machine end now"


class Connection:
    """A ControlMaster connection without a session of its own, as `ssh -N -M` keeps it."""

    def __init__(self, host: BootedHost, person: Person) -> None:
        self._path = person.folder / f"mux-{host.port}"
        argv = person.argv("-p", str(host.port), "-N", "-M", "-S", str(self._path), f"{person.login}@127.0.0.1")
        self._argv = ["ssh", "-F", "none", "-S", str(self._path), "-o", "BatchMode=yes", f"{person.login}@127.0.0.1"]
        self.master = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self._path.exists() or self.master.poll() is not None, "the control socket", 30)
        require(self.master.poll() is None, "the connection did not come up")

    def ask(self, *command: str) -> Outcome:
        """A new session over the old connection: no PAM, no certificate."""
        return run([*self._argv, *command], timeout=30)

    def close(self) -> None:
        self.master.kill()
        self.master.wait()


def of(host: BootedHost, uid: int) -> list[str]:
    """The names of that uid's processes, except those that wait to be reaped."""
    script = r"""for f in /proc/[0-9]*/status; do awk -v u="$0" '/^State:/ {s=$2} /^Threads:/ {t=$2} /^Uid:/ {r=$2}
        /^Name:/ {n=$2} END {if (r == u && !((s == "Z" || s == "X") && t < 2)) print n}' "$f" 2>/dev/null; done; true"""
    return host.machine.must("sh", "-c", script, str(uid)).out.split()


def gone(host: BootedHost, uid: int, what: str = "") -> None:
    wait_for(lambda: not of(host, uid), f"the end of {what or uid}", 30)


def records(host: BootedHost, person: Person) -> list[dict[str, Any]]:
    return host.machine.journal("ENTRALOGIN_EVENT=sessions-ended", f"ENTRALOGIN_USER={person.login}")


def record_of(host: BootedHost, person: Person) -> dict[str, Any]:
    """Waits for the record, which may come a second after the last process has ended."""
    wait_for(lambda: bool(records(host, person)), f"the record of {person.login}", 30)
    return records(host, person)[-1]


@contextmanager
def connected(host: BootedHost, person: Person) -> Iterator[Connection]:
    connection = Connection(host, person)
    try:
        yield connection
    finally:
        connection.close()


def uid_of(host: BootedHost, person: Person) -> int:
    return int(admitted(host.ssh(person, "id -u")))


@case("P2", "a role that is gone ends the connection that a new session could come over, where EndSessions=yes", attack="W1")
def multiplexed(env: BootedEnvironment) -> str:
    with env.boot("mux") as host:
        host.machine.wait_until_up()
        host.wait_until_ready()
        seen = []
        for settings in ("", ON):
            person = env.newcomer()
            host.settings(settings)
            uid = uid_of(host, person)
            with connected(host, person) as connection:
                admitted(connection.ask("id -u"), f"{uid}\n")
                env.azure.withdraw(env.key_of(person))
                host.tool("check", person.login)
                refused(host.ssh(person, "id"), contoso.USER)
                if settings:
                    wait_for(lambda: connection.master.poll() is not None, "the end of the connection", 30)
                    gone(host, uid)
                    equal(record_of(host, person).get("ENTRALOGIN_REASON"), "role-not-assigned", "the record's reason")
                else:
                    # The control: only this setting prevents a new session over the old connection.
                    admitted(connection.ask("id -u"), f"{uid}\n")
                    require(not records(host, person), "sessions were ended where EndSessions=no")
                seen.append("a new session" if not settings else "ended")
        return f"EndSessions=no: {seen[0]}; yes: {seen[1]}"


@case("P2", "an account that is disabled in Entra ends its connection, where EndSessions=yes and CheckAccountEnabled=yes")
def disabled(env: BootedEnvironment) -> str:
    env.azure.post("graph", permissions=["User.Read.All"])
    with env.boot("disabled", settings=f"{ON}[Azure]\nCheckAccountEnabled=yes\n") as host:
        host.machine.wait_until_up()
        host.wait_until_ready()
        person = env.newcomer()
        uid = uid_of(host, person)
        with connected(host, person) as connection:
            admitted(connection.ask("id -u"), f"{uid}\n")
            env.azure.post("disable", who=env.key_of(person), seen_by_pas=False)
            host.tool("check", person.login)
            wait_for(lambda: connection.master.poll() is not None, "the end of the connection", 30)
            gone(host, uid)
            equal(record_of(host, person).get("ENTRALOGIN_REASON"), "account-disabled", "the record's reason")
        refused(host.ssh(person, "id"), "disabled in Entra")
    env.azure.post("graph", permissions=[])
    return "ended"


@case("P2", "a role that is gone ends shells, services that start again, a lingering manager and what hides, and names root's")
def everything(env: BootedEnvironment) -> str:
    with env.boot("everything", settings=ON) as host:
        machine, person = host.machine, env.newcomer()
        machine.wait_until_up()
        host.wait_until_ready()
        env.azure.assign(env.key_of(person), contoso.ADMINISTRATOR)
        uid = uid_of(host, person)
        # What loginctl enable-linger does, which systemd 257 refuses in this machine.
        machine.must("sh", "-c", f"mkdir -p /var/lib/systemd/linger && touch /var/lib/systemd/linger/{person.login}")
        machine.systemctl("start", f"user@{uid}.service")
        wait_for(lambda: machine.property(f"user@{uid}.service", "ActiveState") == "active", "the lingering manager", 60)
        screen = Terminal(["/usr/bin/env", *person.argv("-tt", "-p", str(host.port), f"{person.login}@127.0.0.1")])
        frozen = Terminal(["/usr/bin/env", *person.argv("-tt", "-p", str(host.port), f"{person.login}@127.0.0.1")])
        unit = "[Service]\nExecStart=/bin/sleep 4711\nRestart=always\nRestartSec=0\n"
        start = (f"mkdir -p ~/.config/systemd/user; printf '{unit.replace(chr(10), chr(92) + 'n')}' > "
                 "~/.config/systemd/user/again.service; export XDG_RUNTIME_DIR=/run/user/$(id -u); "
                 "systemctl --user daemon-reload; systemctl --user start again; "
                 "(setsid nohup sh -c 'trap \"\" HUP TERM; sleep 4712' >/dev/null 2>&1 &); "
                 "(sudo -n setsid sleep 4713 >/dev/null 2>&1 &); "
                 "(unshare --user --map-root-user --pid --fork sleep 4714 >/dev/null 2>&1 &); sleep 1; echo started; pwd")
        admitted(host.ssh(person, start))
        frozen.expect(r"\$")
        frozen.press("yes\r\x13")
        screen.expect(r"\$")
        screen.type("echo here-$((1+1))")
        screen.expect("here-2")
        lisa = subprocess.Popen(env.lisa.argv("-p", str(host.port), "lisa@127.0.0.1", "sleep 4715"),
                                stderr=subprocess.DEVNULL)
        wait_for(lambda: machine.run("pgrep", "-f", "^sleep 4713").ok and machine.run("pgrep", "-f", "^sleep 4715").ok,
                 "sudo's and lisa's processes")
        require(machine.run("pgrep", "-u", str(uid), "-f", "sleep 4711").ok, "the service does not run")
        env.azure.withdraw(env.key_of(person))
        host.tool("check", person.login)
        gone(host, uid, "everything of the account")
        screen.expect(SENTENCE)
        screen.close()
        frozen.close()
        record = record_of(host, person)
        require("sleep (pid" in str(record.get("ENTRALOGIN_DETAIL")), f"sudo's process is not named: {record}")
        require(machine.run("pgrep", "-u", "0", "-f", "^sleep 4713").ok, "root's process was ended")
        require(lisa.poll() is None, "lisa's session was ended")
        lisa.kill()
        lisa.wait()
        equal(machine.property(f"user@{uid}.service", "ActiveState") in ("active", "activating"), False, "the manager is back")
        return str(record["MESSAGE"])


def is_locked(path: Path) -> bool:
    """Whether a process holds a lock on that file."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def begun(host: BootedHost, person: Person, kind: str, expected: int, lock: Path) -> subprocess.Popen[bytes]:
    """Starts a session whose programs fork. The processes of a chain end too quickly to be seen in /proc; the lock shows
    whether one is alive."""
    said, uid = person.folder / f"forks-{kind}", uid_of(host, person)
    with said.open("wb") as file:
        loop = subprocess.Popen(person.argv("-p", str(host.port), f"{person.login}@127.0.0.1", f"forks {kind} 150"),
                                stdout=file, stderr=subprocess.STDOUT)

    def runs() -> bool:
        require(loop.poll() is None, f"the {kind} did not begin: status {loop.returncode}, {said.read_text()}")
        return is_locked(lock) and of(host, uid).count("forks") >= expected

    wait_for(runs, f"the {kind}", 60)
    return loop


@case("P2", "sessions end: a fork loop at its limit, chains that fork and leave, a leader that has ended: none is left")
def forks(env: BootedEnvironment) -> str:
    host, person = env.vm, env.newcomer()
    machine, uid = host.machine, uid_of(host, person)
    placed(machine, "forks.c", env.testbed.scratch / "programs", "-pthread")
    seen = []
    for kind, expected in (("bomb", 100), ("chain", 0), ("thread", 1)):
        lock = machine.path(f"/tmp/forks.{kind}")
        loop = begun(host, person, kind, expected, lock)
        outcome = host.tool("sessions", "end", person.login)
        require(outcome.ok and "still run" not in outcome.out, outcome.text)
        require(not is_locked(lock), f"the {kind} lives on: {outcome.text}")
        equal(of(host, uid), [], f"left of the {kind}")
        loop.wait(30)
        seen.append(outcome.out.splitlines()[0].split(": ")[1])
    equal(host.tool("sessions", "end", "lisa").status, 1, "the status for a local user")
    return ", ".join(seen)


@case("P2", "users retire and a revoked key end all connections of that account, whatever EndSessions= says")
def retired_and_revoked(env: BootedEnvironment) -> str:
    with env.boot("retired", settings=f"[Keys]\nRevokedKeys={LIST}\n") as host:
        machine = host.machine
        machine.wait_until_up()
        revoke(machine)
        host.wait_until_ready()
        first, second, other = env.newcomer(), env.person("alice"), env.person("bob")
        uids = {who.login: uid_of(host, who) for who in (first, second, other)}
        with connected(host, first) as one, connected(host, second) as two, connected(host, other) as three:
            outcome = host.tool("users", "retire", first.login)
            require(outcome.ok, outcome.text)
            gone(host, uids[first.login])
            wait_for(lambda: one.master.poll() is not None, "the end of the retired account's connection", 30)
            revoke(machine, f"key: {public_line(second.identity)}")
            wait_for(lambda: two.master.poll() is not None, "the end of the revoked key's connection", 60)
            gone(host, uids[second.login])
            admitted(three.ask("id -u"), f"{uids[other.login]}\n")
        reasons = [record_of(host, who).get("ENTRALOGIN_REASON") for who in (first, second)]
        equal(reasons, ["account-retired", "certificate-revoked"], "the records' reasons")
        return ", ".join(str(reason) for reason in reasons)


def placed_in(host: BootedHost, group: str, number: int, seconds: int) -> None:
    """Starts a process with that uid in that control group, as a container's process is."""
    folder = f"/sys/fs/cgroup/{group}"
    as_number = f"setpriv --reuid={number} --regid={number} --clear-groups sleep {seconds}"
    host.machine.must("sh", "-c", f"mkdir -p {folder}; (echo 0 >{folder}/cgroup.procs; exec {as_number}) >/dev/null 2>&1 &")
    wait_for(lambda: of(host, number) == ["sleep"], f"the process of {number}")


@case("P2", "sessions end: a rootless container's processes too, by the account's line in subuid; those numbers elsewhere stay")
def contained(env: BootedEnvironment) -> str:
    with env.boot("contained", settings="[Accounts]\nSubordinateIDs=yes\n") as host:
        machine, person = host.machine, env.newcomer()
        machine.wait_until_up()
        host.wait_until_ready()
        uid = uid_of(host, person)
        lines = [line.split(":") for line in machine.read("/etc/subuid").splitlines()]
        first = next(int(line[1]) for line in lines if line[0] == person.login)
        machine.systemctl("start", f"user@{uid}.service")
        slice_ = f"user.slice/user-{uid}.slice"
        # Uids: user 1000 in the account's container; a container of root's in the same range (systemd-nspawn -U); and user
        # 1000 in lisa's container.
        theirs, nspawns, lisas = first + 999, first + 1, 100999
        require(["lisa", "100000", "65536"] in lines, f"lisa's line: {lines}")
        placed_in(host, f"{slice_}/{uid}.scope", theirs, 4721)
        placed_in(host, "machine.slice/trial.scope", nspawns, 4722)
        placed_in(host, f"{slice_}/lisa.scope", lisas, 4723)
        outcome = host.tool("sessions", "end", person.login)
        require(outcome.ok, outcome.text)
        equal({number: of(host, number) for number in (uid, theirs)}, {uid: [], theirs: []}, "what is left of the account's")
        equal({number: of(host, number) for number in (nspawns, lisas)}, {nspawns: ["sleep"], lisas: ["sleep"]}, "others")
        require(str(lisas) in outcome.text, f"lisa's is not named: {outcome.text}")
        return outcome.out.splitlines()[0]


def request(uid: int, cause: int = 4, name: str = "alice@contoso.com") -> bytes:
    return wire.frame(0x0601, struct.pack(">IH", uid, cause) + wire.string(name))


@case("P11", "end-sessions has CAP_KILL alone, takes requests of the daemon only, and ends no root, system or local account")
def program(env: BootedEnvironment) -> str:
    host, lisa = env.vm, env.lisa
    machine = host.machine
    theirs = 1900000000
    machine.must("useradd", "-u", str(theirs), "-M", "-s", "/bin/sh", "inrange")
    sleeper = subprocess.Popen(machine.argv(["sleep", "4716"], user="inrange"))
    wait_for(lambda: bool(of(host, theirs)), "the local account's process")
    lisas = subprocess.Popen(lisa.argv("-p", str(host.port), "lisa@127.0.0.1", "sleep 4717"),
                             stderr=subprocess.DEVNULL)
    wait_for(lambda: machine.run("pgrep", "-f", "^sleep 4717").ok, "lisa's process")

    def ask(frame: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(20)
            s.connect(SOCKET)
            try:
                s.send(frame)
                return s.recv(4096)
            except (BrokenPipeError, ConnectionResetError):  # closed before it was read
                return b""

    try:
        local = int(machine.must("id", "-u", "lisa").out)
        for uid in (0, 1, 33, 999, local, 65534, 0xFFFFFFFF, theirs, 1879048192, 1879049215, 2147352576):
            reply = machine.inside(partial(ask, request(uid)), "entralogin")
            equal(struct.unpack(">H", reply[12:14])[0], 4, f"the status for uid {uid}")
        for frame in (request(theirs)[:-1], request(theirs) + b"\0", request(1900000001, 0), request(1900000001, 6), b""):
            equal(machine.inside(partial(ask, frame), "entralogin"), b"", f"the answer to {frame!r}")
        for user in ("lisa", "nobody", "entralogin-ssh", "entralogin-audit", UNIT):
            outcome = machine.run("setpriv", f"--reuid={user}", "--clear-groups", "test", "-w", SOCKET)
            require(not outcome.ok, f"{user} may open {SOCKET}")
        equal(machine.inside(lambda: ask(request(1900000001)), "root"), b"", "the answer to root")
        require(lisas.poll() is None and sleeper.poll() is None and bool(of(host, theirs)), "a local process was ended")
        pid = machine.main_pid(f"{UNIT}.service")
        status = dict(line.split(":\t", 1) for line in machine.read(f"/proc/{pid}/status").splitlines() if ":\t" in line)
        equal({status[f"Cap{part}"] for part in ("Prm", "Eff", "Bnd", "Amb")}, {MAY_KILL}, "capabilities")
        equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "privileges")
        return f"11 uids refused; {status['VmRSS'].strip()} resident"
    finally:
        sleeper.kill()
        lisas.kill()
        machine.must("userdel", "-f", "inrange")
