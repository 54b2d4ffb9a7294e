# SPDX-License-Identifier: Apache-2.0
"""Rows about people of the directory: who can sign in, as which account, and what a refused user reads."""

from __future__ import annotations

from typing import Any

from fixture import OWN_FILES, SECOND_PORT, SHARED_HOME, Fixture
from simulator import contoso
from table import equal, require, row
from testbed import Machine
from testbed.checks import refused

FIRST_UID, LAST_UID = 1_879_048_192 + 1024, 2_147_352_575  # the first 1024 of the range are for groups
USERS, ADMINS = "entra_users", "entra_admins"


def in_id_range(uid: int) -> bool:
    return FIRST_UID <= uid <= LAST_UID


def own_home(machine: Machine, name: str) -> str:
    """Requires that the home is a real folder of mode 0700 that belongs to the person; returns its path."""
    record = machine.passwd(name)
    require(len(record) == 7, f"getent passwd {name} gives {record}")
    shown = machine.must("stat", "-c", "%F %a %u %g", record[5]).out.strip()
    equal(shown, f"directory 700 {record[2]} {record[3]}", f"stat {record[5]}")
    return record[5]


def not_enrolled(fixture: Fixture, name: str) -> None:
    equal(fixture.vm.machine.passwd(name), [], f"getent passwd {name} after a refusal")
    require(not fixture.vm.machine.path(f"/home/{name}").exists(), f"/home/{name} exists after a refusal")


@row("the machine", "after install and enable")
def own_configuration(fixture: Fixture) -> str:
    for path in OWN_FILES:
        equal(fixture.vm.machine.read(path), fixture.before[path], path)
    return (f"{len(OWN_FILES)} files of its own are as they were; daemon ready in "
            f"{fixture.vm.service.milliseconds_to_ready:.0f} ms")


@row("alice", "ssh, id, sudo -n id -u")
def alice_signs_in(fixture: Fixture) -> str:
    alice = fixture.person("alice")
    outcome = alice.ssh("id -un; id -u; id -g; id -gn; id -Gn; sudo -n id -u; echo $HOME; pwd")
    require(outcome.ok, outcome.text)
    name, uid, gid, group, groups, root, home, folder = (outcome.lines() + [""] * 8)[:8]
    equal(name, "alice@contoso.com", "id -un")
    require(in_id_range(int(uid)), f"uid {uid} is outside the id range")
    equal((gid, group), (uid, name), "private group")
    equal(set(groups.split()), {name, USERS, ADMINS}, "id -Gn")
    equal(root, "0", "sudo -n id -u")
    equal((home, folder), (own_home(fixture.vm.machine, name),) * 2, "home")
    return f"{name} {uid}, groups {groups}, sudo {root}, home {home} 0700"


@row("alice", "a command without terminal")
def alice_command(fixture: Fixture) -> str:
    outcome = fixture.person("alice").ssh("tty; echo done >&2; exit 7")
    equal((outcome.status, outcome.out.strip(), "done" in outcome.err), (7, "not a tty", True), "status, tty, error")
    return "output, error output and exit status come back"


@row("alice", "a terminal")
def alice_terminal(fixture: Fixture) -> str:
    outcome = fixture.person("alice").ssh(tty=True, input="tty; id -un; exit\n")
    require(outcome.ok and "/dev/pts/" in outcome.text and "\nalice@contoso.com\n" in outcome.text, outcome.text)
    return "an interactive shell on /dev/pts"


@row("alice", "scp there and back")
def alice_scp(fixture: Fixture) -> str:
    alice = fixture.person("alice")
    sent, returned = alice.folder / "sent", alice.folder / "returned"
    sent.write_bytes(bytes(range(256)) * 512)
    for source, target in ((str(sent), ":copied"), (":copied", str(returned))):
        outcome = alice.scp(source, target)
        require(outcome.ok, outcome.text)
    equal(returned.read_bytes(), sent.read_bytes(), "the copy")
    return "131072 bytes, the same"


@row("alice", "sftp")
def alice_sftp(fixture: Fixture) -> str:
    outcome = fixture.person("alice").sftp("pwd\nmkdir box\nls -l\nrmdir box\n")
    require(outcome.ok and "alice@contoso.com" in outcome.out and "box" in outcome.out, outcome.text)
    return "makes, lists and removes a folder"


@row("alice", "through a ProxyCommand")
def alice_proxy(fixture: Fixture) -> str:
    jump = " ".join(fixture.lisa.argv("-W", "%h:%p", "lisa@127.0.0.1"))
    outcome = fixture.person("alice").ssh("id -un", options={"ProxyCommand": jump})
    equal(outcome.out, "alice@contoso.com\n", outcome.text)
    return "by way of another account's connection"


@row("alice", "port 2222")
def alice_port(fixture: Fixture) -> str:
    outcome = fixture.person("alice").ssh("echo $SSH_CONNECTION", port=SECOND_PORT)
    require(outcome.out.strip().endswith(f" {SECOND_PORT}"), outcome.text)
    return outcome.out


@row("alice", "first sign-in under AllowGroups entra_users")
def alice_allow_groups(fixture: Fixture) -> str:
    return _first_sign_in(fixture, "allow", 2201, f"AllowGroups {USERS}\n")


