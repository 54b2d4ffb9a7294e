# SPDX-License-Identifier: Apache-2.0
"""P5, P6 and P7: name, uid and object id are bound for ever; entralogin enrols the record that sshd saw; local accounts win."""

from __future__ import annotations

import hashlib

from case import case
from credentials import MARK, shut_out
from environment import Environment, Host
from pam_order import PAUSE, insert, paused
from simulator import contoso
from testbed import Person
from testbed.asking import ask
from testbed.checks import admitted, equal, refused, require

OTHER_OBJECT = "0b1ec700-0000-4000-8000-00000000beef"
FIRST_UID, LAST_UID = 1_879_048_192 + 1024, 2_147_352_575


def first_uid(name: str) -> int:
    """The uid at which the search for a free one begins: derived from the SHA-256 of the tenant, a zero byte and the name."""
    digest = hashlib.sha256(contoso.TENANT.encode() + b"\0" + name.encode()).digest()
    return FIRST_UID + int.from_bytes(digest[:8], "big") % (LAST_UID - FIRST_UID + 1)


def colliding_names() -> tuple[str, str]:
    """Two names whose search begins at the same uid; some ten thousand names contain such a pair."""
    seen: dict[int, str] = {}
    number = 0
    while True:
        name = f"n{number}@contoso.com"
        earlier = seen.setdefault(first_uid(name), name)
        if earlier != name:
            return earlier, name
        number += 1


def renamed(env: Environment, name: str) -> Person:
    """A new user whose sign-in name is `name`."""
    key = env.key_of(env.newcomer())
    env.azure.post("rename", who=key, sign_in_name=name)
    env.testbed.directory.rename(key, sign_in_name=name)
    env.forget(key)
    return env.person(key)


@case("P5", "a known name with another object id: refused and explained, the account untouched")
def another_object(env: Environment) -> str:
    with env.fresh("object") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        record = host.machine.passwd(person.login)
        key = env.key_of(person)
        env.azure.assign(OTHER_OBJECT, contoso.USER)
        second = env.testbed.forged(key, object_id=OTHER_OBJECT)
        before = host.rest()
        mark = host.journal.mark()
        refused(host.ssh(second, "id"))
        reason = host.journal.wait(mark, user=person.login, decision="deny", reason="object-id-changed")
        equal(host.state(), before, "the state folder")
        equal(host.machine.passwd(person.login), record, "the passwd record")
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
        explained = host.tool("explain", person.login).text
        require(env.testbed.directory.principals[key].object_id in explained, f"explain: {explained}")
    return reason["MESSAGE"]


def retire(host: Host, person: Person) -> None:
    outcome = host.tool("users", "retire", person.login)
    require(outcome.ok, f"retire: {outcome.text}")


@case("P5", "an account is given to the same person's new object by root, who says so, and by nothing else")
def rebound(env: Environment) -> str:
    with env.fresh("rebound") as host:
        person = env.newcomer()
        uid = admitted(host.ssh(person, "id -u; echo hers >file")).strip()
        key = env.key_of(person)
        env.azure.assign(OTHER_OBJECT, contoso.USER)
        second = env.testbed.forged(key, object_id=OTHER_OBJECT)
        refused(host.ssh(second, "id"))
        explained = host.tool("explain", person.login).text
        require(f"--object-id {OTHER_OBJECT}" in " ".join(explained.split()), f"explain: {explained}")
        before = host.rest()
        command = ("users", "rebind", person.login, "--object-id", OTHER_OBJECT)
        proposed = host.tool(*command)
        require(not proposed.ok and "Nothing was changed" in proposed.text, f"proposal: {proposed.text}")
        equal(host.state(), before, "the state folder after the proposal")
        mark = host.journal.mark()
        done = host.tool(*command, "--same-person")
        require(done.ok, f"rebind: {done.text}")
        record = host.journal.wait(mark, event="rebound", user=person.login)
        equal(record["ENTRALOGIN_OBJECT_ID"], OTHER_OBJECT, "the record's object id")
        equal(admitted(host.ssh(second, "id -u; cat file")), f"{uid}\nhers\n", "the same account")
        refused(host.ssh(person, "id"))
    return record["MESSAGE"]


@case("P5", "a retired account's name and number are not given again")
def retired(env: Environment) -> str:
    with env.fresh("retired") as host:
        person = env.newcomer()
        uid = admitted(host.ssh(person, "id -u"))
        retire(host, person)
        text = refused(host.ssh(person, "id"))
        host.service.stop()
        host.begin()
        refused(host.ssh(person, "id"))
        equal(host.machine.passwd(person.login), [], "the passwd record")
        shown = host.tool("users", "show", uid.strip())
        require(shown.ok and person.login in shown.text, f"show by uid: {shown.text}")
        objectid = env.testbed.directory.principals[env.key_of(person)].object_id
        back = host.tool("users", "rebind", person.login, "--object-id", objectid, "--same-person")
        require(back.ok, f"rebind: {back.text}")
        equal(admitted(host.ssh(person, "id -u")), uid, "the number")
    return text.splitlines()[0]


