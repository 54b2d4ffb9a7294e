# SPDX-License-Identifier: Apache-2.0
"""P10, P11 and P13: which callers may ask what, which servers entralogin's own programs talk to, and malformed messages."""

from __future__ import annotations

import ctypes
import os
import random
import resource
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from case import case
from environment import Environment, Host
from no_effects import HELPER
from testbed import pam, wire
from testbed.asking import ask
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

SOCKETS = (wire.CONTROL, wire.PRINCIPALS)
REFUSAL = {"FORBIDDEN", "PermissionError", "closed", "MALFORMED"}


def add_nobody(host: Host) -> None:
    if not any(line.startswith("stranger:") for line in host.machine.read("/etc/passwd").splitlines()):
        host.machine.must("useradd", "--no-create-home", "stranger")


@case("P10", "other users reach neither socket, with any verb")
def other_users(env: Environment) -> str:
    host = env.vm
    admitted(host.ssh(env.person("alice"), "true"))
    add_nobody(host)
    for user in ("lisa", "stranger", "daemon"):
        for path in SOCKETS:
            seen = host.machine.inside(partial(wire.ask_all, path), user)
            equal(set(seen.values()), {"PermissionError"}, f"{user} at {path}")
    return f"3 users, 2 sockets, {len(wire.requests())} verbs: connect(2) is refused"


@case("P10", "the helper's user may check certificates and nothing else")
def helper_user(env: Environment) -> str:
    host = env.vm
    admitted(host.ssh(env.person("alice"), "true"))
    control = host.machine.inside(lambda: wire.ask_all(wire.CONTROL), "entralogin-ssh")
    equal(set(control.values()), {"PermissionError"}, "control socket")
    principals = host.machine.inside(lambda: wire.ask_all(wire.PRINCIPALS), "entralogin-ssh")
    own = principals.pop("CHECK_CERTIFICATE")
    require(own in {"REFUSED", "NOT_FOUND", "UNAVAILABLE"}, f"a bad certificate gets {own}")
    require(set(principals.values()) <= REFUSAL, f"principals socket: {principals}")
    return f"{len(principals)} verbs forbidden"


@case("P10", "the daemon's own user may ask nothing, and root at the helper's socket about certificates only")
def own_user(env: Environment) -> str:
    host = env.vm
    admitted(host.ssh(env.person("alice"), "true"))
    for path in SOCKETS:
        seen = host.machine.inside(partial(wire.ask_all, path), "entralogin")
        equal(set(seen.values()), {"FORBIDDEN"}, f"entralogin at {path}")
    principals = host.machine.inside(lambda: wire.ask_all(wire.PRINCIPALS))
    require(principals.pop("CHECK_CERTIFICATE") in {"REFUSED", "NOT_FOUND"}, "root may not run the helper")
    equal(set(principals.values()), {"FORBIDDEN"}, "root at the principals socket")
    control = host.machine.inside(lambda: wire.ask_all(wire.CONTROL, "nobody@contoso.com"))
    require("FORBIDDEN" not in control.values(), f"root at the control socket: {control}")
    return f"{len(control)} verbs: {control}"


@case("P10", "an Entra administrator's own processes (not through sudo) reach neither socket")
def administrators(env: Environment) -> str:
    alice = env.person("alice")
    script = f"ls -l {wire.CONTROL} {wire.PRINCIPALS} | cut -c1-10; entraloginctl status; echo $?"
    outcome = env.vm.ssh(alice, script)
    lines = outcome.lines()
    equal(sorted(lines[:2]), ["srw-------", "srw-rw----"], outcome.text)
    require(lines[-1] != "0", f"entraloginctl status works for her: {outcome.text}")
    return outcome.err.strip()[:160]


