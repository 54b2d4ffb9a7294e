# SPDX-License-Identifier: Apache-2.0
"""SELinux, enforcing: the packages' policy is enough for entralogin and its callers. Users who sign in are unconfined, as
Debian has it, until `confined` gives them the roles of staff and of a user."""

from __future__ import annotations

from functools import partial

from case import case
from enforcing_environment import DAEMON, EnforcingEnvironment
from simulator import contoso
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

HELPER = "/usr/libexec/entralogin/authorized-principals"
SEUSERS = "/etc/selinux/default/seusers"


def domain(context: str) -> str:
    return context.strip().split(":")[2]


@case("P4", "enforcing, with the module of the package: the machine is up, and the daemon runs in a domain of its own")
def domains(env: EnforcingEnvironment) -> str:
    machine = env.machine
    equal(machine.must("getenforce").out, "Enforcing\n", "SELinux")
    pid = machine.must("systemctl", "show", "--value", "-p", "MainPID", DAEMON).out.strip()
    equal(domain(machine.must("cat", f"/proc/{pid}/attr/current").out), "entralogind_t", "the daemon's domain")
    labels = {
        "/run/entralogin/control.sock": "entralogin_runtime_t", "/run/entralogin/principals.sock": "entralogin_runtime_t",
        "/run/entralogin/stack-verified": "entralogin_runtime_t",
        "/run/entralogin/nss/grants.snapshot": "entralogin_published_t",
        "/var/lib/entralogin/nss/accounts.snapshot": "entralogin_published_t",
        "/var/lib/entralogin/accounts": "entralogin_state_t",
        "/var/lib/entralogin-sshd/trusted_user_ca_keys": "entralogin_authorities_t",
        "/etc/entralogin/entralogin.conf": "entralogin_etc_t", HELPER: "entralogin_principals_exec_t",
    }
    listed = machine.must("stat", "-c", "%n %C", *labels).lines()
    equal({name: domain(label) for name, label in map(str.split, listed)}, labels, "labels")
    doctor = " ".join(env.tool("doctor").out.split())
    require("SELinux is enforcing and has entralogin's policy module" in doctor and "FAILED" not in doctor, doctor)
    return f"sshd after {machine.seconds_to_sshd:.0f} s"


@case("P4", "alice signs in and is an administrator, bob is not, carol reads why she is refused; lisa and root come in")
def sign_in(env: EnforcingEnvironment) -> str:
    alice, bob = env.person("alice"), env.person("bob")
    refused(env.ssh(env.person("carol"), "id"), "Azure role not assigned", contoso.USER)
    out = admitted(env.ssh(alice, "id -un; sudo -n id -u; sudo -k; stat -c '%a %C' ~")).split()
    equal(out[:3], [alice.login, "0", "700"], "alice")
    equal(domain(out[3]), "user_home_dir_t", "the label of alice's home")
    equal(admitted(env.ssh(alice, "systemctl --user is-active basic.target")), "active\n", "alice's own services")
    equal(admitted(env.ssh(bob, f"id -un; getent passwd {alice.login}")).split("\n")[0], bob.login, "bob")
    require("password is required" in (text := env.ssh(bob, "sudo -n id -u").text), text)
    equal(admitted(env.ssh(env.lisa, "id -un")), "lisa\n", "lisa")
    equal(env.machine.must("getent", "passwd", alice.login, user="lisa").out.split(":")[0], alice.login, "for lisa")
    return "sudo for alice alone"


@case("P11", "sshd runs the certificate check in a domain of its own")
def helper(env: EnforcingEnvironment) -> str:
    machine = env.machine
    machine.must("auditctl", "-w", HELPER, "-p", "x", "-k", "helper")
    try:
        admitted(env.ssh(env.person("bob"), "true"))
    finally:
        machine.must("auditctl", "-W", HELPER, "-p", "x", "-k", "helper")

    def runs() -> list[str]:
        found = machine.run("ausearch", "--input-logs", "--raw", "-k", "helper", "-m", "SYSCALL", "-ts", "boot").lines()
        return [word[5:] for line in found if " exe=\"" + HELPER in line for word in line.split() if word.startswith("subj=")]

    wait_for(lambda: len(runs()) >= 2, "two runs of the certificate check in the audit log")
    equal({domain(context) for context in runs()}, {"entralogin_principals_t"}, "the domain of the certificate check")
    return f"{len(runs())} runs"


