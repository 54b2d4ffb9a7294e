# SPDX-License-Identifier: Apache-2.0
"""P4: if configure fails, is killed or finds the disk full, at any step, no user who was refused before can sign in."""

from __future__ import annotations

import json

from case import case
from environment import Environment, Host
from old_machine import apply
from testbed.checks import equal, require
from testbed.installed import CONFIGURE
from unfinished import DROP_IN, Trial, redo, undo

MISTAKES = {"/etc/sudoers.d/60-mistake": ("no sense\n", 0o440),
            "/etc/ssh/sshd_config.d/60-mistake.conf": ("Nonsense yes\n", 0o644)}


def is_unfinished(host: Host) -> bool:
    return any(f["id"] == "setup.unfinished" for f in json.loads(host.tool("--json", "doctor").out)["findings"])


@case("P4", "setup --apply that fails or is killed lets nobody in by a planted key, and leaves all as it was", attack="H2")
def failing_apply(env: Environment) -> str:
    with env.fresh("way-back") as host:
        trial = Trial.prepared(env, host)
        undo(trial)
        before, seen = trial.state(), ""
        for path, (text, mode) in MISTAKES.items():
            host.machine.write(path, text, mode)
            outcome = host.tool("setup", "--apply")
            host.machine.remove(path)
            require(outcome.status == 1, outcome.text)
            trial.hunt(f"after setup --apply with {path}")
            equal(trial.state(), before, f"the state after {path}: {outcome.text}")
            seen = outcome.text.strip().splitlines()[-1]
        trial.stopper.run("kill", 10_000, CONFIGURE, "--enable")
        calls = trial.stopper.calls()
        redo(trial)
        after = trial.state()
        for at in (calls // 3, calls - 2):
            undo(trial)
            _, where = trial.stopper.run("kill", at, CONFIGURE, "--enable")
            require(bool(where), "not killed")
            require(is_unfinished(host), f"after a kill at {where} doctor does not say that something is left to do")
            trial.hunt(f"after a kill at {where}")
            trial.settled(where, before, after)  # by configure --recover, as doctor says
            require(not is_unfinished(host), f"doctor goes on about the kill at {where}")
    return seen


@case("P4", "mapped accounts come back only where sshd's account stage asks the module", attack="H2")
def unwired_account_stage(env: Environment) -> str:
    with env.fresh("way-back-pam") as host:
        trial = Trial.prepared(env, host)
        undo(trial)
        stock = host.machine.read("/etc/pam.d/common-account")
        # pam-auth-update does not change a file that was edited by hand.
        edited = stock.replace("account\t[success", "account\trequired\tpam_permit.so\naccount\t[success", 1)
        require(edited != stock, stock)
        host.machine.write("/etc/pam.d/common-account", edited)
        host.machine.write(DROP_IN, "# by hand\n")
        outcome = host.tool("setup", "--apply")
        require(outcome.status == 1 and "pam-auth-update left it alone" in outcome.text, outcome.text)
        trial.hunt("with an account stage that was edited by hand")
        host.machine.remove(DROP_IN)
        require(is_unfinished(host), "doctor does not say that something is left to do")
        host.machine.write("/etc/pam.d/common-account", stock)
        host.tool("setup", "--apply")
        require("!*adopted" in host.machine.read("/etc/passwd"), "not back")
        trial.hunt("once it asks")
    return next(line for line in outcome.text.splitlines() if "could not be put back" in line)


def older(trial: Trial) -> None:
    """Turns sign-in on with files of an earlier version, which an upgrade replaces."""
    redo(trial)
    for path in (DROP_IN, "/etc/sudoers.d/entralogin"):
        require(trial.host.machine.shell(f"grep -qx '# older' {path} || echo '# older' >>{path}").ok, path)


def back(trial: Trial) -> None:
    if trial.host.machine.path("/var/lib/entralogin-migration").exists():
        outcome = apply(trial.host, "--undo")
        require(outcome.ok, outcome.text)


def over(trial: Trial) -> None:
    machine = trial.host.machine
    saved = machine.path("/var/lib/entralogin-migration")
    if saved.exists() and not machine.path(DROP_IN).exists():
        # Undoing failed at a last step: a second run finishes it.
        machine.must(CONFIGURE, "--migrate-undo", timeout=180)
    if not saved.exists():
        outcome = apply(trial.host)
        require(outcome.ok, outcome.text)


@case("P4", "configure stopped all over its steps, in three ways: nobody gets in, and the next run settles it", deep=True,
      attack="H2")
def each_step(env: Environment) -> str:
    with env.fresh("way-back-deep") as host:
        trial = Trial.prepared(env, host)
        seen = [trial.every_stop(lambda: redo(trial), 2, CONFIGURE, "--disable"),
                trial.every_stop(lambda: undo(trial), 2, CONFIGURE, "--enable"),
                trial.every_stop(lambda: older(trial), 4, CONFIGURE, "--enable"),
                trial.every_stop(lambda: older(trial), 6, CONFIGURE, "--package-installed", "0.0.1")]
    return f"{seen} stops"


@case("P4", "a migration stopped all over its steps, there and back: nobody gets in, and the next run settles it", deep=True,
      attack="H2")
def each_step_of_migration(env: Environment) -> str:
    with env.fresh("way-back-migration") as host:
        trial = Trial.prepared(env, host)
        seen = [trial.every_stop(lambda: over(trial), 4, CONFIGURE, "--migrate-undo"),
                trial.every_stop(lambda: back(trial), 5, CONFIGURE, "--migrate", "aadsshlogin")]
    return f"{seen} stops"


@case("P4", "setup --apply and --undo on a disk with less and less room: nobody gets in by a planted key", deep=True,
      attack="H2")
def full_disk(env: Environment) -> str:
    with env.fresh("way-back-full") as host:
        trial = Trial.prepared(env, host)
        host.machine.must("sh", "-c", "mkdir /room && mount -t tmpfs -o size=8m tmpfs /room && cp -a /etc/. /room && "
                          "mount --bind /room /etc")
        refusals = 0
        for kibibytes in (0, 8, 24, 48):
            for start, command in ((undo, "--enable"), (redo, "--disable")):
                start(trial)
                before = trial.state()
                fill = f"dd if=/dev/zero of=/etc/filler bs=4k 2>/dev/null; truncate --size=-{kibibytes}k /etc/filler"
                host.machine.shell(fill)
                outcome = host.machine.run(CONFIGURE, command)
                trial.hunt(f"after {command} with {kibibytes} KiB: {outcome.text}")
                host.machine.remove("/etc/filler")
                if "entralogin: undoing" in outcome.text or "cannot" in outcome.text:
                    refusals += 1
                    if command == "--enable":
                        trial.settled(f"{command} with {kibibytes} KiB", before)
        require(refusals > 2, f"the disk was never full: {refusals}")
    return f"{refusals} of 8 runs met the full disk"
