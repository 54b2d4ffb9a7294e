# SPDX-License-Identifier: Apache-2.0
"""P4, P7, P8 and P16 with short names: what they cost local users, and the integration that provides them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from case import case, cases
from credentials import MARK, shut_out
from environment import PASSWORD, SETTINGS, Environment, Host
from everyday import sshd_says
from local_people import beside
from names import connections_of
from short_environment import COMMON_ACCOUNT, DROP_IN, GROUP, NSSWITCH, ON, local_part, short, short_names
from testbed.asking import ask
from testbed.checks import admitted, equal, refused, require
from testbed.installed import CONFIGURE
from testbed.tracing import SOCKETS, tracing_sshd

PARTS = (NSSWITCH, COMMON_ACCOUNT, "/etc/pam.d/common-session", DROP_IN)


@case("P8", "short names: a local user's sign-in, sudo, su and a wrong name ask a frozen daemon nothing; enrolled names resolve")
def frozen(env: Environment) -> str:
    with short_names(env, "shortfrozen") as host:
        person = env.newcomer()
        name = local_part(person)
        admitted(host.ssh(short(person), "true"))
        record, names = host.machine.passwd(name), ("name nosuch", "groups nosuch", "groups lisa", "name lisa", f"name {name}")
        host.service.freeze()
        try:
            seen, before = beside(env, host, "frozen")
            log = env.testbed.scratch / f"trace-{host.port}"
            with tracing_sshd(host.machine, log, "connect"):
                admitted(host.ssh(env.lisa, "sudo -k; sudo -S -p '' id -u", input=PASSWORD + "\n"), "0\n")
                admitted(host.ssh(env.root, "su - lisa -c 'id -un'"), "lisa\n")
                trace = log.read_text()
            require(SOCKETS not in trace, next((line for line in trace.splitlines() if SOCKETS in line), ""))
            asked = [a.microseconds / 1000 for a in ask(host.machine, env.testbed.scratch / "programs", names, name="id")]
            require(max(asked) < 100, f"milliseconds outside sshd: {asked}")
            equal(connections_of(env, host, [f"groups {name}", "groups lisa", "name lisa"]), 0, "connections as sshd")
            equal(host.machine.passwd(name), record, "the enrolled account by its short name")
            equal(host.machine.passwd(person.login), record, "by the whole one")
            require(GROUP in host.machine.must("id", "-Gn", name).out.split(), "its groups")
        finally:
            host.service.thaw()
        require(connections_of(env, host, ["name nosuch"]) > 0, "sshd asks about no new name: the trace proves nothing")
        host.service.stop()
        equal(host.machine.passwd(name), record, "with the daemon stopped")
        refused(host.ssh(short(person), "id"))
        admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
    return f"{seen / before:.2f} of the time with the daemon running; no connection"


def refuses(env: Environment, host: Host, what: str, *words: str) -> str:
    """Requires that the integration check fails and says why, that no Entra user can sign in, and that lisa can."""
    host.reload()
    require(not host.stamp(), f"the stack check is content: {what}")
    said = " ".join(host.tool("stack").text.split())
    for word in words:
        require(word in said, f"{what}: stack does not say {word!r}: {said}")
    person = env.newcomer()
    for login in (person, short(person)):
        shut_out(host.ssh(login, f"echo {MARK}"))
    admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
    return said


def edit(path: str, expression: str) -> Callable[[Host], object]:
    return lambda host: host.machine.must("sed", "-i", expression, path)


def other_profile(host: Host) -> None:
    host.machine.must("env", "DEBIAN_FRONTEND=noninteractive", "pam-auth-update", "--package", "--enable", "entralogin",
                      "--disable", "entralogin-short")


def turn_off(host: Host) -> None:
    host.machine.write(SETTINGS, "")


BROKEN = (
    ("nsswitch.conf with the other service", edit(NSSWITCH, "s/entralogin_short/entralogin/"), "entralogin_short"),
    ("PAM without the argument", other_profile, "short_names"),
    ("sshd without the block", edit(DROP_IN, f"/^Match Group {GROUP}/,/HostbasedAuthentication/d"), "short name"),
    ("a key in sshd's block", edit(DROP_IN, f"/^Match Group {GROUP}/,/^Match User/s/AuthorizedKeysFile none/"
                                   "AuthorizedKeysFile .ssh\\/authorized_keys/"), "authorizedkeysfile"),
    ("the setting off, the integration on", turn_off, "entralogin_short"),
)


@cases("P4", "short names: where integration and setting differ, stack refuses and says so; configure --enable repairs it",
       BROKEN, every=2)
def differing(env: Environment, broken: Sequence[tuple[str, Callable[[Host], object], str]]) -> str:
    with short_names(env, "shortbroken") as host:
        good = {path: host.machine.read(path) for path in PARTS}
        for what, breaking, word in broken:
            breaking(host)
            said = refuses(env, host, what, word)
            host.machine.write(SETTINGS, ON)
            host.machine.run(CONFIGURE, "--enable")  # its check fails until sshd is reloaded below
            equal({path: host.machine.read(path) for path in PARTS}, good, f"repaired: {what}")
            host.reload()
            host.stamped()
            person = env.newcomer()
            admitted(host.ssh(short(person), "id -un"), f"{local_part(person)}\n")
    return said[-200:]


@case("P16", "short names: PAM's argument removed by hand: configure says that the file was edited, and leaves it alone")
def edited(env: Environment) -> str:
    with short_names(env, "shortedited") as host:
        machine, good = host.machine, host.machine.read(COMMON_ACCOUNT)
        for expression in ("s/pam_entralogin.so short_names/pam_entralogin.so/", "s/pam_entralogin.so short_names/& debug/"):
            machine.must("sed", "-i", expression, COMMON_ACCOUNT)
            edited = machine.read(COMMON_ACCOUNT)
            outcome = machine.run(CONFIGURE, "--enable")
            require(outcome.status == 1 and "common-account was changed by hand" in outcome.text, outcome.text)
            require("pam-auth-update failed" not in outcome.text, outcome.text)
            equal([line.rstrip() for line in machine.read(COMMON_ACCOUNT).splitlines()],
                  [line.rstrip() for line in edited.splitlines()], COMMON_ACCOUNT)
            machine.write(COMMON_ACCOUNT, good)
            host.stamped()
    return outcome.text.splitlines()[0]


@case("P4", "short names: setting on without configure: stack refuses, and so does sign-in; local users are as before")
def not_configured(env: Environment) -> str:
    with env.fresh("shortunwired") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        host.machine.write(SETTINGS, ON)
        said = refuses(env, host, "the setting on, the integration off", "entralogin_short", "short_names")
    return said[-200:]


@case("P7", "short names: configure --disable takes all out: nsswitch.conf and PAM's files are as before, byte for byte")
def taken_out(env: Environment) -> str:
    with env.fresh("shortdisable", started=False) as host:
        machine = host.machine
        machine.must(CONFIGURE, "--disable")
        before = {path: machine.read(path) for path in PARTS[:3]}
        machine.write(SETTINGS, ON)
        machine.must(CONFIGURE, "--enable")
        require(all("short" in machine.read(path) for path in PARTS), "not wired")
        machine.must(CONFIGURE, "--disable")
        equal({path: machine.read(path) for path in PARTS[:3]}, before, "after --disable")
        require(not machine.path(DROP_IN).exists(), "sshd's block is there")
        require("entralogin" not in machine.shell("grep -rl entralogin /etc/pam.d /etc/ssh /etc/nsswitch.conf").out, "left over")
    return "as before"


GROUPS_OF_OTHERS = {"entra_users": 5555, GROUP: 5556}


@case("P8", "short names: a local group called entra_users or entra_short_names: its member keeps her key, and stack says so")
def groups_of_others(env: Environment) -> str:
    said = ""
    for name, number in GROUPS_OF_OTHERS.items():
        with env.fresh("shortforeign", settings=ON, started=False) as host:
            machine = host.machine
            machine.must(CONFIGURE, "--disable")
            machine.must("groupadd", "-g", str(number), name)
            machine.must("usermod", "-aG", name, "lisa")
            outcome = machine.run(CONFIGURE, "--enable")
            host.machine.start_sshd(host.port)
            admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
            host.begin()
            is_stamped = host.stamp()
            admitted(host.ssh(env.lisa, "id -un"), "lisa\n")
            person = env.newcomer()
            if name == GROUP:
                require(not is_stamped, f"content with {name}: {host.tool('stack').text}")
                require('"names.short-group"' in host.tool("--json", "stack").out, "stack does not name the group")
                require(not outcome.ok and f"groupmod -n NEW {GROUP}" in outcome.text, f"configure: {outcome.text}")
                shut_out(host.ssh(short(person), f"echo {MARK}"))
                machine.must("groupmod", "-n", "others", GROUP)  # what the finding says
                machine.run(CONFIGURE, "--enable")  # exits with 1: sshd has not read it yet
                host.reload()
                host.stamped()
                admitted(host.ssh(short(person), "true"))
                admitted(host.ssh(env.lisa, "true"))
            else:
                require(is_stamped, f"the stack check refuses: {host.tool('stack').text}")
                equal(admitted(host.ssh(short(person), "id -G")).split().count(str(number)), 0, "the local group")
            said += f"{name}: configure {outcome.status}; "
    return said


# Whether sign-in succeeds (y or n): an existing account by its short and its whole name, then a new one by both.
PATTERNS = {
    "AllowUsers {name} {new} lisa": "yyyy",
    "AllowUsers {name}?contoso.com {new}?contoso.com lisa": "nnnn",
    "DenyUsers {name} {new}": "nnnn",
    f"AllowGroups {GROUP} lisa": "yyyy",
    "AllowGroups entra_users lisa": "yyyy",
    "AllowGroups {name} {new} lisa": "yynn",
    "Match User {name},{new}\n    ForceCommand false": "nyny",
    "Match User {name}@contoso.com,{new}@contoso.com\n    ForceCommand false": "ynyn",
    "Match Group {name},{new}\n    ForceCommand false": "nnyn",
    "Match Group entra_users\n    ForceCommand false": "nnnn",
}


@case("P16", "short names: AllowUsers, AllowGroups and Match as the page has them, by both names and for a new account",
      deep=True)
def patterns(env: Environment) -> str:
    with short_names(env, "shortpatterns") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        seen = {}
        for line in PATTERNS:
            new = env.newcomer()
            sshd_says(host, line.format(name=local_part(person), new=local_part(new)) + "\n")
            logins = (short(person), person, short(new), new)
            seen[line] = "".join("y" if host.ssh(login, "true").ok else "n" for login in logins)
            admitted(host.ssh(env.lisa, "true"))
        equal({k: v for k, v in seen.items() if PATTERNS[k] != v}, {}, "lines that do something else")
    return f"{len(seen)} lines"
