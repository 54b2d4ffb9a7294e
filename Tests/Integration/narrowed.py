# SPDX-License-Identifier: Apache-2.0
"""P4, P16: the settings and their files' modes: the check and root's tools see what the daemon and sshd see."""

from __future__ import annotations

from bed import Person
from bed.checks import admitted, equal, require
from bed.installed import CONFIGURE
from case import case
from ground import SETTINGS, Ground, Site
from reach import said

BLOCK = "/etc/ssh/sshd_config.d/00-entralogin.conf"
FOLDER = "/etc/entralogin/entralogin.conf.d"
DAEMON = "/usr/sbin/entralogind"


def keys_of(site: Site, person: Person) -> str:
    """Where sshd looks for this person's own keys."""
    seen = site.machine.must("/usr/sbin/sshd", "-T", "-C", f"user={person.login},host=h,addr=127.0.0.1").out
    return next(line for line in seen.lower().splitlines() if line.startswith("authorizedkeysfile "))


def enable(site: Site) -> None:
    """Runs `configure --enable`, which says what is still to do (exit status 1), and reloads sshd."""
    site.machine.run(CONFIGURE, "--enable")
    site.reload()


@case("P4", "accounts of a domain that was taken out of Domains= stay covered by sshd's block; one that is not: no stamp",
      attack="W10")
def narrowed(ground: Ground) -> str:
    with ground.fresh("narrowed") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        site.machine.write(SETTINGS, "[Accounts]\nDomains=fabrikam.com\n")
        enable(site)
        equal(keys_of(site, person), "authorizedkeysfile none", "the keys of an account of the old domain")
        site.stamped()
        site.machine.write(SETTINGS, "[Accounts]\nDomains=fabrikam.com new.example\n")
        site.stamped()  # users of the new domain are refused, and doctor says so
        require(any("does not cover accounts of new.example" in text for text in said(site)), f"doctor says {said(site)}")
        site.machine.must("sed", "-i", "s/,\\*@contoso.com//", BLOCK)
        site.reload()
        require(keys_of(site, person) != "authorizedkeysfile none", "the block still covers the old domain")
        require(not site.stamp(), "the check is content with an account that sshd's block does not cover")
        require(any("does not cover accounts of contoso.com" in text for text in said(site)), f"doctor says {said(site)}")
        enable(site)
        site.stamped()
    return "covered, or no stamp"


@case("P16", "settings that the daemon may not read, or in a folder that others may write: --check-config and doctor say so",
      attack="W11")
def unreadable(ground: Ground) -> str:
    with ground.fresh("unreadable", started=False) as site:
        def verdict(word: str) -> None:
            checked = site.machine.run(DAEMON, "--check-config")
            require(checked.status == 78 and word in checked.text, f"--check-config ({checked.status}): {checked.text}")
            require(any(word in text for text in said(site)), f"doctor says {said(site)}")
            require("s3cret" not in checked.text + site.tool("doctor").text, "the password is shown")

        site.machine.write(SETTINGS, "[Azure]\nProxy=http://u:s3cret@127.0.0.1:9\n", 0o644)
        equal(site.machine.run(DAEMON, "--check-config").status, 0, "status of --check-config")
        require(any("every local user can read" in text for text in said(site)), f"doctor says {said(site)}")
        site.machine.must("chmod", "0600", SETTINGS)
        verdict(SETTINGS)
        site.machine.must("chown", "root:entralogin", SETTINGS)
        site.machine.must("chmod", "0640", SETTINGS)
        equal(site.machine.run(DAEMON, "--check-config").text, "", "what --check-config says of 0640 root:entralogin")
        require(not any("every local user can read" in text for text in said(site)), "doctor still warns")
        site.machine.must("chmod", "0777", FOLDER)
        verdict("lets others write it")
        site.machine.must("chmod", "0755", FOLDER)
        site.machine.must("mv", FOLDER, "/srv/settings.d")
        site.machine.must("ln", "-s", "/srv/settings.d", FOLDER)
        verdict("a link, not a folder")
    return "named four times"
