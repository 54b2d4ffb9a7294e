# SPDX-License-Identifier: Apache-2.0
"""P10, P11 and P14: foreign namespaces, passed descriptors, links in the daemon's folder, folders that are full."""

from __future__ import annotations

import array
import os
import socket
import struct
import time

from case import case
from environment import Environment, Host
from roles import administrator, session_around
from testbed import wire
from testbed.checks import Wrong, admitted, equal, require
from testbed.installed import CONFIGURE
from testbed.machine import wait_for

AS_DAEMON = ("setpriv", "--reuid=entralogin", "--regid=entralogin", "--clear-groups", "sh", "-c")
SECRET = "root-keeps-this-to-itself"


def passing(frame: bytes) -> tuple[int, list[str]]:
    """Opens connections that each pass 250 descriptors, as long as the kernel accepts them; returns how many, and the daemon's
    answers."""
    null = array.array("i", [os.open("/dev/null", os.O_RDONLY) for _ in range(250)])
    clients, said = [], []
    for turn in range(200):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.settimeout(5)
        client.connect(wire.PRINCIPALS)
        try:
            client.sendmsg([frame if turn % 2 else b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, null)])
            clients.append(client)
        except OSError:  # ETOOMANYREFS: the kernel's own limit of descriptors in flight
            client.close()
    for client in clients:
        try:
            said.append("an answer" if client.recv(4096) else "closed")
        except OSError as error:
            said.append(type(error).__name__)
    return len(clients), said


def as_root() -> str:
    """The kernel's answer to a process that claims to be root."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(wire.PRINCIPALS)
        claim = struct.pack("iII", os.getpid(), 0, 0)
        try:
            client.sendmsg([wire.requests()["USERS"]], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, claim)])
        except PermissionError:
            return "PermissionError"
        return "sent"


@case("P10", "descriptors and false credentials passed to the daemon stay with the sender", attack="F25")
def passed(env: Environment) -> str:
    host, user = env.vm, env.newcomer()
    admitted(host.ssh(user, "true"))
    folder = f"/proc/{host.service.pid}/fd"
    before = len(os.listdir(folder))
    frame = wire.requests()["CHECK_CERTIFICATE"]
    sent, said = host.machine.inside(lambda: passing(frame), "entralogin-ssh")
    require(sent >= 50, f"only {sent} messages were sent")
    require("TimeoutError" not in said and "an answer" in said, f"the daemon said {set(said)}")
    wait_for(lambda: len(os.listdir(folder)) <= before + 4, "the end of the connections")
    kept = [n for n in os.listdir(folder) if int(n) > 2 and os.readlink(f"{folder}/{n}") == "/dev/null"]
    equal(kept, [], "descriptors that the daemon keeps")
    equal(host.machine.inside(as_root, "entralogin-ssh"), "PermissionError", "credentials of root's, sent by the helper's user")
    admitted(host.ssh(user, "true"))
    return f"{sent} messages with 250 descriptors each; {before} are open before, {len(os.listdir(folder))} after"


# lisa's own namespaces, in which she is root and owns entralogin's files. The script looks up the user there, tries sudo,
# writes its process id to /tmp/number, and serves control.sock.
OWN_WORLD = r"""
cp /var/lib/entralogin/nss/accounts.snapshot /tmp/copy
cat >/tmp/server <<'END'
use Socket;
socket(my $s, AF_UNIX, SOCK_SEQPACKET, 0); bind($s, sockaddr_un("/run/entralogin/control.sock")) or die; listen($s, 5);
open F, ">/tmp/ready"; close F;
while (accept(my $c, $s)) { open F, ">/tmp/asked"; close F; sysread($c, my $b, 5000); syswrite($c, "\0" x 64) }
END
exec unshare -Urm sh -c 'mount -t tmpfs a /run/entralogin && mount -t tmpfs b /var/lib/entralogin &&
  mkdir -p /run/entralogin/nss /var/lib/entralogin/nss && cp /tmp/copy /var/lib/entralogin/nss/accounts.snapshot &&
  id -u "$0" && sudo -n id -u; echo $$ >/tmp/number; exec perl /tmp/server' "$1"
