# SPDX-License-Identifier: Apache-2.0
"""The VM extension on booted machines, called by a guest agent: what it turns on and off, what it refuses, its updates."""

from __future__ import annotations

import base64
import fcntl
import subprocess
import threading
from pathlib import Path
from typing import Any

from booted_azure import comes_back, on_port, reset
from booted_environment import DAEMON, BootedHost
from case import case
from guest_agent import CommandFailed, GuestAgent
from packages_environment import OpenSession, PackagesEnvironment
from testbed.booted import BootedMachine
from testbed.checks import admitted, equal, require
from testbed.machine import wait_for
from testbed.packages import differences, inventory, other_product, state

WIRED = ("/etc/ssh", "/etc/pam.d", "/etc/nsswitch.conf", "/etc/sudoers", "/etc/sudoers.d")
DROP_IN = "/etc/entralogin/entralogin.conf.d/50-extension.conf"
SUDOERS = "/etc/sudoers"


def integration(host: BootedHost) -> dict[str, str]:
    return inventory(host.machine, *WIRED)


def fails(agent: GuestAgent, package: Path, verb: str, status: int, *words: str, **goal: Any) -> str:
    """Requires that enabling fails: in this command, with this exit status, and with these words in the handler's report."""
    try:
        agent.enable(package, **goal)
    except CommandFailed as failed:
        equal((failed.verb, failed.status), (verb, status), f"the command that fails ({failed.output})")
    else:
        require(False, f"{verb} did not fail")
    handler = agent.handler(package)
    reported = handler.status(handler.sequence)
    equal((reported["status"], reported["code"], reported["operation"]), ("error", status, verb), "what is reported")
    for word in words:
        require(word in reported["message"], f"not said: {word!r}: {reported['message']}")
    return str(reported["message"])


def is_on(status: dict[str, Any]) -> None:
    equal((status["status"], status["code"], status["operation"]), ("success", 0, "enable"), f"the status {status}")


def says(machine: BootedMachine, status: dict[str, Any]) -> None:
    """Requires the exact message that the portal shows after success."""
    version = machine.must("dpkg-query", "-W", "-f", "${Version}", "entralogin").out
    equal(status["message"], f"sign-in with Entra ID is on: entralogin {version}", "the message")


def encrypted(folder: Path, text: str) -> str:
    """The text encrypted for a certificate whose key is not on the machine."""
    key, certificate = folder / "transport.key", folder / "transport.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=transport", "-keyout", key,
                    "-out", certificate], check=True, capture_output=True)
    done = subprocess.run(["openssl", "smime", "-encrypt", "-des3", "-binary", "-outform", "DER", certificate],
                          input=text.encode(), check=True, capture_output=True)
    return base64.b64encode(done.stdout).decode()


@case("P4", "the VM extension: without an identity 22; on, on again, wrong settings 53, off, on, uninstalled; lisa in throughout")
def journey(env: PackagesEnvironment) -> str:
    with env.stock("extension") as host:
        machine, current = host.machine, env.handlers.current
        agent = GuestAgent(machine)
        stock = integration(host)
        lisa = OpenSession(env.lisa, host.port)
        try:
            with env.azure.fault("no-identity", "token"):
                fails(agent, current, "enable", 22, "system-assigned managed identity")
            equal(differences(stock, integration(host)), [], "what was wired without an identity")
            equal(machine.property(DAEMON, "ActiveState"), "inactive", "the daemon without an identity")

            first = agent.enable(current, {"SignIn": {"OfflineGrace": "2h"}})
            is_on(first)
            says(machine, first)
            require("asked Azure about nobody: it answers" in agent.handler(current).log(), "what the log says of Azure")
            env.signs_in(host)
            equal(host.tool("config", "SignIn.OfflineGrace").out, "2h\n", "the extension's setting")

            wired, pid = integration(host), machine.main_pid(DAEMON)
            is_on(agent.enable(current, {"SignIn": {"OfflineGrace": "2h"}}))
            equal((differences(wired, integration(host)), machine.main_pid(DAEMON)), ([], pid), "what a second enable changed")

            fails(agent, current, "enable", 53, "OfflineGrace", DROP_IN, public={"SignIn": {"OfflineGrace": "soon"}})
            equal(host.tool("config", "SignIn.OfflineGrace").out, "2h\n", "the setting after a wrong one")
            admitted(host.ssh(env.person("alice"), "sudo -n id -u"), "0\n")

            agent.disable()
            env.stays_out(host)
            equal(differences(stock, integration(host)), [], "the integration after disable")
            # A template's empty protected settings, encrypted as Azure does.
            is_on(agent.enable(current, {}, protected=encrypted(env.testbed.scratch, "{}")))
            require(not machine.path(DROP_IN).exists(), "settings that nobody sets any more are still there")
            env.signs_in(host)
            agent.uninstall()
            env.stays_out(host)
            require("not-installed" in state(machine) or "deinstall" in state(machine), state(machine))
            equal(differences(stock, integration(host)), [], "the integration after uninstall")
            equal(lisa.ask("id -un"), "lisa", "lisa's session")
        finally:
            lisa.end()
        slowest = max(agent.calls, key=lambda call: call.seconds)
    return f"{len(agent.calls)} calls; the slowest: {slowest.verb} {slowest.seconds:.1f} s"


