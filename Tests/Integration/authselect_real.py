# SPDX-License-Identifier: Apache-2.0
"""P4 under the real authselect(8): what `configure` makes of its profiles, and who gets in."""

from __future__ import annotations

import re
from contextlib import suppress

# The order of these imports is the order of the table.
# isort: off
from authselect_environment import AuthselectEnvironment, AuthselectFixture, in_force, select
import rows_people  # noqa: F401
import rows_local  # noqa: F401
import rows_integration  # noqa: F401
# isort: on
from authselected import OWN_FILE
from case import case
from table import TABLE, run_table
from testbed import Machine
from testbed.checks import equal, require
from testbed.installed import CONFIGURE, TOOL, put_in_place
from testbed.packages import differences, inventory

PLACES = ("/etc/pam.d", "/etc/authselect", "/etc/nsswitch.conf")
PROFILES = ("local", "local with-faillock with-silent-lastlog", "sssd with-mkhomedir with-sudo")


def wired(machine: Machine, profile: str) -> None:
    """Requires that entralogin's own profile is in force, with the features of `profile`, and that its lines come first."""
    features = profile.split()[1:]
    equal(in_force(machine), " ".join(["custom/entralogin", *features]), "the profile in force")
    for name in ("system-auth", "password-auth"):
        lines = [line.split() for line in machine.read(f"/etc/authselect/{name}").splitlines() if line[:1] not in ("", "#")]
        for stage in ("account", "session"):
            first = next(line for line in lines if line[0].lstrip("-") == stage)
            equal(first[-1], "pam_entralogin.so", f"the first module of {name}, {stage}")
    services = machine.read("/etc/authselect/nsswitch.conf")
    for table in ("passwd", "group"):
        require(re.search(rf"^{table}:.* entralogin *$", services, re.MULTILINE) is not None, f"{table}: {services}")


@case("P4", "the real authselect: a profile of entralogin's own with the features in force, and the one before again", deep=True)
def profiles(env: AuthselectEnvironment) -> str:
    for profile in PROFILES:
        machine = env.testbed.machine("authselect", layered=True)
        select(machine, profile)
        before = inventory(machine, *PLACES)
        put_in_place(machine)
        wired(machine, profile)
        machine.write(OWN_FILE, machine.read(OWN_FILE).replace(" user notingroup entra_admins", ""))
        machine.must("authselect", "apply-changes")
        machine.must(CONFIGURE, "--enable")  # again, over the profile of an older version
        wired(machine, profile)
        require("notingroup entra_admins" in machine.read("/etc/authselect/system-auth"), "the older version's lines are left")
        machine.must(CONFIGURE, "--disable")
        equal(in_force(machine), profile, "the profile after --disable")
        after = inventory(machine, *PLACES)
        equal([d for d in differences(before, after) if d != "+/etc/authselect/custom"], [], "what is left")
        machine.stop()
    return "; ".join(PROFILES)


@case("P4", "the real authselect, and somebody's own file in place of its link: nothing is changed, sign-in stays off",
      deep=True)
def another_file(env: AuthselectEnvironment) -> str:
    machine = env.testbed.machine("authselect", layered=True)
    select(machine, "local")
    machine.must("sh", "-c", "cp /etc/authselect/system-auth /etc/pam.d/own && mv /etc/pam.d/own /etc/pam.d/system-auth")
    require(not machine.run("authselect", "check").ok, "authselect does not see the file")  # it checks only the links
    before = inventory(machine, *PLACES)
    with suppress(RuntimeError):  # the integration is incomplete, so the exit status does not matter
        put_in_place(machine)
    equal(differences(before, inventory(machine, *PLACES)), [], "what was changed")
    said = machine.run(CONFIGURE, "--survey").text
    require("finds them edited (authselect check)" in said, f"the survey: {said}")
    require(not machine.run(TOOL, "stack").ok, "the stack check is content")
    machine.stop()
    return said.splitlines()[0][:100]


@case("P4", "the table of the demonstration, every row of it, where the real authselect makes PAM's files", deep=True)
def table(env: AuthselectEnvironment) -> str:
    failed = run_table(AuthselectFixture(env.testbed))
    require(failed == 0, f"{failed} rows failed: see above")
    return f"{len(TABLE)} rows"
