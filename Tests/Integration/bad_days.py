# SPDX-License-Identifier: Apache-2.0
"""P1 and P9: the bad days of Documentation/bad-days.md, each simulated, and the page compared with what happens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from azure_faults import LIMIT_MS
from case import case
from environment import Environment, Host
from testbed import Person
from testbed.checks import admitted, equal, refused, require
from testbed.installed import REPOSITORY
from testbed.machine import wait_for

PAGE = REPOSITORY / "Documentation/bad-days.md"
HOUR, DAY = 3600, 86_400
IN, GRACE = "gets in", "gets in, by grace"


def row(name: str) -> dict[str, str]:
    """The cells of that row of the page, by the heads of their columns."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    heads = [head.strip() for head in lines[0].strip("|").split("|")]
    for line in lines[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == name:
            return dict(zip(heads, cells, strict=True))
    raise AssertionError(f"no row {name!r} in {PAGE.name}")


@dataclass(frozen=True)
class Day:
    """One row of the page: its faults, and what the page says happens."""

    name: str
    faults: tuple[tuple[str, str, Any], ...]
    known: str  # IN, GRACE, or words on the screen
    new: str  # IN, or words on the screen
    reason: str  # in the record of a refused user; empty: no user is refused
    seconds: int  # after the fault's end, until both users can sign in
    tokens_ended: bool = False  # before the fault, so that new ones are needed
    settings: str = ""


def grouped(day: Day) -> dict[str, str]:
    """What the page must say about the day."""
    well = f"{day.seconds} s" if day.seconds else "at once"
    return {"Signed in within the hour": day.known, "New here": day.new, "Record": day.reason or "—", "Well again": well}


QUICK = (
    Day("PAS refuses the machine's identity, ARM forbids",
        (("refused-identity", "pas", 403), ("refused-identity", "arm", 403)),
        "identity may not ask", "identity may not ask", "identity-may-not-ask", 3),
    Day("PAS and ARM drop every connection", (("refuse", "pas", None), ("refuse", "arm", None)),
        GRACE, "could not be reached", "unreachable", 3),
    Day("PAS says no, role assignments say yes", (("says-no", "pas", None),), IN, IN, "", 0),
    Day("The same, with ConfirmRefusals=no", (("says-no", "pas", None),),
        "role not assigned", "role not assigned", "role-not-assigned", 60, settings="[Azure]\nConfirmRefusals=no\n"),
    Day("PAS says no, ARM asks to wait 30 s", (("says-no", "pas", None), ("throttle", "arm", 30)),
        GRACE, "has not confirmed yet", "role-unconfirmed", 36),
    Day("PAS and ARM ask to wait 30 s", (("throttle", "pas", 30), ("throttle", "arm", 30)),
        GRACE, "asked this machine to wait", "throttled", 36),
    Day("The machine's identity is removed", (("no-identity", "token", None),),
        "managed identity", "managed identity", "no-managed-identity", 3, tokens_ended=True),
)
MORE = (
    Day("PAS drops every connection, ARM serves", (("refuse", "pas", None),), IN, IN, "", 0),
    Day("The same, with OfflineGrace=0", (("refuse", "pas", None), ("refuse", "arm", None)),
        "could not be reached", "could not be reached", "unreachable", 3, settings="[SignIn]\nOfflineGrace=0\n"),
    Day("The sign-in application is missing, ARM serves", (("missing-application", "token", None),), IN, IN, "", 0,
        tokens_ended=True),
    Day("PAS does not know the path, ARM serves", (("status", "pas", 404),), IN, IN, "", 0),
    Day("PAS refuses the machine's identity, ARM serves", (("refused-identity", "pas", 403),), IN, IN, "", 0),
    Day("ARM is down, PAS up", (("refuse", "arm", None),), IN, IN, "", 0),
    Day("A token has expired early", (("expired-token", "pas", None),), IN, IN, "", 0),
    Day("PAS says no, ARM forbids", (("says-no", "pas", None), ("refused-identity", "arm", 403)),
        "role not assigned", "not counting groups", "role-not-assigned", 60),
    Day("PAS's answers make no sense, ARM serves", (("wrong-json", "pas", None),), IN, IN, "", 0),
    Day("PAS asks to wait 30 s, ARM serves", (("throttle", "pas", 30),), IN, IN, "", 0),
    Day("PAS answers 503, ARM serves", (("server-error", "pas", 503),), IN, IN, "", 0),
    Day("Answers make no sense", (("wrong-json", "pas", None), ("wrong-json", "arm", None)),
        "could not be understood", "could not be understood", "malformed-answer", 3),
    # These two come last: after a silence, background rounds ask about all users of the earlier days, and the clock must not
    # jump then.
    Day("The application is missing, ARM forbids", (("missing-application", "token", None),
                                                    ("refused-identity", "arm", 403)),
        "Azure Linux VM Sign-In", "Azure Linux VM Sign-In", "application-missing", 3, tokens_ended=True),
    Day("The metadata service is closed to the daemon's user", (("status", "token", 403), ("status", "imds", 403)),
        "metadata service", "metadata service", "metadata-closed", 3, tokens_ended=True),
)
SLOW = (
    Day("PAS and ARM answer 503", (("server-error", "pas", 503), ("server-error", "arm", 503)),
        GRACE, "could not be reached", "unreachable", 3),
    Day("PAS and ARM send half an answer", (("cut-body", "pas", None), ("cut-body", "arm", None)),
        GRACE, "could not be reached", "unreachable", 3),
    Day("PAS is slow as honey, ARM too", (("drip", "pas", 100), ("drip", "arm", 100)),
        GRACE, "could not be reached", "unreachable", 36),
    Day("PAS and ARM are silent", (("silent", "pas", None), ("silent", "arm", None)),
        GRACE, "could not be reached", "unreachable", 36),
    Day("PAS is silent, ARM serves", (("silent", "pas", None),), IN, IN, "", 0),
)
# The grace does not apply if the reason is one that an administrator has to fix; see the page.


def met(env: Environment, host: Host, day: Day, person: Person, expected: str) -> float:
    """The person tries to sign in while the fault lasts; returns the milliseconds."""
    mark = host.journal.mark()
    outcome = host.ssh(person, "id -un")
    if expected in (IN, GRACE):
        admitted(outcome, f"{person.login}\n")
        record = host.journal.wait(mark, event="account", user=person.login, decision="allow")
        equal("grace" in record["ENTRALOGIN_DETAIL"], expected == GRACE, f"{day.name}: by grace ({record})")
    else:
        refused(outcome, expected, "Correlation id")
        record = host.journal.wait(mark, event="account", user=person.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], day.reason, f"{day.name}: reason ({record.get('ENTRALOGIN_DETAIL')})")
    require(outcome.milliseconds < LIMIT_MS, f"{day.name}: {outcome.milliseconds:.0f} ms")
    return outcome.milliseconds