@case("P1", "cron and su, for an Entra user")
def cron_and_su(env: EnforcingEnvironment) -> str:
    machine, alice = env.machine, env.person("alice")
    admitted(env.ssh(alice, "echo '@reboot id -un >~/job' | crontab -"))
    machine.must("rm", "-f", "/run/crond.reboot")
    machine.must("systemctl", "restart", "cron.service")
    job = f"/home/{alice.login}/job"
    wait_for(lambda: machine.run("cat", job).out == f"{alice.login}\n", "alice's job", 60)
    equal(machine.must("su", "-", alice.login, "-c", "id -un").out, f"{alice.login}\n", "su by root")
    return "a job, and su by root"


@case("P7", "at a terminal: lisa signs in with her password, alice is told that it is no good, carol has no way in at all")
def terminal(env: EnforcingEnvironment) -> str:
    machine, alice = env.machine, env.person("alice")
    machine.must("systemctl", "start", "serial-getty@ttyS1.service")
    with machine.terminal() as screen:
        screen.expect("login: ")
        screen.type("lisa")
        screen.expect("assword: ")
        screen.type("correct horse")
        screen.expect("$ ")
        screen.type("echo I am $(id -un); exit")
        require("I am lisa" in (shown := screen.expect("login: ")), shown)
        screen.type(alice.login)
        screen.expect("assword: ")
        screen.type("correct horse")
        screen.expect("Login incorrect")
    # Only root can configure this: login without a password, so only PAM's later stages decide.
    autologin = "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin {} --noclear %I vt100\n"
    drop_in = "/etc/systemd/system/serial-getty@ttyS1.service.d/autologin.conf"
    for person, words in ((env.person("carol"), "User not known"), (alice, "$ ")):
        machine.write(drop_in, autologin.format(person.login))
        machine.must("systemctl", "daemon-reload")
        with machine.terminal() as screen:
            machine.must("systemctl", "restart", "serial-getty@ttyS1.service")
            screen.expect(words)
            if person is alice:
                screen.type("echo I am $(id -un)")
                screen.expect(f"I am {alice.login}")
    machine.must("systemctl", "stop", "serial-getty@ttyS1.service")
    machine.remove(drop_in)
    machine.must("systemctl", "daemon-reload")
    return "lisa by her password, alice by root's wish"


@case("P4", "people with confined roles: sudo in its own domain, to a role of its own; su from there; a user stays a user")
def confined(env: EnforcingEnvironment) -> str:
    machine, alice, bob = env.machine, env.person("alice"), env.person("bob")
    before = machine.read(SEUSERS)

    def has_left(login: str) -> bool:
        return not machine.run("loginctl", "show-user", login).ok

    # Processes that earlier sessions left running keep their roles.
    for person in (alice, bob, env.lisa):
        machine.run("loginctl", "terminate-user", person.login)
        wait_for(partial(has_left, person.login), f"the end of {person.login}'s sessions", 60)
    machine.write(SEUSERS, f"{before}{alice.login}:staff_u:s0-s0:c0.c1023\n{bob.login}:user_u:s0\nlisa:user_u:s0\n")
    try:
        equal(domain(admitted(env.ssh(alice, "id -Z"))), "staff_t", "alice's domain")
        equal(domain(admitted(env.ssh(bob, "id -Z"))), "user_t", "bob's domain")
        equal(domain(admitted(env.ssh(env.lisa, "id -Z"))), "user_t", "lisa's domain")
        equal(admitted(env.ssh(bob, f"getent passwd {alice.login}")).split(":")[0], alice.login, "a name for bob")

        # At a terminal, which sudo relabels: SELinux refuses another role's writes into a pipe of staff's.
        def as_root(command: str) -> list[str]:
            outcome = env.ssh(alice, f"sudo -n -r sysadm_r -t sysadm_t {command}", tty=True)
            require(outcome.ok, f"{command}: {outcome.text}")
            return outcome.text.splitlines()

        equal(as_root("id -u")[0], "0", "sudo")
        context = as_root("id -Z")[0]
        equal(domain(context), "sysadm_t", "the domain that sudo gives")
        equal(as_root(f"su - {bob.login} -c 'id -un'")[0], bob.login, "su from there")
        require(as_root("entraloginctl status")[0].startswith("daemon"), "the tool in sysadm_t")
        require(not env.ssh(bob, "sudo -n id -u").ok, "bob has sudo")
    finally:
        machine.write(SEUSERS, before)
    return context
