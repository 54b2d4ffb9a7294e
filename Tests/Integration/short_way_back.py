# SPDX-License-Identifier: Apache-2.0
"""P4, P7 and P8: wherever a switch of ShortNames= stops, no user who was refused before can sign in."""

from __future__ import annotations

from dataclasses import dataclass

from case import case
from credentials import MARK, PLANTED, intruder, shut_out
from environment import SETTINGS, Environment, Host
from local_people import module_file
from roles import session_around
from short_environment import ON, add_local, called, local_part, short, short_names, switch
from short_names import hidden_sshd
from simulator.sshkeys import public_line
from testbed import Person
from testbed.checks import Wrong, admitted, equal, refused, require
from testbed.installed import CONFIGURE
from testbed.stopper import Stopper


@dataclass
class Switching:
    """A machine with short names, and an account whose role is gone and whose home holds a planted key."""

    env: Environment
    host: Host
    person: Person
    thief: Person
    stopper: Stopper

    @staticmethod
    def prepared(env: Environment, host: Host) -> Switching:
        person = env.newcomer()
        thief = intruder(env, short(person))
        planted = "umask 77 && mkdir -p .ssh && cat >.ssh/authorized_keys"
        admitted(host.ssh(short(person), planted, input=public_line(thief.identity) + "\n"))
        require(host.machine.run("su", "-", local_part(person), "-c", "true").ok, "su while there is a role")
        env.withdraw(person)
        host.flush()
        refused(host.ssh(short(person), "id"), "role not assigned")
        switching = Switching(env, host, person, thief, Stopper(host.machine, env.testbed.scratch / "programs"))
        switching.hunt("on the machine as it is")
        return switching

    def hunt(self, when: str) -> None:
        """Reloads sshd; requires that neither key, certificate nor su opens the account, and that lisa can sign in."""
        self.host.reload()
        for login in (local_part(self.person), self.person.login):
            for who in (self.thief, self.person):
                if self.host.ssh(called(who, login), "true").ok:
                    raise Wrong(f"{login} is in {when}")
            outcome = self.host.machine.run("su", "-", login, "-c", "id -u")
            if outcome.ok:
                raise Wrong(f"su to {login} {when}: {outcome.text}")
        admitted(self.host.ssh(self.env.lisa, "true"))

    def stops(self, before: str, after: str, parts: int) -> list[str]:
        """Kills configure at `parts` of its calls, on the way from one setting to the other. The daemon has read the
        former one."""
        switch(self.host, before)
        self.host.machine.write(SETTINGS, after)
        self.stopper.run("kill", 10_000, CONFIGURE, "--enable")
        calls, seen = self.stopper.calls(), []
        self.hunt("at the end")
        for part in range(1, parts + 1):
            switch(self.host, before)
            self.host.machine.write(SETTINGS, after)
            _, where = self.stopper.run("kill", max(1, part * (calls - 1) // parts), CONFIGURE, "--enable")
            require(bool(where), "not killed")
            seen.append(where)
            self.hunt(f"after a kill at {where}")
            recovered = self.host.machine.run(CONFIGURE, "--recover", timeout=180)
            require(recovered.ok, f"after a kill at {where}: {recovered.text}")
            self.hunt(f"after a kill at {where} and configure --recover")
        return seen


@case("P4", "short names: switched off and on by configure that is killed midway: no planted key and no su opens an account",
      deep=True)
def killed(env: Environment) -> str:
    with short_names(env, "shortkilled") as host:
        switching = Switching.prepared(env, host)
        return str(switching.stops(ON, "", 2))


@case("P4", "short names: switched off and on by configure that is killed all over its steps", deep=True)
def killed_everywhere(env: Environment) -> str:
    with short_names(env, "shortkilled") as host:
        switching = Switching.prepared(env, host)
        return f"{len(switching.stops(ON, '', 12) + switching.stops('', ON, 12))} stops"


@case("P7", "short names: the Entra alice's open session gets no sudo by rules of a local alice who is made meanwhile")
def open_session(env: Environment) -> str:
    with short_names(env, "shortopen") as host:
        seen: list[str] = []
        for what in ("running", "stopped"):
            person = env.newcomer()
            name = local_part(person)

            def between(name: str = name, what: str = what) -> None:
                add_local(env, host, name, 2000 + len(seen))
                host.machine.must("sed", "-i", f"s/^sudo:.*/&,{name}/", "/etc/group")
                host.machine.write(f"/etc/sudoers.d/zz-{name}", f"{name} ALL=(ALL) NOPASSWD: ALL\n", 0o440)
                if what == "stopped":
                    host.service.stop()

            after = "id -un; sudo -n id -u; echo ended $?"
            outcome = session_around(env, host, person, "true", between, after)
            require("0" not in outcome.lines(), f"{what}: sudo by the local user's rules: {outcome.text}")
            require("ended 1" in outcome.out, f"{what}: {outcome.text}")
            own = host.machine.run("sudo", "-n", "id", "-u", user=name)
            equal(own.out, "0\n", f"{what}: the local user's own sudo ({own.text})")
            seen.append(outcome.lines()[0])
    return f"names in the session: {seen}"


@case("P8", "short names: without entralogin's PAM module a planted key opens no account, by either name; local users get in")
def without_module(env: Environment) -> str:
    with short_names(env, "shortmodule") as host:
        person = env.newcomer()
        thief = intruder(env, short(person))
        admitted(host.ssh(short(person), "true"))
        hidden_sshd(host, f"AuthorizedKeysFile {PLANTED}/%u .ssh/authorized_keys", "AuthenticationMethods any")
        host.machine.write(f"{PLANTED}/{local_part(person)}", public_line(thief.identity) + "\n")
        module_file(host, "pam_entralogin.so").unlink()
        for login in (short(thief), called(thief, person.login)):
            outcome = host.ssh(login, f"echo {MARK}")
            shut_out(outcome)
        taken = host.machine.read("/var/log/sshd.log").count("by PAM account configuration")
        equal(taken, 2, "planted keys that sshd took, and PAM's own lines refused")
        require(not host.machine.run("su", "-", local_part(person), "-c", "id").ok, "su")
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
    return "refused by PAM's own lines"
