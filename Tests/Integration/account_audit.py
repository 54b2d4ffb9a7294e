# SPDX-License-Identifier: Apache-2.0
"""P15: the audit of local accounts, compared with the accounts that real sshd, PAM and sudo admit without Entra."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from case import case
from environment import PASSWORD, Environment, Host
from simulator.sshkeys import make_key, public_line, ssh_keygen
from testbed import Outcome, Person
from testbed.checks import admitted, equal, refused, require
from tool import fits

SSHD = "/etc/ssh/sshd_config.d/60-audit.conf"
LIST = "/etc/entralogin/allowed-accounts"
SETTINGS = """DenyUsers rob
Match User ole
    AuthorizedKeysFile /etc/ssh/keys/%u
Match User sue
    TrustedUserCAKeys /etc/ssh/local_ca.pub
Match User tom
    AuthorizedKeysCommand /usr/local/sbin/keys
    AuthorizedKeysCommandUser nobody
"""
# Each account with its ways to sign in; the audit does not list an account without any. root and lisa are on every machine.
WAYS: dict[str, list[str]] = {
    "root": ["password", "keys", "sudo"], "lisa": ["password", "keys", "sudo"],
    "kim": ["password"], "lea": ["keys"], "max": ["keys"], "ole": ["keys", "sudo"], "sue": ["certificates"],
    "tom": ["keys"], "nel": [], "pia": [], "rob": [],
}


def prepare(env: Environment, host: Host) -> None:
    """Makes accounts of the kinds that machines accumulate: locked, expired, denied, with keys elsewhere or certificates."""
    vm, key = host.machine, public_line(env.lisa.identity)
    for name in ("lea", "max", "nel", "pia", "rob"):
        vm.add_local_user(name, PASSWORD, key)
        vm.must("usermod", "--lock", name)
    for name in ("kim", "ole", "sue", "tom"):
        vm.must("useradd", "--create-home", "--shell", "/bin/bash", name)
    vm.must("chpasswd", input=f"kim:{PASSWORD}\n")
    vm.must("usermod", "--shell", "/usr/sbin/nologin", "max")
    vm.must("usermod", "--expiredate", "2020-01-01", "pia")
    vm.remove("/home/nel/.ssh")
    vm.write("/etc/ssh/keys/ole", key + "\n")
    vm.write("/etc/sudoers.d/ole", "ole ALL=(root) NOPASSWD: /usr/bin/true\n", 0o440)
    vm.write("/usr/local/sbin/keys", f"#!/bin/sh\necho '{key}'\n", 0o755)
    vm.write("/etc/ssh/local_ca.pub", public_line(make_key(env.testbed.scratch / "local-ca", "ed25519")) + "\n")
    vm.write(SSHD, SETTINGS)
    host.reload()


def attempt(env: Environment, host: Host, name: str) -> Outcome:
    """Signs in to real sshd in the way that this account allows."""
    person: Person = replace(env.lisa, login=name)
    if name == "kim":
        return person.with_password("id -un", port=host.port)
    if name == "max":  # max has no shell, but may forward a port
        return host.ssh(person, flags=("-W", f"127.0.0.1:{host.port}"), input="")
    if name == "sue":
        with tempfile.TemporaryDirectory(prefix="audit-") as folder:
            Path(folder, "key.pub").write_text(public_line(person.identity) + "\n")
            ssh_keygen("-q", "-s", env.testbed.scratch / "local-ca", "-I", "sue", "-n", "sue", Path(folder, "key.pub"))
            return host.ssh(person.holding(Path(folder, "key-cert.pub").read_text().strip(), "sue"), "id -un")
    return host.ssh(replace(env.root, login=name) if name == "root" else person, "id -un")


def audit(host: Host, *arguments: str) -> tuple[int, dict[str, Any]]:
    outcome = host.tool("--json", "audit", "accounts", *arguments)
    require(bool(outcome.out), f"no document: {outcome.text}")
    return outcome.status, json.loads(outcome.out)


@case("P15", "audit accounts: every local account that sshd really lets in without Entra, how, and no other")
def accounts(env: Environment) -> str:
    with env.fresh("audit") as host:
        alice = env.person("alice")
        admitted(host.ssh(alice, "true"))
        prepare(env, host)
        status, report = audit(host)
        equal({a["name"]: a["ways"] for a in report["accounts"]}, {n: w for n, w in WAYS.items() if w}, "ways")
        equal((status, report["isWell"], report["problems"]), (1, False, []), "status, verdict and problems")
        for name, ways in WAYS.items():
            outcome = attempt(env, host, name)
            if name == "max":
                require(outcome.out.startswith("SSH-2.0"), f"no port for max: {outcome.text}")
            elif ways:
                admitted(outcome, f"{name}\n")
            else:
                refused(outcome)
        found = {a["name"]: a for a in report["accounts"]}
        equal([found[n]["sudo"] for n in ("root", "lisa", "ole", "kim")], ["all", "all", "some", "none"], "sudo")
        equal([found[n]["passwordOverSSH"] for n in ("root", "kim")], [True, True], "passwords over SSH")
        require(found["max"]["shellRefuses"] and found["tom"]["hasKeysCommand"], f"{found['max']} {found['tom']}")
        equal(found["ole"]["keyFiles"], ["/etc/ssh/keys/ole"], "files of keys")
        text = host.tool("audit", "accounts").out
        fits(text)
        require("alice" not in text, text)
    return text.splitlines()[-1]


@case("P15", "audit accounts: sshd, a password and a key change, and so does the answer")
def changes(env: Environment) -> str:
    with env.fresh("audit-changes") as host:
        def lisa() -> tuple[list[str], bool]:
            found = next((a for a in audit(host)[1]["accounts"] if a["name"] == "lisa"), None)
            return (found["ways"], found["passwordOverSSH"]) if found else ([], False)
        equal(lisa(), (["password", "keys", "sudo"], True), "at first")
        host.machine.write(SSHD, "PasswordAuthentication no\nKbdInteractiveAuthentication no\n")
        equal(lisa(), (["password", "keys", "sudo"], False), "with passwords at the console only")
        host.machine.must("usermod", "--lock", "lisa")
        equal(lisa(), (["keys", "sudo"], False), "with the password locked")
        host.machine.must("deluser", "--quiet", "lisa", "sudo")
        equal(lisa(), (["keys"], False), "out of the group sudo")
        keys = host.machine.path("/home/lisa/.ssh/authorized_keys")
        keys.write_text(keys.read_text() + "half a line\n")
        problems = audit(host)[1]["problems"]
        equal([p["place"] for p in problems], ["/home/lisa/.ssh/authorized_keys:2"], "problems")
        keys.write_text("# none\n")
        equal(lisa(), ([], False), "without keys")
    return "each seen"


@case("P15", "audit accounts: the allow-list settles what it names and nothing else, and a bad one is not gone by")
def allowed(env: Environment) -> str:
    with env.fresh("audit-list") as host:
        host.machine.write(LIST, "root password keys sudo # the owner\nlisa password keys sudo\ngone keys\n")
        status, report = audit(host)
        equal((status, report["isWell"], report["allowedInVain"]), (0, True, ["gone"]), "all allowed")
        host.machine.write(LIST, "root password keys sudo\nlisa password keys\n")
        status, report = audit(host)
        equal((status, [a["notAllowed"] for a in report["accounts"]]), (1, [[], ["sudo"]]), "sudo not allowed")
        host.machine.write("/root/list", "root password keys sudo\nlisa password keys sudo\n")
        equal(audit(host, "--allow", "/root/list")[0], 0, "status with another list")
        host.machine.write("/root/list", "root password keys sudo\n\nlisa everything\nlisa\n")
        outcome = host.tool("audit", "accounts", "--allow", "/root/list")
        equal((outcome.status, outcome.out), (2, ""), "a list with a bad line")
        for place in ("/root/list:3: 'everything'", "/root/list:4: "):
            require(place in outcome.err, outcome.err)
        host.machine.path(LIST).chmod(0o666)
        equal(host.tool("audit", "accounts").status, 2, "status with a list that everybody may write")
        equal(host.tool("audit", "accounts", "--allow", "/nowhere").status, 2, "status without the list that is named")
    return outcome.err.splitlines()[0]
