# SPDX-License-Identifier: Apache-2.0
"""P2, P8: what configure or make install leave behind, and what a package says when it cannot turn sign-in on."""

from __future__ import annotations

from bed.checks import admitted, equal, require
from bed.installed import CONFIGURE, REPOSITORY
from bed.machine import run
from bed.person import Person
from bed.stopper import Stopper, library
from case import case
from credentials import KEYS_FILE, intruder, plant, shut_out
from ground import Ground, Site
from sudo_right import COMMON_ACCOUNT

COMMON_SESSION = "/etc/pam.d/common-session"


@case("P8", "what a killed configure has left in /run goes with the next run", attack="W13")
def left_in_run(ground: Ground) -> str:
    with ground.fresh("left-in-run", started=False) as site:
        killed, _ = Stopper(site.machine, ground.bed.scratch / "programs").run("kill", 3, CONFIGURE, "--disable")
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
        require("unknown setting" in because and "visudo refuses entralogin's lines" in because, f"said: {installed.text}")
    return because.strip().splitlines()[-1]


def opens_without_the_module(site: Site, module: str, thief: Person) -> None:
    """The control: without the module, and without PAM's lines that refuse in that case, the planted key opens the account."""
    before = {path: site.machine.read(path) for path in (COMMON_ACCOUNT, COMMON_SESSION)}
    for path, text in before.items():
        rest = [line for line in text.splitlines() if "requisite" not in line or "pam_succeed_if" not in line]
        site.machine.write(path, "\n".join(rest) + "\n")
    site.machine.must("mv", module, "/root/away")
    admitted(site.ssh(thief, "true"))
    site.machine.must("mv", "/root/away", module)
    for path, text in before.items():
        site.machine.write(path, text)


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
        opens_without_the_module(site, modules[0], thief)
        preloaded = library(ground.bed.scratch / "programs")
        counter, stops = ground.bed.scratch / "replaced", 0
        content = [site.machine.path(module).read_bytes() for module in modules]
        for word in ("pam_entralogin.so", "libnss_entralogin"):
            for at in range(1, 20):
                counter.unlink(missing_ok=True)
                done = run(["env", f"LD_PRELOAD={preloaded}", f"STOPPER=kill:{at}:{counter}:{word}", "make", "-s", "-C",
                            str(REPOSITORY), "install-programs", f"DESTDIR={site.machine.root}"])
                if done.ok:
                    break
                stops += 1
                equal([site.machine.path(m).exists() and site.machine.path(m).read_bytes() for m in modules], content,
                      "the modules")
                shut_out(site.ssh(thief, "true"))
        require(stops >= 4, f"{stops} stops")
    return f"{stops} stops"
