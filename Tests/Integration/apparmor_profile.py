# SPDX-License-Identifier: Apache-2.0
"""AppArmor: any confined program can read accounts with the lines that the package adds to abstractions/nameservice."""

from __future__ import annotations

from case import case
from enforcing_environment import EnforcingEnvironment
from testbed.checks import admitted, equal, require
from testbed.machine import wait_for

LINES = "/etc/apparmor.d/abstractions/nameservice.d/entralogin"
PROGRAM = "/usr/local/bin/names"
PROFILE = f"""abi <abi/3.0>,
include <tunables/global>
profile names {PROGRAM} {{
  include <abstractions/base>
  include <abstractions/nameservice>
  {PROGRAM} mr,
}}
"""


@case("P7", "AppArmor: a confined program finds Entra users with the lines of the package, and does not without them")
def confined(env: EnforcingEnvironment) -> str:
    machine = env.boot("apparmor", 2222)
    alice = env.person("alice")
    try:
        equal(machine.must("cat", "/sys/module/apparmor/parameters/enabled").out, "Y\n", "AppArmor")
        admitted(alice.ssh("sudo -n id -u", port=machine.port, timeout=120), "0\n")
        machine.must("cp", "/usr/bin/getent", PROGRAM)
        machine.write("/root/profile", PROFILE)

        def asked() -> str:
            machine.must("apparmor_parser", "--replace", "--skip-cache", "/root/profile", timeout=120)
            names = machine.run(PROGRAM, "passwd", alice.login, user="lisa").out
            # For a name in no file, root's process asks the daemon: the lines allow the socket, too.
            machine.run(PROGRAM, "passwd", "nobody.here@contoso.com")
            return names.split(":")[0]

        def denied() -> str:
            return machine.shell("grep -h 'apparmor=.DENIED.*profile=.names' /var/log/audit/audit.log /var/log/kern.log; "
                                 "journalctl --no-pager | grep 'apparmor=.DENIED.*profile=.names'").out

        equal(asked(), alice.login, "with our lines")
        require("entralogin" not in denied(), denied())
        machine.must("mv", LINES, "/root/lines")
        equal(asked(), "", "without our lines")
        wait_for(lambda: "/var/lib/entralogin/nss/accounts.snapshot" in denied(), "the refusal in the audit log")
    finally:
        machine.stop()
    return f"sshd after {machine.seconds_to_sshd:.0f} s"
