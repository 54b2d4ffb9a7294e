# SPDX-License-Identifier: Apache-2.0
"""P4: the whole machine under OpenSSL's FIPS provider (Documentation/distributions.md): sign-in, rotated keys, revoked ones."""

from __future__ import annotations

from booted_environment import DAEMON, KEYS, BootedEnvironment, BootedHost
from case import case
from revocation import LIST, revoke
from simulator import contoso
from simulator.sshkeys import public_line
from testbed import Machine, Person
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

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


class FIPSEnvironment(BootedEnvironment):
    """Booted machines on which OpenSSL may use only Debian's FIPS provider."""

    def _prepared(self) -> Machine:
        machine = self.testbed.machine("bare", layered=True)
        self.administer(machine)
        machine.write("/etc/hostname", "contoso-vm\n")
        machine.must("systemctl", "disable", "nscd.service")
        module = machine.shell("ls /usr/lib/*/ossl-modules/fips.so").out.strip()
        machine.must("openssl", "fipsinstall", "-out", MODULE, "-module", module)
        machine.write("/etc/ssl/openssl.cnf", CONFIGURATION)
        machine.write("/etc/ssh/sshd_config.d/06-fips.conf", SSHD)
        machine.stop()
        return machine


def in_force(host: BootedHost) -> str:
    """Requires that the daemon uses the FIPS module and that algorithms that are not approved fail; returns the providers."""
    machine = host.machine
    require(not machine.run("openssl", "md5", "/etc/hostname").ok, "MD5 is allowed, so nothing is tried")
    require(machine.run("openssl", "sha256", "/etc/hostname").ok, "OpenSSL does not work at all")
    maps = machine.must("cat", f"/proc/{machine.main_pid(DAEMON)}/maps").out
    require("/ossl-modules/fips.so" in maps, "the daemon has not loaded the FIPS module")
    require("/ossl-modules/legacy.so" not in maps, "the daemon has loaded another module")
    listed = machine.must("openssl", "list", "-providers").lines()
    return ", ".join(line.partition(": ")[2] for line in listed if "name:" in line)


@case("P4", "under OpenSSL's FIPS provider an administrator and a user sign in, and nobody without the role", deep=True)
def sign_in(env: FIPSEnvironment) -> str:
    host, alice, bob = env.vm, env.person("alice"), env.person("bob")
    admitted(host.ssh(alice, "sudo -n id -u"), "0\n")
    admitted(host.ssh(bob, "id -un"), f"{bob.login}\n")
    require(not host.ssh(bob, "sudo -n id -u").ok, "bob has sudo")
    refused(host.ssh(env.person("carol"), "id"), contoso.USER)
    refused(host.ssh(env.testbed.forged("alice", stranger=True), "id"))
    admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
    return in_force(host)


@case("P4", "under OpenSSL's FIPS provider Entra's keys are fetched and rotated: certificates of the old and the new one count",
      deep=True)
def rotated(env: FIPSEnvironment) -> str:
    host, before, other = env.vm, env.newcomer(), env.newcomer()
    admitted(host.ssh(before, "true"))
    try:
        env.azure.rotate_keys()
        after = env.testbed.person(env.key_of(other))
        refused(host.ssh(after, "true"))  # sshd does not have the new key yet
        known = host.machine.read(KEYS)
        host.machine.must("entraloginctl", "keys", "--refresh")
        wait_for(lambda: host.machine.read(KEYS) != known, "the new key in sshd's file")
        admitted(host.ssh(after, "id -un"), f"{after.login}\n")
        admitted(host.ssh(before, "true"))
    finally:
        env.azure.restore_keys()
    in_force(host)
    return "both"


def refusals(host: BootedHost, person: Person) -> list[str]:
    records = host.machine.journal("ENTRALOGIN_EVENT=certificate", "ENTRALOGIN_DECISION=deny", f"ENTRALOGIN_USER={person.login}")
    return [str(record["ENTRALOGIN_REASON"]) for record in records]


@case("P4", "under OpenSSL's FIPS provider a list of revoked keys counts, by key, by SHA-256 and by SHA-1", deep=True)
def revoked(env: FIPSEnvironment) -> str:
    host, person, other = env.vm, env.person("alice"), env.newcomer()
    line = public_line(person.identity)
    revoke(host.machine)
    host.settings(f"[Keys]\nRevokedKeys={LIST}\n")
    try:
        admitted(host.ssh(person, "true"))
        for entry in (f"key: {line}", f"sha256: {line}", f"sha1: {line}"):
            before = len(refusals(host, person))
            revoke(host.machine, entry)
            refused(host.ssh(person, "true"))
            wait_for(lambda before=before: len(refusals(host, person)) > before, "the record")  # type: ignore[misc]
            equal(refusals(host, person)[-1], "certificate-revoked", f"the reason after {entry[:7]}")
            admitted(host.ssh(other, "true"))
            revoke(host.machine)
            admitted(host.ssh(person, "true"))
    finally:
        host.settings("")
    in_force(host)
    return "refused each time, and in again"
