# SPDX-License-Identifier: Apache-2.0
"""P5, P7: from a machine as Microsoft's aadsshlogin leaves it to ours, by the steps of the plan, and back."""

from __future__ import annotations

from bed import Person
from bed.checks import admitted, equal, refused, require
from case import case
from ground import SETTINGS, Ground, Site
from old_machine import OLD_UID, apply, files, lay_out, open_session, plan
from tool import fits


@case("P7", "from aadsshlogin and back: wiring in one step; homes, shells, sudo rules come over; local people all along")
def over(ground: Ground) -> str:
    with ground.fresh("migration") as site, open_session(ground, site) as alive:
        person = ground.newcomer()
        ground.make_administrator(person)
        home = lay_out(ground, site, person)
        site.reload()
        before = files(site)
        alive("on the old machine")
        status, first = plan(site)
        equal((status, first["conflicts"], first["isComparedWithOurs"]), (0, [], True), "status and conflicts")
        equal(len(first["oldLines"]), 4 + 2 + 2, f"lines that have to go: {first['oldLines']}")
        equal(first["sudoRules"], ["/etc/sudoers.d/aad_admins:1", "/etc/sudoers.d/aad_admins:2"], "sudo rules")
        require(first["hasLocalAdministratorsGroup"], "the local group is not seen")
        fits(site.tool("migrate", "--from", "aadsshlogin").out)
        equal(files(site), before, "files after the plan")
        site.machine.must("groupdel", "aad_admins")
        site.machine.write(SETTINGS, "[Accounts]\nAdministratorsGroup=aad_admins\n")
        site.service.stop()
        require(not plan(site)[1]["isComparedWithOurs"], "compared without the daemon")
        applied = apply(site)
        require(applied.ok, applied.text)
        equal(plan(site)[1]["oldLines"], [], "lines left")
        site.reload()
        site.begin()
        site.stamped()
        alive("with ours")
        admitted(site.ssh(person, "SITE=before sudo -n sh -c 'id -u; echo $SITE'"), "0\nbefore\n")
        uid = bring_over(ground, site, person, home)
        exported = site.tool("export").out.strip().split(":")
        equal(exported[2:4] + exported[5:], [str(uid), str(uid), home, "/bin/sh"], "export")
        require(apply(site).status == 1, "migrated twice")
        undone = apply(site, "--undo")
        require(undone.ok, undone.text)
        equal(files(site), before, "files after the way back")
        site.reload()
        refused(site.ssh(person, "true"))
        alive("back on the old machine")
    return f"uid {OLD_UID} became {uid}"


def bring_over(ground: Ground, site: Site, person: Person, home: str) -> int:
    """What the plan says after the first sign-in; returns the person's number."""
    commands = plan(site)[1]["people"][0]["commands"]
    equal(len(commands), 3, f"commands {commands}")
    for command in commands:
        outcome = site.machine.shell(command)
        require(outcome.ok, f"{command}: {outcome.text}")
    uid = site.machine.uid(person.login)
    admitted(site.ssh(person, "pwd; echo $SHELL; cat from-before; stat -c %u from-before"),
             f"{home}\n/bin/sh\nkept\n{uid}\n")
    admitted(site.ssh(person, "SITE=again sudo -n sh -c 'id -u; echo $SITE'"), "0\nagain\n")
    status, last = plan(site)
    equal((status, last["people"][0]["commands"]), (0, []), "what is left to do")
    return uid


@case("P7", "from aadsshlogin: a step that fails, or others' lines in the old block, leave every file as it was")
def failing(ground: Ground) -> str:
    with ground.fresh("migration-fails") as site, open_session(ground, site) as alive:
        lay_out(ground, site, ground.newcomer())
        site.reload()
        before = files(site)
        for program in ("/usr/sbin/visudo", "/usr/bin/getent"):
            site.machine.must("mv", program, program + ".away")
            site.machine.write(program, "#!/bin/sh\nexit 1\n", 0o755)
            outcome = apply(site)
            site.machine.must("mv", program + ".away", program)
            require(outcome.status == 1 and "the old wiring is back" in outcome.text, f"{program}: {outcome.text}")
            equal(files(site), before, f"files after {program} had failed")
            require(not site.machine.path("/var/lib/entralogin-migration").exists(), "what was saved is left")
            alive(f"after {program} had failed")
        config = site.machine.read("/etc/ssh/sshd_config")
        site.machine.write("/etc/ssh/sshd_config", config + "    ForceCommand /usr/bin/true\n")
        before = files(site)
        outcome = apply(site)
        require(outcome.status == 1 and "lines of others" in outcome.text, outcome.text)
        equal(files(site), before, "files after the refusal")
    return outcome.text.splitlines()[0].strip()


@case("P5", "from aadsshlogin: a name with another object id, somebody's home or number: no plan, and what to do")
def contradictions(ground: Ground) -> str:
    with ground.fresh("migration-refused") as site:
        person, other = ground.newcomer(), "0b1ec700-0000-4000-8000-00000000beef"
        admitted(site.ssh(person, "true"))
        site.machine.must("install", "-d", "-o", "lisa", "/home/theirs")
        lisa = site.machine.uid("lisa")
        lines = (
            f"{person.login}:{other}:4711:4711:A:/home/a:/bin/sh",
            f"b@contoso.com:{other}:{lisa}:{lisa}:B:/home/b:/bin/sh",
            "c@contoso.com:0b1ec700-0000-4000-8000-00000000000c:4713:4713:C:/home/theirs:/bin/sh", "half a line",
        )
        site.machine.write("/etc/aadpasswd", "".join(f"{line}\n" for line in lines))
        status, told = plan(site)
        equal((status, told["isReady"]), (1, False), "status and verdict")
        for number, word in enumerate(("object id", "has uid", "no folder", "fields"), 1):
            place = f"/etc/aadpasswd:{number}"
            require(any(c["place"] == place and word in c["text"] and c["remedy"] for c in told["conflicts"]),
                    f"{place}: {word!r} is not said: {told['conflicts']}")
        before = files(site)
        require(apply(site).status == 1 and files(site) == before, "something was done")
        text = site.tool("migrate", "--from", "aadlogin")
        fits(text.out)
        require(text.status == 1 and text.out.endswith("Do not begin: mend these first.\n"), text.text)
    return f"{len(told['conflicts'])} conflicts"
