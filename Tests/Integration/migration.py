# SPDX-License-Identifier: Apache-2.0
"""P5, P7: migration of a machine with Microsoft's aadsshlogin to entralogin, by the steps of the plan, and back."""

from __future__ import annotations

from bed import Person
from bed.checks import admitted, equal, refused, require
from bed.installed import CONFIGURE
from bed.stopper import Stopper
from case import case
from credentials import KEYS_FILE, MARK, intruder, plant, shut_out, taken
from ground import SETTINGS, Ground, Site
from identity import OTHER_OBJECT
from old_machine import OLD_UID, apply, files, lay_out, open_session, plan
from simulator import contoso
from tool import fits

LIST = "/etc/entralogin/adopted"
ACCOUNT_FILES = ("/etc/passwd", "/etc/group")


def accounts(site: Site) -> list[str]:
    """The account files, with owner and mode."""
    return [site.machine.read(path) + site.machine.must("stat", "-c", "%a %u:%g", path).out for path in ACCOUNT_FILES]


def adopt(site: Site) -> None:
    """Migrates by the plan, with the old group in AdministratorsGroup=, so that sudo's rules for it still apply."""
    site.machine.must("groupdel", "aad_admins")
    site.machine.write(SETTINGS, "[Accounts]\nAdministratorsGroup=aad_admins\n")
    applied = apply(site)
    require(applied.ok, applied.text)
    site.reload()
    site.service.stop()  # the settings have changed
    site.begin()
    site.stamped()


@case("P7", "from aadsshlogin and back: wiring in one step; numbers, homes, shells, sudo rules stay; local users all along")
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
        record = f"{person.login}:!*adopted:{OLD_UID}:{OLD_UID}:Somebody:{home}:/bin/sh"
        equal(first["people"][0]["passwdLine"], record, "the line to come")
        text = site.tool("migrate", "--from", "aadsshlogin").out
        fits(text)
        require(record in text, f"the plan does not show {record}: {text}")
        equal(files(site), before, "files after the plan")
        site.service.stop()
        require(not plan(site)[1]["isComparedWithOurs"], "compared without the daemon")
        owned = accounts(site)
        adopt(site)
        owned = [text.replace("aad_admins:x:4700:\n", "") for text in owned]
        equal(plan(site)[1]["oldLines"], [], "lines left")
        alive("with ours")
        mapped(ground, site, person, home)
        require(apply(site).status == 1, "migrated twice")
        undone = apply(site, "--undo")
        require(undone.ok, undone.text)
        equal(files(site), before, "files after the way back")
        equal(accounts(site), owned, "the account files after the way back")
        require(not site.machine.path(LIST).exists(), "the list is left")
        site.reload()
        refused(site.ssh(person, "true"))
        alive("back on the old machine")
    return f"uid {OLD_UID} stayed"


def mapped(ground: Ground, site: Site, person: Person, home: str) -> None:
    """Requires that the person signs in with the old uid, home and shell, and with the rights of the role only."""
    admitted(site.ssh(person, "pwd; echo $SHELL; cat from-before; stat -c %u from-before; id -u; id -gn"),
             f"{home}\n/bin/sh\nkept\n{OLD_UID}\n{OLD_UID}\n{person.login}\n")
    equal(set(site.ssh(person, "id -Gn").out.split()), {person.login, "entra_users", "aad_admins"}, "groups")
    admitted(site.ssh(person, "SITE=before sudo -n sh -c 'id -u; echo $SITE'"), "0\nbefore\n")
    equal(site.machine.must("getent", "-s", "passwd:files", "passwd", person.login).out,
          site.machine.must("getent", "passwd", str(OLD_UID)).out, "the record by name and by number")
    exported = site.tool("export").out.strip().split(":")
    equal(exported[2:4] + exported[5:], [str(OLD_UID), str(OLD_UID), home, "/bin/sh"], "export")
    status, last = plan(site)
    equal((status, last["people"][0]["keepsNumber"], last["people"][0]["commands"]), (0, True, []), "what is left to do")
    require("local accounts are Entra's" in site.tool("doctor").out, site.tool("doctor").text)
    key = ground.key_of(person)
    ground.azure.assign(OTHER_OBJECT, contoso.ADMINISTRATOR)
    mark = site.journal.mark()
    refused(site.ssh(ground.bed.forged(key, object_id=OTHER_OBJECT), "id"))
    site.journal.wait(mark, user=person.login, decision="deny", reason="object-id-changed")
    ground.withdraw(person, role=contoso.ADMINISTRATOR)
    site.tool("flush")
    outcome = site.ssh(person, "id -Gn; sudo -n id -u")
    require("aad_admins" not in outcome.out and "0" not in outcome.lines()[1:], outcome.text)
    ground.withdraw(person)
    site.tool("flush")
    refused(site.ssh(person, "true"))


