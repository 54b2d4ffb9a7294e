# SPDX-License-Identifier: Apache-2.0
"""P4, P7: configure that fails, is killed or meets a full disk, at any step, lets nobody in who was kept out before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from bed import Outcome, Person
from bed.checks import Wrong, admitted, equal, require
from bed.compiled import compiled
from bed.installed import CONFIGURE, REPOSITORY
from bed.machine import HERE, run
from case import case
from credentials import KEYS_FILE, intruder, plant, shut_out
from ground import Ground, Site
from migration import accounts, adopt
from old_machine import apply, files, lay_out
from simulator.sshkeys import public_line

STOPPER, COUNTER = "/usr/lib/test-stopper.so", "/run/test-stopper"
UNFINISHED, DROP_IN = "/etc/entralogin/unfinished", "/etc/ssh/sshd_config.d/00-entralogin.conf"
MISTAKES = {"/etc/sudoers.d/60-mistake": ("no sense\n", 0o440), "/etc/ssh/sshd_config.d/60-mistake.conf": ("Nonsense yes\n", 0o644)}


@dataclass
class Trial:
    """A machine with two people whose role is gone, and whose own keys wait in their homes: one has a line in /etc/passwd,
    one is known to the name service alone."""

    ground: Ground
    site: Site
    thieves: list[Person]

    @staticmethod
    def prepared(ground: Ground, site: Site) -> "Trial":
        mapped, known = ground.newcomer(), ground.newcomer()
        lay_out(ground, site, mapped)
        site.reload()
        adopt(site)
        thieves = []
        for person in (mapped, known):
            thief = intruder(ground, person)
            planted = "umask 77 && mkdir -p .ssh && cat >.ssh/authorized_keys"
            admitted(site.ssh(person, planted, input=public_line(thief.identity) + "\n"))
            ground.withdraw(person)
            thieves.append(thief)
        site.flush()
        library = compiled(HERE / "stopper.c", ground.bed.scratch / "programs", "-shared", "-fPIC")
        site.machine.path(STOPPER).write_bytes(library.read_bytes())
        trial = Trial(ground, site, thieves)
        trial.control()
        return trial

    def control(self) -> None:
        """Without PAM and sshd's block these keys open both accounts; with them, none."""
        switch = "DEBIAN_FRONTEND=noninteractive pam-auth-update --package --{} entralogin"
        require(self.site.machine.shell(f"mv {DROP_IN} /root/ && {switch.format('disable')}").ok, "taken out by hand")
        self.site.reload()
        for thief in self.thieves:
            admitted(self.site.ssh(thief, "true"))
        require(self.site.machine.shell(f"mv /root/{DROP_IN.rsplit('/', 1)[1]} {DROP_IN} && {switch.format('enable')}").ok,
                "put back by hand")
        self.hunt("on the machine as it was")

    def hunt(self, when: str) -> None:
        """sshd reads what is there; nobody gets in with a planted key, and lisa does."""
        self.site.reload()
        for thief in self.thieves:
            if self.site.ssh(thief, "true").ok:
                raise Wrong(f"{thief.login} is in {when}")
        admitted(self.site.ssh(self.ground.lisa, "true"))

    def stopped(self, mode: str, at: int, *command: str) -> tuple[Outcome, str]:
        """The command, stopped at that call (stopper.c): its outcome, and the call; no call where it had fewer."""
        for path in (COUNTER, f"{COUNTER}.where"):
            self.site.machine.remove(path)
        outcome = self.site.machine.run("/usr/bin/env", f"LD_PRELOAD={STOPPER}", f"STOPPER={mode}:{at}:{COUNTER}", *command,
                                        timeout=180)
        where = self.site.machine.path(f"{COUNTER}.where")
        return outcome, where.read_text().strip() if where.exists() else ""

    def state(self) -> list[str]:
        sudoers = self.site.machine.shell("cat /etc/sudoers.d/entralogin; stat -c %a /etc/sudoers.d/entralogin").text
        return [files(self.site), sudoers, *accounts(self.site)]

    def settled(self, when: str, *states: list[str]) -> None:
        """What the next run does first leads to one of these states, with nothing left over."""
        recovered = self.site.machine.run(CONFIGURE, "--recover", timeout=180)
        require(recovered.ok, f"{when}: {recovered.text}")
        now = self.state()
        require(now in states, f"{when}: neither as before nor as asked: {differences(now, states[0])} {recovered.text}")
        left = self.site.machine.shell(f"ls -d {UNFINISHED}* /run/entralogin-configure.??????").out
        equal(left, "", f"left over {when}")

    def every_stop(self, start: Callable[[], object], step: int, *command: str) -> int:
        """Stops the command at every `step`th of its calls, in each way; the number of stops."""
        start()
        before = self.state()
        whole = self.site.machine.run(*command, timeout=180)
        require(whole.ok or "process" in whole.text, whole.text)  # the stamp waits for sshd, which is not reloaded here
        after, stops = self.state(), 0
        for mode, stride in (("kill", step), ("full", 3 * step), ("fail", 3 * step)):
            at = 1
            while True:
                start()
                equal(self.state(), before, "the state at the start")
                outcome, where = self.stopped(mode, at, *command)
                if not where:
                    break
                when = f"{command[-1]}, {mode} {at} ({where})"
                if self.state() not in (before, after):
                    self.hunt(when)
                self.settled(when, before, after)
                stops += 1
                at += stride
        self.hunt("at the end")
        return stops