@row("alice", "first sign-in with a DenyGroups that does not name her")
def alice_deny_groups(fixture: Fixture) -> str:
    return _first_sign_in(fixture, "deny", 2202, "DenyGroups games backup\n")


def _first_sign_in(fixture: Fixture, name: str, port: int, setting: str) -> str:
    fresh = fixture.install(name, port, sshd=setting)
    equal(fresh.machine.passwd("alice@contoso.com"), [], "getent before the first sign-in")
    outcome = fixture.person("alice").ssh("id -Gn", port=port)
    require(outcome.ok and {USERS, ADMINS} <= set(outcome.out.split()), outcome.text)
    return f"in at once, groups {outcome.out}"


@row("bob", "signs in")
def bob_signs_in(fixture: Fixture) -> str:
    outcome = fixture.person("bob").ssh(tty=True, input="id -un; id -Gn | tr ' ' ,; exit\n")
    require(outcome.ok and "\nbob@contoso.com\n" in outcome.text, outcome.text)
    require(f"bob@contoso.com,{USERS}\n" in outcome.text and ADMINS not in outcome.text, outcome.text)
    return f"a shell, groups bob@contoso.com {USERS}, home {own_home(fixture.vm.machine, 'bob@contoso.com')}"


@row("bob", "sudo -n true")
def bob_sudo(fixture: Fixture) -> str:
    outcome = fixture.person("bob").ssh("sudo -n true")
    require(outcome.status == 1 and "sudo:" in outcome.err, f"status {outcome.status}: {outcome.text}")
    return outcome.err


def _no_role(fixture: Fixture, key: str) -> str:
    person = fixture.person(key)
    with fixture.asked() as asked:
        text = refused(person.ssh("true"), "Azure role not assigned", f'"{contoso.USER}"', contoso.MACHINE,
                       "Correlation id")
    require(asked["pas"] >= 1, "PAS was not asked")
    # The daemon confirms the no with the lists of role assignments and deny assignments, and with the definitions of the roles.
    require(2 <= asked["arm"] <= 4, f"{asked['arm']} requests to ARM after a no")
    not_enrolled(fixture, person.login)
    return text


@row("carol, no role", "signs in")
def carol(fixture: Fixture) -> str:
    return _no_role(fixture, "carol")


@row("olga, Owner and Contributor", "signs in")
def olga(fixture: Fixture) -> str:
    return _no_role(fixture, "olga")


def _never_asked(fixture: Fixture, key: str, **changes: Any) -> str:
    person = fixture.testbed.forged(key, **changes)
    with fixture.asked() as asked:
        text = refused(person.ssh("true"), "Permission denied")
    equal(asked, {"pas": 0, "arm": 0}, "role checks")
    return f"{text.strip()}; no role check"


@row("dave, certificate of another tenant", "signs in")
def dave(fixture: Fixture) -> str:
    seen = _never_asked(fixture, "dave", tenant_id=contoso.OTHER_TENANT)
    not_enrolled(fixture, "dave@contoso.com")
    return seen


@row("erin, expired certificate", "signs in")
def erin(fixture: Fixture) -> str:
    seen = _never_asked(fixture, "erin", shift=-7200)
    not_enrolled(fixture, "erin@contoso.com")
    return seen


@row("ivan, certificate of a CA that is not Entra's", "signs in")
def stranger(fixture: Fixture) -> str:
    seen = _never_asked(fixture, "ivan", stranger=True)
    not_enrolled(fixture, "ivan@contoso.com")
    return seen


@row("frank, whose home is a local account's", "signs in")
def frank(fixture: Fixture) -> str:
    machine = fixture.vm.machine
    before = machine.must("stat", "-c", "%u %a", SHARED_HOME).out
    outcome = fixture.person("frank").ssh("id -un; echo $HOME; pwd; touch mine")
    require(outcome.ok, outcome.text)
    name, home, folder = outcome.lines()
    equal((name, folder), ("frank@contoso.com", home), "name and folder")
    require(home != SHARED_HOME, f"he lives in {SHARED_HOME}")
    equal(home, own_home(machine, name), "home")
    equal(machine.must("stat", "-c", "%u %a", SHARED_HOME).out, before, SHARED_HOME)
    require(not machine.path(f"{SHARED_HOME}/mine").exists(), f"his file is in {SHARED_HOME}")
    return f"own home {home}; {SHARED_HOME} untouched"


@row("heidi, a name with capitals; gina, a guest", "sign in")
def other_names(fixture: Fixture) -> str:
    seen = [fixture.person(key).ssh("id -un") for key in ("heidi", "gina")]
    equal([o.out for o in seen], ["heidi@contoso.com\n", "gina@fabrikam.com\n"], "".join(o.text for o in seen))
    return "heidi@contoso.com, gina@fabrikam.com"


def _runs_a_command(fixture: Fixture, key: str) -> str:
    guid = fixture.testbed.directory.principals[key].object_id
    outcome = fixture.person(key).ssh("id -un; id -Gn")
    equal(outcome.lines(), [guid, f"{guid} {USERS}"], outcome.text)
    return f"{guid}, home {own_home(fixture.vm.machine, guid)}"


@row("a service principal", "runs a command")
def service_principal(fixture: Fixture) -> str:
    return _runs_a_command(fixture, "svc")


@row("a managed identity", "runs a command")
def managed_identity(fixture: Fixture) -> str:
    return _runs_a_command(fixture, "mi")
