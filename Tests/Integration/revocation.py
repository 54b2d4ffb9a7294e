# SPDX-License-Identifier: Apache-2.0
"""P4: a revoked key or certificate admits nobody from the next attempt on; a CA that the administrator added works."""

from __future__ import annotations

import tempfile
from pathlib import Path

from case import case
from environment import KEYS, Environment, Host
from simulator.sshkeys import make_key, public_line, ssh_keygen
from testbed import Machine, Person
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for
from testbed.person import forged

LIST = "/etc/entralogin/revoked_keys"
OWN = "/etc/entralogin/own_authorities"


def revoke(machine: Machine, *specification: str) -> None:
    """Replaces the revocation list by a KRL in one step, as a careful administrator does."""
    with tempfile.TemporaryDirectory(prefix="krl-") as folder:
        Path(folder, "specification").write_text("".join(f"{line}\n" for line in specification))
        ssh_keygen("-q", "-k", "-f", Path(folder, "list"), "-s", "none", Path(folder, "specification"))
        machine.write(LIST + ".new", "")
        machine.path(LIST + ".new").write_bytes(Path(folder, "list").read_bytes())
    machine.must("mv", LIST + ".new", LIST)


def refused_for(host: Host, person: Person, reason: str) -> None:
    mark = host.journal.mark()
    refused(host.ssh(person, "true"))
    record = host.journal.wait(mark, event="certificate", user=person.login, decision="deny")
    equal(record["ENTRALOGIN_REASON"], reason, "reason")


def key_of(path: Path) -> str:
    """Type and base64, without the comment."""
    return " ".join(public_line(path).split()[:2])


def published(host: Host) -> set[str]:
    lines = host.machine.read(KEYS).splitlines()
    return {" ".join(line.split()[:2]) for line in lines if not line.startswith("#")}


@case("P4", "a revoked key id or key counts at the next attempt, and until it is taken back")
def revoked(env: Environment) -> str:
    with env.fresh("revoked", settings=f"[Keys]\nRevokedKeys={LIST}\n", started=False) as host:
        revoke(host.machine)
        host.machine.start_sshd(host.port)
        host.begin()
        host.stamped()
        alice, other = env.person("alice"), env.newcomer()
        assert alice.certificate is not None
        shown = ssh_keygen("-L", "-f", alice.certificate)
        key_id = next(line.split('"')[1] for line in shown.splitlines() if "Key ID:" in line)
        for entry in (f"id: {key_id}", f"key: {public_line(alice.identity)}", f"sha256: {public_line(alice.identity)}"):
            admitted(host.ssh(alice, "true"))
            revoke(host.machine, entry)
            refused_for(host, alice, "certificate-revoked")
            admitted(host.ssh(other, "true"))
            revoke(host.machine)
    return "by key id, key and fingerprint"


@case("P4", "a revoked CA leaves sshd's own file, too, and comes back when it is taken back", deep=True)
def revoked_authority(env: Environment) -> str:
    with env.fresh("authority", settings=f"[Keys]\nRevokedKeys={LIST}\n", started=False) as host:
        revoke(host.machine)
        host.machine.start_sshd(host.port)
        host.begin()
        host.stamped()
        alice = env.person("alice")
        admitted(host.ssh(alice, "true"))
        before = published(host)
        revoke(host.machine, *(f"key: {line}" for line in before))
        refused_for(host, alice, "certificate-revoked")
        wait_for(lambda: not published(host), "sshd's file without the revoked keys")
        revoke(host.machine)
        refused(host.ssh(alice, "true"))  # sshd has no CA key yet, so it does not ask the daemon
        wait_for(lambda: published(host) == before, "sshd's file with the keys again", limit=75)
        admitted(host.ssh(alice, "true"))
    return f"{len(before)} CA keys"


@case("P4", "a list of revoked keys that is missing, writable by others or damaged lets no Entra account in")
def unusable(env: Environment) -> str:
    with env.fresh("unusable", settings=f"[Keys]\nRevokedKeys={LIST}\n") as host:
        person, reason = env.newcomer(), "revoked-keys-unusable"
        refused_for(host, person, reason)
        status = host.tool("status").text
        require("not ready" in status and "RevokedKeys=" in status, status)
        host.machine.write(LIST, "# nobody\n")
        admitted(host.ssh(person, "true"))
        for spoil in (f"chmod 666 {LIST}", f"chmod 600 {LIST}", f"echo nonsense >{LIST}", f"printf 'SSHKRL\\n' >{LIST}",
                      f"chown daemon {LIST}", f"ln -sf /dev/null {LIST}", f"rm {LIST}"):
            require(host.machine.shell(spoil).ok, spoil)
            refused_for(host, person, reason)
            host.machine.remove(LIST)
            host.machine.write(LIST, "# nobody\n")
            admitted(host.ssh(person, "true"))
        faults = [r for r in host.journal.since(0, event="fault", reason=reason) if r.get("PRIORITY") == "3"]
        require(len(faults) >= 6, f"{len(faults)} errors in the log")
        admitted(host.ssh(env.lisa, "true"))
    return "eight ways; local people notice nothing"


@case("P4", "a CA of one's own in File=, Ed25519 or ECDSA, signs people in until it is taken out", deep=True)
def own_authority(env: Environment) -> str:
    with env.fresh("own", settings=f"[Keys]\nSources=jwks file\nFile={OWN}\n", started=False) as host:
        authorities = [make_key(env.testbed.keys / f"own-{kind}", kind) for kind in ("ed25519", "ecdsa")]
        host.machine.write(OWN, "".join(f"{public_line(key)}\n" for key in authorities))
        host.machine.start_sshd(host.port)
        host.begin()
        host.stamped()
        alice = env.person("alice")
        admitted(host.ssh(alice, "true"))
        who = env.testbed.directory.principals["alice"]
        people = [alice.holding(forged(who, key, public_line(alice.identity), signature=""), key.name)
                  for key in authorities]
        for person in people:
            admitted(host.ssh(person, "true"))
        host.machine.write(OWN, f"{public_line(authorities[1])}\n")
        wait_for(lambda: key_of(authorities[0]) not in published(host), "sshd's file without the key", limit=75)
        refused(host.ssh(people[0], "true"))
        admitted(host.ssh(people[1], "true"))
    return "both; one was taken out and out within a minute"


@case("P4", "two sessions in one connection (ssh -M) are one PAM session: nothing is asked a second time")
def multiplexed(env: Environment) -> str:
    host, person = env.vm, env.newcomer()
    socket, mark = str(person.folder / "m.sock"), host.journal.mark()
    admitted(host.ssh(person, flags=("-M", "-S", socket, "-f", "-N")))
    try:
        for _ in range(3):
            admitted(host.ssh(person, "true", flags=("-S", socket)))
        opened = host.journal.since(mark, event="session-opened", user=person.login)
        equal([record["ENTRALOGIN_DECISION"] for record in opened], ["allow"], "decisions at open_session")
    finally:
        host.ssh(person, flags=("-S", socket, "-O", "exit"))
    return "three commands, one open_session"