def run_day(env: Environment, host: Host, day: Day) -> float:
    page = row(day.name)
    for column, words in grouped(day).items():
        equal(page[column].replace("`", ""), words, f"{PAGE.name}, {day.name}, {column}")
    for name, endpoint, _ in day.faults:
        require(f"`{name} {endpoint}`" in page["Fault"], f"{day.name}: the page's fault is {page['Fault']}")
    known, new = env.newcomer(), env.newcomer()
    mark = host.journal.mark()
    admitted(host.ssh(known, "true"))
    host.journal.wait(mark, event="access-check")  # the confirmation has ended before the clock moves
    # The yes is too old for a sign-in, but recent enough for the grace.
    host.pass_by(90_000 if day.tokens_ended else 400, wall=False)
    if day.tokens_ended:
        host.service.stop()
    for name, endpoint, value in day.faults:
        env.azure.set_fault(name, endpoint, value, 1 if name == "expired-token" else None)
    if day.tokens_ended:
        host.begin() if day.reason != "metadata-closed" else host.service.start()
    slowest = max(met(env, host, day, known, day.known), met(env, host, day, new, day.new))
    if day.reason in ("identity-may-not-ask", "application-missing", "no-managed-identity", "metadata-closed"):
        words = host.tool("doctor").text
        require(day.reason in words or day.new in words, f"{day.name}: doctor hides it: {words}")
    env.azure.clear_faults()
    host.pass_by(day.seconds, wall=False)
    if day in SLOW:  # requests that began before the clock moved may still be in flight
        wait_for(lambda: host.ssh(new, "true").ok, f"{day.name}: the newcomer to get in", 20)
    for person in (new, known):
        admitted(host.ssh(person, "true"))
    return slowest


def all_played(env: Environment, days: tuple[Day, ...]) -> str:
    slowest = 0.0
    for settings in dict.fromkeys(day.settings for day in days):
        with env.fresh("badday", settings=settings) as host:
            for day in (d for d in days if d.settings == settings):
                slowest = max(slowest, run_day(env, host, day))
                # The daemon forgets which checker answered, and every yes and no.
                host.pass_by(400, wall=False)
                host.flush()
    return f"{len(days)} days, slowest {slowest:.0f} ms"


