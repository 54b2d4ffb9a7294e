# SPDX-License-Identifier: Apache-2.0
"""P15: what the tool tells on a machine with a journal, timers and units of its own."""

from __future__ import annotations

import json
from typing import Any

from bed.checks import admitted, equal, refused, require
from bed.machine import wait_for
from booted_ground import BootedGround, BootedSite
from case import case

CATALOG = "/usr/lib/systemd/catalog/entralogin.catalog"
COLLECTED = "/var/lib/prometheus/node-exporter"


@case("P15", "one person's decisions are read from the journal, and journalctl -x explains each record")
def log(ground: BootedGround) -> str:
    site, carol = ground.vm, ground.person("carol")
    def refusals() -> list[dict[str, Any]]:
        records = json.loads(site.tool("--json", "log", carol.login, "--since", "-1h").out)["records"]
        return [r for r in records if r["event"] == "account"]

    before = len(refusals())
    refused(site.ssh(carol, "id"))
    wait_for(lambda: len(refusals()) > before, "the refusal in the journal")
    last = refusals()[-1]
    equal((last["decision"], last["reason"], last["service"]), ("deny", "role-not-assigned", "sshd"), "the last record")
    text = site.tool("log", carol.login).out
    require("account (sshd): refused: role-not-assigned" in text and last["correlationID"] in text, text)
    require(all(len(line) <= 80 for line in text.splitlines()), f"a line is too long: {text}")
    site.machine.must("journalctl", "--update-catalog")
    shown = site.machine.must("journalctl", "-x", "--no-pager", "-n", "1", "ENTRALOGIN_EVENT=account",
                              f"ENTRALOGIN_USER={carol.login}").out
    require(f"May {carol.login} go on?" in shown, f"journalctl -x: {shown}")
    listed = site.machine.must("journalctl", "--no-pager", "--list-catalog").out
    ids = [line.split()[1] for line in site.machine.read(CATALOG).splitlines() if line.startswith("-- ")]
    require(all(one in listed for one in ids), "the catalog lacks ids of its source")
    return text.splitlines()[-2].strip()


def told(site: BootedSite, name: str) -> str:
    """The remedy of one of doctor's findings; empty if doctor does not find it."""
    found = [f for f in json.loads(site.tool("--json", "doctor").out)["findings"]
             if f["id"] == name and f["severity"] in ("warning", "error")]
    return str(found[0]["remedy"]) if found else ""


@case("P15", "the metrics timer is off; its service writes a whole file, and one of a dead daemon, too")
def metrics(ground: BootedGround) -> str:
    site = ground.vm
    equal(site.machine.run("systemctl", "is-enabled", "entralogin-metrics.timer").out.strip(), "disabled", "the timer")
    site.machine.must("mkdir", "-p", COLLECTED)
    site.machine.systemctl("start", "entralogin-metrics.service")
    text = site.machine.read(f"{COLLECTED}/entralogin.prom")
    require("\nentralogin_up 1\n" in text and text.endswith("# EOF\n"), text)
    units = ("entralogind.service", "entralogind-control.socket", "entralogind-principals.socket")
    site.machine.systemctl("stop", *units)
    try:
        site.machine.systemctl("start", "entralogin-metrics.service")
        text = site.machine.read(f"{COLLECTED}/entralogin.prom")
        require("\nentralogin_up 0\n" in text and "entralogin_ready" not in text, text)
        doctor = site.tool("doctor")
        equal(doctor.status, 1, "doctor's status without the daemon")
        for unit in units:
            require(f"{unit} is inactive" in " ".join(doctor.out.split()), f"doctor does not name {unit}: {doctor.out}")
        command = told(site, "daemon").split(";")[0]
        site.machine.must("sh", "-c", command)
        site.wait_until_ready()
        equal(told(site, "daemon"), "", f"what doctor says to do about the daemon after {command!r}")
    finally:
        site.machine.systemctl("start", *units)
        site.wait_until_ready()
    return f"{len(text.splitlines())} lines"


@case("P15", "doctor on a booted machine: nothing to do; a watch that is stopped is named, and keeps nobody out")
def doctor(ground: BootedGround) -> str:
    site = ground.vm
    good = site.tool("doctor")
    require(good.ok and "entralogin's units run, and start at boot" in good.out, good.text)
    site.machine.systemctl("stop", "entralogin-stack.path")
    try:
        warned = site.tool("doctor")
        require(warned.status == 5 and "entralogin-stack.path is inactive" in " ".join(warned.out.split()), warned.text)
    finally:
        site.machine.systemctl("start", "entralogin-stack.path")
    return good.out.splitlines()[-1]


@case("P16", "a daemon that crashes at each start: status, explain and doctor say so by systemd's word; a report is made")
def crashing(ground: BootedGround) -> str:
    site = ground.vm
    site.machine.write_file("/etc/entralogin/entralogin.conf.d/60-bad.conf", "[Azure]\nAccessCheckers=nobody\n")
    try:
        site.machine.run("systemctl", "restart", "entralogind.service")
        wait_for(lambda: site.machine.property("entralogind.service", "SubState") == "auto-restart", "the crash")
        said = [site.tool(*words) for words in (("status",), ("explain", "alice@contoso.com"), ("doctor",))]
        equal([outcome.status for outcome in said], [3, 3, 1], "statuses")
        for outcome in said:
            require("its unit is activating" in " ".join(outcome.text.split()), outcome.text)
        report = site.tool("report").out
        require("entralogin.conf.d/60-bad.conf:2" in report and "== Records" in report, report[:2000])
    finally:
        site.machine.must("rm", "/etc/entralogin/entralogin.conf.d/60-bad.conf")
        site.machine.systemctl("restart", "entralogind.service")
        site.wait_until_ready()
    return " ".join(said[0].text.split())[:100]


@case("P13", "a unit with PrivateUsers= that runs as an Entra account, or as root: names, as on the machine itself")
def private_users(ground: BootedGround) -> str:
    site, person = ground.vm, ground.newcomer()
    admitted(site.ssh(person, "true"))
    wrapped = ("systemd-run", "--quiet", "--wait", "--pipe", "-p", "PrivateUsers=yes")
    own = site.machine.must(*wrapped, f"--uid={person.login}", "id", "-un").out.strip()
    seen = site.machine.must(*wrapped, "getent", "passwd", person.login).out
    equal((own, seen.split(":")[0]), (person.login, person.login), "names inside")
    return own
