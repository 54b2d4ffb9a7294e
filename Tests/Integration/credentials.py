# SPDX-License-Identifier: Apache-2.0
"""P4: an Entra account gets in only with the certificate that was verified, as the credential really used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bed import Outcome, Person
from bed.checks import Wrong, admitted, equal, refused, require
from bed.person import forged
from case import case, cases
from ground import EARLY, Ground, Site, ours
from simulator.sshkeys import make_key, public_line, ssh_keygen

PLANTED = "/etc/ssh/planted"
KEYS_FILE = f"AuthorizedKeysFile {PLANTED}/%u"
MARK = "it-ran"
OTHER_OBJECT = "0b1ec700-0000-4000-8000-0000000000ff"


def intruder(ground: Ground, victim: Person) -> Person:
    """An attacker with the victim's name and their own key, without a certificate."""
    key = make_key(ground.bed.keys / "intruder", "ed25519")
    return Person(victim.login, ground.bed.scratch / "people" / "intruder", key, password="guessed")


def locked(ground: Ground, key: Path) -> Path:
    """A copy of a private key with a passphrase that is never typed: the client can offer it but cannot sign."""
    copy = ground.bed.scratch / "people" / f"locked-{key.name}"
    if not copy.exists():
        copy.write_bytes(key.read_bytes())
        copy.chmod(0o600)
        copy.with_name(copy.name + ".pub").write_text(public_line(key) + "\n")
        ssh_keygen("-q", "-p", "-N", "a passphrase", "-f", copy)
    return copy


def plant(site: Site, person: Person) -> None:
    site.machine.write(f"{PLANTED}/{person.login}", public_line(person.identity) + "\n")


def shut_out(outcome: Outcome, *words: str) -> str:
    """Requires that no shell and no command ran: refused before the session, or when it opens (sshd then exits with 254)."""
    if outcome.ok or MARK in outcome.out:
        raise Wrong(f"let in: {outcome.text}")
    require(outcome.status in (254, 255) and MARK not in outcome.out, f"status {outcome.status}: {outcome.text}")
    for word in words:
        require(word in outcome.text, f"the screen does not say {word!r}: {outcome.text}")
    return outcome.text.strip().splitlines()[0] if outcome.text.strip() else "nothing on the screen"


def taken(site: Site, person: Person) -> int:
    """How often sshd itself accepted a credential of the person, whatever PAM said then."""
    log = site.machine.read("/var/log/sshd.log")
    return (log.count(f"Accepted publickey for {person.login} ")
            + log.count(f"Access denied for user {person.login} by PAM account configuration"))


def without_effect(site: Site, person: Person, before: dict[str, str]) -> None:
    equal(site.state(), before, "the state folder")
    require(not site.enrolled(person.login), f"{person.login} is enrolled")
    require(not site.machine.path(f"/home/{person.login}").exists(), f"{person.login} has a home")


@case("P4", "a planted authorized_keys, re-enabled by an earlier drop-in, opens nothing; the stamp names it")
def planted_by_file(ground: Ground) -> str:
    with ground.fresh("planted") as site:
        alice = ground.person("alice")
        admitted(site.ssh(alice, "true"))
        thief = intruder(ground, alice)
        plant(site, thief)
        site.machine.write(EARLY, ours(KEYS_FILE))
        site.reload()
        require(not site.stamp(), "the stack check is content with an AuthorizedKeysFile")
        require("authorizedkeysfile" in site.tool("doctor").text.lower(), "doctor does not name it")
        already = taken(site, thief)
        shut_out(site.ssh(thief, f"echo {MARK}"))
        require(taken(site, thief) > already, "sshd did not take the planted key: nothing was tried")
        refused(site.ssh(alice, "id"))
    return "sshd took the key, PAM refused; the stamp fell"


@case("P4", "a planted authorized_keys that the stamp does not see (sshd with another file) opens nothing")
def planted_by_option(ground: Ground) -> str:
    with ground.fresh("option") as site:
        site.hidden_sshd(KEYS_FILE)
        for victim in (ground.person("alice"), ground.newcomer()):
            thief = intruder(ground, victim)
            plant(site, thief)
            before, mark, already = site.rest(), site.journal.mark(), taken(site, thief)
            seen = shut_out(site.ssh(thief, f"echo {MARK}"), "Correlation id")
            require(taken(site, thief) > already, "sshd did not take the planted key: nothing was tried")
            without_effect(site, victim, before)
            record = site.journal.wait(mark, event="account", user=victim.login, decision="deny")
            equal(record["ENTRALOGIN_REASON"], "certificate-not-verified", "reason")
    return seen


