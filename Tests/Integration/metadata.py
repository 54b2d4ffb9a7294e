# SPDX-License-Identifier: Apache-2.0
"""P1: a metadata service that this machine blocks for the daemon's user is distinguished from one that is down."""

from __future__ import annotations

import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from case import case
from environment import Environment, Host
from groups import finding
from testbed.checks import admitted, equal, require
from testbed.machine import wait_for

ADDRESS = "169.254.169.254"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextmanager
def prohibited(uid: int) -> Iterator[None]:
    """Forbids that user's packets to the metadata service, as `systemd.imds.network=locked` does: EACCES at once. The rule must
    come before the one for this machine's own addresses, because the simulator has the metadata service's address here."""
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
def closed(env: Environment) -> str:
    seen = []
    for name in ("prohibited", "refused", "misdirected"):
        with env.fresh(name, started=False) as host:
            uid = int(host.machine.must("id", "-u", "entralogin").out)
            closing = {"prohibited": prohibited(uid), "refused": env.azure.without("imds"),
                       "misdirected": env.azure.fault("status", "imds", 421)}
            with closing[name]:
                host.machine.start_sshd(host.port)
                host.service.start()
                wait_for(lambda: bool(finding(host, "daemon.metadata-closed")), f"doctor to name it ({name})", 60)
                found = finding(host, "daemon.metadata-closed")
                for cause in ("owner rule", "guest proxy agent", "systemd.imds.network=locked"):
                    require(cause in " ".join(found["remedy"].split()), f"{name}: no {cause}: {found}")
                seen.append(found["found"])
            wait_for(lambda: not finding(host, "daemon.metadata-closed"), f"doctor to see that it is open ({name})", 90)
    return "; ".join(seen)


class Neighbours:
    """Other programs on the machine; each sends the metadata service a given number of requests per second."""

    def __init__(self, *paths: tuple[str, float]) -> None:
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=one, daemon=True) for one in paths]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, path: str, per_second: float) -> None:
        request = urllib.request.Request(f"http://{ADDRESS}{path}", headers={"Metadata": "true", "User-Agent": "neighbour"})
        while not self._ends.wait(1 / per_second):
            with suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(request, timeout=5).read()


COMPUTE = "/metadata/instance/compute?api-version=2021-02-01"
TOKEN = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com"


def asked(host: Host, since: float = 0) -> list[dict[str, Any]]:
    return [e for name in ("imds", "token") for e in host.requests(name) if e["time"] >= since]


def busiest(times: list[float]) -> int:
    """The highest number of requests in one second."""
    return max((sum(one <= other < one + 1 for other in times) for one in times), default=0)


@case("P1", "the metadata service's limits, with other programs asking: start and refresh ask little, and wait where it says 429")
def limits(env: Environment) -> str:
    with env.azure.fault("metadata-limits", "imds", 100), env.fresh("limits") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        alone = asked(host)
        equal([e["path"] for e in alone if e["status"] == 429], [], "429 with nobody else")
        require(len(alone) <= 6, f"{len(alone)} requests at the start: {[e['path'] for e in alone]}")
        host.pass_by(5000, wall=False)  # the daemon reads the data about the machine again, once in about an hour
        host.tool("status")
        wait_for(lambda: len(asked(host)) > len(alone), "the refresh")
        host.service.stop()
        with Neighbours((COMPUTE, 4), *((TOKEN, 8) for _ in range(3))):
            host.begin()
            wait_for(lambda: host.ssh(person, "true").ok, "the person to get in beside others", 60)
        # The service answers every request with 429, as when other programs have used up its limit.
        host.service.stop()
        again = time.time()
        with env.azure.fault("status", "imds", 429), env.azure.fault("status", "token", 429):
            host.service.start()
            wait_for(lambda: len(asked(host, again)) > 3, "the daemon's requests", 60)
            refused_now = asked(host, again)
            rate = busiest([entry["time"] for entry in refused_now])
            require(rate <= 2, f"{rate} requests of the daemon's in a second: {[e['path'] for e in refused_now]}")
        host.stamped()
        wait_for(lambda: host.ssh(person, "true").ok, "the person to get in", 60)
    return f"{len(alone)} requests at the start, {rate} in a second at most while it says 429"
