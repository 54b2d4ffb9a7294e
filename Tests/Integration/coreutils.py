# SPDX-License-Identifier: Apache-2.0
"""P4, P14, P17 where uutils' coreutils, in Rust, stand in the place of GNU's: every verb of configure, and who gets in."""

from __future__ import annotations

import re

# The order of these imports is the order of the table.
# isort: off
from coreutils_ground import CoreutilsGround, CoreutilsScene
import rows_people  # noqa: F401
import rows_local  # noqa: F401
import rows_wiring  # noqa: F401
# isort: on
from bed import Machine
from bed.checks import admitted, equal, refused, require
from bed.installed import CONFIGURE
from bed.packages import differences, inventory
from case import case
from extension import journey as extended
from ground import Site
from migration import over as migrated
from packages import journey, untouched
from roles import administrator
from sudo_right import in_steps
from sudo_rs_ground import replace_sudo
from table import TABLE, play
from unfinished import Trial, redo, undo
from way_back import back, full_disk, older, over

PLACES = ("/etc", "/var/lib/pam")
FOLDERS = ("/run/entralogin", "/run/entralogin/nss", "/var/lib/entralogin-sshd", "/var/lib/entralogin", "/var/lib/entralogin/nss",
           "/var/lib/entralogin/ssh")
# What each machine makes for itself, and what useradd and systemd-sysusers keep of a file before.
OWN = r"[~+-]/etc/(shadow|shadow-|passwd-|group-|gshadow-|ld\.so\.cache|ssh/ssh_host_.*)"


def placed(machine: Machine) -> dict[str, str]:
    """Everything that configure may touch, by mode, owner and content; of the daemon's folders, not their content."""
    made = machine.must("stat", "-c", "%n %a %u:%g", *FOLDERS).lines()
    return {**inventory(machine, *PLACES), **dict(line.split(" ", 1) for line in made)}


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [line for line in differences(before, after) if not re.fullmatch(OWN, line)]


def configured(site: Site, verb: str, status: int = 0) -> str:
    """Runs the verb, which must say nothing of the kind that a utility says of a wrong option."""
    outcome = site.machine.run(CONFIGURE, verb, timeout=180)
    equal(outcome.status, status, f"{verb}: {outcome.text}")
    complaint = re.search(r"(?i)usage:|unexpected|unrecognized|invalid option|try '.*--help'", outcome.text)
    require(complaint is None, f"{verb}: {outcome.text}")
    return outcome.text


@case("P17", "uutils' coreutils: each verb of configure does what it does with GNU's, to the byte, the mode and the owner",
      deep=True)
def verbs(ground: CoreutilsGround) -> str:
    gnu = ground.with_gnu("gnu")
    with ground.fresh("verbs") as site:
        machine, person = site.machine, administrator(ground)
        wired = placed(machine)
        equal(changed(placed(gnu), wired), [], "unlike GNU's, once installed")
        admitted(site.ssh(person, "sudo -n id -u"), "0\n")
        configured(site, "--enable")
        configured(site, "--check")
        equal(changed(wired, placed(machine)), [], "--enable, repeated")
        configured(site, "--disable")
        gnu.must(CONFIGURE, "--disable")
        off = placed(machine)
        equal(changed(placed(gnu), off), [], "unlike GNU's, once taken out")
        site.reload()
        refused(site.ssh(person, "true"))
        configured(site, "--check", 1)
        equal(configured(site, "--survey"), "", "reasons to leave the machine alone")
        said = configured(site, "--dry-run")
        require("would write /etc/nsswitch.conf" in said and "nothing was changed" in said, said)
        equal(said, gnu.must(CONFIGURE, "--dry-run").text, "what --dry-run says")
        equal(changed(off, placed(machine)), [], "--dry-run")
        configured(site, "--enable", 1)  # the check waits for sshd, which is not reloaded here
        site.reload()
        site.stamped()
        equal(changed(wired, placed(machine)), [], "off and on again")
        admitted(site.ssh(person, "sudo -n id -u"), "0\n")
        refused(site.ssh(ground.person("carol"), "id"))
    gnu.stop()
    return ground.version


