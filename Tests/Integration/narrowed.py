# SPDX-License-Identifier: Apache-2.0
"""P4, P16: the settings and their files' modes: the integration check and root's tools see what the daemon and sshd see."""

from __future__ import annotations

from case import case
from environment import SETTINGS, Environment, Host
from reach import said
from testbed import Person
from testbed.checks import admitted, equal, require
from testbed.installed import CONFIGURE

BLOCK = "/etc/ssh/sshd_config.d/00-entralogin.conf"
FOLDER = "/etc/entralogin/entralogin.conf.d"
DAEMON = "/usr/sbin/entralogind"


def keys_of(host: Host, person: Person) -> str:
    """Where sshd looks for this person's own keys."""
    seen = host.machine.must("/usr/sbin/sshd", "-T", "-C", f"user={person.login},host=h,addr=127.0.0.1").out
    return next(line for line in seen.lower().splitlines() if line.startswith("authorizedkeysfile "))


def enable(host: Host) -> None:
    """Runs `configure --enable`, which says what is still to do (exit status 1), and reloads sshd."""
    host.machine.run(CONFIGURE, "--enable")
    host.reload()


@case("P4", "accounts of a domain that was taken out of Domains= stay covered by sshd's block; one that is not: no stamp",
      attack="W10")
def narrowed(env: Environment) -> str:
    with env.fresh("narrowed") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        host.machine.write(SETTINGS, "[Accounts]\nDomains=fabrikam.com\n")
        enable(host)
        equal(keys_of(host, person), "authorizedkeysfile none", "the keys of an account of the old domain")
        host.stamped()
        host.machine.write(SETTINGS, "[Accounts]\nDomains=fabrikam.com new.example\n")
        host.stamped()  # users of the new domain are refused, and doctor says so
        require(any("does not cover accounts of new.example" in text for text in said(host)), f"doctor says {said(host)}")
        host.machine.must("sed", "-i", "s/,\\*@contoso.com//", BLOCK)
        host.reload()
        require(keys_of(host, person) != "authorizedkeysfile none", "the block still covers the old domain")
        require(not host.stamp(), "the check is content with an account that sshd's block does not cover")
        require(any("does not cover accounts of contoso.com" in text for text in said(host)), f"doctor says {said(host)}")
        enable(host)
        host.stamped()
    return "covered, or no stamp"


@case("P16", "settings that the daemon may not read, or in a folder that others may write: --check-config and doctor say so",
      attack="W11")
def unreadable(env: Environment) -> str:
    with env.fresh("unreadable", started=False) as host:
        def verdict(word: str) -> None:
            checked = host.machine.run(DAEMON, "--check-config")
            require(checked.status == 78 and word in checked.text, f"--check-config ({checked.status}): {checked.text}")
            require(any(word in text for text in said(host)), f"doctor says {said(host)}")
            require("s3cret" not in checked.text + host.tool("doctor").text, "the password is shown")

        host.machine.write(SETTINGS, "[Azure]\nProxy=http://u:s3cret@127.0.0.1:9\n", 0o644)
        equal(host.machine.run(DAEMON, "--check-config").status, 0, "status of --check-config")
        require(any("every local user can read" in text for text in said(host)), f"doctor says {said(host)}")
        host.machine.must("chmod", "0600", SETTINGS)
        verdict(SETTINGS)
        host.machine.must("chown", "root:entralogin", SETTINGS)
        host.machine.must("chmod", "0640", SETTINGS)
        equal(host.machine.run(DAEMON, "--check-config").text, "", "what --check-config says of 0640 root:entralogin")
        require(not any("every local user can read" in text for text in said(host)), "doctor still warns")
        host.machine.must("chmod", "0777", FOLDER)
        verdict("lets others write it")
        host.machine.must("chmod", "0755", FOLDER)
        host.machine.must("mv", FOLDER, "/srv/settings.d")
        host.machine.must("ln", "-s", "/srv/settings.d", FOLDER)
        verdict("a link, not a folder")
    return "named four times"