@case("P8", "the VM extension refuses another system (51), the old product (23) and what it lacks (52), and changes nothing",
      deep=True)
def refusals(env: PackagesEnvironment) -> str:
    with env.stock("refusals") as host:
        machine, current = host.machine, env.handlers.current
        agent = GuestAgent(machine)
        stock = integration(host)

        def replaced(path: str, text: str, status: int, *words: str) -> None:
            there = machine.path(path)
            kept, mode = there.read_bytes(), there.stat().st_mode
            there.write_text(text)
            fails(agent, current, "install", status, *words)
            there.write_bytes(kept)
            there.chmod(mode)

        replaced("/usr/bin/getconf", "#!/bin/sh\necho glibc 2.27\n", 51, "glibc 2.27")
        machine.must("mv", "/usr/bin/apt-get", "/usr/bin/apt-got")
        fails(agent, current, "install", 51, "neither apt nor")
        machine.must("mv", "/usr/bin/apt-got", "/usr/bin/apt-get")

        other = env.packages.put(machine, other_product(env.testbed.scratch / "packages-23", "aadsshlogin"))
        machine.must("dpkg", "-i", other)
        fails(agent, current, "install", 23, "aadsshlogin")
        machine.must("dpkg", "--purge", "aadsshlogin")
        old = "/var/lib/waagent/Microsoft.Azure.ActiveDirectory.AADSSHLoginForLinux-1.0.2.1/config"
        machine.write_file(f"{old}/HandlerState", "Enabled")
        fails(agent, current, "install", 23, "AADSSHLoginForLinux")
        machine.write_file(f"{old}/HandlerState", "NotInstalled")

        known = machine.read("/var/lib/dpkg/status")
        # Debian 13 renamed it for its 64-bit time_t.
        at = min(place for name in ("libcurl4", "libcurl4t64") if (place := known.find(f"Package: {name}\n")) >= 0)
        without = known[:at] + known[at:].replace("install ok installed", "deinstall ok config-files", 1)
        replaced("/var/lib/dpkg/status", without, 52, "libcurl4")

        equal(differences(stock, integration(host)), [], "what was wired")
        equal(state(machine), "", "the package")
        # None of these failures prevents a later installation.
        is_on(agent.enable(current))
        env.signs_in(host)
    return "23 and 51 from two causes each, 52 from one"


@case("P13", "the VM extension takes no settings that are none, and leaves a hardened machine alone (53) until told not to",
      deep=True)
def settings(env: PackagesEnvironment) -> str:
    wrong: dict[str, Any] = {
        "NoSuchKey": {"SignIn": {"NoSuchKey": "1"}},
        "NoSuchSection": {"NoSuchSection": {"Level": "info"}},
        "a setting is": {"SignIn": "2h"},
        "SignIn/OfflineGrace/0": {"SignIn": {"OfflineGrace": ["2h"]}},
        "control character": {"SignIn": {"OfflineGrace": "2h\n[Azure]\nTenantID=c0ffee00-0000-4000-8000-000000000000"}},
        "continued": {"SignIn": {"OfflineGrace": "2h\\"}},
        "other characters": {"SignIn": {"OfflineGrace]": "2h"}},
        "password": {"Azure": {"Proxy": "http://user:secret@proxy:3128"}},
        "wireHardened": {"wireHardened": "yes"},
    }
    with env.stock("settings") as host:
        machine, current = host.machine, env.handlers.current
        agent = GuestAgent(machine)
        stock = integration(host)
        for word, public in wrong.items():
            said = fails(agent, current, "enable", 53, word, public=public)
            require("secret" not in said, said)
        fails(agent, current, "enable", 53, "protectedSettings", public={}, protected="MIIB")
        fails(agent, current, "enable", 53, "protectedSettings", public={},
              protected=encrypted(env.testbed.scratch, '{"password": "secret"}'))
        require(not machine.path(DROP_IN).exists() and "secret" not in agent.handler(current).log(), "what was kept of them")

        machine.write_file(SUDOERS, machine.read(SUDOERS) + "Defaults use_pty\n")
        hardened = integration(host)
        fails(agent, current, "enable", 53, "hardened", SUDOERS)
        equal(differences(hardened, integration(host)), [], "what was changed on a hardened machine")
        equal(differences(stock, hardened), [f"~{SUDOERS}"], "what was changed before")
        env.stays_out(host)
        is_on(agent.enable(current, {"wireHardened": True, "Log": {"Level": "debug"}, "Accounts": {"Enumerate": True}}))
        env.signs_in(host)
        equal([host.tool("config", key).out for key in ("Log.Level", "Accounts.Enumerate")], ["debug\n", "yes\n"], "settings")
    return f"{len(wrong) + 1} refused"


