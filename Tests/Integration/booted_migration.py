# SPDX-License-Identifier: Apache-2.0
"""P7: migration from aadsshlogin where systemd runs: reloads, units, and a failed check that undoes everything."""

from __future__ import annotations

from bed.checks import admitted, equal, refused, require
from booted_ground import BootedGround
from case import case
from old_machine import apply, files, lay_out, open_session


@case("P7", "from aadsshlogin on a booted machine: undone where the stack does not hold, then over, and back again")
def over(ground: BootedGround) -> str:
    with ground.boot("migration") as site:
        site.machine.wait_until_up()
        site.wait_until_ready()
        person = ground.newcomer()
        lay_out(ground, site, person)
        site.machine.reload_sshd(site.port)
        before = files(site)
        with open_session(ground, site) as alive:
            site.machine.must("chmod", "777", "/usr/libexec/entralogin")
            failed = apply(site)
            require(failed.status == 1 and "the old wiring is back" in failed.text, failed.text)
            equal(files(site), before, "files after a stack that does not hold")
            alive("after what was undone")
            site.machine.must("chmod", "755", "/usr/libexec/entralogin")
            applied = apply(site)
            require(applied.ok, applied.text)
            site.wait_until_ready()
            admitted(site.ssh(person, "id -un"), f"{person.login}\n")
            alive("with ours")
            undone = apply(site, "--undo")
            require(undone.ok, undone.text)
            equal(files(site), before, "files after the way back")
            refused(site.ssh(person, "true"))
            alive("back on the old machine")
    return failed.text.strip().splitlines()[-1]
