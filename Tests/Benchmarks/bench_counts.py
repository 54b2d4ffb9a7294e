# SPDX-License-Identifier: Apache-2.0
"""Figures that do not depend on other work on the machine: system calls, instructions, sizes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from environment import STATE, Environment
from figures import Figure, at_most, floor
from testbed import Machine
from testbed.asking import place
from testbed.checks import admitted, equal, require
from testbed.installed import REPOSITORY

SIZE_LIMIT_KIB = 48
PAM_SIZE_LIMIT_KIB = 60  # it includes the reader of the published files
PROGRAMS = ("libnss_entralogin.so.2", "libnss_entralogin_short.so.2", "pam_entralogin.so", "sudo_entralogin.so",
            "authorized-principals")
HIT_CALLS_LIMIT = 1.2
HIT_INSTRUCTIONS_LIMIT, FOREIGN_INSTRUCTIONS_LIMIT = 2_500, 250


def calls(machine: Machine, program: str, question: str, user: str | None) -> float:
    """System calls of one lookup, once the process has loaded everything. The check of the published file's path does not
    count: the module makes it once in 10 ms, so more often in lookups that strace or other work makes slow."""

    def count(repeats: int) -> int:
        machine.must("strace", "-f", "-o", "/tmp/calls", program, "ls", input=f"{question}\n" * repeats, user=user)
        return sum("/nss/" not in line for line in machine.read("/tmp/calls").splitlines())

    machine.shell("rm -f /tmp/calls")
    # The program's own calls cancel out in the callers' differences: one write a line, and one read for each 4 KiB.
    return (count(192) - count(64)) / 128


def system_calls(env: Environment) -> list[Figure]:
    plain = env.testbed.machine("plain-calls")
    with env.fresh("calls", bare=True) as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        scratch = env.testbed.scratch / "programs"
        entra, theirs = place(host.machine, scratch), place(plain, scratch)
        questions = {"name nosuchuser": 0.0, "name Upper": 0.0, "uid 60123": 0.0, "groups nosuchuser": 0.0}
        for question in questions:
            questions[question] = (calls(host.machine, entra, question, "lisa")
                                   - calls(plain, theirs, question, "nobody"))
        miss = calls(host.machine, entra, "name nosuchuser", "lisa")
        by_name = calls(host.machine, entra, f"name {person.login}", "lisa") - miss
        by_uid = calls(host.machine, entra, f"uid {host.machine.uid(person.login)}", "lisa") - miss
        no_groups = calls(host.machine, entra, "groups nosuchuser", "lisa")
        groups = calls(host.machine, entra, f"groups {person.login}", "lisa") - no_groups
    plain.stop()
    foreign = max(questions.values())
    return [at_most("system calls, foreign name or id, beyond a machine without us", round(foreign, 1), 0,
                    ", ".join(f"{q} {n:+.1f}" for q, n in questions.items())),
            at_most("system calls, an Entra account by name", round(by_name, 1), HIT_CALLS_LIMIT, f"{by_name:.1f}"),
            at_most("system calls, an Entra account by uid", round(by_uid, 1), HIT_CALLS_LIMIT, f"{by_uid:.1f}"),
            at_most("system calls, the groups of an Entra account", round(groups, 1), HIT_CALLS_LIMIT, f"{groups:.1f}")]


def instructions(env: Environment) -> list[Figure]:
    """Callgrind counts them inside the module's own function, with the published file of a machine at its usual path."""
    with env.fresh("instructions", bare=True) as host:
        people = [env.newcomer() for _ in range(3)]
        for person in people:
            admitted(host.ssh(person, "true"))
        snapshot = host.machine.path(f"{STATE}/nss/accounts.snapshot").read_bytes()
    hit = counted(env, snapshot, people[0].login, 1)
    foreign = counted(env, snapshot, "postgres", 0)
    return [at_most("instructions, getpwnam of an Entra account", hit, HIT_INSTRUCTIONS_LIMIT, f"{hit:.0f}"),
            at_most("instructions, getpwnam of a foreign name", foreign, FOREIGN_INSTRUCTIONS_LIMIT, f"{foreign:.0f}")]


def counted(env: Environment, snapshot: bytes, name: str, status: int) -> float:
    """Instructions of one lookup, from the difference between 30 lookups and 10."""
    return (run_counted(env, snapshot, name, status, 30) - run_counted(env, snapshot, name, status, 10)) / 20


def run_counted(env: Environment, snapshot: bytes, name: str, status: int, repeats: int) -> int:
    folder = env.testbed.scratch / "callgrind"
    folder.mkdir(exist_ok=True)
    (folder / "accounts.snapshot").write_bytes(snapshot)
    library = REPOSITORY / "build" / PROGRAMS[0]
    script = (f"mount -t tmpfs state /var/lib && install -D -m 644 {folder}/accounts.snapshot "
              f"{STATE}/nss/accounts.snapshot && exec valgrind --tool=callgrind --callgrind-out-file=/dev/null "
              f"--toggle-collect=_nss_entralogin_getpwnam_r {floor(env, 'module', '-ldl')} {library} {repeats} "
              f"{name}")
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
                          capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"valgrind: {done.stdout}{done.stderr}")
    equal(done.stdout.strip(), str(status), f"status of {name}")
    found = re.search(r"Collected : (\d+)", done.stderr)
    require(found is not None, f"valgrind says {done.stderr}")
    assert found is not None
    return int(found[1])


def sizes(_: Environment) -> list[Figure]:
    built: dict[str, Path] = {name: REPOSITORY / "build" / name for name in PROGRAMS}
    figures = [at_most(f"size of {name}, KiB", path.stat().st_size / 1024,
                       PAM_SIZE_LIMIT_KIB if name == "pam_entralogin.so" else SIZE_LIMIT_KIB,
                       f"{path.stat().st_size / 1024:.1f}") for name, path in built.items()]
    daemon, tool = (REPOSITORY / "build" / name for name in ("entralogind", "entraloginctl"))
    return [*figures, Figure("size of daemon and tool, MiB",
                             f"{daemon.stat().st_size / 2**20:.1f}, {tool.stat().st_size / 2**20:.1f}")]
