# SPDX-License-Identifier: Apache-2.0
"""P4, P5, P7: migration of a machine with Microsoft's aadsshlogin to entralogin, by the steps of the plan, and back."""

from __future__ import annotations

from case import case
from credentials import KEYS_FILE, MARK, intruder, plant, shut_out, taken
from environment import SETTINGS, Environment, Host
from identity import OTHER_OBJECT
from old_machine import OLD_UID, apply, files, lay_out, open_session, plan
from simulator import contoso
from testbed import Person
from testbed.checks import admitted, equal, refused, require
from testbed.installed import CONFIGURE
from testbed.stopper import Stopper
from tool import fits

LIST = "/etc/entralogin/adopted"
ACCOUNT_FILES = ("/etc/passwd", "/etc/group")


def accounts(host: Host) -> list[str]:
    """The account files, with owner and mode."""
    return [host.machine.read(path) + host.machine.must("stat", "-c", "%a %u:%g", path).out for path in ACCOUNT_FILES]


def adopt(host: Host) -> None:
    """Migrates by the plan, with the old group in AdministratorsGroup=, so that sudo's rules for it still apply."""
    host.machine.must("groupdel", "aad_admins")
    host.machine.write(SETTINGS, "[Accounts]\nAdministratorsGroup=aad_admins\n")
    applied = apply(host)
    require(applied.ok, applied.text)
    host.reload()
    host.service.stop()  # the settings have changed
    host.begin()
    host.stamped()


@case("P7", "from aadsshlogin and back: integration in one step; numbers, homes, shells, sudo rules stay; local users all along")
def over(env: Environment) -> str:
    with env.fresh("migration") as host, open_session(env, host) as alive:
        person = env.newcomer()
        env.make_administrator(person)
        home = lay_out(env, host, person)
        host.reload()
        before = files(host)
        alive("on the old machine")
        status, first = plan(host)
        equal((status, first["conflicts"], first["isComparedWithOurs"]), (0, [], True), "status and conflicts")
        equal(len(first["oldLines"]), 4 + 2 + 2, f"lines that have to go: {first['oldLines']}")
        equal(first["sudoRules"], ["/etc/sudoers.d/aad_admins:1", "/etc/sudoers.d/aad_admins:2"], "sudo rules")
        require(first["hasLocalAdministratorsGroup"], "the local group is not seen")
        record = f"{person.login}:!*adopted:{OLD_UID}:{OLD_UID}:Somebody:{home}:/bin/sh"
        equal(first["people"][0]["passwdLine"], record, "the line to come")
        text = host.tool("migrate", "--from", "aadsshlogin").out
        fits(text)
        require(record in text, f"the plan does not show {record}: {text}")
        equal(files(host), before, "files after the plan")
        host.service.stop()
        require(not plan(host)[1]["isComparedWithOurs"], "compared without the daemon")
        owned = accounts(host)
        adopt(host)
        owned = [text.replace("aad_admins:x:4700:\n", "") for text in owned]
        equal(plan(host)[1]["oldLines"], [], "lines left")
        alive("with entralogin")
        mapped(env, host, person, home)
        require(apply(host).status == 1, "migrated twice")
        undone = apply(host, "--undo")
        require(undone.ok, undone.text)
        equal(files(host), before, "files after the way back")
        equal(accounts(host), owned, "the account files after the way back")
        require(not host.machine.path(LIST).exists(), "the list is left")
        host.reload()
        refused(host.ssh(person, "true"))
        alive("back on the old machine")
    return f"uid {OLD_UID} stayed"