def garbage() -> list[bytes]:
    letters = random.Random(10)
    good = list(wire.requests().values())
    made = [b"", b"\0", good[0][:5], good[0][:12], good[0][:-1], good[0] + b"\0", good[0] + good[1],
            wire.frame(0x0101, b"", length=0xFFFFFFFF), wire.frame(0x0101, b"\xff\xff" + b"a" * 10),
            wire.frame(0x7FFF, b""), wire.frame(0x8101, b""), wire.frame(0x0401, b"", magic=0),
            wire.frame(0x0301, b"\0" * 60_000), b"A" * 70_000, b"GET / HTTP/1.1\r\n\r\n"]
    made += [bytes(letters.randrange(256) for _ in range(letters.randrange(1, 300))) for _ in range(300)]
    for frame in good:
        for _ in range(40):
            mutated = bytearray(frame)
            for _ in range(letters.randint(1, 4)):
                mutated[letters.randrange(len(mutated))] = letters.randrange(256)
            made.append(bytes(mutated))
    # Leaves out frames that chance made a valid request to change something: to flush, to add, retire, rebind, rename, lock or
    # unlock an account, to end its sessions, or to give it another shell or home.
    orders = [b"\x04" + bytes([low]) for low in (0x05, 0x06, 0x08, 0x09, 0x0d, 0x0e, 0x10, 0x12, 0x13, 0x16)]
    return [m for m in made if m[6:8] not in orders or len(m) < 12]


@case("P13", "garbage, short, long and changed frames are refused, and the daemon goes on")
def garbage_frames(env: Environment) -> str:
    host = env.vm
    admitted(host.ssh(env.person("alice"), "true"))
    before, frames = host.rest(), garbage()
    statuses = host.machine.inside(lambda: [wire.ask(wire.CONTROL, frame) for frame in frames])
    counts = {status: statuses.count(status) for status in sorted(set(statuses))}
    require("MALFORMED" in counts and "silent" not in counts, f"answers {counts}")
    equal(host.machine.inside(lambda: wire.ask(wire.CONTROL, wire.frame(0x0401, b"", version=999))), "VERSION",
          "another version")
    equal(host.state(), before, "the state folder")
    admitted(host.ssh(env.person("alice"), "true"))
    return f"{len(frames)} frames: {counts}"


def connections(path: str, question: bytes) -> list[socket.socket]:
    """Opens a thousand connections, or as many as possible; every fourth asks something and never reads the answer."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    made: list[socket.socket] = []
    for number in range(1000):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.settimeout(1)
        try:
            client.connect(path)
            if number % 4 == 0:
                client.send(question)
        except OSError:
            client.close()
            break
        made.append(client)
    return made


@contextmanager
def held(env: Environment, host: Host, path: str, user: str, question: bytes) -> Iterator[None]:
    """Keeps those connections open in a process of that user, inside the block."""
    reader, writer = os.pipe()
    back, answer = os.pipe()

    def hold() -> int:
        made = connections(path, question)
        os.write(answer, b"h")
        os.read(reader, 1)
        return len(made)

    holding = env.aside(host.machine.inside, hold, user)
    try:
        wait_for(lambda: bool(select.select([back], [], [], 0)[0]) or holding.done(), "the connections", 40)
        yield
    finally:
        os.write(writer, b"x")
        count = holding.result(40)
        for end in (reader, writer, back, answer):
            os.close(end)
    require(count >= 500, f"only {count} connections stood")


def nobody_kept_out(env: Environment, host: Host) -> str:
    alice = env.person("alice")
    at_once = host.ssh(alice, "true")
    wait_for(lambda: host.ssh(alice, "true").ok, "alice in")  # silent connections are closed after two seconds
    require(env.lisa.ssh("true", port=host.port).ok, "lisa is kept out")
    require(host.tool("status").ok, "status is not answered")
    return f"alice {'in' if at_once.ok else 'out'} at once, in while they stand"


@case("P13", "1,000 connections of the helper's user, silent or deaf to answers, keep nobody out for long")
def held_by_helper(env: Environment) -> str:
    host = env.vm
    admitted(host.ssh(env.person("alice"), "true"))
    with held(env, host, wire.PRINCIPALS, "entralogin-ssh", wire.requests()["CHECK_CERTIFICATE"]):
        return nobody_kept_out(env, host)


@case("P13", "1,000 connections of root's, silent or deaf to answers, keep nobody out for long")
def held_by_root(env: Environment) -> str:
    host = env.vm
    admitted(host.ssh(env.person("alice"), "true"))
    with held(env, host, wire.CONTROL, "root", wire.requests()["STATUS_REPORT"]):
        return nobody_kept_out(env, host)


@contextmanager
def impostor(host: Host, path: str, listener: str, owner: str, folder: str = "root",
             says: Callable[[bytes], bytes] | None = None) -> Iterator[list[int]]:
    """A false server in the place of entralogin's socket, or where there is none. It answers yes to everything, or what `says`
    returns for the request. `listener` runs it, `owner` owns the socket, `folder` its folder; yields the sizes of requests."""
    heard: list[int] = []
    place = host.machine.path(path)
    away = place.with_name(place.name + ".away")
    stood = place.exists()
    if stood:
        os.rename(place, away)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(str(place))
    os.chown(place, host.machine.uid(owner), -1)
    os.chmod(place, 0o666)
    os.chown(place.parent, host.machine.uid(folder), -1)
    listens = threading.Event()

    def serve() -> None:
        become(host.machine.uid(listener))
        server.listen(16)  # a client's SO_PEERCRED is the process that called this
        listens.set()
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                data = client.recv(1 << 17)
                if data:
                    heard.append(len(data))
                    with suppress(OSError):  # the caller has gone if this was late
                        client.send((says or yes)(data))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    require(listens.wait(30), "the impostor does not listen")
    try:
        yield heard
    finally:
        server.shutdown(socket.SHUT_RDWR)
        thread.join(2)
        server.close()
        os.unlink(place)
        if stood:
            os.rename(away, place)
        os.chown(place.parent, 0, -1)


def become(uid: int) -> None:
    """Changes the uid of this thread only: by the system call, because glibc's function changes all threads."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = {"x86_64": 117, "aarch64": 147}[os.uname().machine]  # setresuid
    if libc.syscall(number, uid, uid, uid) != 0:
        raise OSError(ctypes.get_errno(), "setresuid")