"""


@case("P11", "root in a user's own mount namespace, where entralogin's files are that user's, believes none of them",
      attack="F26")
def own_world(env: Environment) -> str:
    with env.fresh("abroad") as host:
        machine, user = host.machine, env.newcomer()
        admitted(host.ssh(user, "true"))
        machine.write("/tmp/world", OWN_WORLD, 0o755)
        running = env.aside(host.ssh, env.lisa, f"sh /tmp/world {user.login}", timeout=120)
        wait_for(lambda: machine.path("/tmp/ready").exists() or running.done(), "lisa's namespace")
        require(not running.done(), f"it ended: {running.result(0).text if running.done() else ''}")
        inside = ("nsenter", "--mount", f"--target={machine.read('/tmp/number').strip()}")
        commands = (("id", user.login), ("getent", "passwd", user.login), ("su", user.login, "-c", "id"),
                    ("entraloginctl", "status"))
        seen = {" ".join(command): machine.run(*inside, *command) for command in commands}
        for command, outcome in seen.items():
            require(not outcome.ok and outcome.milliseconds < 10_000, f"root's {command} works there: {outcome.text}")
        equal(machine.run(*inside, "id", "-u", "lisa").out, f"{machine.uid('lisa')}\n", "root's id of a local user there")
        require(not machine.path("/tmp/asked").exists(), "root asked lisa's server")
        machine.run("kill", machine.read("/tmp/number").strip())
        said = running.result(60).out
        require(str(machine.uid(user.login)) in said.split(), f"lisa's own id does not believe her file either: {said}")
        require("0" not in said.split(), f"sudo in her namespace: {said}")
    return "unknown to root there; lisa's own id believes her file, and makes nobody anything"


def plants(host: Host) -> list[tuple[str, str]]:
    """Shell commands with which an attacker who has the daemon's rights replaces files; each with the path of its file."""
    names = ("accounts", "machine", "sign-ins", "ssh/trusted_user_ca_keys", "nss/accounts.snapshot")
    paths = [f"/var/lib/entralogin/{name}" for name in names] + ["/run/entralogin/nss/grants.snapshot"]
    return [(path, f"{what} {path}") for path in paths for what in ("ln -s /root/secret", "ln -s /dev/zero", "mkfifo", "mkdir")]


@case("P11", "links, FIFOs and folders of the daemon's owner: root's tool follows none, shows nothing and never waits",
      deep=True, attack="F27")
def links(env: Environment) -> str:
    commands = (("doctor",), ("users", "list"), ("keys",), ("keys", "--publish"), ("export",), ("stack", "--stamp"), ("metrics",))
    with env.fresh("links") as host:
        machine = host.machine
        machine.write("/root/secret", f"{SECRET}:x\n", 0o600)
        admitted(host.ssh(env.newcomer(), "true"))
        equal(machine.run("cat", "/root/secret").out, f"{SECRET}:x\n", "what root would read by following a link")
        host.service.stop()
        for path, plant in plants(host):
            require(machine.run(*AS_DAEMON, f"mv {path} {path}.was; {plant}").ok, f"{plant}: not done")
            for command in commands:
                outcome = host.tool(*command)
                if SECRET in outcome.text or outcome.status == 124:
                    raise Wrong(f"{plant}: {command} says {outcome.text[-300:]}")
            machine.must(*AS_DAEMON, f"rm -rf {path}; mv {path}.was {path}")
        machine.must(*AS_DAEMON, "cd /var/lib/entralogin; for f in ssh nss; do mv $f $f.was; ln -s /root $f; done")
        machine.run(CONFIGURE, "--enable")
        machine.run("systemd-tmpfiles", "--create", "entralogin.conf")
        equal(machine.must("stat", "-c", "%u %a", "/root", "/root/secret").out, "0 700\n0 600\n", "owner and mode of root's own")
    return f"{len(plants(host))} plants, {len(commands)} commands each"


@case("P14", "no room for one more file where grants and accounts are kept: a role that is gone ends sudo, enrolled users get in",
      attack="F28")
def no_inodes(env: Environment) -> str:
    with env.fresh("inodes") as host:
        machine, user, late = host.machine, env.newcomer(), env.newcomer()
        person, begun = administrator(env), time.monotonic()
        admitted(host.ssh(user, "true"))
        admitted(host.ssh(person, "true"))
        for folder, count in (("/run/entralogin/nss", 6), ("/var/lib/entralogin", 14)):
            machine.must("sh", "-c", f"cp -a {folder} /tmp/kept && mount -t tmpfs -o nr_inodes={count},mode=755 kept {folder} && "
                         f"chown entralogin: {folder} && cp -a /tmp/kept/. {folder}/ && rm -r /tmp/kept")

        def full() -> None:
            script = ("for d in /run/entralogin/nss /var/lib/entralogin; do cd $d; i=0; "
                      "while touch i$i; do i=$((i + 1)); done; done")
            machine.run("sh", "-c", script)
            env.withdraw(person)
            host.flush()

        outcome = session_around(env, host, person, "sudo -n id -u", full, "sudo -n id -u; getent group entra_admins")
        equal(outcome.lines()[0], "0", f"sudo before ({outcome.text})")
        require(outcome.lines().count("0") == 1 and person.login not in outcome.lines()[-1], f"still a member: {outcome.text}")
        admitted(host.ssh(user, "id -un"), f"{user.login}\n")
        refused = host.ssh(late, "echo arrived")
        require("arrived" not in refused.text and "could not record your account" in refused.text, refused.text)
        doctor = host.tool("doctor").text
        require("disk of that file" in " ".join(doctor.split()), f"doctor: {doctor[-900:]}")
        machine.run("sh", "-c", "rm -f /run/entralogin/nss/i* /var/lib/entralogin/i*")
        admitted(host.ssh(late, "id -un"), f"{late.login}\n")
    return f"refused, let in, explained; with room again the first sign-in works ({time.monotonic() - begun:.0f} s)"
