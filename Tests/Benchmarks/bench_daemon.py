# SPDX-License-Identifier: Apache-2.0
"""The daemon itself: certificate checks a second, memory after many sign-ins, time until it is ready."""

from __future__ import annotations

import statistics
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from bench_signin import FLOOR_SOCKET, floor_server
from environment import Environment, Host
from figures import Figure, at_least, at_most, floor_inside
from no_effects import KIND
from testbed import Person, wire
from testbed.checks import admitted, require
from testbed.stalls import TRIES

FRAMES, CLIENTS = 10_000, 4
# The limit leaves room for other work on the machine. On a slower machine the share of the floor's rate counts: measured 0.25.
FRAMES_GOAL, FRAMES_LIMIT, SHARE_LIMIT = 2000, 1500, 0.15
ROUNDS = 3
PEOPLE, AT_ONCE = 200, 8
SIGN_INS, MANY_SIGN_INS = 300, 1000
OUT_OF_TIME = "could not be reached to check your role"
HOUSEKEEPING_S = 10
MEMORY_LIMIT_MIB, READY_LIMIT_MS = 24, 100


def check_request(host: Host, person: Person) -> bytes:
    """The helper's request for this person. Its last four bytes are the caller's process id, which load.c fills in."""
    assert person.certificate is not None
    payload = (wire.string(person.login) + struct.pack(">I", host.machine.uid(person.login))
               + wire.string(host.machine.home(person.login)) + wire.string(KIND)
               + wire.string(person.certificate.read_text().split()[1]) + struct.pack(">I", 0))
    return wire.frame(wire.NUMBERS["CHECK_CERTIFICATE"], payload)


def certificates_a_second(env: Environment) -> list[Figure]:
    with env.fresh("load", bare=True) as host:
        person, machine = env.newcomer(), host.machine
        admitted(host.ssh(person, "true"))
        load = floor_inside(env, machine, "load")
        machine.write("/tmp/frame", "")
        machine.path("/tmp/frame").write_bytes(check_request(host, person))

        def rate(path: str) -> tuple[float, int]:
            seen, good, failed = machine.must(load, path, "/tmp/frame", str(FRAMES), str(CLIENTS)).out.split()
            require(failed == "0", f"{failed} exchanges at {path} failed")
            return float(seen), int(good)

        entra = bare = 0.0
        for _ in range(ROUNDS):
            seen, good = rate(wire.PRINCIPALS)
            require(good == FRAMES, f"only {good} of {FRAMES} certificates were found good")
            entra = max(entra, seen)
            with floor_server(env, machine, "verify"):
                bare = max(bare, rate(FLOOR_SOCKET)[0])
            if entra >= FRAMES_GOAL:
                break
        with floor_server(env, machine):
            echo, _ = rate(FLOOR_SOCKET)
    limit = min(FRAMES_LIMIT, SHARE_LIMIT * bare)
    return [at_least("certificate checks a second through the socket", entra, round(limit),
                     f"{entra:.0f}, goal {FRAMES_GOAL} (C with one RSA-2048 check {bare:.0f}, ratio {bare / entra:.2f}; "
                     f"C echo {echo:.0f})"),
            Figure("one certificate check, wall", f"{1e6 / entra:.0f} µs, of which C needs {1e6 / bare:.0f} µs")]


def readiness(env: Environment) -> list[Figure]:
    """The time from exec to READY=1 while no Azure service answers, with one account in the store."""
    with env.fresh("ready", bare=True) as host:
        admitted(host.ssh(env.newcomer(), "true"))
        for endpoint in ("imds", "token", "keys", "signin", "pas", "arm"):
            env.azure.set_fault("silent", endpoint)
        times = []
        for _ in range(7):
            host.service.stop()
            host.service.start()
            times.append(host.service.milliseconds_to_ready)
        env.azure.clear_faults()
    median = statistics.median(times)
    return [at_most("ready after exec, Azure silent, ms", median, READY_LIMIT_MS,
                    f"median {median:.0f}, slowest {max(times):.0f} of {len(times)}")]


def _sampled(take: Callable[[], int], seconds: int) -> Iterator[int]:
    for _ in range(seconds * 2):
        yield take()
        time.sleep(0.5)


def memory(env: Environment) -> list[Figure]:
    return memory_after(env, SIGN_INS)


def memory_of_many(env: Environment) -> list[Figure]:
    return memory_after(env, MANY_SIGN_INS)


def memory_after(env: Environment, sign_ins: int) -> list[Figure]:
    with env.fresh("memory", bare=True) as host:
        people = [env.person(f"user{n}") for n in range(PEOPLE)]
        empty = host.service.resident_kibibytes()

        def sign_in(number: int) -> str:
            # Each person must be able to sign in. On a busy machine an answer may miss PAM's deadline; the person then retries.
            for _ in range(TRIES):
                outcome = host.ssh(people[number % PEOPLE], "true", timeout=120)
                if outcome.ok or OUT_OF_TIME not in outcome.text:
                    break
            return "" if outcome.ok else outcome.text

        with ThreadPoolExecutor(AT_ONCE) as pool:
            failures = [text for text in pool.map(sign_in, range(sign_ins)) if text]
        require(not failures, f"{len(failures)} of {sign_ins} sign-ins failed: {failures[:2]}")
        # The least value is the one at rest: every 10 s the daemon frees memory that it does not need.
        full = min(resident for resident in _sampled(host.service.resident_kibibytes, HOUSEKEEPING_S + 2))
    return [at_most(f"resident memory after {sign_ins:,} sign-ins of {PEOPLE} people, MiB", full / 1024, MEMORY_LIMIT_MIB,
                    f"{full / 1024:.1f} (at the start {empty / 1024:.1f})")]