@case("P5", "a person renamed in Entra keeps number and home, and the old name is nobody's")
def renamed_in_entra(env: Environment) -> str:
    with env.fresh("renamed") as host:
        person = env.newcomer()
        old = person.login
        key = env.key_of(person)
        uid = admitted(host.ssh(person, "id -u; echo mine >file")).strip()
        new = "re" + old
        env.azure.post("rename", who=key, sign_in_name=new)
        env.testbed.directory.rename(key, sign_in_name=new)
        env.forget(key)
        person = env.person(key)
        mark = host.journal.mark()
        shut_out(host.ssh(person, f"echo {MARK}"))
        record = host.journal.wait(mark, user=new, decision="deny", reason="account-renamed")
        equal(admitted(host.ssh(person, "id -un; id -u; cat file")), f"{new}\n{uid}\nmine\n", "the renamed account")
        equal(host.machine.passwd(old), [], "the old name")
    return record["MESSAGE"]


@case("P6", "two names race for one number: the later one is refused, and gets another number the next time")
def race(env: Environment) -> str:
    first, second = (renamed(env, name) for name in colliding_names())
    with env.fresh("race") as host:
        asked = [ask(host.machine, env.testbed.scratch / "programs", [f"name {p.login}"])[0].ids
                 for p in (first, second)]
        equal(asked, [(first_uid(first.login),)] * 2, "the provisional numbers")
        insert(host, PAUSE, before=True)
        host.machine.write("/run/between-for", second.login)
        mark = host.journal.mark()
        outcome = paused(env, host, second,
                         lambda: equal(host.ssh(first, "id -u").out, f"{first_uid(first.login)}\n", "the first"))
        shut_out(outcome)
        record = host.journal.wait(mark, user=second.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], "record-changed", "reason")
        require(not host.machine.path(f"/home/{second.login}").exists(), "the second has a home")
        host.machine.remove("/run/between-for")
        host.machine.write("/run/between-go", "")
        admitted(host.ssh(second, "id -un"), f"{second.login}\n")
        uids = {host.machine.uid(first.login), host.machine.uid(second.login)}
        equal(len(uids), 2, f"numbers {uids}")
    return f"{first.login} and {second.login}: {', '.join(map(str, sorted(uids)))}"


def add_local_account(host: Host, name: str, uid: int) -> None:
    """Adds the line directly, as configuration tools do: useradd refuses names and uids that NSS already has."""
    host.machine.shell(f"echo '{name}:x:{uid}:100::/:/bin/bash' >>/etc/passwd")


def conflict_told(host: Host, name: str) -> str:
    """Requires that explain and doctor both name the local account that is in the way."""
    explained = host.tool("explain", name)
    require(not explained.ok and "local account" in explained.text.lower(), f"explain: {explained.text}")
    doctor = host.tool("doctor")
    require(name in doctor.text, f"doctor does not name {name}: {doctor.text}")
    return next(line.strip() for line in explained.text.splitlines() if "local account" in line.lower())


@case("P7", "a local account of the same name that appears later wins, and the Entra user is refused with that reason")
def local_name_later(env: Environment) -> str:
    with env.fresh("localname") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        entra = host.machine.uid(person.login)
        add_local_account(host, person.login, 2000)
        require(host.machine.uid(person.login) != entra, "the local account does not win")
        shut_out(host.ssh(person, f"echo {MARK}"))
        told = conflict_told(host, person.login)
        host.machine.must("sed", "-i", f"/^{person.login}:/d", "/etc/passwd")
        host.tool("flush")
        admitted(host.ssh(person, "id -u"), f"{entra}\n")
    return told


@case("P7", "a local account with an Entra account's number that appears later wins, and the Entra user is refused")
def local_number_later(env: Environment) -> str:
    with env.fresh("localuid") as host:
        person, other = env.newcomer(), env.newcomer()
        admitted(host.ssh(person, "true"))
        entra = host.machine.uid(person.login)
        for uid, name in ((entra, "squatter"), (first_uid(other.login), "early")):
            add_local_account(host, name, uid)
        equal(host.machine.passwd(str(entra))[0], "squatter", "getent by number")
        shut_out(host.ssh(person, f"echo {MARK}"))
        told = conflict_told(host, person.login)
        uid = int(admitted(host.ssh(other, "id -u")))
        require(uid != first_uid(other.login), "the newcomer got a local account's number")
    return told


@case("P7", "names in the local files, system ids and names in capitals are never answered by entralogin")
def never_ours(env: Environment) -> str:
    host = env.vm
    admitted(host.ssh(env.person("alice"), "true"))
    alice = host.machine.uid("alice@contoso.com")
    lisa = host.machine.uid("lisa")
    answers = ask(host.machine, env.testbed.scratch / "programs",
                  ["name root", "name lisa", "name ALICE@contoso.com", "name entra_users", "uid 0", "uid 65533",
                   f"uid {alice}", f"uid {LAST_UID + 1}", "groups lisa"])
    equal([a.ids for a in answers[:8]], [(0,), (lisa,), (), (), (0,), (), (alice,), ()], "answers")
    require(all(gid < FIRST_UID - 1024 for gid in answers[8].ids), f"lisa's groups {answers[8].ids}")
    return "as it must be"


def nobody_else(host: Host, path: str) -> str:
    return host.machine.must("stat", "-c", "%u %g %a %i", path).out.strip()
