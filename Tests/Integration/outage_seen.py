# SPDX-License-Identifier: Apache-2.0
"""Prometheus' data of a run with an outage of Azure, second by second: the picture in Documentation/monitoring.md."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from case import case
from environment import Environment, Host
from monitoring import COLLECTED, SERVER, laid, value, watched
from testbed.checks import equal, require
from testbed.installed import REPOSITORY
from testbed.machine import wait_for

# .ci/plots draws from this file.
RESULTS = REPOSITORY / ".testbed" / "last-monitoring-figures.json"
SERIES = {
    "allowed": 'sum(entralogin_decisions_total{event="account",decision="allow"}) or vector(0)',
    "refused": 'sum(entralogin_decisions_total{event="account",decision="deny"}) or vector(0)',
    "checkers failing": 'count(entralogin_checker{entralogin_checker="failing"} == 1) or vector(0)',
    "open sessions": "sum(entralogin_sessions)",
}
ALERT = "EntraloginRoleServiceFailing"
PHASE = 25.0  # seconds


@contextmanager
def metrics_each_second(host: Host) -> Iterator[None]:
    """Writes the metrics each second, instead of the timer, which does so each minute."""
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(1):
            host.tool("metrics", "--output", f"{COLLECTED}/entralogin.prom")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


def sign_ins(env: Environment, host: Host) -> tuple[int, int]:
    """Bob signs in repeatedly, with the daemon's cache flushed each time; returns how often he was admitted and refused."""
    until, outcomes = time.monotonic() + PHASE, []
    bob = env.person("bob")
    while time.monotonic() < until:
        host.flush()
        outcomes.append(host.ssh(bob, "sleep 2").ok)
    return sum(outcomes), outcomes.count(False)


def over_time(expression: str, begin: float, end: float) -> list[float]:
    """One value a second."""
    question = urllib.parse.urlencode({"query": expression, "start": begin, "end": end, "step": 1})
    with urllib.request.urlopen(f"http://{SERVER}/api/v1/query_range?{question}", timeout=30) as answer:
        found = json.load(answer)["data"]["result"]
    values = {round(float(at) - begin): float(text) for row in found for at, text in row["values"]}
    return [values.get(second, 0.0) for second in range(int(end - begin) + 1)]


@case("P16", "an outage of Azure and its end, as Prometheus has them: refusals, failing checkers, the alert, and all well again")
def outage(env: Environment) -> str:
    with env.fresh("outage", layered=True) as host:
        laid(host.machine)
        host.machine.must("mkdir", "-p", COLLECTED)
        require(host.tool("metrics", "--output", f"{COLLECTED}/entralogin.prom").ok, "metrics --output")
        watched(host.machine)
        wait_for(lambda: value("entralogin_up") == "1", "the metrics in Prometheus", 120)
        alert = f"ALERTS{{alertname='{ALERT}',alertstate='firing'}}"
        with metrics_each_second(host):
            begin = time.time()
            seen = [sign_ins(env, host)]
            for endpoint in ("pas", "arm"):
                env.azure.set_fault("server-error", endpoint, 503)
            silent = time.time()
            seen.append(sign_ins(env, host))
            wait_for(lambda: value(alert) == "1", "the alert", 120)
            env.azure.clear_faults()
            back = time.time()
            seen.append(sign_ins(env, host))
            wait_for(lambda: value(alert) is None, "the end of the alert", 120)
        end = time.time()
        series = SERIES | {ALERT: f"count({alert}) or vector(0)"}
        found = {name: over_time(text, begin, end) for name, text in series.items()}
    equal([bool(allowed) for allowed, _ in seen], [True, False, True], f"who got in before, in and after the outage: {seen}")
    equal(seen[0][1], 0, "refusals before the outage")
    equal(found["refused"][-1], sum(refused for _, refused in seen), "refusals in Prometheus, and as the user saw them")
    RESULTS.write_text(json.dumps({"outage": [round(silent - begin), round(back - begin)], "series": found}))
    return f"{len(found['refused'])} seconds, {sum(a for a, _ in seen)} allowed, {found['refused'][-1]:.0f} refused"
