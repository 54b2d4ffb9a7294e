# SPDX-License-Identifier: Apache-2.0
"""P2, P4, P8, P14 and P17 with uutils' coreutils, in Rust, in place of GNU's: every verb of configure, and who gets in."""

from __future__ import annotations

import re

# The order of these imports is the order of the table.
# isort: off
from coreutils_environment import CoreutilsEnvironment, CoreutilsFixture
import rows_people  # noqa: F401
import rows_local  # noqa: F401
import rows_integration  # noqa: F401
# isort: on
from case import case
from environment import Host
from extension import journey as extended
from migration import over as migrated
from packages import journey, untouched
from roles import administrator
from sudo_right import in_steps
from sudo_rs_environment import replace_sudo
from table import TABLE, run_table
from testbed import Machine
from testbed.checks import admitted, equal, refused, require
from testbed.installed import CONFIGURE
from testbed.packages import differences, inventory
from unfinished import Trial, redo, undo
from way_back import back, full_disk, older, over

PLACES = ("/etc", "/var/lib/pam")
FOLDERS = ("/run/entralogin", "/run/entralogin/nss", "/var/lib/entralogin-sshd", "/var/lib/entralogin", "/var/lib/entralogin/nss",
           "/var/lib/entralogin/ssh")
# Files that each machine makes for itself, and the backups that useradd and systemd-sysusers keep.
OWN = r"[~+-]/etc/(shadow|shadow-|passwd-|group-|gshadow-|ld\.so\.cache|ssh/ssh_host_.*)"


def placed(machine: Machine) -> dict[str, str]:
    """Mode, owner and content of everything that configure may change; of the daemon's folders, mode and owner only."""
    made = machine.must("stat", "-c", "%n %a %u:%g", *FOLDERS).lines()
    return {**inventory(machine, *PLACES), **dict(line.split(" ", 1) for line in made)}


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [line for line in differences(before, after) if not re.fullmatch(OWN, line)]


def configured(host: Host, verb: str, status: int = 0) -> str:
    """Runs the verb; requires the exit status, and that no utility complains about an option."""
    outcome = host.machine.run(CONFIGURE, verb, timeout=180)
    equal(outcome.status, status, f"{verb}: {outcome.text}")
    complaint = re.search(r"(?i)usage:|unexpected|unrecognized|invalid option|try '.*--help'", outcome.text)
    require(complaint is None, f"{verb}: {outcome.text}")
    return outcome.text


@case("P17", "uutils' coreutils: each verb of configure does what it does with GNU's, to the byte, the mode and the owner",
      deep=True)
def verbs(env: CoreutilsEnvironment) -> str:
    gnu = env.with_gnu("gnu")
    with env.fresh("verbs") as host:
        machine, person = host.machine, administrator(env)
        wired = placed(machine)
        equal(changed(placed(gnu), wired), [], "unlike GNU's, once installed")
        admitted(host.ssh(person, "sudo -n id -u"), "0\n")
        configured(host, "--enable")
        configured(host, "--check")
        equal(changed(wired, placed(machine)), [], "--enable, repeated")
        configured(host, "--disable")
        gnu.must(CONFIGURE, "--disable")
        off = placed(machine)
        equal(changed(placed(gnu), off), [], "unlike GNU's, once taken out")
        host.reload()
        refused(host.ssh(person, "true"))
        configured(host, "--check", 1)
        equal(configured(host, "--survey"), "", "reasons to leave the machine alone")
        said = configured(host, "--dry-run")
        require("would write /etc/nsswitch.conf" in said and "nothing was changed" in said, said)
        equal(said, gnu.must(CONFIGURE, "--dry-run").text, "what --dry-run says")
        equal(changed(off, placed(machine)), [], "--dry-run")
        configured(host, "--enable", 1)  # the integration check fails until sshd is reloaded
        host.reload()
        host.stamped()
        equal(changed(wired, placed(machine)), [], "off and on again")
        admitted(host.ssh(person, "sudo -n id -u"), "0\n")
        refused(host.ssh(env.person("carol"), "id"))
    gnu.stop()
    return env.version


