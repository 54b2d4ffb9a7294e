# SPDX-License-Identifier: Apache-2.0
"""The people who sign in (those of the directory and two with local accounts), and the administrator's settings."""

from __future__ import annotations

from simulator.sshkeys import public_line
from testbed import Machine, Person, Testbed

NUMBERED_USERS = 600  # numbered people who have the User role
PASSWORD = "correct horse"


class People:
    def __init__(self, testbed: Testbed) -> None:
        self.testbed = testbed
        self.azure = testbed.azure
        self.lisa = testbed.local("lisa", PASSWORD)
        self.root = testbed.local("root", PASSWORD)
        self._known: dict[str, Person] = {}
        self._next_newcomer = 0

    def person(self, key: str) -> Person:
        if key not in self._known:
            self._known[key] = self.testbed.person(key)
        return self._known[key]

    def newcomer(self) -> Person:
        """A person with the User role who has never signed in anywhere."""
        self._next_newcomer += 1
        return self.person(f"user{self._next_newcomer - 1}")

    def forget(self, key: str) -> None:
        """Makes the next call of `person` get a new certificate, for what the directory says then."""
        self._known.pop(key, None)

    def key_of(self, person: Person) -> str:
        return next(key for key, known in self._known.items() if known.login == person.login)

    def administer(self, machine: Machine) -> None:
        """Sets Debian up as an administrator does: lisa, who may use sudo, root with a key, and an sshd for many attempts."""
        machine.add_local_user("lisa", PASSWORD, public_line(self.lisa.identity))
        machine.must("usermod", "-aG", "sudo", "lisa")
        machine.set_credentials("root", PASSWORD, public_line(self.root.identity))
        settings = "PermitRootLogin yes\nMaxStartups 200\nMaxAuthTries 20\nLoginGraceTime 30\nLogLevel VERBOSE\n"
        # Since OpenSSH 9.8, sshd blocks an address for a while after many refusals; here all clients share one address.
        if "persourcepenalties" in machine.run("/usr/sbin/sshd", "-T").out.lower():
            settings += "PerSourcePenalties no\n"
        machine.write("/etc/ssh/sshd_config.d/50-administrator.conf", settings)
