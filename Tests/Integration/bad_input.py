# SPDX-License-Identifier: Apache-2.0
"""Bad input: each gets a clear message or a degraded state that `status` shows, and never an allowed login."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence

from bad_days import IN, row
from case import case, cases
from credentials import MARK, shut_out
from environment import SETTINGS, STATE, Environment, Host
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

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


def local_people_get_in(env: Environment, host: Host) -> None:
    for who in (env.lisa, env.root):
        require(who.ssh("true", port=host.port).ok, f"{who.login} is kept out")


@case("bad input", "settings with an unknown key or a bad value: refused to start; file, line, key and what is allowed")
def settings(env: Environment) -> str:
    with env.fresh("settings", started=False) as host:
        host.machine.start_sshd(host.port)
        for text, line, words in BAD_SETTINGS:
            host.machine.write(SETTINGS, text)
            status, message = host.service.refusal()
            equal(status, CONFIGURATION_ERROR, f"exit status for {text!r} ({message})")
            require(f"{SETTINGS}:{line}" in message, f"no place {SETTINGS}:{line} in: {message}")
            for word in words:
                require(word in message, f"no {word!r} in: {message}")
            refused(host.ssh(env.person("alice"), "id"))
        local_people_get_in(env, host)
        host.machine.remove(SETTINGS)
        host.begin()
        host.stamped()
        admitted(host.ssh(env.newcomer(), "true"))
    return message.strip()[-200:]


@case("bad input", "bad settings on reload: the old ones stay in force, and the fault is logged")
def reload(env: Environment) -> str:
    with env.fresh("reload") as host:
        mark = host.journal.mark()
        host.machine.write(SETTINGS, "[SignIn]\nOfflineGrce=1h\n")
        host.service.signal(signal.SIGHUP)
        record = host.journal.wait(mark, event="settings-rejected")
        require(f"{SETTINGS}:2" in record["MESSAGE"], record["MESSAGE"])
        require(not host.service.ended, "the daemon ended")
        admitted(host.ssh(env.newcomer(), "true"))
    return record["MESSAGE"]


@case("bad input", "no managed identity: refused with that reason, and status shows it")
def no_identity(env: Environment) -> str:
    env.azure.set_fault("no-identity", "token")
    with env.fresh("identity") as host:
        person = env.newcomer()
        mark = host.journal.mark()
        text = refused(host.ssh(person, "id"), "managed identity")
        record = host.journal.wait(mark, event="account", user=person.login, decision="deny")
        equal(record["ENTRALOGIN_REASON"], "no-managed-identity", "reason")
        status = host.tool("status")
        require("identity" in status.text and "role not assigned" not in text, f"status: {status.text}")
        local_people_get_in(env, host)
    return text.splitlines()[0]


@case("bad input", "Azure's clock ten minutes ahead: the certificate is not valid yet, and check-certificate says so")
def azure_ahead(env: Environment) -> str:
    host = env.vm
    with env.azure.fault("clock-skew", value=600):
        key = env.key_of(env.newcomer())
        person = env.testbed.person(key)
        refused(host.ssh(person, "id"))
        assert person.certificate is not None
        host.machine.write("/tmp/certificate.pub", person.certificate.read_text())
        checked = host.tool("check-certificate", "/tmp/certificate.pub")
    env.forget(key)
    require(not checked.ok and "not" in checked.text and "valid" in checked.text, f"check-certificate: {checked.text}")
    require(not host.enrolled(person.login), "enrolled")
    return checked.text.strip().splitlines()[0]


@case("bad input", "this machine's clock wrong for the daemon alone: its own rule refuses what sshd takes")
def own_clock(env: Environment) -> str:
    with env.fresh("clock") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        for wall in (3600 + 600, -3600):
            host.clock.set(wall=wall)
            refused(host.ssh(person, "id"))
        host.clock.set()
        admitted(host.ssh(person, "true"))
    return "refused an hour and ten minutes ahead, and an hour behind"


def onto_small_disk(host: Host) -> None:
    """Puts the state folder on a file system of its own that is full."""
    script = (f"mkdir /tmp/kept && cp -a {STATE}/. /tmp/kept/ && mount -t tmpfs -o size=256k,mode=755 small {STATE} && "
              f"cp -a /tmp/kept/. {STATE}/ && chown --reference=/tmp/kept {STATE}; "
              f"dd if=/dev/zero of={STATE}/filler bs=1k 2>/dev/null; df -k {STATE} | tail -1")
    outcome = host.machine.shell(script)
    equal(outcome.out.split()[3:4], ["0"], f"room on the small disk ({outcome.text})")


@case("P14", "a full disk: the first sign-in is refused and explained, an enrolled user gets in")
def full_disk(env: Environment) -> str:
    page = row("The disk of the daemon's state is full")
    equal((page["Signed in within the hour"], page["Well again"]), (IN, "at once"), "the page")
    with env.fresh("full") as host:
        known, unknown = env.newcomer(), env.newcomer()
        admitted(host.ssh(known, "true"))
        uid = host.machine.uid(known.login)
        host.service.stop()
        onto_small_disk(host)
        host.begin()
        host.stamped()
        admitted(host.ssh(known, "id -u"), f"{uid}\n")
        mark = host.journal.mark()
        text = shut_out(host.ssh(unknown, f"echo {MARK}"))
        require(page["New here"] in text, f"the page says {page['New here']}: {text}")
        record = host.journal.wait(mark, user=unknown.login, decision="deny")
        equal(f"event `{record['ENTRALOGIN_EVENT']}`, `{record['ENTRALOGIN_REASON']}`", page["Record"], "event, reason")
        require(any("space" in value.lower() or "ENOSPC" in value for value in record.values()), f"why? {record}")
        require(not host.enrolled(unknown.login), "enrolled")
        local_people_get_in(env, host)
        host.machine.remove(f"{STATE}/filler")
        admitted(host.ssh(unknown, "id -un"), f"{unknown.login}\n")
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
def corrupt_store(env: Environment, kinds: Sequence[str]) -> str:
    store = f"{STATE}/accounts"
    for kind in kinds:
        with env.fresh("store") as host:
            person = env.newcomer()
            uid = admitted(host.ssh(person, "id -u"))
            host.service.stop()
            require(host.machine.shell(f"cp -a {store} /tmp/backup").ok, "the backup")
            require(host.machine.shell(damage(kind, store)).ok, f"{kind} could not be made")
            look = f"ls -dlni --time-style=full-iso {store}; sha256sum {store}"
            before = host.machine.shell(look).out
            host.service.start()
            refused_with_store(env, host, person.login, kind)
            equal(host.machine.shell(look).out, before, f"{kind}: the store")
            local_people_get_in(env, host)
            require(host.machine.shell(f"rm -rf {store}; cp -a /tmp/backup {store}").ok, "the restoring")
            host.pass_by(60)  # by then the daemon reads the store again
            wait_for(lambda: host.tool("status").ok, f"{kind}: the store read again", 90)
            admitted(host.ssh(person, "id -u"), uid)
            newcomer = admitted(host.ssh(env.newcomer(), "id -u"))
            require(newcomer != uid, f"{kind}: a newcomer got somebody's number")
    return f"{len(kinds)} kinds of damage"


def refused_with_store(env: Environment, host: Host, known: str, kind: str) -> None:
    key = next(k for k, p in env.testbed.directory.principals.items() if p.login == known)
    for person in (env.person(key), env.newcomer()):
        outcome = host.ssh(person, f"echo {MARK}")
        require(not outcome.ok and MARK not in outcome.out, f"{kind}: {person.login} gets in")
    status = host.tool("status")
    require("store" in status.text.lower(), f"{kind}: status says {status.text}")
    require(not status.ok, f"{kind}: status ends with 0: {status.text}")


@case("bad input", "a second daemon: ends at once and says why; the first goes on")
def second_daemon(env: Environment) -> str:
    host = env.vm
    admitted(host.ssh(env.person("alice"), "true"))
    before = host.rest()
    argv = host.machine.argv([DAEMON], user="entralogin")
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, check=False)
    text = done.stdout + done.stderr
    require(done.returncode != 0, f"it ended with status 0: {text}")
    require("/run/entralogin/" in text and "nother" in text, f"it says: {text}")
    equal(host.state(), before, "the state folder")
    admitted(host.ssh(env.person("alice"), "true"))
    return text.strip()[-200:]
