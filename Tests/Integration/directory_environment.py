# SPDX-License-Identifier: Apache-2.0
"""An LDAP directory (slapd) for a machine, and the two ways in which Debian uses one: nslcd, and SSSD."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from testbed.machine import Machine, wait_for

BASE = "dc=corp,dc=example"
# The names of sudo's attributes, in the order of their numbers (sudoers.ldap(5)).
ATTRIBUTES = ("sudoUser", "sudoHost", "sudoCommand", "sudoRunAs", "sudoOption", "sudoRunAsUser", "sudoRunAsGroup")
SLAPD = f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/sudo-names.schema
pidfile /run/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix {BASE}
rootdn cn=root,{BASE}
rootpw secret
directory /var/lib/corp
maxsize 16777216
"""
TREE = f"""dn: {BASE}
objectClass: dcObject
objectClass: organization
o: corp
dc: corp

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{BASE}
objectClass: organizationalUnit
ou: groups

dn: ou=sudoers,{BASE}
objectClass: organizationalUnit
ou: sudoers
"""
NSLCD = f"uid nslcd\ngid nslcd\nuri ldap://127.0.0.1/\nbase {BASE}\nnss_initgroups_ignoreusers root\n"
SSSD = f"""[sssd]
services = nss, sudo
domains = corp
[nss]
filter_users = root
entry_negative_timeout = 0
memcache_timeout = 0
[domain/corp]
id_provider = ldap
sudo_provider = ldap
ldap_uri = ldap://127.0.0.1/
ldap_search_base = {BASE}
ldap_sudo_search_base = ou=sudoers,{BASE}
ldap_sudo_full_refresh_interval = 86400
ldap_rfc2307_fallback_to_local_users = true
ldap_id_use_start_tls = false
ldap_tls_reqcert = never
entry_cache_timeout = 1
"""


def schema() -> str:
    """sudo's LDAP schema: multi-valued text attributes, and the class of a sudo rule, which may have all of them."""
    kinds = "".join(
        f"attributetype ( 1.3.6.1.4.1.15953.9.1.{number} NAME '{name}' EQUALITY caseExactIA5Match "
        "SUBSTR caseExactIA5SubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )\n"
        for number, name in enumerate(ATTRIBUTES, 1))
    return (f"{kinds}objectclass ( 1.3.6.1.4.1.15953.9.2.1 NAME 'sudoRole' SUP top STRUCTURAL MUST cn "
            f"MAY ( {' $ '.join(ATTRIBUTES)} $ description ) )\n")


def group(name: str, number: int, *members: str) -> str:
    return (f"dn: cn={name},ou=groups,{BASE}\nobjectClass: posixGroup\ncn: {name}\ngidNumber: {number}\n"
            + "".join(f"memberUid: {member}\n" for member in members))


def user(name: str, number: int) -> str:
    return (f"dn: uid={name},ou=people,{BASE}\nobjectClass: account\nobjectClass: posixAccount\nuid: {name}\ncn: {name}\n"
            f"uidNumber: {number}\ngidNumber: {number}\nhomeDirectory: /home/{name}\nloginShell: /bin/bash\n")


def sudo_role(name: str, **values: list[str]) -> str:
    lines = [f"{key}: {value}" for key, all_values in values.items() for value in all_values]
    return "\n".join([f"dn: cn={name},ou=sudoers,{BASE}", "objectClass: sudoRole", f"cn: {name}", *lines]) + "\n"


@contextmanager
def running(machine: Machine, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    log = (machine.folder / f"{command[0].rsplit('/', 1)[-1]}.log").open("ab")
    process = subprocess.Popen(machine.argv(list(command)), stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


class Directory:
    """The running directory server."""

    def __init__(self, machine: Machine, stack: ExitStack) -> None:
        self.machine, self._stack = machine, stack

    def change(self, text: str) -> None:
        self.machine.must("ldapadd", "-x", "-H", "ldap://127.0.0.1/", "-D", f"cn=root,{BASE}", "-w", "secret", input=text)

    def remove(self, name: str) -> None:
        self.machine.must("ldapdelete", "-x", "-H", "ldap://127.0.0.1/", "-D", f"cn=root,{BASE}", "-w", "secret", name)

    def by_nslcd(self) -> None:
        self.machine.write("/etc/nslcd.conf", NSLCD, 0o640)
        self.machine.must("install", "-d", "-o", "nslcd", "/run/nslcd")
        self._stack.enter_context(running(self.machine, "/usr/sbin/nslcd", "-d"))
        wait_for(lambda: self.machine.path("/run/nslcd/socket").exists(), "nslcd")

    def by_sssd(self) -> None:
        self.machine.write("/etc/sssd/sssd.conf", SSSD, 0o600)
        self._stack.enter_context(running(self.machine, "/usr/sbin/sssd", "-i"))
        for name in ("nss", "sudo"):
            wait_for(self.machine.path(f"/var/lib/sss/pipes/{name}").exists, f"SSSD's {name}")


@contextmanager
def directory(machine: Machine) -> Iterator[Directory]:
    with ExitStack() as stack:
        machine.write("/etc/ldap/sudo-names.schema", schema())
        machine.write("/etc/ldap/slapd.conf", SLAPD)
        machine.write("/root/tree.ldif", TREE)
        machine.must("mkdir", "-p", "/var/lib/corp")
        machine.must("slapadd", "-f", "/etc/ldap/slapd.conf", "-l", "/root/tree.ldif")
        stack.enter_context(running(machine, "/usr/sbin/slapd", "-d", "0", "-f", "/etc/ldap/slapd.conf",
                                    "-h", "ldap://127.0.0.1/"))
        made = Directory(machine, stack)
        wait_for(lambda: machine.run("ldapsearch", "-x", "-H", "ldap://127.0.0.1/", "-b", BASE, "-s", "base").ok, "slapd")
        yield made
