# SPDX-License-Identifier: Apache-2.0
"""SELinux, enforcing: the daemon's starts and stops, the tool, the count of all denials, and the package itself."""

from __future__ import annotations

from case import case
from enforcing import HELPER, domain
from enforcing_environment import DAEMON, EnforcingEnvironment
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for


@case("P14", "an edit of sshd's files takes the stamp and gives it back; restart, reload, metrics, new keys, folders anew")
def upkeep(env: EnforcingEnvironment) -> str:
    machine, stamp = env.machine, "/run/entralogin/stack-verified"
    own = "/etc/ssh/sshd_config.d/00-a.conf"
    machine.write(own, "Match User *@*\n    AuthorizedKeysFile .ssh/authorized_keys\n")
    wait_for(lambda: not machine.run("test", "-e", stamp).ok, "the stamp to go", 60)
    machine.remove(own)
    wait_for(lambda: machine.run("test", "-e", stamp).ok, "the stamp to come back", 60)
    machine.must("systemctl", "reload", DAEMON)
    machine.must("mkdir", "-p", "/var/lib/prometheus/node-exporter")
    machine.must("systemctl", "start", "entralogin-metrics.service", timeout=120)
    require("entralogin_up 1" in machine.read("/var/lib/prometheus/node-exporter/entralogin.prom"), "metrics")
    # Removes the folders that the units' own settings must create again.
    machine.must("systemctl", "stop", DAEMON, "entralogind-control.socket", "entralogind-principals.socket")
    machine.must("rm", "-rf", "/var/lib/entralogin/nss", "/var/lib/entralogin/ssh", "/var/lib/entralogin-sshd",
                 "/run/entralogin")
    machine.must("systemctl", "start", "entralogind-control.socket", "entralogind-principals.socket")
    env.restart(machine)
    admitted(env.ssh(env.person("alice"), "sudo -n id -u"), "0\n")
    labels = machine.must("stat", "-c", "%n %C", "/run/entralogin", "/run/entralogin/nss", "/run/entralogin/control.sock",
                          "/var/lib/entralogin/nss", "/var/lib/entralogin-sshd").lines()
    equal([domain(line.split()[1]) for line in labels],
          ["entralogin_runtime_t", "entralogin_published_t", "entralogin_runtime_t", "entralogin_published_t",
           "entralogin_authorities_t"], "labels of what was made again")
    return "the same labels"


@case("P1", "the tool, as root, says what it says elsewhere")
def tool(env: EnforcingEnvironment) -> str:
    alice = env.person("alice")
    require("ok" in env.tool("stack").out, "stack")
    require("working" in env.tool("status").out, "status")
    require("would get in" in (said := env.tool("explain", alice.login).out), said)
    require(env.tool("check", alice.login, "--admin").ok, "check")
    require(env.tool("users").ok and env.tool("keys").ok and env.tool("log", alice.login).ok, "users, keys, log")
    return said.splitlines()[0]


@case("P11", "in all of this the kernel refused nothing of entralogin's")
def count(env: EnforcingEnvironment) -> str:
    all_of_them = env.denials()
    entra = [denial for denial in all_of_them if denial.is_entralogins]
    require(not entra, f"{len(entra)} denials of entralogin's: " + " | ".join(sorted({str(denial) for denial in entra})))
    return f"0 denials of entralogin's, {len(all_of_them)} of Debian's own"


@case("P7",
      "without the module no Entra account gets in, and lisa does; installed on the running machine, it lets them in again")
def installation(env: EnforcingEnvironment) -> str:
    machine, alice = env.machine, env.person("alice")
    before = len(env.denials())
    machine.must("dpkg", "--remove", "entralogin-selinux", timeout=600)
    refused(env.ssh(alice, "id"))
    equal(admitted(env.ssh(env.lisa, "id -un")), "lisa\n", "lisa")
    doctor = " ".join(env.tool("doctor").out.split())
    require("SELinux is enforcing and has no policy module of entralogin's" in doctor, doctor)
    refusals = len(env.denials()) - before
    require(refusals > 0, "the kernel refused nothing")
    installed = machine.shell("dpkg --install /root/entralogin-selinux_*.deb", limit=600)
    require(installed.ok, installed.text)
    wait_for(lambda: env.is_ready(machine), "the daemon, anew", 120)
    equal(admitted(env.ssh(alice, "sudo -n id -u")), "0\n", "alice")
    equal(domain(machine.must("stat", "-c", "%C", HELPER).out), "entralogin_principals_exec_t", "the label of the helper")
    return f"{refusals} denials without it"