@case("P14", "uutils' coreutils: what configure has put on disk is on disk, a file's content and a folder's names", deep=True)
def on_disk(ground: CoreutilsGround) -> str:
    with ground.fresh("on-disk", started=False) as site:
        script = "strace -qq -f -e trace=fsync,fdatasync,syncfs,sync sync {} 2>&1"
        for path in ("/etc/passwd", "/etc"):
            said = site.machine.shell(script.format(path))
            require(said.ok and re.search(r"^(fsync|syncfs|sync)\(.*= 0$", said.out, re.MULTILINE) is not None, said.text)
    return said.out.strip()


@case("P8", "uutils' coreutils: the package installed, upgraded, removed and purged on a booted machine", deep=True)
def package(ground: CoreutilsGround) -> str:
    return f"{journey(ground.booted)}; {untouched(ground.booted)}"


@case("P4", "uutils' coreutils: the VM extension turns sign-in on and off, by a guest agent on a booted machine", deep=True)
def extension(ground: CoreutilsGround) -> str:
    return extended(ground.booted)


@case("P2", "uutils' coreutils beside sudo-rs: administrators have sudo, users have none, and it ends with the role", deep=True)
def beside_sudo_rs(ground: CoreutilsGround) -> str:
    with ground.fresh("sudo-rs") as site:
        person, version = administrator(ground), replace_sudo(site.machine)
        require(version.startswith("sudo-rs"), version)
        configured(site, "--enable")
        site.stamped()
        equal(site.ssh(ground.newcomer(), "sudo -n id -u").out, "", "a user's")
        equal(site.ssh(ground.lisa, "echo 'correct horse' | sudo -S id -u").out, "0\n", "lisa's, by her password")

        def withdrawn() -> None:
            ground.withdraw(person)
            site.flush()

        before, after = in_steps(ground, site, person, [lambda: None, withdrawn], "sudo -n id -u; id -un")
        equal(before, f"0\n{person.login}\n", "an administrator's")
        require("0" not in after.splitlines() and after.splitlines()[-1] == person.login, f"after the role's end: {after}")
    return version


@case("P4", "uutils' coreutils: a migration from aadsshlogin and back", deep=True)
def migration(ground: CoreutilsGround) -> str:
    return migrated(ground)


@case("P4", "uutils' coreutils: configure stopped all over its steps: nobody gets in, and the next run settles it", deep=True,
      attack="H2")
def each_step(ground: CoreutilsGround) -> str:
    """cp and rm of 0.12.0 make their calls past libc, where the stopper does not see them: there it stops at all others."""
    with ground.fresh("way-back") as site:
        trial = Trial.prepared(ground, site)
        seen = [trial.every_stop(lambda: redo(trial), 7, CONFIGURE, "--disable"),
                trial.every_stop(lambda: undo(trial), 7, CONFIGURE, "--enable"),
                trial.every_stop(lambda: older(trial), 13, CONFIGURE, "--package-installed", "0.0.1"),
                trial.every_stop(lambda: over(trial), 13, CONFIGURE, "--migrate-undo"),
                trial.every_stop(lambda: back(trial), 13, CONFIGURE, "--migrate", "aadsshlogin")]
    return f"{seen} stops"


@case("P4", "uutils' coreutils: --enable and --disable on a disk with less and less room: nobody gets in by a planted key",
      deep=True)
def little_room(ground: CoreutilsGround) -> str:
    return full_disk(ground)


@case("P4", "uutils' coreutils: the table of the demonstration, every row of it", deep=True)
def table(ground: CoreutilsGround) -> str:
    failed = play(CoreutilsScene(ground.bed))
    require(failed == 0, f"{failed} rows failed: see above")
    return f"{len(TABLE)} rows"