@case("P8", "the VM extension waits for another program's lock of the package manager, and not without end", deep=True)
def locked(env: PackagesEnvironment) -> str:
    with env.stock("locked-extension") as host:
        machine, current = host.machine, env.handlers.current
        agent = GuestAgent(machine)
        ended: list[object] = []

        def goal() -> None:
            try:
                ended.append(agent.enable(current))
            except CommandFailed as failed:
                ended.append(failed)

        worker = threading.Thread(target=goal)
        with open(machine.path("/var/lib/dpkg/lock-frontend"), "w") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            worker.start()
            log = machine.path(f"{agent.handler(current).log_folder}/extension.log")
            wait_for(lambda: log.exists() and "Waiting for cache lock" in log.read_text(), "the extension to wait for the lock")
            equal(ended, [], "the call while the lock is held")
        worker.join(120)
        require(len(ended) == 1 and isinstance(ended[0], dict), f"the call after that: {ended}")
        env.signs_in(host)
        agent.disable()
        with open(machine.path("/var/lib/dpkg/lock-frontend"), "w") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            # The function that every verb uses, with a limit of one second instead of minutes.
            folder = agent.handler(current).folder
            tried = machine.shell(f"LIB={folder}/lib; for part in report machine packages; do . $LIB/$part.sh; done; "
                                  f"LOG=/root/log; allow 1; put_package {folder}/packages/*.deb 600")
            require(not tried.ok and "Could not get lock" in machine.read("/root/log"), f"with a second: {tried.text}")
    return "then installed"


@case("P14", "the VM extension is updated; back in the version before when that fails, again and again; and to an older one",
      deep=True)
def updates(env: PackagesEnvironment) -> str:
    with env.stock("updates") as host:
        machine, handlers = host.machine, env.handlers
        agent = GuestAgent(machine)
        is_on(agent.enable(handlers.previous, {"SignIn": {"OfflineGrace": "2h"}}))
        env.signs_in(host)
        record = machine.passwd(env.person("alice").login)
        agent.calls.clear()
        is_on(agent.enable(handlers.current, {"SignIn": {"OfflineGrace": "3h"}}))
        equal([str(call) for call in agent.calls],
              ["disable 0.9.0.0 0", "update 1.0.0.0 0", "uninstall 0.9.0.0 0", "enable 1.0.0.0 0"], "the agent's calls")
        env.signs_in(host)
        require(" remove entralogin:" not in machine.read("/var/log/dpkg.log"), "the package was removed between")
        good = machine.run("dpkg-query", "-W", "-f", "${Version}", "entralogin").out

        for package in (handlers.without_daemon, handlers.without_daemon, handlers.without_end):
            said = fails(agent, package, "update", 1, "version 1.0.0.0 is in place again and on")
            equal(machine.run("dpkg-query", "-W", "-f", "${Status} ${Version}", "entralogin").out,
                  f"install ok installed {good}", f"the package after: {said}")
            before = agent.installed()
            equal(before and before.version, "1.0.0.0", "the version that the agent sees")
            equal(host.tool("config", "SignIn.OfflineGrace").out, "3h\n", "the setting of the version before")
            env.signs_in(host)
        is_on(agent.enable(handlers.current))

        agent.calls.clear()
        is_on(agent.enable(handlers.previous))
        equal([str(call) for call in agent.calls],
              ["disable 1.0.0.0 0", "update 1.0.0.0 0", "uninstall 1.0.0.0 0", "enable 0.9.0.0 0"], "the agent's calls back")
        env.signs_in(host)
        equal(machine.passwd(env.person("alice").login), record, "alice's record after all that")
        agent.uninstall()
        env.stays_out(host)
    return f"from and to {good}"


@case("P17", "the VM extension and the portal's reset: on again by itself; deleted, reset again and added anew, it is on",
      deep=True)
def reset_and_anew(env: PackagesEnvironment) -> str:
    with env.stock("extension-reset") as host:
        machine, current = host.machine, env.handlers.current
        agent = GuestAgent(machine)
        is_on(agent.enable(current))
        on_port(env, host)
        comes_back(env, host, "Ubuntu")
        is_on(agent.enable(current))
        agent.uninstall()
        reset(machine, "Debian")
        env.stays_out(host)
        anew = agent.enable(current)
        is_on(anew)
        says(machine, anew)
        env.signs_in(host)
    return "twice"
