# SPDX-License-Identifier: Apache-2.0
"""P2 and P7 beside a real LDAP directory, by nslcd and by SSSD: its groups give no user sudo, and its sudoers do not count for
Entra accounts."""

from __future__ import annotations

from case import case
from directory_environment import directory, group, sudo_role, user
from environment import Environment
from roles import ADMINS, ADMINS_GID, TARGETPW, administrator
from short_environment import card, local_part, short, short_names
from sudo_right import COMMON_ACCOUNT, USERS_GID, in_our_lines, in_steps
from sudo_withheld import NSSWITCH, severity, signs_in, withdrawal
from testbed.checks import admitted, equal, one_line, refused, require
from testbed.machine import wait_for

THEIRS = 70_002


@case("P7", "an LDAP group with the name or number of the administrators' group, by nslcd and by SSSD, gives nobody sudo",
      attack="H3")
def groups_of_ldap(env: Environment) -> str:
    with env.fresh("ldap", layered=True) as host, directory(host.machine) as corp:
        machine, person = host.machine, administrator(env)
        for entry in (group(ADMINS, THEIRS, "lisa"), group("theirs", ADMINS_GID, "lisa"), group("users2", USERS_GID, "lisa")):
            corp.change(entry)
        before = machine.read(NSSWITCH)
        corp.by_nslcd()
        corp.by_sssd()
        for order in ("entralogin ldap", "ldap entralogin", "entralogin sss", "sss entralogin"):
            machine.write(NSSWITCH, before.replace("entralogin", order))
            host.stamped()
            held = machine.must("id", "-G", user="lisa").out.split()
            require({str(THEIRS), str(ADMINS_GID), str(USERS_GID)} <= set(held), f"{order}: lisa has not got them: {held}")
            outcome = machine.run("sudo", "-n", "id", "-u", user="lisa")
            require("0" not in outcome.lines(), f"{order}: lisa is root: {outcome.text}")
            require("0" in host.ssh(person, "sudo -n id -u").lines(), f"{order}: the administrator's own sudo")
        machine.write(TARGETPW, f"%{ADMINS} ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440)
        account = machine.read(COMMON_ACCOUNT)
        rest = "\n".join(line for line in account.splitlines() if not in_our_lines(line))
        machine.write(COMMON_ACCOUNT, f"{rest}\n")
        control = machine.run("sudo", "-n", "id", "-u", user="lisa")
        equal(control.out, "0\n", f"lisa by a rule that goes by the name, without PAM's lines ({control.text})")
    return "name and numbers, four orders of name services: nothing; by a rule with the name lisa was root"


@case("P2", "sudoers from SSSD, asked for real: neither rules nor defaults of a directory count for an Entra account",
      attack="P24")
def sudoers_of_sssd(env: Environment) -> str:
    with env.fresh("sssd", layered=True) as host, directory(host.machine) as corp:
        machine, person, other = host.machine, administrator(env), env.newcomer()
        corp.change(user("dora", 70_100))
        corp.change(sudo_role("defaults", sudoOption=["!pam_acct_mgmt"]))
        for name, users in (("all", "ALL"), ("named", other.login), ("group", f"%{ADMINS}")):
            corp.change(sudo_role(name, sudoUser=[users], sudoHost=["ALL"], sudoCommand=["ALL"], sudoOption=["!authenticate"]))
        before = machine.read(NSSWITCH)
        corp.by_sssd()
        machine.write(NSSWITCH, before.replace("entralogin", "entralogin sss") + "sudoers: files sss\n")
        host.stamped()
        machine.write(TARGETPW, f'"{other.login}" ALL=(ALL) NOPASSWD: /usr/bin/id\n', 0o440)
        host.stamped()
        equal(signs_in(host, person), (True, True), "an administrator beside it")
        said = in_steps(env, host, other, [lambda: None, withdrawal(env, host, other)], "sudo -n id -u; sudo -n uptime")
        equal(said[0].splitlines()[0], "0", "the owner's own rule")
        require("load average" not in said[0], f"a directory's rule counts: {said[0]}")
        require("0" not in said[1].splitlines() and "load average" not in said[1], f"after the role's end: {said[1]}")
        ended = in_steps(env, host, person, [lambda: None, withdrawal(env, host, person)], "sudo -n id -u")
        require(ended[0] == "0\n" and "0" not in ended[1].splitlines(), f"the administrators' rule: {ended}")
        equal(severity(host, "sudoers.sources"), "note", "doctor")
        # Control: for a user whom SSSD knows, its rule and defaults count, and sudo does not run PAM's account stage.
        machine.write("/etc/pam.d/sudo", "account required pam_deny.so\nsession required pam_permit.so\n")
        control = machine.run("setpriv", "--reuid=70100", "--clear-groups", "sudo", "-n", "id", "-u")
        equal(control.out, "0\n", f"dora, by the directory's rule and defaults ({control.text})")
    return "an Entra account: nothing of it; dora: both"


@case("P7", "short names: a user of SSSD's keeps the name; the Entra namesake gets the whole one at the second try, and no group")
def namesake_of_sssd(env: Environment) -> str:
    with short_names(env, "shortsssd", layered=True) as host, directory(host.machine) as corp:
        machine, person, free = host.machine, env.newcomer(), env.newcomer()
        name, theirs = local_part(person), "corp_staff"
        corp.change(user(name, THEIRS))
        corp.change(group(theirs, 70_200, name))
        corp.by_sssd()
        before = machine.read(NSSWITCH)
        machine.write(NSSWITCH, before.replace("entralogin_short", "sss entralogin_short"))
        host.stamped()
        refused(host.ssh(short(person), "id"))
        first = refused(host.ssh(person, "id"), "sign in again")
        require(not machine.passwd(person.login), "there is an account after the first try")
        said = admitted(host.ssh(person, "id -un; pwd; id -Gn")).splitlines()
        equal(said, [person.login, f"/home/{person.login}", f"{person.login} entra_users"], "name, home and groups")
        require(f"a user called {name}" in card(host, person.login), card(host, person.login))
        equal(machine.passwd(name)[2], str(THEIRS), "SSSD's user")
        require("70200" in machine.must("id", "-G", name).out.split(), "SSSD's user's groups")
        refused(host.ssh(short(person), "id"))
        admitted(host.ssh(short(free), "id -un"), f"{local_part(free)}\n")
        # The directory gets a user of the same name later.
        corp.change(user(local_part(free), THEIRS + 1))
        wait_for(lambda: machine.passwd(local_part(free))[2] == str(THEIRS + 1), "the later user")
        for login in (free, short(free)):
            refused(host.ssh(login, "id"))
    return one_line(first)