def mapped(env: Environment, host: Host, person: Person, home: str) -> None:
    """Requires that the person signs in with the old uid, home and shell, and with the rights of the role only."""
    admitted(host.ssh(person, "pwd; echo $SHELL; cat from-before; stat -c %u from-before; id -u; id -gn"),
             f"{home}\n/bin/sh\nkept\n{OLD_UID}\n{OLD_UID}\n{person.login}\n")
    equal(set(host.ssh(person, "id -Gn").out.split()), {person.login, "entra_users", "aad_admins"}, "groups")
    admitted(host.ssh(person, "SITE=before sudo -n sh -c 'id -u; echo $SITE'"), "0\nbefore\n")
    equal(host.machine.must("getent", "-s", "passwd:files", "passwd", person.login).out,
          host.machine.must("getent", "passwd", str(OLD_UID)).out, "the record by name and by number")
    exported = host.tool("export").out.strip().split(":")
    equal(exported[2:4] + exported[5:], [str(OLD_UID), str(OLD_UID), home, "/bin/sh"], "export")
    status, last = plan(host)
    equal((status, last["people"][0]["keepsNumber"], last["people"][0]["commands"]), (0, True, []), "what is left to do")
    require("local accounts are Entra's" in host.tool("doctor").out, host.tool("doctor").text)
    key = env.key_of(person)
    env.azure.assign(OTHER_OBJECT, contoso.ADMINISTRATOR)
    mark = host.journal.mark()
    refused(host.ssh(env.testbed.forged(key, object_id=OTHER_OBJECT), "id"))
    host.journal.wait(mark, user=person.login, decision="deny", reason="object-id-changed")
    env.withdraw(person, role=contoso.ADMINISTRATOR)
    host.tool("flush")
    outcome = host.ssh(person, "id -Gn; sudo -n id -u")
    require("aad_admins" not in outcome.out and "0" not in outcome.lines()[1:], outcome.text)
    env.withdraw(person)
    host.tool("flush")
    refused(host.ssh(person, "true"))


@case("P4", "a mapped account whose list and record differ in anything: no certificate and no planted key opens it")
def differing(env: Environment) -> str:
    with env.fresh("migration-differs") as host, open_session(env, host) as alive:
        person = env.newcomer()
        lay_out(env, host, person)
        host.reload()
        adopt(host)
        host.hidden_sshd(KEYS_FILE)
        admitted(host.ssh(person, "id -u"), f"{OLD_UID}\n")
        thief = intruder(env, person)
        plant(host, thief)
        listed, passwd = host.machine.read(LIST), host.machine.read("/etc/passwd")
        shut_out(host.ssh(thief, f"echo {MARK}"))
        for path, text in (
            (LIST, None), (LIST, "entralogin-adopted 1\n"), (LIST, listed + "damage\n"),
            (LIST, listed.replace(f":{OLD_UID}", ":4999")),
            (LIST, listed.replace(listed.split(":")[1], OTHER_OBJECT)),
            ("/etc/passwd", passwd.replace(f"{person.login}:!*adopted:{OLD_UID}", f"{person.login}:x:4712")),
            ("/etc/passwd", passwd.replace("!*adopted", "x")),
            ("/etc/passwd", passwd + f"second:x:{OLD_UID}:100::/:/bin/sh\n"),
        ):
            if text is None:
                host.machine.remove(path)
            else:
                host.machine.write(path, text)
            refused(host.ssh(person, "true"))
            already = taken(host, thief)
            seen = shut_out(host.ssh(thief, f"echo {MARK}"))
            require(taken(host, thief) > already, "sshd did not take the planted key: nothing was tried")
            require("adopted" in host.tool("doctor").out, f"doctor does not name it: {text}")
            host.machine.write(LIST, listed)
            host.machine.write("/etc/passwd", passwd)
            alive(f"after {text!r}")
        admitted(host.ssh(person, "id -u"), f"{OLD_UID}\n")
    return seen


@case("P7",
      "mapped accounts go with the integration and come back with it; who has a number of entralogin's range already keeps that")
def integration(env: Environment) -> str:
    with env.fresh("migration-integration") as host:
        person, known = env.newcomer(), env.newcomer()
        admitted(host.ssh(known, "true"))
        number = host.machine.uid(known.login)
        home = lay_out(env, host, known)
        oid = env.testbed.directory.principals[env.key_of(person)].object_id
        line = f"{person.login}:{oid}:4712:4712:Other:/home/other:/bin/sh\n"
        host.machine.write("/etc/aadpasswd", host.machine.read("/etc/aadpasswd") + line)
        host.reload()
        adopt(host)
        equal(bring_over(host, known, home), number, "the number of who was known")
        # AllowGroups applies to the account's groups at its first sign-in, too.
        host.machine.write("/etc/ssh/sshd_config.d/60-groups.conf", "AllowGroups entra_users root lisa\n")
        host.reload()
        host.stamped()
        admitted(host.ssh(person, "id -u"), "4712\n")
        require(host.tool("setup", "--undo").ok, "setup --undo")
        require(person.login not in host.machine.read("/etc/passwd"), "left in /etc/passwd")
        applied = host.tool("setup", "--apply")
        require("could not be put back" not in applied.text, applied.text)
        host.reload()
        host.stamped()
        admitted(host.ssh(person, "id -u"), "4712\n")
    return f"{number} and 4712"


