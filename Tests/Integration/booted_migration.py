# SPDX-License-Identifier: Apache-2.0
"""P7: migration from aadsshlogin where systemd runs: reloads, units, and a failed check that undoes everything."""

from __future__ import annotations

from booted_environment import BootedEnvironment
from case import case
from old_machine import apply, files, lay_out, open_session
from testbed.checks import admitted, equal, refused, require


@case("P7", "from aadsshlogin on a booted machine: undone where the stack does not hold, then over, and back again")
def over(env: BootedEnvironment) -> str:
    with env.boot("migration") as host:
        host.machine.wait_until_up()
        host.wait_until_ready()
        person = env.newcomer()
        lay_out(env, host, person)
        host.machine.reload_sshd(host.port)
        before = files(host)
        with open_session(env, host) as alive:
            host.machine.must("chmod", "777", "/usr/libexec/entralogin")
            failed = apply(host)
            require(failed.status == 1 and "the old integration is back" in failed.text, failed.text)
            equal(files(host), before, "files after a stack that does not hold")
            alive("after what was undone")
            host.machine.must("chmod", "755", "/usr/libexec/entralogin")
            applied = apply(host)
            require(applied.ok, applied.text)
            host.wait_until_ready()
            admitted(host.ssh(person, "id -un"), f"{person.login}\n")
            alive("with entralogin")
            undone = apply(host, "--undo")
            require(undone.ok, undone.text)
            equal(files(host), before, "files after the way back")
            refused(host.ssh(person, "true"))
            alive("back on the old machine")
    return failed.text.strip().splitlines()[-1]
