# SPDX-License-Identifier: Apache-2.0
"""P4: the whole machine under OpenSSL's FIPS provider (Documentation/distributions.md): sign-in, rotated keys, revoked ones."""

from __future__ import annotations

from bed import Machine, Person
from bed.checks import admitted, equal, refused, require
from bed.machine import wait_for
from booted_ground import DAEMON, KEYS, BootedGround, BootedSite
from case import case
from revocation import LIST, revoke
from simulator import contoso
from simulator.sshkeys import public_line

MODULE = "/etc/ssl/fipsmodule.cnf"
# The FIPS provider and the encoders, with approved algorithms only, for every program of the machine.
CONFIGURATION = f"""openssl_conf = machine
.include {MODULE}
[machine]
providers = providers
alg_section = algorithms
[providers]
fips = fips_sect
base = base
[base]
activate = 1
[algorithms]
default_properties = fips=yes
"""
# Without the ciphers that the provider refuses. The key exchange, which the tests' clients require, is OpenSSH's own code.
SSHD = "Ciphers aes256-gcm@openssh.com,aes256-ctr\nMACs hmac-sha2-256\nKexAlgorithms curve25519-sha256\n"


class FIPSGround(BootedGround):
    """Booted machines on which OpenSSL may use only Debian's FIPS provider."""

    def _prepared(self) -> Machine:
        machine = self.bed.machine("bare", layered=True)
        self.administer(machine)
        machine.write("/etc/hostname", "contoso-vm\n")
        machine.must("systemctl", "disable", "nscd.service")
        module = machine.shell("ls /usr/lib/*/ossl-modules/fips.so").out.strip()
        machine.must("openssl", "fipsinstall", "-out", MODULE, "-module", module)
        machine.write("/etc/ssl/openssl.cnf", CONFIGURATION)
        machine.write("/etc/ssh/sshd_config.d/06-fips.conf", SSHD)
        machine.stop()
        return machine


def in_force(site: BootedSite) -> str:
    """Requires that the daemon uses the FIPS module and that algorithms that are not approved fail; returns the providers."""
    machine = site.machine
    require(not machine.run("openssl", "md5", "/etc/hostname").ok, "MD5 is allowed, so nothing is tried")
    require(machine.run("openssl", "sha256", "/etc/hostname").ok, "OpenSSL does not work at all")
    maps = machine.must("cat", f"/proc/{machine.main_pid(DAEMON)}/maps").out
    require("/ossl-modules/fips.so" in maps, "the daemon has not loaded the FIPS module")
    require("/ossl-modules/legacy.so" not in maps, "the daemon has loaded another module")
    listed = machine.must("openssl", "list", "-providers").lines()
    return ", ".join(line.partition(": ")[2] for line in listed if "name:" in line)


@case("P4", "under OpenSSL's FIPS provider an administrator and a user sign in, and nobody without the role", deep=True)
def sign_in(ground: FIPSGround) -> str:
    site, alice, bob = ground.vm, ground.person("alice"), ground.person("bob")
    admitted(site.ssh(alice, "sudo -n id -u"), "0\n")
    admitted(site.ssh(bob, "id -un"), f"{bob.login}\n")
    require(not site.ssh(bob, "sudo -n id -u").ok, "bob has sudo")
    refused(site.ssh(ground.person("carol"), "id"), contoso.USER)
    refused(site.ssh(ground.bed.forged("alice", stranger=True), "id"))
    admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
    return in_force(site)


@case("P4", "under OpenSSL's FIPS provider Entra's keys are fetched and rotated: certificates of the old and the new one count",
      deep=True)
def rotated(ground: FIPSGround) -> str:
    site, before, other = ground.vm, ground.newcomer(), ground.newcomer()
    admitted(site.ssh(before, "true"))
    try:
        ground.azure.rotate_keys()
        after = ground.bed.person(ground.key_of(other))
        refused(site.ssh(after, "true"))  # sshd has not been told of the new key
        known = site.machine.read(KEYS)
        site.machine.must("entraloginctl", "keys", "--refresh")
        wait_for(lambda: site.machine.read(KEYS) != known, "the new key in sshd's file")
        admitted(site.ssh(after, "id -un"), f"{after.login}\n")
        admitted(site.ssh(before, "true"))
    finally:
        ground.azure.restore_keys()
    in_force(site)
    return "both"


def refusals(site: BootedSite, person: Person) -> list[str]:
    records = site.machine.journal("ENTRALOGIN_EVENT=certificate", "ENTRALOGIN_DECISION=deny", f"ENTRALOGIN_USER={person.login}")
    return [str(record["ENTRALOGIN_REASON"]) for record in records]


@case("P4", "under OpenSSL's FIPS provider a list of revoked keys counts, by key, by SHA-256 and by SHA-1", deep=True)
def revoked(ground: FIPSGround) -> str:
    site, person, other = ground.vm, ground.person("alice"), ground.newcomer()
    line = public_line(person.identity)
    revoke(site.machine)
    site.settings(f"[Keys]\nRevokedKeys={LIST}\n")
    try:
        admitted(site.ssh(person, "true"))
        for entry in (f"key: {line}", f"sha256: {line}", f"sha1: {line}"):
            before = len(refusals(site, person))
            revoke(site.machine, entry)
            refused(site.ssh(person, "true"))
            wait_for(lambda before=before: len(refusals(site, person)) > before, "the record")  # type: ignore[misc]
            equal(refusals(site, person)[-1], "certificate-revoked", f"the reason after {entry[:7]}")
            admitted(site.ssh(other, "true"))
            revoke(site.machine)
            admitted(site.ssh(person, "true"))
    finally:
        site.settings("")
    in_force(site)
    return "refused each time, and in again"
