# SPDX-License-Identifier: Apache-2.0
"""The lookup of the groups of a person in no, ten or fifty Entra groups, on a machine with 100,000 accounts."""

from __future__ import annotations

import struct

from cells import Cell, best, measured
from contestants import entralogin_alone
from environment import STATE, Environment, Host
from figures import Figure, at_most
from residents import our_uid, put_questions
from testbed.checks import require

ACCOUNTS = 100_000
COUNTS = (0, 10, 50)
ROUNDS = 5
MOST = 12  # times the cost for a person in no group: fifty groups are fifty records to check once, then fifty to copy
FILE = "/run/entralogin/nss/groups.snapshot"
FIRST_GID = 0x7000_0010
MAPS_GROUPS = 2


def checksum(content: bytes) -> int:
    """entralogin_hash with the seed 0."""
    factor, mask = 0x517CC1B727220A95, 2**64 - 1
    value = len(content) * factor & mask
    for at in range(0, len(content), 8):
        word = int.from_bytes(content[at:at + 8], "little")
        value = ((value << 5 | value >> 59) & mask ^ word) * factor & mask
    value = (value ^ value >> 32) * factor & mask
    return (value ^ value >> 32) & 0xFFFFFFFF or 1


def sealed(number: int, rest: bytes) -> bytes:
    """An entry of entralogin_snapshot.h: its number, the checksum, the rest."""
    head = struct.pack("<I", number)
    return head + struct.pack("<I", checksum(head + rest)) + rest


def snapshot(boot: str, groups: int, people: range) -> bytes:
    """The file GROUPS of entralogin_snapshot.h: all people are in all groups, without an end."""
    names = [f"group{n:02}_entra".encode() for n in range(groups)]
    body = b"".join(sealed(FIRST_GID + n, struct.pack("<HH36s", len(name), 0, name)) for n, name in enumerate(names))
    body += b"".join(sealed(our_uid(n), struct.pack("<QQ", 2**63, 2**groups - 1)) for n in people)
    head = b"ENTLGRPS" + struct.pack("<IIQQ", 2, 64, 64 + len(body), 1)
    head += bytes.fromhex(boot.replace("-", "")) + struct.pack("<III", groups, len(people), 0)
    return head + struct.pack("<I", checksum(head)) + body


def publish(host: Host, groups: int) -> None:
    """Publishes as the daemon does, which is stopped: sets the flag in the accounts file, and writes the groups file with the
    largest number of members that the daemon writes."""
    path = host.machine.path(f"{STATE}/nss/accounts.snapshot")
    accounts = bytearray(path.read_bytes())
    flags = struct.unpack_from("<I", accounts, 64)[0] & ~MAPS_GROUPS | (MAPS_GROUPS if groups else 0)
    struct.pack_into("<I", accounts, 64, flags)
    struct.pack_into("<I", accounts, 124, checksum(bytes(accounts[:124])))
    files = [(path, bytes(accounts))]
    if groups:
        boot = host.machine.read("/proc/sys/kernel/random/boot_id").strip()
        files.append((host.machine.path(FILE), snapshot(boot, groups, range(65_536))))
    for place, content in files:
        new = place.with_suffix(".new")
        new.write_bytes(content)
        new.chmod(0o644)
        host.machine.must("chown", "entralogin:entralogin", f"/{new.relative_to(host.machine.path('/'))}")
        new.rename(place)


def mapped_groups(env: Environment) -> list[Figure]:
    seen: dict[int, Cell] = {}
    with entralogin_alone(env, ACCOUNTS) as (mine, host):
        host.service.stop()
        for count in COUNTS:
            publish(host, count)
            put_questions(host.machine, env.testbed.scratch / "programs", 65_536, entra=True, groups=2 + count)
            cells = [measured(mine, mine.module, "groups", 1) for _ in range(ROUNDS)]
            seen[count] = best([cell for cell in cells if cell is not None])
    require(len(seen) == len(COUNTS), "a measure is missing")
    floor = seen[0].median
    text = ", ".join(f"{count}: {cell.text()}" for count, cell in seen.items())
    return [at_most(f"groups of somebody in {count} Entra groups / in none, {ACCOUNTS:,} accounts",
                    seen[count].median / floor, MOST, f"{seen[count].median / floor:.2f} (µs, median/99 %/99.9 %: {text})")
            for count in COUNTS[1:]]
