# SPDX-License-Identifier: Apache-2.0
"""packaging/monitoring with the programs that it is for: promtool, node_exporter, Prometheus, rsyslog."""

from __future__ import annotations

import json
import re
import shutil
import urllib.parse
import urllib.request
from typing import Any

from case import case
from environment import Environment
from testbed.checks import equal, refused, require
from testbed.installed import REPOSITORY
from testbed.machine import Machine, wait_for

SOURCE = REPOSITORY / "packaging/monitoring"
FOLDER = "/srv/monitoring"
COLLECTED = "/var/lib/prometheus/node-exporter"
EXPORTER, SERVER = "127.0.0.1:9100", "127.0.0.1:9090"
# Missing if the daemon sends nothing to the audit system.
MAY_LACK = {"entralogin_audit_events_total"}
PROMETHEUS = f"""global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{FOLDER}/quick.rules.yml]
scrape_configs:
  - job_name: node
    static_configs: [{{targets: ["{EXPORTER}"]}}]
"""


def laid(machine: Machine) -> None:
    shutil.copytree(SOURCE, machine.path(FOLDER))


def watched(machine: Machine) -> None:
    """Starts node_exporter and Prometheus on a machine that has the folder for the metrics."""
    # Alerts wait for a second here instead of minutes.
    text = (SOURCE / "prometheus/entralogin.rules.yml").read_text()
    machine.write(f"{FOLDER}/quick.rules.yml", re.sub(r"\bfor: \d+m", "for: 1s", text))
    machine.write(f"{FOLDER}/prometheus.yml", PROMETHEUS)
    machine.start_daemon("/usr/bin/prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
                         f"--collector.textfile.directory={COLLECTED}", f"--web.listen-address={EXPORTER}")
    machine.start_daemon("/usr/bin/prometheus", f"--config.file={FOLDER}/prometheus.yml", "--storage.tsdb.path=/srv/tsdb",
                         f"--web.listen-address={SERVER}")


def query(expression: str) -> list[dict[str, Any]]:
    """The current samples; raises an error if Prometheus does not accept the expression."""
    url = f"http://{SERVER}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)["data"]["result"]


def value(expression: str) -> str | None:
    """The value if there is exactly one sample, otherwise None, also while Prometheus does not listen yet."""
    try:
        found = query(expression)
    except OSError:
        return None
    return found[0]["value"][1] if len(found) == 1 else None


def names(text: str) -> set[str]:
    return set(re.findall(r"^(entralogin_\w+)", text, re.MULTILINE))


def expressions() -> list[str]:
    panels = json.loads((SOURCE / "grafana/entralogin.json").read_text())["panels"]
    return [target["expr"].replace("$instance", ".*").replace("$__rate_interval", "5m")
            for panel in panels for target in panel["targets"]]


@case("P16", "the alert rules pass promtool's check and tests, and rsyslog reads its recipe")
def rules(env: Environment) -> str:
    with env.fresh("rules", started=False, layered=True) as host:
        laid(host.machine)
        for words in (("check", "rules", f"{FOLDER}/prometheus/entralogin.rules.yml"),
                      ("test", "rules", f"{FOLDER}/prometheus/entralogin.test.yml")):
            outcome = host.machine.run("promtool", *words)
            require(outcome.ok and "SUCCESS" in outcome.text, outcome.text)
        outcome = host.machine.run("rsyslogd", "-N1", "-f", f"{FOLDER}/rsyslog/60-entralogin.conf")
        require(outcome.ok, outcome.text)
    return "promtool and rsyslogd"


@case("P16", "node_exporter and Prometheus read the file of metrics as a whole; every expression of the dashboard is answered; "
      "a daemon that is gone is an alert")
def scraped(env: Environment) -> str:
    carol = env.person("carol")
    with env.fresh("scraped", layered=True) as host:
        machine, file = host.machine, f"{COLLECTED}/entralogin.prom"
        laid(machine)
        refused(host.ssh(carol, "id"))
        machine.must("mkdir", "-p", COLLECTED)
        require(host.tool("metrics", "--output", file).ok, "metrics --output")
        watched(machine)
        wait_for(lambda: value("entralogin_up") == "1", "the metrics in Prometheus", 120)
        equal(value("node_textfile_scrape_error"), "0", "node_exporter's errors")
        written = names(machine.read(file))
        stored = {row["metric"]["__name__"] for row in query('{__name__=~"entralogin_.*"}')}
        equal(stored, written, "the metrics that Prometheus has")
        asked = {name for text in expressions() for name in re.findall(r"entralogin_\w+", text)}
        require(asked - written <= MAY_LACK, f"the tool wrote none of {asked - written - MAY_LACK}")
        equal(query("ALERTS{alertstate='firing',severity='page'}"), [], "what is paged for a machine that is well")
        silent = [text for text in expressions() if not query(text) and not any(name in text for name in MAY_LACK)]
        # A rate needs two samples from different times, and the panel of refusals needs a recording rule to be evaluated.
        wait_for(lambda: all(query(text) for text in silent), f"an answer to {silent}", 120)

        host.service.stop()
        equal(host.tool("metrics", "--output", file).status, 3, "the status without the daemon")
        wait_for(lambda: value("ALERTS{alertname='EntraloginDown',alertstate='firing'}") == "1", "the alert", 120)
    return f"{len(written)} metrics, {len(expressions())} expressions"
