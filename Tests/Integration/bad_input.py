# SPDX-License-Identifier: Apache-2.0
"""Bad input: each gets a clear message or a degraded state that `status` shows, and never an allowed login."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence

from bad_days import IN, row
from bed.checks import admitted, equal, refused, require
from bed.machine import wait_for
from case import case, cases
from credentials import MARK, shut_out
from ground import SETTINGS, STATE, Ground, Site

DAEMON = "/usr/sbin/entralogind"
CONFIGURATION_ERROR = 78  # EX_CONFIG, sysexits.h
BAD_SETTINGS = (
    # text, line, words that the message must hold
    ("[SignIn]\nOfflineGrce=1h\n", 2, ("OfflineGrce",)),
    ("[SignIn]\nOfflineGrace=soon\n", 2, ("OfflineGrace", "soon")),
    ("[SignIn]\nOfflineGrace=-1\n", 2, ("OfflineGrace", "-1")),
    ("[Nonsense]\nOfflineGrace=1h\n", 1, ("Nonsense",)),
    ("[SignIn]\nthis is no setting\n", 2, ('neither [Section] nor Key=value: "this"',)),
    ("OfflineGrace=1h\n", 1, ("OfflineGrace",)),
)


def local_people_get_in(ground: Ground, site: Site) -> None:
    for who in (ground.lisa, ground.root):
        require(who.ssh("true", port=site.port).ok, f"{who.login} is kept out")


@case("bad input", "settings with an unknown key or a bad value: refused to start; file, line, key and what is allowed")
def settings(ground: Ground) -> str:
    with ground.fresh("settings", started=False) as site:
        site.machine.start_sshd(site.port)
        for text, line, words in BAD_SETTINGS:
            site.machine.write(SETTINGS, text)
            status, message = site.service.refusal()
            equal(status, CONFIGURATION_ERROR, f"exit status for {text!r} ({message})")
            require(f"{SETTINGS}:{line}" in message, f"no place {SETTINGS}:{line} in: {message}")
            for word in words:
                require(word in message, f"no {word!r} in: {message}")
            refused(site.ssh(ground.person("alice"), "id"))
        local_people_get_in(ground, site)
        site.machine.remove(SETTINGS)
        site.begin()
        site.stamped()
        admitted(site.ssh(ground.newcomer(), "true"))
    return message.strip()[-200:]


@case("bad input", "bad settings on reload: the old ones stay in force, and the fault is logged")
def reload(ground: Ground) -> str:
    with ground.fresh("reload") as site:
        mark = site.journal.mark()
        site.machine.write(SETTINGS, "[SignIn]\nOfflineGrce=1h\n")
        site.service.signal(signal.SIGHUP)
        record = site.journal.wait(mark, event="settings-rejected")
        require(f"{SETTINGS}:2" in record["MESSAGE"], record["MESSAGE"])
        require(not site.service.ended, "the daemon ended")
        admitted(site.ssh(ground.newcomer(), "true"))
    return record["MESSAGE"]


@case("bad input", "no managed identity: refused with that reason, and status shows it")
def no_identity(ground: Ground) -> str:
    ground.azure.set_fault("no-identity", "token")
    with ground.fresh("identity") as site:
        person = ground.newcomer()
        mark = site.journal.mark()
        text = refused(site.ssh(person, "id"), "managed identity")
        record = site.journal.wait(mark, event="account", user=person.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], "no-managed-identity", "reason")
        status = site.tool("status")
        require("identity" in status.text and "role not assigned" not in text, f"status: {status.text}")
        local_people_get_in(ground, site)
    return text.splitlines()[0]


@case("bad input", "Azure's clock ten minutes ahead: the certificate is not valid yet, and check-certificate says so")
def azure_ahead(ground: Ground) -> str:
    site = ground.vm
    with ground.azure.fault("clock-skew", value=600):
        key = ground.key_of(ground.newcomer())
        person = ground.bed.person(key)
        refused(site.ssh(person, "id"))
        assert person.certificate is not None
        site.machine.write("/tmp/certificate.pub", person.certificate.read_text())
        checked = site.tool("check-certificate", "/tmp/certificate.pub")
    ground.forget(key)
    require(not checked.ok and "not" in checked.text and "valid" in checked.text, f"check-certificate: {checked.text}")
    require(not site.enrolled(person.login), "enrolled")
    return checked.text.strip().splitlines()[0]


@case("bad input", "this machine's clock wrong for the daemon alone: its own rule refuses what sshd takes")
def own_clock(ground: Ground) -> str:
    with ground.fresh("clock") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        for wall in (3600 + 600, -3600):
            site.clock.set(wall=wall)
            refused(site.ssh(person, "id"))
        site.clock.set()
        admitted(site.ssh(person, "true"))
    return "refused an hour and ten minutes ahead, and an hour behind"


def onto_small_disk(site: Site) -> None:
    """Puts the state folder on a file system of its own that is full."""
    script = (f"mkdir /tmp/kept && cp -a {STATE}/. /tmp/kept/ && mount -t tmpfs -o size=256k,mode=755 small {STATE} && "
              f"cp -a /tmp/kept/. {STATE}/ && chown --reference=/tmp/kept {STATE}; "
              f"dd if=/dev/zero of={STATE}/filler bs=1k 2>/dev/null; df -k {STATE} | tail -1")
    outcome = site.machine.shell(script)
    equal(outcome.out.split()[3:4], ["0"], f"room on the small disk ({outcome.text})")


@case("P14", "a full disk: the first sign-in is refused and explained, an enrolled user gets in")
def full_disk(ground: Ground) -> str:
    page = row("The disk of the daemon's state is full")
    equal((page["Signed in within the hour"], page["Well again"]), (IN, "at once"), "the page")
    with ground.fresh("full") as site:
        known, unknown = ground.newcomer(), ground.newcomer()
        admitted(site.ssh(known, "true"))
        uid = site.machine.uid(known.login)
        site.service.stop()
        onto_small_disk(site)
        site.begin()
        site.stamped()
        admitted(site.ssh(known, "id -u"), f"{uid}\n")
        mark = site.journal.mark()
        text = shut_out(site.ssh(unknown, f"echo {MARK}"))
        require(page["New here"] in text, f"the page says {page['New here']}: {text}")
        record = site.journal.wait(mark, user=unknown.login, decision="deny")
        equal(f"event `{record['ENTRALOGIN_EVENT']}`, `{record['ENTRALOGIN_REASON']}`", page["Record"], "event, reason")
        require(any("space" in value.lower() or "ENOSPC" in value for value in record.values()), f"why? {record}")
        require(not site.enrolled(unknown.login), "enrolled")
        local_people_get_in(ground, site)
        site.machine.remove(f"{STATE}/filler")
        admitted(site.ssh(unknown, "id -un"), f"{unknown.login}\n")
    return text


def damage(kind: str, store: str) -> str:
    return {
        "one bit": f"printf '\\001' | dd of={store} bs=1 seek=$(($(stat -c %s {store}) / 2)) conv=notrunc 2>/dev/null",
        "cut": f"truncate -s -7 {store}",
        "empty": f"truncate -s 0 {store}",
        "foreign": f"echo hello >{store}",
        "unreadable": f"chown root:root {store}; chmod 000 {store}",
        "a folder": f"rm {store}; mkdir {store}",
        "another version": f"sed -i '1s/[0-9][0-9]*/9999/' {store}",
    }[kind]


KINDS = ("one bit", "cut", "empty", "foreign", "unreadable", "a folder", "another version")


@cases("P14", "an unreadable or corrupt account store: degraded, no Entra account in, local users in, file untouched"
       "; with the backup back, everybody has the number they had", KINDS, every=4)
def corrupt_store(ground: Ground, kinds: Sequence[str]) -> str:
    store = f"{STATE}/accounts"
    for kind in kinds:
        with ground.fresh("store") as site:
            person = ground.newcomer()
            uid = admitted(site.ssh(person, "id -u"))
            site.service.stop()
            require(site.machine.shell(f"cp -a {store} /tmp/backup").ok, "the backup")
            require(site.machine.shell(damage(kind, store)).ok, f"{kind} could not be made")
            look = f"ls -dlni --time-style=full-iso {store}; sha256sum {store}"
            before = site.machine.shell(look).out
            site.service.start()
            refused_with_store(ground, site, person.login, kind)
            equal(site.machine.shell(look).out, before, f"{kind}: the store")
            local_people_get_in(ground, site)
            require(site.machine.shell(f"rm -rf {store}; cp -a /tmp/backup {store}").ok, "the restoring")
            site.pass_by(60)  # it is read again by itself
            wait_for(lambda: site.tool("status").ok, f"{kind}: the store read again", 90)
            admitted(site.ssh(person, "id -u"), uid)
            newcomer = admitted(site.ssh(ground.newcomer(), "id -u"))
            require(newcomer != uid, f"{kind}: a newcomer got somebody's number")
    return f"{len(kinds)} kinds of damage"


def refused_with_store(ground: Ground, site: Site, known: str, kind: str) -> None:
    key = next(k for k, p in ground.bed.directory.principals.items() if p.login == known)
    for person in (ground.person(key), ground.newcomer()):
        outcome = site.ssh(person, f"echo {MARK}")
        require(not outcome.ok and MARK not in outcome.out, f"{kind}: {person.login} gets in")
    status = site.tool("status")
    require("store" in status.text.lower(), f"{kind}: status says {status.text}")
    require(not status.ok, f"{kind}: status ends with 0: {status.text}")


@case("bad input", "a second daemon: ends at once and says why; the first goes on")
def second_daemon(ground: Ground) -> str:
    site = ground.vm
    admitted(site.ssh(ground.person("alice"), "true"))
    before = site.rest()
    argv = site.machine.argv([DAEMON], user="entralogin")
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, check=False)
    text = done.stdout + done.stderr
    require(done.returncode != 0, f"it ended with status 0: {text}")
    require("/run/entralogin/" in text and "nother" in text, f"it says: {text}")
    equal(site.state(), before, "the state folder")
    admitted(site.ssh(ground.person("alice"), "true"))
    return text.strip()[-200:]
