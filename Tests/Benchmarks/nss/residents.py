# SPDX-License-Identifier: Apache-2.0
"""The accounts that the programs look up, numbered and equivalent in every name service, and the tables that hold them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from testbed import Machine, stored
from testbed.compiled import compiled

SOURCES = Path(__file__).resolve().parent
RECORDS, SAMPLE, STRANGERS = "/run/bench/records", "/run/bench/sample", "/run/bench/strangers"
SAMPLE_SIZE = 1000  # accounts whose groups are looked up: SSSD takes 5 ms for the first answer about each
STRANGER_COUNT = 1000
UIDS, EVERYBODY, TEAMS, TEAM = 2_000_000, 600_000, 600_001, 10  # synthetic.c has the same rule
OUR_UIDS, OUR_STEP = 0x7000_0400, 1009


def name(number: int) -> str:
    return f"user{number:06}_contoso_com"


def our_name(number: int) -> str:
    """A name as long as those in the other name services."""
    return f"user{number:06}@contoso.com"


def our_uid(number: int) -> int:
    return OUR_UIDS + number * OUR_STEP


def passwd_line(number: int) -> str:
    return f"{name(number)}:*:{UIDS + number}:{EVERYBODY}:Contoso User:/home/{name(number)}:/bin/bash\n"


def group_lines(count: int) -> Iterator[str]:
    yield f"everybody:x:{EVERYBODY}:\n"
    for team in range((count + TEAM - 1) // TEAM):
        members = ",".join(name(n) for n in range(team * TEAM, min(count, (team + 1) * TEAM)))
        yield f"team{team:05}:x:{TEAMS + team}:{members}\n"


def record(number: int, entra: bool, groups: int = 2) -> str:
    """A record for lookups.c: name, uid, gid, home, number of groups."""
    if entra:
        return f"{our_name(number)} {our_uid(number)} {our_uid(number)} /home/{our_name(number)} {groups}\n"
    return f"{name(number)} {UIDS + number} {EVERYBODY} /home/{name(number)} {groups}\n"


def store(count: int) -> str:
    """The daemon's store with `count` accounts. The daemon publishes them in the files that the module reads."""
    return stored.store((our_name(number), our_uid(number)) for number in range(count))


def put_questions(machine: Machine, programs: Path, count: int, entra: bool, groups: int = 2) -> None:
    """Puts lookups.c and its records on the machine. `groups`: how many groups each account must have; 0: any number."""
    program = compiled(SOURCES / "lookups.c", programs, "-pthread", "-ldl")
    machine.path("/usr/local/bin/lookups").write_bytes(program.read_bytes())
    machine.path("/usr/local/bin/lookups").chmod(0o755)
    machine.write(RECORDS, "".join(record(n, entra, groups) for n in range(count)))
    sample = range(0, count, max(1, count // SAMPLE_SIZE))
    machine.write(SAMPLE, "".join(record(n, entra, groups) for n in sample))
    machine.write(STRANGERS, "".join(f"stranger{n:05} 1 1 / 1\n" for n in range(STRANGER_COUNT)))
