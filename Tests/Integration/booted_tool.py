# SPDX-License-Identifier: Apache-2.0
"""P13, P15 and P16: what the tool reports on a machine with a journal, timers and units of its own."""

from __future__ import annotations

import json
from typing import Any

from booted_environment import BootedEnvironment, BootedHost
from case import case
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

CATALOG = "/usr/lib/systemd/catalog/entralogin.catalog"
COLLECTED = "/var/lib/prometheus/node-exporter"


@case("P15", "one person's decisions are read from the journal, and journalctl -x explains each record")
def log(env: BootedEnvironment) -> str:
    host, carol = env.vm, env.person("carol")
    def refusals() -> list[dict[str, Any]]:
        records = json.loads(host.tool("--json", "log", carol.login, "--since", "-1h").out)["records"]
        return [r for r in records if r["event"] == "account"]

    before = len(refusals())
    refused(host.ssh(carol, "id"))
    wait_for(lambda: len(refusals()) > before, "the refusal in the journal")
    last = refusals()[-1]
    equal((last["decision"], last["reason"], last["service"]), ("deny", "role-not-assigned", "sshd"), "the last record")
    text = host.tool("log", carol.login).out
    require("account (sshd): refused: role-not-assigned" in text and last["correlationID"] in text, text)
    require(all(len(line) <= 80 for line in text.splitlines()), f"a line is too long: {text}")
    host.machine.must("journalctl", "--update-catalog")
    shown = host.machine.must("journalctl", "-x", "--no-pager", "-n", "1", "ENTRALOGIN_EVENT=account",
                              f"ENTRALOGIN_USER={carol.login}").out
    require(f"May {carol.login} go on?" in shown, f"journalctl -x: {shown}")
    listed = host.machine.must("journalctl", "--no-pager", "--list-catalog").out
    ids = [line.split()[1] for line in host.machine.read(CATALOG).splitlines() if line.startswith("-- ")]
    require(all(one in listed for one in ids), "the catalog lacks ids of its source")
    return text.splitlines()[-2].strip()


def told(host: BootedHost, name: str) -> str:
    """The remedy of one of doctor's findings; empty if doctor does not find it."""
    found = [f for f in json.loads(host.tool("--json", "doctor").out)["findings"]
             if f["id"] == name and f["severity"] in ("warning", "error")]
    return str(found[0]["remedy"]) if found else ""


@case("P15", "the metrics timer is off; its service writes a whole file, and one of a dead daemon, too")
def metrics(env: BootedEnvironment) -> str:
    host = env.vm
    equal(host.machine.run("systemctl", "is-enabled", "entralogin-metrics.timer").out.strip(), "disabled", "the timer")
    host.machine.must("mkdir", "-p", COLLECTED)
    host.machine.systemctl("start", "entralogin-metrics.service")
    text = host.machine.read(f"{COLLECTED}/entralogin.prom")
    require("\nentralogin_up 1\n" in text and text.endswith("# EOF\n"), text)
    units = ("entralogind.service", "entralogind-control.socket", "entralogind-principals.socket")
    host.machine.systemctl("stop", *units)
    try:
        host.machine.systemctl("start", "entralogin-metrics.service")
        text = host.machine.read(f"{COLLECTED}/entralogin.prom")
        require("\nentralogin_up 0\n" in text and "entralogin_ready" not in text, text)
        doctor = host.tool("doctor")
        equal(doctor.status, 1, "doctor's status without the daemon")
        for unit in units:
            require(f"{unit} is inactive" in " ".join(doctor.out.split()), f"doctor does not name {unit}: {doctor.out}")
        command = told(host, "daemon").split(";")[0]
        host.machine.must("sh", "-c", command)
        host.wait_until_ready()
        equal(told(host, "daemon"), "", f"what doctor says to do about the daemon after {command!r}")
    finally:
        host.machine.systemctl("start", *units)
        host.wait_until_ready()
    return f"{len(text.splitlines())} lines"


@case("P15", "doctor on a booted machine: nothing to do; a watch that is stopped is named, and keeps nobody out")
def doctor(env: BootedEnvironment) -> str:
    host = env.vm
    good = host.tool("doctor")
    require(good.ok and "entralogin's units run, and start at boot" in good.out, good.text)
    host.machine.systemctl("stop", "entralogin-stack.path")
    try:
        warned = host.tool("doctor")
        require(warned.status == 5 and "entralogin-stack.path is inactive" in " ".join(warned.out.split()), warned.text)
    finally:
        host.machine.systemctl("start", "entralogin-stack.path")
    return good.out.splitlines()[-1]


@case("P16", "a daemon that crashes at each start: status, explain and doctor say so by systemd's word; a report is made")
def crashing(env: BootedEnvironment) -> str:
    host = env.vm
    host.machine.write_file("/etc/entralogin/entralogin.conf.d/60-bad.conf", "[Azure]\nAccessCheckers=nobody\n")
    try:
        host.machine.run("systemctl", "restart", "entralogind.service")
        wait_for(lambda: host.machine.property("entralogind.service", "SubState") == "auto-restart", "the crash")
        said = [host.tool(*words) for words in (("status",), ("explain", "alice@contoso.com"), ("doctor",))]
        equal([outcome.status for outcome in said], [3, 3, 1], "statuses")
        for outcome in said:
            require("its unit is activating" in " ".join(outcome.text.split()), outcome.text)
        report = host.tool("report").out
        require("entralogin.conf.d/60-bad.conf:2" in report and "== Records" in report, report[:2000])
    finally:
        host.machine.must("rm", "/etc/entralogin/entralogin.conf.d/60-bad.conf")
        host.machine.systemctl("restart", "entralogind.service")
        host.wait_until_ready()
    return " ".join(said[0].text.split())[:100]


@case("P13", "a unit with PrivateUsers= that runs as an Entra account, or as root: names, as on the machine itself")
def private_users(env: BootedEnvironment) -> str:
    host, person = env.vm, env.newcomer()
    admitted(host.ssh(person, "true"))
    wrapped = ("systemd-run", "--quiet", "--wait", "--pipe", "-p", "PrivateUsers=yes")
    own = host.machine.must(*wrapped, f"--uid={person.login}", "id", "-un").out.strip()
    seen = host.machine.must(*wrapped, "getent", "passwd", person.login).out
    equal((own, seen.split(":")[0]), (person.login, person.login), "names inside")
    return own
