# SPDX-License-Identifier: Apache-2.0
"""A machine as Microsoft's aadsshlogin leaves it (Documentation/azure.md), set up by hand, and its migration."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from people import People
from testbed import Machine, Outcome, Person
from testbed.booted import BootedMachine
from testbed.checks import admitted, equal, require
from testbed.installed import TOOL


class AnyHost(Protocol):
    """A machine in a private root, or one that was booted."""

    @property
    def machine(self) -> Machine | BootedMachine: ...
    @property
    def port(self) -> int: ...

    def ssh(self, person: Person, *command: str, **options: Any) -> Outcome: ...
    def tool(self, *arguments: str) -> Outcome: ...


OLD_UID = 4711
# Files as the package has them, but pam_aad.so is a copy of pam_permit.so, and aad_certhandler only fails.
BLOCK = """
Match User *@*,????????-????-????-????-????????????    # Added by aadsshlogin installer
    AuthenticationMethods publickey
    AuthorizedKeysCommand /usr/sbin/aad_certhandler %u %k
    AuthorizedKeysCommandUser root
"""
LAYOUT = """
set -e
modules=$(dirname $(find /usr/lib -name pam_permit.so))
cp $modules/pam_permit.so $modules/pam_aad.so
printf '#!/bin/sh\\nexit 1\\n' >/usr/sbin/aad_certhandler
chmod 755 /usr/sbin/aad_certhandler
echo 'account optional pam_aad.so' >>/etc/pam.d/sshd
printf 'Name: Old\\nDefault: yes\\nPriority: 192\\nAccount-Type: Additional\\nAccount:\\n\\toptional\\tpam_aad.so\\n' \
    >/usr/share/pam-configs/aad
DEBIAN_FRONTEND=noninteractive pam-auth-update --package
grep -q pam_aad /etc/pam.d/common-account
sed -i 's/^\\(passwd:.*\\|group:.*\\)$/\\1 aad/' /etc/nsswitch.conf
groupadd --gid 4700 aad_admins
mkdir -p {home}
echo kept >{home}/from-before
chown -R {uid}:{uid} {home}
chmod 700 {home}
"""
RULES = "Defaults:%aad_admins env_keep += \"SITE\"\n%aad_admins ALL=(ALL) NOPASSWD:ALL\n"


def plan(host: AnyHost) -> tuple[int, dict[str, Any]]:
    outcome = host.tool("--json", "migrate", "--from", "aadsshlogin")
    require(bool(outcome.out), f"no plan: {outcome.text}")
    return outcome.status, json.loads(outcome.out)


def lay_out(env: People, host: AnyHost, person: Person) -> str:
    """Sets the machine up as it was before entralogin, without reloading sshd; returns the person's home there."""
    home = f"/home/{person.login.split('@')[0]}"
    require(host.tool("setup", "--undo").ok, "setup --undo")
    require(host.machine.shell(LAYOUT.format(home=home, uid=OLD_UID)).ok, "the old machine")
    host.machine.write("/etc/ssh/sshd_config", host.machine.read("/etc/ssh/sshd_config") + BLOCK)
    host.machine.write("/etc/sudoers.d/aad_admins", RULES, 0o440)
    oid = env.testbed.directory.principals[env.key_of(person)].object_id
    host.machine.write("/etc/aadpasswd", f"{person.login}:{oid}:{OLD_UID}:{OLD_UID}:Somebody:{home}:/bin/sh\n")
    return home


def files(host: AnyHost) -> str:
    """The digests and modes of the integration's files."""
    listed = "/etc/ssh/sshd_config /etc/ssh/sshd_config.d/* /etc/pam.d/* /etc/nsswitch.conf /var/lib/pam/[acps]*[!n]"
    return host.machine.must("sh", "-c", f"sha256sum {listed}; stat -c '%a %u:%g %n' {listed}").out


@contextmanager
def open_session(env: People, host: AnyHost) -> Iterator[Callable[[str], None]]:
    """Opens a session of root over SSH; yields a check that it is alive and that lisa can sign in."""
    argv = env.root.argv("-p", str(host.port), "root@127.0.0.1", "cat")
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as session:
        typed, shown = session.stdin, session.stdout
        assert typed
        assert shown

        def alive(when: str) -> None:
            typed.write(when + "\n")
            typed.flush()
            equal(shown.readline(), when + "\n", f"root's open session {when}")
            admitted(host.ssh(env.lisa, "true"))

        yield alive
        typed.close()


def apply(host: AnyHost, word: str = "--apply") -> Outcome:
    """Migrates as an administrator does, from a current folder other than /."""
    return host.machine.run("/bin/sh", "-c", 'cd /root && exec "$@"', "-", TOOL, "migrate", "--from", "aadsshlogin", word)
