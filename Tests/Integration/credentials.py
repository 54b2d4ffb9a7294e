# SPDX-License-Identifier: Apache-2.0
"""P4: an Entra user can sign in only with a certificate that the daemon verified and that is the credential really used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from case import case, cases
from environment import EARLY, Environment, Host, entra_block
from simulator.sshkeys import make_key, public_line, ssh_keygen
from testbed import Outcome, Person
from testbed.checks import Wrong, admitted, equal, refused, require
from testbed.person import forged

PLANTED = "/etc/ssh/planted"
KEYS_FILE = f"AuthorizedKeysFile {PLANTED}/%u"
MARK = "it-ran"
OTHER_OBJECT = "0b1ec700-0000-4000-8000-0000000000ff"


def intruder(env: Environment, victim: Person) -> Person:
    """An attacker who uses the victim's name and a key of the attacker's own, without a certificate."""
    key = make_key(env.testbed.keys / "intruder", "ed25519")
    return Person(victim.login, env.testbed.scratch / "people" / "intruder", key, password="guessed")


def locked(env: Environment, key: Path) -> Path:
    """A copy of a private key with a passphrase that is never typed: the client can offer it but cannot sign."""
    copy = env.testbed.scratch / "people" / f"locked-{key.name}"
    if not copy.exists():
        copy.write_bytes(key.read_bytes())
        copy.chmod(0o600)
        copy.with_name(copy.name + ".pub").write_text(public_line(key) + "\n")
        ssh_keygen("-q", "-p", "-N", "a passphrase", "-f", copy)
    return copy


def plant(host: Host, person: Person) -> None:
    host.machine.write(f"{PLANTED}/{person.login}", public_line(person.identity) + "\n")


def shut_out(outcome: Outcome, *words: str) -> str:
    """Requires that no shell and no command ran: refused before the session, or when it opens (sshd then exits with 254)."""
    if outcome.ok or MARK in outcome.out:
        raise Wrong(f"let in: {outcome.text}")
    require(outcome.status in (254, 255) and MARK not in outcome.out, f"status {outcome.status}: {outcome.text}")
    for word in words:
        require(word in outcome.text, f"the screen does not say {word!r}: {outcome.text}")
    return outcome.text.strip().splitlines()[0] if outcome.text.strip() else "nothing on the screen"


def taken(host: Host, person: Person) -> int:
    """How often sshd itself accepted a credential of the person, whatever PAM decided after that."""
    log = host.machine.read("/var/log/sshd.log")
    return (log.count(f"Accepted publickey for {person.login} ")
            + log.count(f"Access denied for user {person.login} by PAM account configuration"))


def without_effect(host: Host, person: Person, before: dict[str, str]) -> None:
    equal(host.state(), before, "the state folder")
    require(not host.enrolled(person.login), f"{person.login} is enrolled")
    require(not host.machine.path(f"/home/{person.login}").exists(), f"{person.login} has a home")


@case("P4", "a planted authorized_keys, re-enabled by an earlier drop-in, opens nothing; the stamp names it")
def planted_by_file(env: Environment) -> str:
    with env.fresh("planted") as host:
        alice = env.person("alice")
        admitted(host.ssh(alice, "true"))
        thief = intruder(env, alice)
        plant(host, thief)
        host.machine.write(EARLY, entra_block(KEYS_FILE))
        host.reload()
        require(not host.stamp(), "the stack check is content with an AuthorizedKeysFile")
        require("authorizedkeysfile" in host.tool("doctor").text.lower(), "doctor does not name it")
        already = taken(host, thief)
        shut_out(host.ssh(thief, f"echo {MARK}"))
        require(taken(host, thief) > already, "sshd did not take the planted key: nothing was tried")
        refused(host.ssh(alice, "id"))
    return "sshd took the key, PAM refused; the stamp fell"


@case("P4", "a planted authorized_keys that the stamp does not see (sshd with another file) opens nothing")
def planted_by_option(env: Environment) -> str:
    with env.fresh("option") as host:
        host.hidden_sshd(KEYS_FILE)
        for victim in (env.person("alice"), env.newcomer()):
            thief = intruder(env, victim)
            plant(host, thief)
            before, mark, already = host.rest(), host.journal.mark(), taken(host, thief)
            seen = shut_out(host.ssh(thief, f"echo {MARK}"), "Correlation id")
            require(taken(host, thief) > already, "sshd did not take the planted key: nothing was tried")
            without_effect(host, victim, before)
            record = host.journal.wait(mark, event="account", user=victim.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], "certificate-not-verified", "reason")
    return seen


@case("P4", "one certificate probed, another key used: refused at the session, without effects")
def probed(env: Environment) -> str:
    with env.fresh("probe") as host:
        host.hidden_sshd(KEYS_FILE)
        victim = env.newcomer()
        thief = intruder(env, victim)
        plant(host, thief)
        prober = replace(thief, identity=locked(env, victim.identity), certificate=victim.certificate)
        before, mark, already = host.rest(), host.journal.mark(), taken(host, thief)
        outcome = host.ssh(prober, f"echo {MARK}", flags=("-i", str(thief.identity)))
        require(taken(host, thief) > already, f"the planted key was not taken: {outcome.text}")
        seen = shut_out(outcome)
        without_effect(host, victim, before)
        record = host.journal.wait(mark, user=victim.login, decision="deny")
        require(record["ENTRALOGIN_REASON"] in ("certificate-not-used", "certificate-not-verified"), str(record))
        allowed = host.journal.since(mark, event="account", user=victim.login, decision="allow")
        require(bool(allowed), "the account stage refused already: the session stage was not tried")
    return f"sshd took the other key; {record['ENTRALOGIN_REASON']}; {seen}"


@case("P4", "SSH_AUTH_INFO_0 sent by the client, and accepted by sshd, is not what the session stage goes by")
def sent_variable(env: Environment) -> str:
    with env.fresh("sent") as host:
        host.hidden_sshd(KEYS_FILE, "AcceptEnv *")
        victim = env.newcomer()
        assert victim.certificate is not None
        thief = intruder(env, victim)
        plant(host, thief)
        admitted(host.ssh(env.lisa, "true"))
        used = "publickey " + " ".join(victim.certificate.read_text().split()[:2])
        prober = replace(thief, identity=locked(env, victim.identity), certificate=victim.certificate)
        before, mark, already = host.rest(), host.journal.mark(), taken(host, thief)
        options = {"SetEnv": f'SSH_AUTH_INFO_0="{used}" SSH_USER_AUTH="{used}"'}
        shut_out(host.ssh(prober, f"echo {MARK}", flags=("-i", str(thief.identity)), options=options))
        require(taken(host, thief) > already, "the planted key was not taken: nothing was tried")
        without_effect(host, victim, before)
        record = host.journal.wait(mark, event="session-opened", user=victim.login, decision="deny")
    return record["ENTRALOGIN_REASON"]


@case("P4", "two people's certificates probed in one connection: refused, without effects")
def two_identities(env: Environment) -> str:
    """One name with two object ids: a second certificate for the same name, signed for another object."""
    with env.fresh("two") as host:
        victim = env.newcomer()
        second_key = make_key(env.testbed.keys / "second-key")
        foreign = replace(env.testbed.directory.principals[env.key_of(victim)], object_id=OTHER_OBJECT)
        line = forged(foreign, env.testbed.keys / "entra" / "entra-1", public_line(second_key))
        first = replace(victim, identity=locked(env, second_key)).holding(line, "of-another-object")
        before, mark = host.rest(), host.journal.mark()
        outcome = host.ssh(first, f"echo {MARK}", flags=("-i", str(victim.identity), "-o",
                                                         f"CertificateFile={victim.certificate}"))
        require(host.machine.read("/var/log/sshd.log").count("Accepted certificate ID") >= 2, "one was not probed")
        shut_out(outcome, "Correlation id")
        without_effect(host, victim, before)
        record = host.journal.wait(mark, event="account", user=victim.login, decision="deny")
    return record["ENTRALOGIN_REASON"]


@cases("P4", "a password for an Entra name, with passwords re-enabled, opens nothing", ("guessed", "", "*"), every=3)
def password(env: Environment, secrets: Sequence[str]) -> str:
    with env.fresh("password") as host:
        alice = env.person("alice")
        admitted(host.ssh(alice, "true"))
        host.hidden_sshd("PasswordAuthentication yes", "KbdInteractiveAuthentication yes", "AuthenticationMethods any")
        before = host.rest()
        for secret in secrets:
            thief = replace(intruder(env, alice), password=secret)
            thief.folder.mkdir(parents=True, exist_ok=True)
            shut_out(thief.with_password(f"echo {MARK}", port=host.port))
        equal(host.state(), before, "the state folder")
        require("Failed password" in host.machine.read("/var/log/sshd.log"), "sshd did not try the password")
    return f"refused {len(secrets)} times"


@case("P4", "a certificate and then a second credential (publickey,keyboard-interactive): refused, named by the stamp")
def two_credentials(env: Environment) -> str:
    with env.fresh("second") as host:
        person = env.newcomer()
        second = ("AuthenticationMethods publickey,keyboard-interactive", "KbdInteractiveAuthentication yes")
        host.machine.write(EARLY, entra_block(*second))
        host.reload()
        require(not host.stamp(), "the stack check is content")
        require("authenticationmethods" in host.tool("doctor").text.lower(), "doctor does not name it")
        shut_out(host.ssh(person, f"echo {MARK}"))
        host.machine.remove(EARLY)
        host.reload()
        host.stamped()
        host.hidden_sshd(*second)
        before = host.rest()
        shut_out(host.ssh(person, f"echo {MARK}"))
        without_effect(host, person, before)
    return "refused with the stamp, and where the stamp does not see it"
