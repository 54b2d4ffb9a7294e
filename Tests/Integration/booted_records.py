# SPDX-License-Identifier: Apache-2.0
"""P15: records are distinguished from forged ones by fields that journald itself sets; the newest are shown; a journal that
stops loses records, which are counted, and never prevents a decision."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from booted_environment import DAEMON, BootedEnvironment, BootedHost
from case import case
from testbed import wire
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

JOURNALD = "systemd-journald.service"
PAGES = ("README.md", "Documentation/records.md", "Documentation/troubleshooting.md", "packaging/man/entralogind.8")
SHOWN = 200  # PersonLog.limit
QUEUE = Path("/proc/sys/net/unix/max_dgram_qlen")  # of the network namespace
FORGED = "signs in as administrator (forged)"


def logged(host: BootedHost, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(host.tool("--json", "log", name, "--since", "-1h").out)["records"]
    return found


def forging(name: str, event: str) -> str:
    """A shell script that forges a record of a sign-in of `name` as administrator, in every way that a user has."""
    fields = ("SYSLOG_IDENTIFIER=entralogind", "PRIORITY=6", "MESSAGE_ID=2a155355174d485daed53b1ead08b202",
              f"MESSAGE={name} {FORGED}", f"ENTRALOGIN_EVENT={event}", "ENTRALOGIN_DECISION=allow",
              "UNIT=entralogind.service", "ENTRALOGIN_ROLE=administrator", f"ENTRALOGIN_USER={name}",
              "ENTRALOGIN_SERVICE=sshd",
              "ENTRALOGIN_REASON=role-not-assigned", "_SYSTEMD_UNIT=entralogind.service", "_UID=0",
              "OBJECT_SYSTEMD_UNIT=entralogind.service", "COREDUMP_UNIT=entralogind.service")
    return "\n".join((
        "#!/bin/sh", f"printf '%s\\n' {' '.join(repr(f) for f in fields)} | logger --journald",
        f"logger -t entralogind '{name} {FORGED}'", f"echo '{name} {FORGED}' | systemd-cat -t entralogind", ""))


def documented(name: str) -> list[list[str]]:
    """Every query for records in the documentation, for `name`; except those for a correlation id."""
    top = Path(__file__).resolve().parents[2]
    lines = [line for page in PAGES for line in (top / page).read_text().splitlines()]
    told = [match for line in lines for match in re.findall(r"journalctl [^`]*", line)]
    found = {re.split(r"  |`|,|;", query)[0].strip() for query in told}
    queries = [query for query in sorted(found) if "ENTRALOGIN" in query or "entralogind" in query]
    for known, value in (("alice@contoso.com", name), ("NAME", name), (r"$(id -u entralogin)", "UID")):
        queries = [query.replace(known, value) for query in queries]
    return [query.split() for query in queries if "CORRELATION" not in query]


@case("P15", "what local users write into the journal is shown by no documented query and not by the tool, under any unit",
      attack="H4")
def forged(env: BootedEnvironment) -> str:
    host, carol = env.vm, env.person("carol")
    machine = host.machine
    refused(host.ssh(carol, "id"))
    uid = machine.must("id", "-u", "entralogin").out.strip()
    for user, event in ((env.lisa, "session-opened"), (env.person("bob"), "certificate")):
        script = forging(carol.login, event)
        admitted(host.ssh(user, f"cat >forge.sh <<'X'\n{script}X\nchmod 755 forge.sh; ./forge.sh"))
    # lisa's own unit has the daemon's name.
    machine.write("/etc/systemd/user/entralogind.service", "[Service]\nType=oneshot\nExecStart=%h/forge.sh\n")

    def everything() -> list[dict[str, Any]]:
        lines = machine.must("journalctl", "--no-pager", "-o", "json").out.splitlines()
        return [record for record in map(json.loads, lines) if FORGED in str(record.get("MESSAGE"))]

    def by_unit() -> bool:
        # journald looks up the unit of the process that wrote, which may be too late if the process ends at once.
        again = "systemctl --user reset-failed entralogind.service; systemctl --user start entralogind.service"
        admitted(host.ssh(env.lisa, again))
        return any(r.get("_SYSTEMD_USER_UNIT") == DAEMON for r in everything())

    wait_for(by_unit, "a forged record that journald says is of lisa's unit")
    wait_for(lambda: len(everything()) >= 9, "the forged records in the journal")
    refused(host.ssh(carol, "id"))
    wait_for(lambda: [r["event"] for r in logged(host, carol.login)[-1:]] == ["account"], "a true record")
    told = logged(host, carol.login)
    require(not any(FORGED in record["message"] or "role" in record for record in told), f"the tool believes: {told}")
    require("administrator" not in host.tool("log", carol.login).out, "the tool shows a forged line")
    queries = documented(carol.login)
    require(len(queries) >= 6, f"the pages have {queries}")
    for query in queries:
        found = machine.run(*[word.replace("UID", uid) for word in query], "--no-pager")
        require(FORGED not in found.out, f"{' '.join(query)} shows a forged record")
        if "ENTRALOGIN_DECISION=deny" in query or f"ENTRALOGIN_USER={carol.login}" in query:
            require(carol.login in found.out, f"{' '.join(query)} does not show a true one: {found.text}")
    machine.remove("/etc/systemd/user/entralogind.service")
    return f"{len(everything())} forged, {len(queries)} queries"


def ask_often(host: BootedHost, name: str, count: int) -> None:
    """Requests decisions about `name` for sudo, each a refusal with its record, as fast as they are answered."""
    frame = wire.requests(name)["AUTHORIZE"]
    answers = host.machine.inside(lambda: {wire.ask(wire.CONTROL, frame, 20) for _ in range(count)}, limit=300)
    equal(answers, {"OK"}, f"answers about {name}")


@case("P15", "of more decisions than are shown, the tool shows the newest", attack="H5")
def newest(env: BootedEnvironment) -> str:
    host, carol = env.vm, env.person("carol")
    ask_often(host, carol.login, SHOWN + 30)
    refused(host.ssh(carol, "id"))

    def last() -> tuple[str, str]:
        record = logged(host, carol.login)[-1]
        return record["event"], record["service"]

    wait_for(lambda: last() == ("account", "sshd"), "the newest decision to be shown")
    told = logged(host, carol.login)
    equal(len(told), SHOWN, "records that are shown")
    times = [record["time"] for record in told]
    equal(times, sorted(times), "the order: oldest first")
    text = host.tool("log", carol.login).out.splitlines()
    require("(sshd): refused: role-not-assigned" in " ".join(text[-4:]), f"the text ends with {text[-4:]}")
    return f"{len(told)} records on systemd {host.machine.must('systemctl', '--version').out.split()[1]}"


@contextmanager
def frozen_journal(host: BootedHost) -> Iterator[None]:
    host.machine.systemctl("kill", "--signal=STOP", JOURNALD)
    try:
        yield
    finally:
        host.machine.systemctl("kill", "--signal=CONT", JOURNALD)


def records_of(host: BootedHost) -> dict[str, int]:
    status: dict[str, int] = json.loads(host.tool("--json", "status").out)["records"]
    return status


@case("P15", "with a journal that stands still, sign-in, sudo and decisions go on, and the daemon ends in time; what waited "
      "comes later, what is lost is counted")
def standstill(env: BootedEnvironment) -> str:
    alice, carol, filler = env.person("alice"), env.person("carol"), "filler@contoso.com"
    usual = QUEUE.read_text()
    QUEUE.write_text("512\n")
    try:
        with env.boot("standstill", units={JOURNALD: "[Service]\nWatchdogSec=0\n"}) as host:
            machine = host.machine
            machine.wait_until_up()
            host.wait_until_ready()
            admitted(host.ssh(alice, "true"))
            began = len(machine.journal("ENTRALOGIN_EVENT=account", f"ENTRALOGIN_USER={filler}"))
            with frozen_journal(host):
                admitted(host.ssh(alice, "sudo -n id -u"), "0\n")
                refused(host.ssh(carol, "id"))
                asked = 0
                # Fills the kernel's queue. From then on systemd and logind wait for the journal, and so does every sign-in
                # on this machine, also of local users; the daemon does not wait.
                while records_of(host)["waiting"] == 0:
                    require(asked < 5000, "the queues are never full")
                    ask_often(host, filler, 100)
                    asked += 100
                require(alice.login in machine.must("getent", "passwd", alice.login).out, "no name")
                ask_often(host, filler, 1200)  # more than may wait
                asked += 1200
                wait_for(lambda: "has taken no record" in host.tool("status").out, "the warning of status")
                shown = records_of(host)
                require(shown["lost"] > 0 and shown["waiting"] >= 1000, f"records in status: {shown}")
            wait_for(lambda: records_of(host)["waiting"] == 0, "what waited to be taken")

            def told() -> int:
                return sum(int(r["ENTRALOGIN_LOST"]) for r in machine.journal("ENTRALOGIN_EVENT=records-lost"))

            wait_for(lambda: told() == records_of(host)["lost"], "the record of what was lost")
            lost = told()
            late = machine.journal("ENTRALOGIN_EVENT=account", f"ENTRALOGIN_USER={filler}")[-1]
            require(int(late["ENTRALOGIN_DELAY_USEC"]) >= 1_000_000, f"the last record that waited: {late}")
            equal(logged(host, carol.login)[-1]["reason"], "role-not-assigned", "the record of carol's refusal")
            came = len(machine.journal("ENTRALOGIN_EVENT=account", f"ENTRALOGIN_USER={filler}")) - began
            require(asked - lost <= came <= asked, f"{came} of {asked} came, {lost} of all records were lost")
            with frozen_journal(host):
                while records_of(host)["waiting"] == 0:
                    ask_often(host, filler, 100)
                machine.systemctl("stop", DAEMON)
            equal(machine.property(DAEMON, "Result"), "success", "the end of the daemon")
        return f"{asked} asked, {came} came late or at once, {lost} lost and counted"
    finally:
        QUEUE.write_text(usual)
