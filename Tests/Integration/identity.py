# SPDX-License-Identifier: Apache-2.0
"""P5, P6 and P7: name, uid and object id are bound for ever; sshd's record is the one that is enrolled; local accounts win."""

from __future__ import annotations

import hashlib

from bed import Person
from bed.asking import ask
from bed.checks import admitted, equal, refused, require
from case import case
from credentials import MARK, shut_out
from ground import Ground, Site
from pam_order import PAUSE, insert, paused
from simulator import contoso

OTHER_OBJECT = "0b1ec700-0000-4000-8000-00000000beef"
FIRST_UID, LAST_UID = 1_879_048_192 + 1024, 2_147_352_575


def first_uid(name: str) -> int:
    """The uid at which the search for a free one begins: by SHA-256 of tenant, a zero byte and name."""
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


def renamed(ground: Ground, name: str) -> Person:
    """A new user whose sign-in name is `name`."""
    key = ground.key_of(ground.newcomer())
    ground.azure.post("rename", who=key, sign_in_name=name)
    ground.bed.directory.rename(key, sign_in_name=name)
    ground.forget(key)
    return ground.person(key)


@case("P5", "a known name with another object id: refused and explained, the account untouched")
def another_object(ground: Ground) -> str:
    with ground.fresh("object") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        record = site.machine.passwd(person.login)
        key = ground.key_of(person)
        ground.azure.assign(OTHER_OBJECT, contoso.USER)
        second = ground.bed.forged(key, object_id=OTHER_OBJECT)
        before = site.rest()
        mark = site.journal.mark()
        refused(site.ssh(second, "id"))
        reason = site.journal.wait(mark, user=person.login, decision="deny", reason="object-id-changed")
        equal(site.state(), before, "the state folder")
        equal(site.machine.passwd(person.login), record, "the passwd record")
        admitted(site.ssh(person, "id -un"), f"{person.login}\n")
        explained = site.tool("explain", person.login).text
        require(ground.bed.directory.principals[key].object_id in explained, f"explain: {explained}")
    return reason["MESSAGE"]


def retire(site: Site, person: Person) -> None:
    outcome = site.tool("users", "retire", person.login)
    require(outcome.ok, f"retire: {outcome.text}")


@case("P5", "an account is given to the same person's new object by root, who says so, and by nothing else")
def rebound(ground: Ground) -> str:
    with ground.fresh("rebound") as site:
        person = ground.newcomer()
        uid = admitted(site.ssh(person, "id -u; echo hers >file")).strip()
        key = ground.key_of(person)
        ground.azure.assign(OTHER_OBJECT, contoso.USER)
        second = ground.bed.forged(key, object_id=OTHER_OBJECT)
        refused(site.ssh(second, "id"))
        explained = site.tool("explain", person.login).text
        require(f"--object-id {OTHER_OBJECT}" in " ".join(explained.split()), f"explain: {explained}")
        before = site.rest()
        command = ("users", "rebind", person.login, "--object-id", OTHER_OBJECT)
        proposed = site.tool(*command)
        require(not proposed.ok and "Nothing was changed" in proposed.text, f"proposal: {proposed.text}")
        equal(site.state(), before, "the state folder after the proposal")
        mark = site.journal.mark()
        done = site.tool(*command, "--same-person")
        require(done.ok, f"rebind: {done.text}")
        record = site.journal.wait(mark, event="rebound", user=person.login)
        equal(record["ENTRALOGIN_OBJECT_ID"], OTHER_OBJECT, "the record's object id")
        equal(admitted(site.ssh(second, "id -u; cat file")), f"{uid}\nhers\n", "the same account")
        refused(site.ssh(person, "id"))
    return record["MESSAGE"]


@case("P5", "a retired account's name and number are not given again")
def retired(ground: Ground) -> str:
    with ground.fresh("retired") as site:
        person = ground.newcomer()
        uid = admitted(site.ssh(person, "id -u"))
        retire(site, person)
        text = refused(site.ssh(person, "id"))
        site.service.stop()
        site.begin()
        refused(site.ssh(person, "id"))
        equal(site.machine.passwd(person.login), [], "the passwd record")
        shown = site.tool("users", "show", uid.strip())
        require(shown.ok and person.login in shown.text, f"show by uid: {shown.text}")
        objectid = ground.bed.directory.principals[ground.key_of(person)].object_id
        back = site.tool("users", "rebind", person.login, "--object-id", objectid, "--same-person")
        require(back.ok, f"rebind: {back.text}")
        equal(admitted(site.ssh(person, "id -u")), uid, "the number")
    return text.splitlines()[0]


