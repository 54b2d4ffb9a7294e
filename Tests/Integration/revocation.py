# SPDX-License-Identifier: Apache-2.0
"""P4: a revoked key or certificate admits nobody from the next attempt on; a CA that the administrator added works."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bed import Machine, Person
from bed.checks import admitted, equal, refused, require
from bed.machine import wait_for
from bed.person import forged
from case import case
from ground import KEYS, Ground, Site
from simulator.sshkeys import make_key, public_line, ssh_keygen

LIST = "/etc/entralogin/revoked_keys"
OWN = "/etc/entralogin/own_authorities"


def revoke(machine: Machine, *specification: str) -> None:
    """Replaces the revocation list by a KRL, as a careful administrator does."""
    with tempfile.TemporaryDirectory(prefix="krl-") as folder:
        Path(folder, "specification").write_text("".join(f"{line}\n" for line in specification))
        ssh_keygen("-q", "-k", "-f", Path(folder, "list"), "-s", "none", Path(folder, "specification"))
        machine.write(LIST + ".new", "")
        machine.path(LIST + ".new").write_bytes(Path(folder, "list").read_bytes())
    machine.must("mv", LIST + ".new", LIST)


def refused_for(site: Site, person: Person, reason: str) -> None:
    mark = site.journal.mark()
    refused(site.ssh(person, "true"))
    record = site.journal.wait(mark, event="certificate", user=person.login, decision="deny")
    equal(record["ENTRALOGIN_REASON"], reason, "reason")


def key_of(path: Path) -> str:
    """Type and base64, without the comment."""
    return " ".join(public_line(path).split()[:2])


def published(site: Site) -> set[str]:
    lines = site.machine.read(KEYS).splitlines()
    return {" ".join(line.split()[:2]) for line in lines if not line.startswith("#")}


@case("P4", "a revoked key id or key counts at the next attempt, and until it is taken back")
def revoked(ground: Ground) -> str:
    with ground.fresh("revoked", settings=f"[Keys]\nRevokedKeys={LIST}\n", started=False) as site:
        revoke(site.machine)
        site.machine.start_sshd(site.port)
        site.begin()
        site.stamped()
        alice, other = ground.person("alice"), ground.newcomer()
        assert alice.certificate is not None
        shown = ssh_keygen("-L", "-f", alice.certificate)
        key_id = next(line.split('"')[1] for line in shown.splitlines() if "Key ID:" in line)
        for entry in (f"id: {key_id}", f"key: {public_line(alice.identity)}", f"sha256: {public_line(alice.identity)}"):
            admitted(site.ssh(alice, "true"))
            revoke(site.machine, entry)
            refused_for(site, alice, "certificate-revoked")
            admitted(site.ssh(other, "true"))
            revoke(site.machine)
    return "by key id, key and fingerprint"


@case("P4", "a revoked CA leaves sshd's own file, too, and comes back when it is taken back", deep=True)
def revoked_authority(ground: Ground) -> str:
    with ground.fresh("authority", settings=f"[Keys]\nRevokedKeys={LIST}\n", started=False) as site:
        revoke(site.machine)
        site.machine.start_sshd(site.port)
        site.begin()
        site.stamped()
        alice = ground.person("alice")
        admitted(site.ssh(alice, "true"))
        before = published(site)
        revoke(site.machine, *(f"key: {line}" for line in before))
        refused_for(site, alice, "certificate-revoked")
        wait_for(lambda: not published(site), "sshd's file without the revoked keys")
        revoke(site.machine)
        refused(site.ssh(alice, "true"))  # sshd has no CA key yet, so it does not ask the daemon
        wait_for(lambda: published(site) == before, "sshd's file with the keys again", limit=75)
        admitted(site.ssh(alice, "true"))
    return f"{len(before)} CA keys"


@case("P4", "a list of revoked keys that is missing, writable by others or damaged lets no Entra account in")
def unusable(ground: Ground) -> str:
    with ground.fresh("unusable", settings=f"[Keys]\nRevokedKeys={LIST}\n") as site:
        person, reason = ground.newcomer(), "revoked-keys-unusable"
        refused_for(site, person, reason)
        status = site.tool("status").text
        require("not ready" in status and "RevokedKeys=" in status, status)
        site.machine.write(LIST, "# nobody\n")
        admitted(site.ssh(person, "true"))
        for spoil in (f"chmod 666 {LIST}", f"chmod 600 {LIST}", f"echo nonsense >{LIST}", f"printf 'SSHKRL\\n' >{LIST}",
                      f"chown daemon {LIST}", f"ln -sf /dev/null {LIST}", f"rm {LIST}"):
            require(site.machine.shell(spoil).ok, spoil)
            refused_for(site, person, reason)
            site.machine.remove(LIST)
            site.machine.write(LIST, "# nobody\n")
            admitted(site.ssh(person, "true"))
        faults = [r for r in site.journal.since(0, event="fault", reason=reason) if r.get("PRIORITY") == "3"]
        require(len(faults) >= 6, f"{len(faults)} errors in the log")
        admitted(site.ssh(ground.lisa, "true"))
    return "eight ways; local people notice nothing"


@case("P4", "a CA of one's own in File=, Ed25519 or ECDSA, signs people in until it is taken out", deep=True)
def own_authority(ground: Ground) -> str:
    with ground.fresh("own", settings=f"[Keys]\nSources=jwks file\nFile={OWN}\n", started=False) as site:
        authorities = [make_key(ground.bed.keys / f"own-{kind}", kind) for kind in ("ed25519", "ecdsa")]
        site.machine.write(OWN, "".join(f"{public_line(key)}\n" for key in authorities))
        site.machine.start_sshd(site.port)
        site.begin()
        site.stamped()
        alice = ground.person("alice")
        admitted(site.ssh(alice, "true"))
        who = ground.bed.directory.principals["alice"]
        people = [alice.holding(forged(who, key, public_line(alice.identity), signature=""), key.name)
                  for key in authorities]
        for person in people:
            admitted(site.ssh(person, "true"))
        site.machine.write(OWN, f"{public_line(authorities[1])}\n")
        wait_for(lambda: key_of(authorities[0]) not in published(site), "sshd's file without the key", limit=75)
        refused(site.ssh(people[0], "true"))
        admitted(site.ssh(people[1], "true"))
    return "both; one was taken out and out within a minute"


@case("P4", "two sessions in one connection (ssh -M) are one PAM session: nothing is asked a second time")
def multiplexed(ground: Ground) -> str:
    site, person = ground.vm, ground.newcomer()
    socket, mark = str(person.folder / "m.sock"), site.journal.mark()
    admitted(site.ssh(person, flags=("-M", "-S", socket, "-f", "-N")))
    try:
        for _ in range(3):
            admitted(site.ssh(person, "true", flags=("-S", socket)))
        opened = site.journal.since(mark, event="session-opened", user=person.login)
        equal([record["ENTRALOGIN_DECISION"] for record in opened], ["allow"], "decisions at open_session")
    finally:
        site.ssh(person, flags=("-S", socket, "-O", "exit"))
    return "three commands, one open_session"
