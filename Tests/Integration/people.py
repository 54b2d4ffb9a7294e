# SPDX-License-Identifier: Apache-2.0
"""Who signs in: people of the directory, two with accounts on the machine itself, and what their administrator set up."""

from __future__ import annotations

from bed import Bed, Machine, Person
from simulator.sshkeys import public_line

CROWD = 600  # numbered people who hold the User role
PASSWORD = "correct horse"


class People:
    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self.azure = bed.azure
        self.lisa = bed.local("lisa", PASSWORD)
        self.root = bed.local("root", PASSWORD)
        self._known: dict[str, Person] = {}
        self._next_newcomer = 0

    def person(self, key: str) -> Person:
        if key not in self._known:
            self._known[key] = self.bed.person(key)
        return self._known[key]

    def newcomer(self) -> Person:
        """Somebody with the User role who has never signed in anywhere."""
        self._next_newcomer += 1
        return self.person(f"user{self._next_newcomer - 1}")

    def forget(self, key: str) -> None:
        """The next `person` makes them anew, with a certificate for what the directory says now."""
        self._known.pop(key, None)

    def key_of(self, person: Person) -> str:
        return next(key for key, known in self._known.items() if known.login == person.login)

    def administer(self, machine: Machine) -> None:
        """Debian as its administrator has it: lisa, who may use sudo, root with a key, and an sshd for many tries."""
        machine.add_local_user("lisa", PASSWORD, public_line(self.lisa.identity))
        machine.must("usermod", "-aG", "sudo", "lisa")
        machine.set_credentials("root", PASSWORD, public_line(self.root.identity))
        settings = "PermitRootLogin yes\nMaxStartups 200\nMaxAuthTries 20\nLoginGraceTime 30\nLogLevel VERBOSE\n"
        # Since OpenSSH 9.8, an address from which many are refused is kept out for a while; here all share one address.
        if "persourcepenalties" in machine.run("/usr/sbin/sshd", "-T").out.lower():
            settings += "PerSourcePenalties no\n"
        machine.write("/etc/ssh/sshd_config.d/50-administrator.conf", settings)
