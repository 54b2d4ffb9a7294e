# SPDX-License-Identifier: Apache-2.0
"""P1: a metadata service that this machine closes to the daemon's user is told from one that is out."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from bed.checks import require
from bed.machine import wait_for
from case import case
from ground import Ground
from groups import finding

ADDRESS = "169.254.169.254"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextmanager
def prohibited(uid: int) -> Iterator[None]:
    """Packets of that user to the metadata service are forbidden, as by `systemd.imds.network=locked`: EACCES at once. The
    rule has to come before the one for this machine's own addresses, for the simulator has this one."""
    ip("rule", "add", "pref", "1", "table", "local")
    ip("rule", "del", "pref", "0")
    ip("rule", "add", "pref", "0", "to", f"{ADDRESS}/32", "uidrange", f"{uid}-{uid}", "prohibit")
    try:
        yield
    finally:
        ip("rule", "del", "pref", "0")
        ip("rule", "add", "pref", "0", "table", "local")
        ip("rule", "del", "pref", "1")


@case("P1",
      "metadata closed to the daemon's user (a prohibit route, a refused connection, 421): doctor says so, with the three causes",
      deep=True)
def closed(ground: Ground) -> str:
    seen = []
    for name in ("prohibited", "refused", "misdirected"):
        with ground.fresh(name, started=False) as site:
            uid = int(site.machine.must("id", "-u", "entralogin").out)
            closing = {"prohibited": prohibited(uid), "refused": ground.azure.without("imds"),
                       "misdirected": ground.azure.fault("status", "imds", 421)}
            with closing[name]:
                site.machine.start_sshd(site.port)
                site.service.start()
                wait_for(lambda: bool(finding(site, "daemon.metadata-closed")), f"doctor to name it ({name})", 60)
                found = finding(site, "daemon.metadata-closed")
                for cause in ("owner rule", "guest proxy agent", "systemd.imds.network=locked"):
                    require(cause in " ".join(found["remedy"].split()), f"{name}: no {cause}: {found}")
                seen.append(found["found"])
    return "; ".join(seen)