@case("P4", "a mapped account whose list and record differ in anything: no certificate and no planted key opens it")
def differing(ground: Ground) -> str:
    with ground.fresh("migration-differs") as site, open_session(ground, site) as alive:
        person = ground.newcomer()
        lay_out(ground, site, person)
        site.reload()
        adopt(site)
        site.hidden_sshd(KEYS_FILE)
        admitted(site.ssh(person, "id -u"), f"{OLD_UID}\n")
        thief = intruder(ground, person)
        plant(site, thief)
        listed, passwd = site.machine.read(LIST), site.machine.read("/etc/passwd")
        shut_out(site.ssh(thief, f"echo {MARK}"))
        for path, text in (
            (LIST, None), (LIST, "entralogin-adopted 1\n"), (LIST, listed + "damage\n"),
            (LIST, listed.replace(f":{OLD_UID}", ":4999")),
            (LIST, listed.replace(listed.split(":")[1], OTHER_OBJECT)),
            ("/etc/passwd", passwd.replace(f"{person.login}:!*adopted:{OLD_UID}", f"{person.login}:x:4712")),
            ("/etc/passwd", passwd.replace("!*adopted", "x")),
            ("/etc/passwd", passwd + f"second:x:{OLD_UID}:100::/:/bin/sh\n"),
        ):
            if text is None:
                site.machine.remove(path)
            else:
                site.machine.write(path, text)
            refused(site.ssh(person, "true"))
            already = taken(site, thief)
            seen = shut_out(site.ssh(thief, f"echo {MARK}"))
            require(taken(site, thief) > already, "sshd did not take the planted key: nothing was tried")
            require("adopted" in site.tool("doctor").out, f"doctor does not name it: {text}")
            site.machine.write(LIST, listed)
            site.machine.write("/etc/passwd", passwd)
            alive(f"after {text!r}")
        admitted(site.ssh(person, "id -u"), f"{OLD_UID}\n")
    return seen


@case("P7",
      "mapped accounts go with the wiring and come back with it; who has a number of entralogin's range already keeps that")
def wiring(ground: Ground) -> str:
    with ground.fresh("migration-wiring") as site:
        person, known = ground.newcomer(), ground.newcomer()
        admitted(site.ssh(known, "true"))
        number = site.machine.uid(known.login)
        home = lay_out(ground, site, known)
        oid = ground.bed.directory.principals[ground.key_of(person)].object_id
        line = f"{person.login}:{oid}:4712:4712:Other:/home/other:/bin/sh\n"
        site.machine.write("/etc/aadpasswd", site.machine.read("/etc/aadpasswd") + line)
        site.reload()
        adopt(site)
        equal(bring_over(site, known, home), number, "the number of who was known")
        # The groups count at the first sign-in, too.
        site.machine.write("/etc/ssh/sshd_config.d/60-groups.conf", "AllowGroups entra_users root lisa\n")
        site.reload()
        site.stamped()
        admitted(site.ssh(person, "id -u"), "4712\n")
        require(site.tool("setup", "--undo").ok, "setup --undo")
        require(person.login not in site.machine.read("/etc/passwd"), "left in /etc/passwd")
        applied = site.tool("setup", "--apply")
        require("could not be put back" not in applied.text, applied.text)
        site.reload()
        site.stamped()
        admitted(site.ssh(person, "id -u"), "4712\n")
    return f"{number} and 4712"


def bring_over(site: Site, person: Person, home: str) -> int:
    """Follows the plan for a user who has a uid from entralogin; returns that uid."""
    told = next(told for told in plan(site)[1]["people"] if told["name"] == person.login)
    equal((len(told["commands"]), told["keepsNumber"]), (3, False), f"commands {told}")
    for command in told["commands"]:
        outcome = site.machine.shell(command)
        require(outcome.ok, f"{command}: {outcome.text}")
    uid = site.machine.uid(person.login)
    admitted(site.ssh(person, "pwd; echo $SHELL; cat from-before; stat -c %u from-before"),
             f"{home}\n/bin/sh\nkept\n{uid}\n")
    return uid


@case("P7", "from aadsshlogin: a step that fails, or others' lines in the old block, leave every file as it was")
def failing(ground: Ground) -> str:
    with ground.fresh("migration-fails") as site, open_session(ground, site) as alive:
        lay_out(ground, site, ground.newcomer())
        site.reload()
        before, owned = files(site), accounts(site)
        for program in ("/usr/sbin/visudo", "/usr/bin/getent"):
            site.machine.must("mv", program, program + ".away")
            site.machine.write(program, "#!/bin/sh\nexit 1\n", 0o755)
            outcome = apply(site)
            site.machine.must("mv", program + ".away", program)
            require(outcome.status == 1 and "the old wiring is back" in outcome.text, f"{program}: {outcome.text}")
            equal(files(site), before, f"files after {program} had failed")
            equal(accounts(site), owned, f"the account files after {program} had failed")
            require(not site.machine.path(LIST).exists(), "the list is left")
            require(not site.machine.path("/var/lib/entralogin-migration").exists(), "what was saved is left")
            alive(f"after {program} had failed")
        # Killed after everything but the note that it is done: the accounts' lines are in /etc/passwd.
        stopper, is_late = Stopper(site.machine, ground.bed.scratch / "programs"), False
        for at in range(1, 12):
            _, where = stopper.run("kill", at, CONFIGURE, "--migrate", "aadsshlogin", word="unfinished.done")
            require(bool(where), "never killed with the lines in /etc/passwd")
            is_late = "!*adopted" in site.machine.read("/etc/passwd")
            recovered = site.machine.run(CONFIGURE, "--recover", timeout=180)
            require(recovered.ok, recovered.text)
            equal((files(site), accounts(site)), (before, owned), f"files and accounts after a kill at {where}")
            if is_late:
                break
        require(is_late, "never killed with the lines in /etc/passwd")
        alive("after a kill at the end")
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
        require(text.status == 1 and text.out.endswith("Do not begin: fix these first.\n"), text.text)
    return f"{len(told['conflicts'])} conflicts"