def yes(request: bytes) -> bytes:
    """Answers with root's own record, or simply yes."""
    (opcode,) = struct.unpack(">H", request[6:8])
    ok = struct.pack(">H", 0)
    if opcode == 0x0101:
        name = request[14:14 + struct.unpack(">H", request[12:14])[0]].decode()
        payload = ok + struct.pack(">II", 0, 0) + b"".join(map(wire.string, (name, "", "/root", "/bin/bash")))
    elif opcode == 0x0201:
        name = request[14:14 + struct.unpack(">H", request[12:14])[0]].decode()
        payload = ok + wire.string(name)
    else:
        payload = ok + struct.pack(">H", 0) + wire.string("")
    return wire.frame(opcode | wire.NUMBERS["REPLY"], payload)


@case("P10", "a server that belongs to somebody else, and says yes to everything, is not talked to")
def lying_server(env: Environment) -> str:
    with env.fresh("liar") as host:
        person, unknown = env.newcomer(), env.newcomer()
        admitted(host.ssh(person, "true"))
        for path in SOCKETS:
            for owner, folder in (("root", "root"), ("entralogin", "root"), ("lisa", "lisa")):
                with impostor(host, path, "lisa", owner, folder) as heard:
                    refused(host.ssh(person, "id"))
                    refused(host.ssh(unknown, "id"))
                    if path == wire.CONTROL:
                        answers = ask(host.machine, env.testbed.scratch / "programs", [f"name {unknown.login}"])
                        equal(answers[0].ids, (), "what NSS says")
                        require(not host.tool("status").ok, "entraloginctl status believes it")
                    equal(heard, [], f"frames that the impostor at {path} was sent")
        admitted(host.ssh(person, "true"))
    return "nothing was sent to it; nobody got in; in again afterwards"


@case("P11", "a daemon that lies cannot make anybody root in NSS")
def lying_daemon(env: Environment) -> str:
    with env.fresh("liar-root") as host:
        unknown = env.newcomer()
        with impostor(host, wire.CONTROL, "entralogin", "entralogin") as heard:
            answers = ask(host.machine, env.testbed.scratch / "programs", [f"name {unknown.login}"])
            equal(answers[0].ids, (), "what NSS says")
            wait_for(lambda: len(heard) > 0, "the impostor to be asked: else nothing is tried")
    return "its uid 0 is no answer"


