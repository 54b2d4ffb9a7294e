# SPDX-License-Identifier: Apache-2.0
"""P17: files as editors and Azure's own tools write them: configure changes them without losing another program's line, or says
why it does not."""

from __future__ import annotations

from collections.abc import Callable

from case import case
from environment import Environment, Host
from testbed import Outcome
from testbed.checks import admitted, equal, require
from testbed.installed import CONFIGURE

CONFIG = "/etc/ssh/sshd_config"
NSSWITCH = "/etc/nsswitch.conf"
BEGIN, END = "# Made by /usr/libexec/entralogin/configure: begin", "# Made by /usr/libexec/entralogin/configure: end"
BEHIND = "ClientAliveInterval 77"


def run(host: Host, verb: str) -> Outcome:
    return host.machine.run(CONFIGURE, verb, timeout=120)


def must(host: Host, verb: str) -> Outcome:
    outcome = run(host, verb)
    require(outcome.ok, f"{verb}: {outcome.text}")
    return outcome


def raw(host: Host, path: str = CONFIG) -> bytes:
    return bytes(host.machine.path(path).read_bytes())


def put(host: Host, content: bytes, path: str = CONFIG) -> None:
    host.machine.path(path).write_bytes(content)


def lines(content: bytes) -> list[str]:
    return content.decode().replace("\r", "").splitlines()


@case("P17", "sshd_config without Include, and without a last newline, with CRLF or with tabs: wired, repeated, and back",
      deep=True)
def shapes(env: Environment) -> str:
    port = "UsePAM yes\nMaxStartups 200\nLogLevel VERBOSE\n"
    kinds = {
        "no last newline": f"{port}ClientAliveInterval 120".encode(),
        "CRLF": f"{port}ClientAliveInterval 120\n".replace("\n", "\r\n").encode(),
        "CRLF, no last newline": f"{port}ClientAliveInterval 120".replace("\n", "\r\n").encode(),
        "tabs": f"{port}\tClientAliveInterval\t120\t\n".encode(),
    }
    with env.fresh("file-shapes", started=False) as host:
        for kind, content in kinds.items():
            put(host, content)
            must(host, "--enable")
            wired = raw(host)
            require(wired.startswith(content) and wired.count(b"\nMatch User ") == 1, f"{kind}: {wired!r}")
            must(host, "--enable")
            equal(raw(host), wired, f"{kind}: after a second --enable")
            if kind == "CRLF":
                put(host, wired.replace(b"\r", b"").replace(b"\n", b"\r\n"))
                must(host, "--enable")
                equal(lines(raw(host)), lines(wired), f"{kind}: after all lines got one")
            must(host, "--disable")
            equal(lines(raw(host)), lines(content), f"{kind}: after --disable")
        put(host, b"\xef\xbb\xbfUsePAM yes\nPort 22\n")
        refused = run(host, "--enable")
        require(not refused.ok and "line 1" in refused.text and "[???UsePAM yes]" in refused.text, refused.text)
        put(host, b"UsePAM yes\nNoSuchWord 1")
        refused = run(host, "--enable")
        require(not refused.ok and f"{CONFIG}" in refused.text and "[NoSuchWord 1]" in refused.text, refused.text)
        require("/run/entralogin-configure" not in refused.text, f"a file that is gone is named: {refused.text}")
        equal(refused.text.count("NoSuchWord 1]"), 1, f"how often the line is told: {refused.text}")
    return f"{len(kinds)} shapes, and two that sshd refuses"


@case("P17", "nsswitch.conf without a last newline, with CRLF or tabs: wired and back; behind a byte order mark: left, and said",
      deep=True)
def switches(env: Environment) -> str:
    with env.fresh("switch-shapes", started=False) as host:
        must(host, "--disable")
        stock = raw(host, NSSWITCH)
        for kind, content in {"no last newline": stock.rstrip(b"\n"), "CRLF": stock.replace(b"\n", b"\r\n"),
                              "tabs": stock.replace(b":", b":\t").replace(b" ", b"\t")}.items():
            put(host, content, NSSWITCH)
            must(host, "--enable")
            found = host.machine.run("getent", "passwd", "lisa")
            require(found.ok and b"entralogin" in raw(host, NSSWITCH), f"{kind}: {raw(host, NSSWITCH)!r}")
            must(host, "--disable")
            equal(raw(host, NSSWITCH).rstrip(b"\n"), content.rstrip(b"\n"), f"{kind}: after --disable")
        first = [line for line in stock.split(b"\n") if line.startswith(b"passwd")]
        marked = b"\xef\xbb\xbf" + b"\n".join(first) + b"\n" + stock
        put(host, marked, NSSWITCH)
        refused = run(host, "--enable")
        require(not refused.ok and "byte order mark" in refused.text, refused.text)
        equal(raw(host, NSSWITCH), marked, "the file behind a byte order mark")
    return "three shapes, and the mark"


@case("P17", "lines of others in, between and behind entralogin's marks stay, with marks, without an end or without any",
      deep=True)