@case("P4", "one certificate probed, another key used: refused at the session, without effects")
def probed(ground: Ground) -> str:
    with ground.fresh("probe") as site:
        site.hidden_sshd(KEYS_FILE)
        victim = ground.newcomer()
        thief = intruder(ground, victim)
        plant(site, thief)
        prober = replace(thief, identity=locked(ground, victim.identity), certificate=victim.certificate)
        before, mark, already = site.rest(), site.journal.mark(), taken(site, thief)
        outcome = site.ssh(prober, f"echo {MARK}", flags=("-i", str(thief.identity)))
        require(taken(site, thief) > already, f"the planted key was not taken: {outcome.text}")
        seen = shut_out(outcome)
        without_effect(site, victim, before)
        record = site.journal.wait(mark, user=victim.login, decision="deny")
        require(record["ENTRALOGIN_REASON"] in ("certificate-not-used", "certificate-not-verified"), str(record))
        allowed = site.journal.since(mark, event="account", user=victim.login, decision="allow")
        require(bool(allowed), "the account stage refused already: the session stage was not tried")
    return f"sshd took the other key; {record['ENTRALOGIN_REASON']}; {seen}"


@case("P4", "SSH_AUTH_INFO_0 sent by the client, and accepted by sshd, is not what the session stage goes by")
def sent_variable(ground: Ground) -> str:
    with ground.fresh("sent") as site:
        site.hidden_sshd(KEYS_FILE, "AcceptEnv *")
        victim = ground.newcomer()
        assert victim.certificate is not None
        thief = intruder(ground, victim)
        plant(site, thief)
        admitted(site.ssh(ground.lisa, "true"))
        used = "publickey " + " ".join(victim.certificate.read_text().split()[:2])
        prober = replace(thief, identity=locked(ground, victim.identity), certificate=victim.certificate)
        before, mark, already = site.rest(), site.journal.mark(), taken(site, thief)
        options = {"SetEnv": f'SSH_AUTH_INFO_0="{used}" SSH_USER_AUTH="{used}"'}
        shut_out(site.ssh(prober, f"echo {MARK}", flags=("-i", str(thief.identity)), options=options))
        require(taken(site, thief) > already, "the planted key was not taken: nothing was tried")
        without_effect(site, victim, before)
        record = site.journal.wait(mark, event="session-opened", user=victim.login, decision="deny")
    return record["ENTRALOGIN_REASON"]


@case("P4", "two people's certificates probed in one connection: refused, without effects")
def two_identities(ground: Ground) -> str:
    """One name with two object ids: a second certificate for the same name, signed for another object."""
    with ground.fresh("two") as site:
        victim = ground.newcomer()
        second_key = make_key(ground.bed.keys / "second-key")
        foreign = replace(ground.bed.directory.principals[ground.key_of(victim)], object_id=OTHER_OBJECT)
        line = forged(foreign, ground.bed.keys / "entra" / "entra-1", public_line(second_key))
        first = replace(victim, identity=locked(ground, second_key)).holding(line, "of-another-object")
        before, mark = site.rest(), site.journal.mark()
        outcome = site.ssh(first, f"echo {MARK}", flags=("-i", str(victim.identity), "-o",
                                                         f"CertificateFile={victim.certificate}"))
        require(site.machine.read("/var/log/sshd.log").count("Accepted certificate ID") >= 2, "one was not probed")
        shut_out(outcome, "Correlation id")
        without_effect(site, victim, before)
        record = site.journal.wait(mark, event="account", user=victim.login, decision="deny")
    return record["ENTRALOGIN_REASON"]


@cases("P4", "a password for an Entra name, with passwords re-enabled, opens nothing", ("guessed", "", "*"), every=3)
def password(ground: Ground, secrets: Sequence[str]) -> str:
    with ground.fresh("password") as site:
        alice = ground.person("alice")
        admitted(site.ssh(alice, "true"))
        site.hidden_sshd("PasswordAuthentication yes", "KbdInteractiveAuthentication yes", "AuthenticationMethods any")
        before = site.rest()
        for secret in secrets:
            thief = replace(intruder(ground, alice), password=secret)
            thief.folder.mkdir(parents=True, exist_ok=True)
            shut_out(thief.with_password(f"echo {MARK}", port=site.port))
        equal(site.state(), before, "the state folder")
        require("Failed password" in site.machine.read("/var/log/sshd.log"), "sshd did not try the password")
    return f"refused {len(secrets)} times"


@case("P4", "a certificate and then a second credential (publickey,keyboard-interactive): refused, named by the stamp")
def two_credentials(ground: Ground) -> str:
    with ground.fresh("second") as site:
        person = ground.newcomer()
        second = ("AuthenticationMethods publickey,keyboard-interactive", "KbdInteractiveAuthentication yes")
        site.machine.write(EARLY, ours(*second))
        site.reload()
        require(not site.stamp(), "the stack check is content")
        require("authenticationmethods" in site.tool("doctor").text.lower(), "doctor does not name it")
        shut_out(site.ssh(person, f"echo {MARK}"))
        site.machine.remove(EARLY)
        site.reload()
        site.stamped()
        site.hidden_sshd(*second)
        before = site.rest()
        shut_out(site.ssh(person, f"echo {MARK}"))
        without_effect(site, person, before)
    return "refused with the stamp, and where the stamp does not see it"