@case("P5", "a person renamed in Entra keeps number and home, and the old name is nobody's")
def renamed_in_entra(ground: Ground) -> str:
    with ground.fresh("renamed") as site:
        person = ground.newcomer()
        old = person.login
        key = ground.key_of(person)
        uid = admitted(site.ssh(person, "id -u; echo mine >file")).strip()
        new = "re" + old
        ground.azure.post("rename", who=key, sign_in_name=new)
        ground.bed.directory.rename(key, sign_in_name=new)
        ground.forget(key)
        person = ground.person(key)
        mark = site.journal.mark()
        shut_out(site.ssh(person, f"echo {MARK}"))
        record = site.journal.wait(mark, user=new, decision="deny", reason="account-renamed")
        equal(admitted(site.ssh(person, "id -un; id -u; cat file")), f"{new}\n{uid}\nmine\n", "the renamed account")
        equal(site.machine.passwd(old), [], "the old name")
    return record["MESSAGE"]


@case("P6", "two names race for one number: the later one is refused, and gets another number the next time")
def race(ground: Ground) -> str:
    first, second = (renamed(ground, name) for name in colliding_names())
    with ground.fresh("race") as site:
        asked = [ask(site.machine, ground.bed.scratch / "programs", [f"name {p.login}"])[0].ids
                 for p in (first, second)]
        equal(asked, [(first_uid(first.login),)] * 2, "the provisional numbers")
        insert(site, PAUSE, before=True)
        site.machine.write("/run/between-for", second.login)
        mark = site.journal.mark()
        outcome = paused(ground, site, second,
                         lambda: equal(site.ssh(first, "id -u").out, f"{first_uid(first.login)}\n", "the first"))
        shut_out(outcome)
        record = site.journal.wait(mark, user=second.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], "record-changed", "reason")
        require(not site.machine.path(f"/home/{second.login}").exists(), "the second has a home")
        site.machine.remove("/run/between-for")
        site.machine.write("/run/between-go", "")
        admitted(site.ssh(second, "id -un"), f"{second.login}\n")
        uids = {site.machine.uid(first.login), site.machine.uid(second.login)}
        equal(len(uids), 2, f"numbers {uids}")
    return f"{first.login} and {second.login}: {', '.join(map(str, sorted(uids)))}"


def add_local_account(site: Site, name: str, uid: int) -> None:
    """Adds the line directly, as configuration tools do: useradd refuses names and uids that NSS already has."""
    site.machine.shell(f"echo '{name}:x:{uid}:100::/:/bin/bash' >>/etc/passwd")


def conflict_told(site: Site, name: str) -> str:
    """Requires that explain and doctor both name the local account that is in the way."""
    explained = site.tool("explain", name)
    require(not explained.ok and "local account" in explained.text.lower(), f"explain: {explained.text}")
    doctor = site.tool("doctor")
    require(name in doctor.text, f"doctor does not name {name}: {doctor.text}")
    return next(line.strip() for line in explained.text.splitlines() if "local account" in line.lower())


@case("P7", "a local account of the same name that appears later wins, and the Entra user is refused with that reason")
def local_name_later(ground: Ground) -> str:
    with ground.fresh("localname") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        ours = site.machine.uid(person.login)
        add_local_account(site, person.login, 2000)
        require(site.machine.uid(person.login) != ours, "the local account does not win")
        shut_out(site.ssh(person, f"echo {MARK}"))
        told = conflict_told(site, person.login)
        site.machine.must("sed", "-i", f"/^{person.login}:/d", "/etc/passwd")
        site.tool("flush")
        admitted(site.ssh(person, "id -u"), f"{ours}\n")
    return told


@case("P7", "a local account with an Entra account's number that appears later wins, and the Entra user is refused")
def local_number_later(ground: Ground) -> str:
    with ground.fresh("localuid") as site:
        person, other = ground.newcomer(), ground.newcomer()
        admitted(site.ssh(person, "true"))
        ours = site.machine.uid(person.login)
        for uid, name in ((ours, "squatter"), (first_uid(other.login), "early")):
            add_local_account(site, name, uid)
        equal(site.machine.passwd(str(ours))[0], "squatter", "getent by number")
        shut_out(site.ssh(person, f"echo {MARK}"))
        told = conflict_told(site, person.login)
        uid = int(admitted(site.ssh(other, "id -u")))
        require(uid != first_uid(other.login), "the newcomer got a local account's number")
    return told


@case("P7", "names in the local files, system ids and names in capitals are never answered by entralogin")
def never_ours(ground: Ground) -> str:
    site = ground.vm
    admitted(site.ssh(ground.person("alice"), "true"))
    alice = site.machine.uid("alice@contoso.com")
    lisa = site.machine.uid("lisa")
    answers = ask(site.machine, ground.bed.scratch / "programs",
                  ["name root", "name lisa", "name ALICE@contoso.com", "name entra_users", "uid 0", "uid 65533",
                   f"uid {alice}", f"uid {LAST_UID + 1}", "groups lisa"])
    equal([a.ids for a in answers[:8]], [(0,), (lisa,), (), (), (0,), (), (alice,), ()], "answers")
    require(all(gid < FIRST_UID - 1024 for gid in answers[8].ids), f"lisa's groups {answers[8].ids}")
    return "as it must be"


def nobody_else(site: Site, path: str) -> str:
    return site.machine.must("stat", "-c", "%u %g %a %i", path).out.strip()