def bring_over(host: Host, person: Person, home: str) -> int:
    """Follows the plan for a user who has a uid from entralogin; returns that uid."""
    told = next(told for told in plan(host)[1]["people"] if told["name"] == person.login)
    equal((len(told["commands"]), told["keepsNumber"]), (3, False), f"commands {told}")
    for command in told["commands"]:
        outcome = host.machine.shell(command)
        require(outcome.ok, f"{command}: {outcome.text}")
    uid = host.machine.uid(person.login)
    admitted(host.ssh(person, "pwd; echo $SHELL; cat from-before; stat -c %u from-before"),
             f"{home}\n/bin/sh\nkept\n{uid}\n")
    return uid


@case("P7", "from aadsshlogin: a step that fails, or others' lines in the old block, leave every file as it was")
def failing(env: Environment) -> str:
    with env.fresh("migration-fails") as host, open_session(env, host) as alive:
        lay_out(env, host, env.newcomer())
        host.reload()
        before, owned = files(host), accounts(host)
        for program in ("/usr/sbin/visudo", "/usr/bin/getent"):
            host.machine.must("mv", program, program + ".away")
            host.machine.write(program, "#!/bin/sh\nexit 1\n", 0o755)
            outcome = apply(host)
            host.machine.must("mv", program + ".away", program)
            require(outcome.status == 1 and "the old integration is back" in outcome.text, f"{program}: {outcome.text}")
            equal(files(host), before, f"files after {program} had failed")
            equal(accounts(host), owned, f"the account files after {program} had failed")
            require(not host.machine.path(LIST).exists(), "the list is left")
            require(not host.machine.path("/var/lib/entralogin-migration").exists(), "what was saved is left")
            alive(f"after {program} had failed")
        # Kills at the calls that mark the run as done, until a kill comes when the accounts' lines are in /etc/passwd.
        stopper, is_late = Stopper(host.machine, env.testbed.scratch / "programs"), False
        for at in range(1, 12):
            _, where = stopper.run("kill", at, CONFIGURE, "--migrate", "aadsshlogin", word="unfinished.done")
            require(bool(where), "never killed with the lines in /etc/passwd")
            is_late = "!*adopted" in host.machine.read("/etc/passwd")
            recovered = host.machine.run(CONFIGURE, "--recover", timeout=180)
            require(recovered.ok, recovered.text)
            equal((files(host), accounts(host)), (before, owned), f"files and accounts after a kill at {where}")
            if is_late:
                break
        require(is_late, "never killed with the lines in /etc/passwd")
        alive("after a kill at the end")
        config = host.machine.read("/etc/ssh/sshd_config")
        host.machine.write("/etc/ssh/sshd_config", config + "    ForceCommand /usr/bin/true\n")
        before = files(host)
        outcome = apply(host)
        require(outcome.status == 1 and "lines of others" in outcome.text, outcome.text)
        equal(files(host), before, "files after the refusal")
    return outcome.text.splitlines()[0].strip()


@case("P5", "from aadsshlogin: a name with another object id, somebody's home or number: no plan, and what to do")
def contradictions(env: Environment) -> str:
    with env.fresh("migration-refused") as host:
        person, other = env.newcomer(), "0b1ec700-0000-4000-8000-00000000beef"
        admitted(host.ssh(person, "true"))
        host.machine.must("install", "-d", "-o", "lisa", "/home/theirs")
        lisa = host.machine.uid("lisa")
        lines = (
            f"{person.login}:{other}:4711:4711:A:/home/a:/bin/sh",
            f"b@contoso.com:{other}:{lisa}:{lisa}:B:/home/b:/bin/sh",
            "c@contoso.com:0b1ec700-0000-4000-8000-00000000000c:4713:4713:C:/home/theirs:/bin/sh", "half a line",
        )
        host.machine.write("/etc/aadpasswd", "".join(f"{line}\n" for line in lines))
        status, told = plan(host)
        equal((status, told["isReady"]), (1, False), "status and verdict")
        for number, word in enumerate(("object id", "has uid", "no folder", "fields"), 1):
            place = f"/etc/aadpasswd:{number}"
            require(any(c["place"] == place and word in c["text"] and c["remedy"] for c in told["conflicts"]),
                    f"{place}: {word!r} is not said: {told['conflicts']}")
        before = files(host)
        require(apply(host).status == 1 and files(host) == before, "something was done")
        text = host.tool("migrate", "--from", "aadlogin")
        fits(text.out)
        require(text.status == 1 and text.out.endswith("Do not begin: fix these first.\n"), text.text)
    return f"{len(told['conflicts'])} conflicts"