def lies(request: bytes) -> list[bytes]:
    """Invalid answers: to another question, truncated, too long, with values that do not exist."""
    good, (opcode,) = yes(request), struct.unpack(">H", request[6:8])
    reply = opcode | wire.NUMBERS["REPLY"]
    verdict = struct.pack(">HH", 0, 0) + wire.string("")
    return [b"", b"\0", good[:-1], good + b"\0", good + good, wire.frame(0x7FFF, verdict), wire.frame(opcode, verdict),
            wire.frame(reply, struct.pack(">HH", 0, 99) + wire.string("")), wire.frame(reply, struct.pack(">H", 0)),
            wire.frame(reply, verdict, version=999), wire.frame(reply, verdict, magic=1),
            wire.frame(reply, struct.pack(">HH", 0, 0) + b"\xff\xff"), b"\0" * 70_000,
            wire.frame(reply, verdict, length=0xFFFFFFFF)]


@case("P13", "a daemon that answers garbage, cut, too long or to another question: the modules refuse, in time")
def garbage_answers(env: Environment) -> str:
    with env.fresh("lies") as host:
        scratch, person, unknown = env.testbed.scratch / "programs", env.newcomer(), env.newcomer()
        admitted(host.ssh(person, "true"))
        equal(pam.ask(host.machine, scratch, "su", person.login).results["account"], pam.SUCCESS, "su before")
        assert person.certificate is not None
        helper = [HELPER, person.login, str(host.machine.uid(person.login)), host.machine.home(person.login),
                  *person.certificate.read_text().split()[:2]]
        count = len(lies(wire.frame(0x0101, wire.string("a"))))
        for number in range(count):
            def lie(request: bytes, number: int = number) -> bytes:
                return lies(request)[number]
            began = time.monotonic()
            with impostor(host, wire.CONTROL, "entralogin", "entralogin", says=lie) as heard:
                seen = pam.ask(host.machine, scratch, "su", person.login)
                equal(seen.results["account"], pam.UNAVAILABLE, f"su under lie {number}: {seen}")
                equal(ask(host.machine, scratch, [f"name {unknown.login}"])[0].ids, (), f"NSS under lie {number}")
                wait_for(lambda: len(heard) >= 2, "the impostor to hear both questions")
                equal(len(heard), 2, "questions")
            with impostor(host, wire.PRINCIPALS, "entralogin", "entralogin", says=lie):
                done = host.machine.run(*helper, user="entralogin-ssh")
                equal((done.status, done.out), (0, ""), f"the helper under lie {number}")
            require(time.monotonic() - began < 10, f"lie {number} takes long")
        admitted(host.ssh(person, "true"))
    return f"{count} lies to PAM, NSS and helper"


@case("P10", "something else in the place of the daemon's socket: refused at once, local users are not affected")
def no_socket(env: Environment) -> str:
    with env.fresh("taken") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        seen = []
        for what, script in (("a plain file", "touch {path}"), ("a FIFO", "mkfifo {path}"),
                             ("a folder", "mkdir {path}"), ("a link to /dev/null", "ln -s /dev/null {path}")):
            away = f"{wire.CONTROL}.away"
            require(host.machine.shell(f"mv {wire.CONTROL} {away}; " + script.format(path=wire.CONTROL)).ok, what)
            outcome = host.ssh(person, "id")
            refused(outcome)
            require(outcome.milliseconds < 9000, f"{what}: {outcome.milliseconds:.0f} ms")
            require(env.lisa.ssh("true", port=host.port).ok, "lisa is kept out")
            require(host.machine.shell(f"rm -rf {wire.CONTROL}; mv {away} {wire.CONTROL}").ok, "back")
            seen.append(f"{what} {outcome.milliseconds:.0f} ms")
        admitted(host.ssh(person, "true"))
    return ", ".join(seen)
