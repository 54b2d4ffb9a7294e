# SPDX-License-Identifier: Apache-2.0
"""P2, P8: what configure or make install leave behind, and what a package says when it cannot turn sign-in on."""

from __future__ import annotations

from case import case
from credentials import KEYS_FILE, intruder, plant, shut_out
from environment import Environment, Host
from sudo_right import COMMON_ACCOUNT
from testbed.checks import admitted, equal, require
from testbed.installed import CONFIGURE, REPOSITORY
from testbed.machine import run
from testbed.person import Person
from testbed.stopper import Stopper, library

COMMON_SESSION = "/etc/pam.d/common-session"


@case("P8", "what a killed configure has left in /run goes with the next run", attack="W13")
def left_in_run(env: Environment) -> str:
    with env.fresh("left-in-run", started=False) as host:
        killed, _ = Stopper(host.machine, env.testbed.scratch / "programs").run("kill", 3, CONFIGURE, "--disable")
        folders = "ls -d /run/entralogin-configure.??????"
        require(not killed.ok and host.machine.shell(folders).ok, f"not killed: {killed.text}")
        host.machine.must(CONFIGURE, "--survey")
        equal(host.machine.shell(folders).out, "", "left")
    return "nothing"


@case("P8", "a package that cannot turn sign-in on says why")
def says_why(env: Environment) -> str:
    with env.fresh("inert", started=False) as host:
        undone = host.machine.run(CONFIGURE, "--disable")
        require(undone.ok, undone.text)
        host.machine.write("/etc/ssh/sshd_config.d/50-administrator.conf", "PermitRootLogin yes\n")
        equal(host.machine.must(CONFIGURE, "--survey").out, "", "reasons on this machine")
        host.machine.must("mv", "/usr/sbin/visudo", "/usr/sbin/visudo.away")
        host.machine.write("/usr/sbin/visudo", "#!/bin/sh\necho \"9:24: unknown setting: 'pam_acct_mgmt'\" >&2\nexit 1\n", 0o755)
        installed = host.machine.run(CONFIGURE, "--package-installed")
        require(installed.ok, installed.text)
        because = installed.text.split("because\n")[1].split("entralogin: what would be added")[0]
        require("unknown setting" in because and "visudo refuses entralogin's lines" in because, f"said: {installed.text}")
    return because.strip().splitlines()[-1]


def opens_without_the_module(host: Host, module: str, thief: Person) -> None:
    """The control: without the module, and without PAM's lines that refuse in that case, the planted key opens the account."""
    before = {path: host.machine.read(path) for path in (COMMON_ACCOUNT, COMMON_SESSION)}
    for path, text in before.items():
        rest = [line for line in text.splitlines() if "requisite" not in line or "pam_succeed_if" not in line]
        host.machine.write(path, "\n".join(rest) + "\n")
    host.machine.must("mv", module, "/root/away")
    admitted(host.ssh(thief, "true"))
    host.machine.must("mv", "/root/away", module)
    for path, text in before.items():
        host.machine.write(path, text)


@case("P2", "make install over a running machine, killed anywhere: no module is missing, and nobody gets in", attack="W14")
def replaced(env: Environment) -> str:
    with env.fresh("replaced") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        host.hidden_sshd(KEYS_FILE)
        thief = intruder(env, person)
        plant(host, thief)
        modules = [host.machine.must("find", "/usr/lib", "-name", name).out.strip()
                   for name in ("pam_entralogin.so", "libnss_entralogin.so.2")]
        opens_without_the_module(host, modules[0], thief)
        preloaded = library(env.testbed.scratch / "programs")
        counter, stops = env.testbed.scratch / "replaced", 0
        content = [host.machine.path(module).read_bytes() for module in modules]
        for word in ("pam_entralogin.so", "libnss_entralogin"):
            for at in range(1, 20):
                counter.unlink(missing_ok=True)
                done = run(["env", f"LD_PRELOAD={preloaded}", f"STOPPER=kill:{at}:{counter}:{word}", "make", "-s", "-C",
                            str(REPOSITORY), "install-programs", f"DESTDIR={host.machine.root}"])
                if done.ok:
                    break
                stops += 1
                equal([host.machine.path(m).exists() and host.machine.path(m).read_bytes() for m in modules], content,
                      "the modules")
                shut_out(host.ssh(thief, "true"))
        require(stops >= 4, f"{stops} stops")
    return f"{stops} stops"
