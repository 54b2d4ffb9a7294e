# SPDX-License-Identifier: Apache-2.0
"""What an idle daemon costs: it wakes only for the watchdog, and the requests of a round are sent together."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from booted_environment import DAEMON, BootedEnvironment, BootedHost
from case import case
from testbed.checks import require
from testbed.machine import wait_for

BUSY = 130  # the daemon counts as in use for two minutes after a request
BEAT = 30  # half of WatchdogSec=
TICKS = os.sysconf("SC_CLK_TCK")


def cost(pid: int) -> tuple[int, float]:
    """Voluntary context switches of all threads, and seconds of processor time."""
    switches = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        lines = status.read_text().splitlines()
        switches += next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return switches, (int(fields[11]) + int(fields[12])) / TICKS


def measured(host: BootedHost, seconds: int) -> tuple[int, float]:
    pid = host.machine.outer_pid(DAEMON)
    before, began = cost(pid), time.monotonic()
    time.sleep(seconds)
    after = cost(pid)
    hours = (time.monotonic() - began) / 3600
    return round((after[0] - before[0]) / hours), (after[1] - before[1]) / hours


def sessions(host: BootedHost) -> int:
    return int(json.loads(host.tool("--json", "status").out)["sessions"])


@case("P13", "an idle daemon wakes up for its signs of life and little else; a round of 50 sessions goes together",
      deep=True)
def idle(env: BootedEnvironment) -> str:
    with env.boot("idle") as host:
        host.machine.wait_until_up()
        host.wait_until_ready()
        time.sleep(BUSY)
        alone, processor = measured(host, 10 * BEAT)
        # The watchdog's notifications, a round every five minutes, and whatever is due once an hour.
        require(alone <= 3600 // BEAT + 60, f"{alone} voluntary context switches an hour without sessions")
        people = [env.newcomer() for _ in range(10)]
        running: list[subprocess.Popen[bytes]] = []
        for person in people * 5:
            argv = person.argv("-p", str(host.port), f"{person.login}@127.0.0.1", "sleep 900")
            running.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            # sshd allows ten connections at a time that are not authenticated.
            wait_for(lambda: sessions(host) >= len(running), "the next session", 60)
        time.sleep(BUSY)
        used, with_sessions = measured(host, 10 * BEAT)
        for one in running:
            one.kill()
            one.wait()
    return (f"an hour without sessions: {alone} switches, {processor:.2f} s; with 50 of 10 users: {used}, "
            f"{with_sessions:.2f} s")