@case("P1", "bad days: each fault as its row says, who gets in, who reads what, and well again in the row's time")
def quick_days(env: Environment) -> str:
    return all_played(env, QUICK)


@case("P1", "more bad days, each as its row says", deep=True)
def more_days(env: Environment) -> str:
    return all_played(env, MORE)


@case("P1", "bad days on which Azure is waited for, each as its row says", deep=True)
def slow_days(env: Environment) -> str:
    return all_played(env, SLOW)


@case("P1", "bad day: metadata late at boot: nobody gets in, and everybody as soon as they answer")
def late_metadata(env: Environment) -> str:
    page = row("Metadata are late at boot")
    with env.fresh("lateboot", started=False) as host:
        person = env.newcomer()
        host.machine.start_sshd(host.port)
        with env.azure.without("imds"):
            host.service.start()
            host.stamped()
            refused(host.ssh(person, "id"), page["New here"])
            require("metadata" in host.service.status(), f"systemd is told {host.service.status()!r}")
        seconds = int(page["Well again"].split()[0])
        wait_for(lambda: host.ssh(person, "true").ok, "the newcomer", seconds + 20)
    return page["Well again"]


@case("P4", "bad day: Entra's keys out of reach for a week: everybody gets in, and status warns", deep=True)
def keys_for_a_week(env: Environment) -> str:
    page = row("Entra's keys are out of reach for a week")
    with env.fresh("week") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        mark = host.journal.mark()
        with env.azure.fault("refuse", "keys"):
            host.pass_by(7 * DAY)
            host.tool("status")
            record = host.journal.wait(mark, event="keys-stale")
            equal(page["Record"], "`keys-stale`", "the page's record")
            require(warned(host), "status does not warn")
            doctor = host.tool("doctor")  # it also reports the simulator's clock, which is now a week behind
            require(not doctor.ok and "not confirmed for long" in " ".join(doctor.text.split()), doctor.text)
            host.clock.set(boot=7 * DAY)  # certificates expire by the real-time clock
            for one in (person, env.newcomer()):
                admitted(host.ssh(one, "true"))
        asked = host.count("keys")
        host.pass_by(900, wall=False)
        equal(page["Well again"], "900 s", "the page's time")
        host.tool("status")
        wait_for(lambda: host.count("keys") > asked and not warned(host), "fresh keys")
    return record["MESSAGE"]


def warned(host: Host) -> bool:
    return "keys" in json.dumps(json.loads(host.tool("status", "--json").out)["warnings"])


@case("P1", "bad day: the machine's clock ten minutes off, either way, and jumping back: as the page says")
def clocks(env: Environment) -> str:
    slow, fast = row("Our clock is 10 min slow"), row("Our clock is 10 min fast")
    with env.fresh("clocks") as host:
        person, new = env.newcomer(), env.newcomer()
        admitted(host.ssh(person, "true"))
        host.clock.set(wall=-600)
        mark = host.journal.mark()
        refused(host.ssh(person, "id"), slow["Signed in within the hour"])
        record = host.journal.wait(mark, event="certificate", user=person.login, decision="deny")
        require("not-yet-valid" in record["ENTRALOGIN_DETAIL"] and "not-yet-valid" in slow["Record"], record)
        doctor = host.tool("doctor").text
        require("clock" in doctor.lower(), f"doctor hides the clock: {doctor}")
        host.clock.set(wall=600)
        for one in (person, new):
            admitted(host.ssh(one, "true"))
        equal(fast["New here"], IN, "the page")
        host.clock.set()
        admitted(host.ssh(person, "true"))
    return record["ENTRALOGIN_DETAIL"]


@case("P1", "bad day: suspended for eight hours, every connection dead: the first sign-in afterwards works", deep=True)
def suspended(env: Environment) -> str:
    page = row("Suspended for 8 h, then resumed")
    equal(page["Well again"], "at once", "the page's time")
    with env.fresh("suspend") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        for endpoint in ("pas", "keys"):
            env.azure.set_fault("refuse", endpoint, times=1)  # the connection that was kept open is dead
        host.pass_by(8 * HOUR, wall=False)  # certificates expire by the real-time clock
        for one in (person, env.newcomer()):
            admitted(host.ssh(one, "true"))
        env.azure.clear_faults()
    return "in at once"
