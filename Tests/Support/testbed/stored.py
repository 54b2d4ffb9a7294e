# SPDX-License-Identifier: Apache-2.0
"""Many accounts at once, in the format of the daemon's store (Sources/Services/AccountDirectory/StoreFormat.swift)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from simulator import contoso


def store(people: Iterable[tuple[str, int]]) -> str:
    """The store of these names and uids."""
    lines = ["entralogin-accounts 1", "generation 1"]
    for number, (name, uid) in enumerate(people):
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        object_id = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
        lines.append(f"account {name} uid={uid} tenant={contoso.TENANT} object={object_id} enrolled=1700000000 retired=- "
                     f"home=/home/{name} shell=/bin/bash former=- gecos=Contoso%20User")
    text = "".join(f"{line}\n" for line in lines)
    return text + f"end lines={len(lines) - 1} sha256={hashlib.sha256(text.encode()).hexdigest()}\n"