def differences(now: list[str], before: list[str]) -> list[str]:
    lines = [set("\n".join(state).splitlines()) for state in (now, before)]
    return [f"+{line}" for line in lines[0] - lines[1]] + [f"-{line}" for line in lines[1] - lines[0]]


def undo(trial: Trial) -> None:
    outcome = trial.site.tool("setup", "--undo")
    require(outcome.ok, outcome.text)


def redo(trial: Trial) -> None:
    trial.site.tool("setup", "--apply")  # the stamp waits for sshd, which is not reloaded here


@case("P4", "setup --apply that fails or is killed lets nobody in by a planted key, and leaves all as it was", attack="H2")
def failing_apply(ground: Ground) -> str:
    with ground.fresh("way-back") as site:
        trial = Trial.prepared(ground, site)
        undo(trial)
        before, seen = trial.state(), ""
        for path, (text, mode) in MISTAKES.items():
            site.machine.write(path, text, mode)
            outcome = site.tool("setup", "--apply")
            site.machine.remove(path)
            require(outcome.status == 1, outcome.text)
            trial.hunt(f"after setup --apply with {path}")
            equal(trial.state(), before, f"the state after {path}: {outcome.text}")
            seen = outcome.text.strip().splitlines()[-1]
        _, last = trial.stopped("kill", 10_000, CONFIGURE, "--enable")
        calls = site.machine.path(COUNTER).stat().st_size
        redo(trial)
        after = trial.state()
        for at in (calls // 3, calls - 2):
            undo(trial)
            _, where = trial.stopped("kill", at, CONFIGURE, "--enable")
            require(bool(where), "not killed")
            trial.hunt(f"after a kill at {where}")
            trial.settled(where, before, after)
    return seen


@case("P4", "adopted accounts come back only where sshd's account stage asks our module", attack="H2")
def unwired_account_stage(ground: Ground) -> str:
    with ground.fresh("way-back-pam") as site:
        trial = Trial.prepared(ground, site)
        undo(trial)
        stock = site.machine.read("/etc/pam.d/common-account")
        # pam-auth-update leaves a file alone in which somebody has written.
        edited = stock.replace("account\t[success", "account\trequired\tpam_permit.so\naccount\t[success", 1)
        require(edited != stock, stock)
        site.machine.write("/etc/pam.d/common-account", edited)
        site.machine.write(DROP_IN, "# by hand\n")
        outcome = site.tool("setup", "--apply")
        require(outcome.status == 1 and "pam-auth-update left it alone" in outcome.text, outcome.text)
        trial.hunt("with an account stage that was edited by hand")
        site.machine.remove(DROP_IN)
        require("setup.unfinished" in site.tool("--json", "doctor").out, "doctor does not say that something is left to do")
        site.machine.write("/etc/pam.d/common-account", stock)
        site.tool("setup", "--apply")
        require("!*adopted" in site.machine.read("/etc/passwd"), "not back")
        trial.hunt("once it asks")
    return next(line for line in outcome.text.splitlines() if "could not be put back" in line)


def older(trial: Trial) -> None:
    """Sign-in is on, with files of a version before, which an upgrade replaces."""
    redo(trial)
    for path in (DROP_IN, "/etc/sudoers.d/entralogin"):
        require(trial.site.machine.shell(f"grep -qx '# older' {path} || echo '# older' >>{path}").ok, path)


def back(trial: Trial) -> None:
    if trial.site.machine.path("/var/lib/entralogin-migration").exists():
        outcome = apply(trial.site, "--undo")
        require(outcome.ok, outcome.text)


def over(trial: Trial) -> None:
    if not trial.site.machine.path("/var/lib/entralogin-migration").exists():
        outcome = apply(trial.site)
        require(outcome.ok, outcome.text)


@case("P4", "configure stopped all over its steps, in three ways: nobody gets in, and the next run settles it", deep=True,
      attack="H2")
def each_step(ground: Ground) -> str:
    with ground.fresh("way-back-deep") as site:
        trial = Trial.prepared(ground, site)
        seen = [trial.every_stop(lambda: redo(trial), 2, CONFIGURE, "--disable"),
                trial.every_stop(lambda: undo(trial), 2, CONFIGURE, "--enable"),
                trial.every_stop(lambda: older(trial), 4, CONFIGURE, "--enable"),
                trial.every_stop(lambda: older(trial), 6, CONFIGURE, "--package-installed", "0.0.1")]
    return f"{seen} stops"


@case("P4", "a migration stopped all over its steps, there and back: nobody gets in, and the next run settles it", deep=True,
      attack="H2")
def each_step_of_migration(ground: Ground) -> str:
    with ground.fresh("way-back-migration") as site:
        trial = Trial.prepared(ground, site)
        seen = [trial.every_stop(lambda: over(trial), 4, CONFIGURE, "--migrate-undo"),
                trial.every_stop(lambda: back(trial), 5, CONFIGURE, "--migrate", "aadsshlogin")]
    return f"{seen} stops"


@case("P4", "setup --apply and --undo on a disk with less and less room: nobody gets in by a planted key", deep=True,
      attack="H2")
def full_disk(ground: Ground) -> str:
    with ground.fresh("way-back-full") as site:
        trial = Trial.prepared(ground, site)
        site.machine.must("sh", "-c", "mkdir /room && mount -t tmpfs -o size=8m tmpfs /room && cp -a /etc/. /room && "
                          "mount --bind /room /etc")
        refusals = 0
        for kibibytes in (0, 8, 24, 48):
            for start, command in ((undo, "--enable"), (redo, "--disable")):
                start(trial)
                before = trial.state()
                fill = f"dd if=/dev/zero of=/etc/filler bs=4k 2>/dev/null; truncate -s -{kibibytes}k /etc/filler"
                site.machine.shell(fill)
                outcome = site.machine.run(CONFIGURE, command)
                trial.hunt(f"after {command} with {kibibytes} KiB: {outcome.text}")
                site.machine.remove("/etc/filler")
                if "entralogin: undoing" in outcome.text or "cannot" in outcome.text:
                    refusals += 1
                    if command == "--enable":
                        trial.settled(f"{command} with {kibibytes} KiB", before)
        require(refusals > 2, f"the disk was never full: {refusals}")
    return f"{refusals} of 8 runs met the full disk"


@case("P8", "what a killed configure has left in /run goes with the next run", attack="W13")
def left_in_run(ground: Ground) -> str:
    with ground.fresh("left-in-run", started=False) as site:
        library = compiled(HERE / "stopper.c", ground.bed.scratch / "programs", "-shared", "-fPIC")
        site.machine.path(STOPPER).write_bytes(library.read_bytes())
        killed = site.machine.run("/usr/bin/env", f"LD_PRELOAD={STOPPER}", f"STOPPER=kill:3:{COUNTER}", CONFIGURE, "--disable")
        folders = "ls -d /run/entralogin-configure.??????"
        require(not killed.ok and site.machine.shell(folders).ok, f"not killed: {killed.text}")
        site.machine.must(CONFIGURE, "--survey")
        equal(site.machine.shell(folders).out, "", "left")
    return "nothing"


@case("P8", "a package that cannot turn sign-in on says why")
def says_why(ground: Ground) -> str:
    with ground.fresh("inert", started=False) as site:
        undone = site.machine.run(CONFIGURE, "--disable")
        require(undone.ok, undone.text)
        site.machine.write("/etc/ssh/sshd_config.d/50-administrator.conf", "PermitRootLogin yes\n")
        equal(site.machine.must(CONFIGURE, "--survey").out, "", "reasons on this machine")
        site.machine.must("mv", "/usr/sbin/visudo", "/usr/sbin/visudo.away")
        site.machine.write("/usr/sbin/visudo", "#!/bin/sh\necho \"9:24: unknown setting: 'pam_acct_mgmt'\" >&2\nexit 1\n", 0o755)
        installed = site.machine.run(CONFIGURE, "--package-installed")
        require(installed.ok, installed.text)
        because = installed.text.split("because\n")[1].split("entralogin: what would be added")[0]
        require("unknown setting" in because and "visudo refuses our lines" in because, f"said: {installed.text}")
    return because.strip().splitlines()[-1]


@case("P2", "make install over a running machine, killed anywhere: no module is missing, and nobody gets in", attack="W14")
def replaced(ground: Ground) -> str:
    with ground.fresh("replaced") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        site.hidden_sshd(KEYS_FILE)
        thief = intruder(ground, person)
        plant(site, thief)
        modules = [site.machine.must("find", "/usr/lib", "-name", name).out.strip()
                   for name in ("pam_entralogin.so", "libnss_entralogin.so.2")]
        site.machine.must("mv", modules[0], "/root/away")
        admitted(site.ssh(thief, "true"))
        site.machine.must("mv", "/root/away", modules[0])
        library = compiled(HERE / "stopper.c", ground.bed.scratch / "programs", "-shared", "-fPIC")
        counter, stops = ground.bed.scratch / "replaced", 0
        content = [site.machine.path(module).read_bytes() for module in modules]
        for word in ("pam_entralogin.so", "libnss_entralogin"):
            for at in range(1, 20):
                counter.unlink(missing_ok=True)
                done = run(["env", f"LD_PRELOAD={library}", f"STOPPER=kill:{at}:{counter}:{word}", "make", "-s", "-C",
                            str(REPOSITORY), "install-programs", f"DESTDIR={site.machine.root}"])
                if done.ok:
                    break
                stops += 1
                equal([site.machine.path(m).exists() and site.machine.path(m).read_bytes() for m in modules], content,
                      "the modules")
                shut_out(site.ssh(thief, "true"))
        require(stops >= 4, f"{stops} stops")
    return f"{stops} stops"