@case("P14", "uutils' coreutils: what configure has put on disk is on disk, a file's content and a folder's names", deep=True)
def on_disk(env: CoreutilsEnvironment) -> str:
    with env.fresh("on-disk", started=False) as host:
        script = "strace -qq -f -e trace=fsync,fdatasync,syncfs,sync sync {} 2>&1"
        for path in ("/etc/passwd", "/etc"):
            said = host.machine.shell(script.format(path))
            require(said.ok and re.search(r"^(fsync|syncfs|sync)\(.*= 0$", said.out, re.MULTILINE) is not None, said.text)
    return said.out.strip()


@case("P8", "uutils' coreutils: the package installed, upgraded, removed and purged on a booted machine", deep=True)
def package(env: CoreutilsEnvironment) -> str:
    return f"{journey(env.booted)}; {untouched(env.booted)}"


@case("P4", "uutils' coreutils: the VM extension turns sign-in on and off, by a guest agent on a booted machine", deep=True)
def extension(env: CoreutilsEnvironment) -> str:
    return extended(env.booted)


@case("P2", "uutils' coreutils beside sudo-rs: administrators have sudo, users have none, and it ends with the role", deep=True)
def beside_sudo_rs(env: CoreutilsEnvironment) -> str:
    with env.fresh("sudo-rs") as host:
        person, version = administrator(env), replace_sudo(host.machine)
        require(version.startswith("sudo-rs"), version)
        configured(host, "--enable")
        host.stamped()
        equal(host.ssh(env.newcomer(), "sudo -n id -u").out, "", "a user's")
        equal(host.ssh(env.lisa, "echo 'correct horse' | sudo -S id -u").out, "0\n", "lisa's, by her password")

        def withdrawn() -> None:
            env.withdraw(person)
            host.flush()

        before, after = in_steps(env, host, person, [lambda: None, withdrawn], "sudo -n id -u; id -un")
        equal(before, f"0\n{person.login}\n", "an administrator's")
        require("0" not in after.splitlines() and after.splitlines()[-1] == person.login, f"after the role's end: {after}")
    return version


@case("P4", "uutils' coreutils: a migration from aadsshlogin and back", deep=True)
def migration(env: CoreutilsEnvironment) -> str:
    return migrated(env)


@case("P4", "uutils' coreutils: configure stopped all over its steps: nobody gets in, and the next run settles it", deep=True,
      attack="H2")
def each_step(env: CoreutilsEnvironment) -> str:
    """cp and rm of 0.12.0 bypass libc, so the stopper does not see their system calls and stops only at all others."""
    with env.fresh("way-back") as host:
        trial = Trial.prepared(env, host)
        seen = [trial.every_stop(lambda: redo(trial), 7, CONFIGURE, "--disable"),
                trial.every_stop(lambda: undo(trial), 7, CONFIGURE, "--enable"),
                trial.every_stop(lambda: older(trial), 13, CONFIGURE, "--package-installed", "0.0.1"),
                trial.every_stop(lambda: over(trial), 13, CONFIGURE, "--migrate-undo"),
                trial.every_stop(lambda: back(trial), 13, CONFIGURE, "--migrate", "aadsshlogin")]
    return f"{seen} stops"


@case("P4", "uutils' coreutils: --enable and --disable on a disk with less and less room: nobody gets in by a planted key",
      deep=True)
def little_room(env: CoreutilsEnvironment) -> str:
    return full_disk(env)


@case("P4", "uutils' coreutils: the table of the demonstration, every row of it", deep=True)
def table(env: CoreutilsEnvironment) -> str:
    failed = run_table(CoreutilsFixture(env.testbed))
    require(failed == 0, f"{failed} rows failed: see above")
    return f"{len(TABLE)} rows"
