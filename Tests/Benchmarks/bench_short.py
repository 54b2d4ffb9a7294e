# SPDX-License-Identifier: Apache-2.0
"""The cost of short names (`ShortNames=`) for all other users in the name service and in PAM, and the cost without them."""

from __future__ import annotations

from bench_counts import calls
from cells import Cell, best, measured
from contestants import LIBRARIES, entralogin_alone
from environment import Environment
from figures import Figure, at_most
from short_environment import short, short_names
from testbed import Machine
from testbed.asking import place
from testbed.checks import admitted
from testbed.compiled import placed

ACCOUNTS, ROUNDS = 500, 5
# A lookup that finds nothing opens, checks and reads the published file, or compares the copy that the process keeps.
FOREIGN_LIMIT, FIRST_LIMIT, LOCAL_PAM_LIMIT = 1.2, 8, 12
STRANGER_LIMIT = 2  # root's lookup makes one system call more than a hit: it reads its command name
SERVICES = {"bench-none": "", "bench-off": "pam_entralogin.so", "bench-on": "pam_entralogin.so short_names"}
LOOK_UPS = 128


def second_call(machine: Machine, program: str, user: str) -> int:
    """System calls of the second lookup of a foreign name, when the process keeps no copy yet. The first loads the module."""

    def count(repeats: int) -> int:
        machine.must("strace", "-f", "-o", "/tmp/calls", program, "ls", input="name nosuchuser\n" * repeats, user=user)
        return len(machine.read("/tmp/calls").splitlines())

    machine.shell("rm -f /tmp/calls")
    return count(2) - count(1)


def in_pam(machine: Machine, client: str, service: str) -> float:
    """System calls of one account stage of a local user."""

    def count(stages: int) -> int:
        machine.must("strace", "-f", "-o", "/tmp/pam-calls", client, "client", service, "lisa", "0", *["account"] * stages)
        return len(machine.read("/tmp/pam-calls").splitlines())

    return (count(LOOK_UPS + 1) - count(1)) / LOOK_UPS


def short_name_calls(env: Environment) -> list[Figure]:
    plain = env.testbed.machine("plain-short")
    with short_names(env, "shortcalls") as host:
        machine, scratch = host.machine, env.testbed.scratch / "programs"
        person = env.newcomer()
        admitted(host.ssh(short(person), "true"))
        ours_, theirs = place(machine, scratch), place(plain, scratch)
        foreign = {}
        for question in ("name nosuchuser", "uid 60123", "groups nosuchuser", "groups root"):
            foreign[question] = calls(machine, ours_, question, "lisa") - calls(plain, theirs, question, "nobody")
        first = second_call(machine, ours_, "lisa") - second_call(plain, theirs, "nobody")
        client = placed(machine, "pam.c", scratch, "-lpam")
        for service, line in SERVICES.items():
            ours_line = f"account [success=ok ignore=ignore default=die] {line}\n" if line else ""
            machine.write(f"/etc/pam.d/{service}", f"{ours_line}account required pam_permit.so\n")
        pam = {service: in_pam(machine, client, service) for service in SERVICES}
    plain.stop()
    off, on = (pam[service] - pam["bench-none"] for service in ("bench-off", "bench-on"))
    worst = max(foreign.values())
    return [at_most("short names: system calls, a foreign name, number or user's groups", round(worst, 1), FOREIGN_LIMIT,
                    ", ".join(f"{q} {n:+.1f}" for q, n in foreign.items())),
            at_most("short names: the same of a process that has not asked before", first, FIRST_LIMIT, str(first)),
            at_most("short names: system calls, a local user's account stage in PAM", round(on, 1), LOCAL_PAM_LIMIT,
                    f"{on:.1f}, without short names {off:.1f}")]


def short_name_strangers(env: Environment) -> list[Figure]:
    module = f"{LIBRARIES}/libnss_entralogin_short.so.2:entralogin_short"
    with entralogin_alone(env, ACCOUNTS) as (mine, _):
        def cell(route: str, operation: str) -> Cell:
            taken = [measured(mine, route, operation, 1) for _ in range(ROUNDS)]
            return best([one for one in taken if one is not None])

        off, on, hit = cell(mine.module, "missing"), cell(module, "missing"), cell(mine.module, "name")
    return [at_most("short names: another user's name / an account by name", on.median / hit.median, STRANGER_LIMIT,
                    f"{on.median:.0f} ns / {hit.median:.0f} ns; without short names {off.median:.0f} ns")]