def others(env: Environment) -> str:
    base = "UsePAM yes\nMaxStartups 200\n"
    mine = "PasswordAuthentication yes"
    changes: dict[str, Callable[[str], str]] = {
        "between the begin mark and Match": lambda text: text.replace(BEGIN, f"{BEGIN}\n{mine}"),
        "between Match all and the end mark": lambda text: text.replace(END, f"{mine}\n{END}"),
        "behind the end mark": lambda text: f"{text}{mine}\n",
        "the end mark is lost": lambda text: text.replace(f"{END}\n", "") + f"{mine}\n{BEHIND}\n",
        "the begin mark is lost": lambda text: text.replace(f"{BEGIN}\n", f"{mine}\n"),
        "no comment is left": lambda text: "".join(f"{line}\n" for line in text.splitlines() if line[0] != "#") + f"{mine}\n",
    }
    with env.fresh("others-lines", started=False) as host:
        for what, change in changes.items():
            put(host, base.encode())
            must(host, "--enable")
            put(host, change(raw(host).decode()).encode())
            theirs = [line for line in lines(raw(host)) if line in (mine, BEHIND)]
            must(host, "--enable")
            again = lines(raw(host))
            equal([line for line in again if line in (mine, BEHIND)], theirs, f"{what}: lines of others after --enable")
            equal(len([line for line in again if line.startswith("Match User")]), 1, f"{what}: blocks after --enable")
            put(host, change(raw(host).decode()).encode() if what == "no comment is left" else raw(host))
            must(host, "--disable")
            left = [line for line in lines(raw(host)) if line not in (mine, BEHIND)]
            equal(left, base.splitlines(), f"{what}: after --disable")
            require(set(theirs) <= set(lines(raw(host))), f"{what}: lost: {raw(host)!r}")
        inside(host, base)
        by_hand(host, base)
    return f"{len(changes)} places, inside the block, and a block that a person wrote"


def inside(host: Host, base: str) -> None:
    """Another program's setting for Entra accounts, inside the Match block, keeps its meaning."""
    put(host, base.encode())
    must(host, "--enable")
    put(host, raw(host).replace(b"\nMatch all", b"\n    X11Forwarding no\nMatch all"))
    must(host, "--enable")
    text = raw(host).decode()
    require(text.index("Match User") < text.index("X11Forwarding") < text.index("Match all"), text)
    said = must(host, "--disable").text
    require("X11Forwarding no" in said, said)
    left = lines(raw(host))
    require(left[-2:] == ["    X11Forwarding no", "Match all"] and left[-3].startswith("Match User"), str(left))


def by_hand(host: Host, base: str) -> None:
    """Lines that a person wrote before sign-in was turned on stay, and --disable reports them."""
    put(host, base.encode())
    must(host, "--enable")
    block = [line for line in lines(raw(host)) if line[0] != "#"]
    must(host, "--disable")
    put(host, "".join(f"{line}\n" for line in block).encode())
    said = run(host, "--disable")
    require(not said.ok and "written by hand" in said.text, said.text)
    equal(lines(raw(host)), block, "a person's block after --disable")


# What `waagent -deprovision+user` removes, by its source.
DEPROVISION = ("rm -f /etc/ssh/ssh_host_*; rm -rf /var/lib/waagent /var/log/azure; usermod -p '!' root; "
               "userdel -f -r azureuser; rm -f /etc/sudoers.d/waagent /etc/sudoers.d/90-cloud-init-users; ssh-keygen -A")


@case("P17", "after waagent -deprovision+user the accounts, their numbers and the integration are there, for old and new people",
      deep=True)
def deprovisioned(env: Environment) -> str:
    with env.fresh("deprovisioned", started=False) as host:
        machine = host.machine
        machine.must("useradd", "-m", "azureuser")
        machine.must("sh", "-c", "echo 'azureuser ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/90-cloud-init-users")
        machine.start_sshd(host.port)
        host.begin()
        host.stamped()
        person = env.newcomer()
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
        record = machine.passwd(person.login)
        machine.shell(DEPROVISION)
        require("azureuser" not in machine.read("/etc/passwd"), "the last user of Azure's is still there")
        host.service.stop()
        host.sshd()
        host.begin()
        host.stamped()
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
        equal(machine.passwd(person.login), record, "the record after that")
        newcomer = env.newcomer()
        admitted(host.ssh(newcomer, "id -un"), f"{newcomer.login}\n")
    return "in as before, and a newcomer"


@case("P17", "--disable names who is signed in and will have no name")
def signed_in(env: Environment) -> str:
    with env.fresh("signed-in-disable") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        uid = host.machine.passwd(person.login)[2]
        host.machine.must("sh", "-c", f"setpriv --reuid {uid} --regid {uid} --clear-groups sleep 60 >/dev/null 2>&1 &")
        said = must(host, "--disable").text
        require("signed in" in said and person.login in said, said)
    return "named"
