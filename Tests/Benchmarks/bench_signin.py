# SPDX-License-Identifier: Apache-2.0
"""A warm sign-in compared with the same sshd without entralogin, and the helper compared with a bare exchange."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from environment import Environment
from figures import Figure, at_most, floor_inside
from no_effects import HELPER, KIND
from simulator.certificates import Template, sign
from simulator.sshkeys import make_key, public_line
from testbed import Machine, Person
from testbed.checks import admitted, require
from testbed.person import local_person

PAIRS, ROUNDS = 40, 5  # another round only if all earlier ones were beyond the limit, because the machine is shared
PLAIN_PORT = 2299
SIGN_IN_LIMIT, HELPER_LIMIT = 1.10, 3.0
FLOOR_SOCKET = "/run/floor.sock"


def plain_machine(env: Environment) -> tuple[Machine, Person]:
    """A machine without entralogin: a local user, a plain certificate, a principals command that checks nothing."""
    machine = env.testbed.machine("plain")
    authority = env.testbed.keys / "entra" / "entra-1"
    key = make_key(env.testbed.keys / "plain")
    person = local_person("plain", env.testbed.scratch / "people" / "plain", env.testbed.keys, "")
    machine.must("useradd", "--create-home", "--shell", "/bin/bash", "plain")
    template = Template.entra(env.testbed.directory.principals["bob"], "c0ffee00-0000-4000-8000-0000c0470500")
    line = sign(authority, public_line(key), replace(template, principals=("plain",)))
    command = floor_inside(env, machine, "principals")
    machine.write("/etc/ssh/plain-ca.pub", public_line(authority) + "\n")
    machine.write("/etc/ssh/sshd_config.d/50-administrator.conf",
                  "PermitRootLogin yes\nMaxStartups 200\nMaxAuthTries 20\nLoginGraceTime 30\n"
                  f"TrustedUserCAKeys /etc/ssh/plain-ca.pub\nAuthorizedPrincipalsCommand {command} %u %U %h %t %k\n"
                  "AuthorizedPrincipalsCommandUser nobody\n")
    machine.start_sshd(PLAIN_PORT)
    return machine, replace(person, identity=key).holding(line, "plain")


def pairs(env: Environment, port: int, entra: Person, plain: Person) -> tuple[float, float, float]:
    """The medians with entralogin and without it in milliseconds, and the median of the ratios within pairs."""
    with_us: list[float] = []
    without: list[float] = []
    for turn in range(PAIRS):
        for side in ((0, 1) if turn % 2 else (1, 0)):
            outcome = entra.ssh("true", port=port) if side else plain.ssh("true", port=PLAIN_PORT)
            admitted(outcome)
            (with_us if side else without).append(outcome.milliseconds)
    ratio = statistics.median(a / b for a, b in zip(with_us, without, strict=True))
    return statistics.median(with_us), statistics.median(without), ratio


def warm_sign_in(env: Environment) -> list[Figure]:
    machine, plain = plain_machine(env)
    with env.fresh("warm", bare=True) as host:
        person = env.newcomer()
        for _ in range(3):  # makes the account, its home and a cached decision
            admitted(host.ssh(person, "true"))
            admitted(plain.ssh("true", port=PLAIN_PORT))
        asked = host.questions()
        seen = []
        for _ in range(ROUNDS):
            seen.append(pairs(env, host.port, person, plain))
            if seen[-1][2] <= SIGN_IN_LIMIT:
                break
        require(host.questions() == asked, "a warm sign-in asked Azure")
    machine.stop()
    entra, without, ratio = min(seen, key=lambda s: s[2])
    return [at_most("warm sign-in, entralogin / plain certificate", ratio, SIGN_IN_LIMIT,
                    f"{ratio:.3f} (median of {PAIRS} pairs; {entra:.0f} ms / {without:.0f} ms; "
                    f"rounds: {', '.join(f'{s[2]:.3f}' for s in seen)})")]


@contextmanager
def floor_server(env: Environment, machine: Machine, *arguments: str) -> Iterator[None]:
    """Runs floors/server.c on the machine until the block ends."""
    program = floor_inside(env, machine, "server", "-lcrypto")
    machine.remove(FLOOR_SOCKET)
    process = subprocess.Popen(machine.argv([program, FLOOR_SOCKET, *arguments]), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        require(process.stdout.readline() == "ready\n", "the floor's server does not start")
        yield
    finally:
        process.terminate()
        process.wait()


def helper(env: Environment) -> list[Figure]:
    """The helper's whole run with a valid certificate, in turn with floors/exchange.c, a bare exchange of one frame."""
    with env.fresh("helper", bare=True) as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        assert person.certificate is not None
        body = person.certificate.read_text().split()[1]
        machine = host.machine
        timed, exchange = (floor_inside(env, machine, name) for name in ("timed", "exchange"))
        call = [HELPER, person.login, str(machine.uid(person.login)), machine.home(person.login), KIND, body]
        printed = machine.must(*call).out
        require(printed == f"{person.login}\n", f"the helper prints {printed!r}")
        seen = []
        with floor_server(env, machine):
            for _ in range(ROUNDS):
                lines = machine.must(timed, "300", *call, "--", exchange, FLOOR_SOCKET).out.split()
                require(lines[1] == lines[3] == "0", f"some failed: {lines}")
                seen.append((float(lines[0]), float(lines[2])))
                if seen[-1][0] <= HELPER_LIMIT * seen[-1][1]:
                    break
    entra, bare = min(seen, key=lambda s: s[0] / s[1])
    return [at_most("helper, start to end / a bare exchange", entra / bare, HELPER_LIMIT,
                    f"{entra / bare:.2f} (medians of 300 in turn: {entra:.0f} µs / {bare:.0f} µs)")]
