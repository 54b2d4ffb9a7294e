# SPDX-License-Identifier: Apache-2.0
"""P4, P7 and P8 with short names: what they cost local users, and the wiring by which the machine has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bed.asking import ask
from bed.checks import admitted, equal, refused, require
from bed.installed import CONFIGURE
from bed.tracing import SOCKETS, tracing_sshd
from case import case, cases
from credentials import MARK, shut_out
from everyday import sshd_says
from ground import PASSWORD, SETTINGS, Ground, Site
from local_people import beside
from names import connections_of
from short_ground import COMMON_ACCOUNT, DROP_IN, GROUP, NSSWITCH, ON, local_part, short, short_names

WIRING = (NSSWITCH, COMMON_ACCOUNT, "/etc/pam.d/common-session", DROP_IN)


@case("P8", "short names: a local user's sign-in, sudo, su and a wrong name ask a frozen daemon nothing; enrolled names resolve")
def frozen(ground: Ground) -> str:
    with short_names(ground, "shortfrozen") as site:
        person = ground.newcomer()
        name = local_part(person)
        admitted(site.ssh(short(person), "true"))
        record, names = site.machine.passwd(name), ("name nosuch", "groups nosuch", "groups lisa", "name lisa", f"name {name}")
        site.service.freeze()
        try:
            seen, before = beside(ground, site, "frozen")
            log = ground.bed.scratch / f"trace-{site.port}"
            with tracing_sshd(site.machine, log, "connect"):
                admitted(site.ssh(ground.lisa, "sudo -k; sudo -S -p '' id -u", input=PASSWORD + "\n"), "0\n")
                admitted(site.ssh(ground.root, "su - lisa -c 'id -un'"), "lisa\n")
                trace = log.read_text()
            require(SOCKETS not in trace, next((line for line in trace.splitlines() if SOCKETS in line), ""))
            asked = [a.microseconds / 1000 for a in ask(site.machine, ground.bed.scratch / "programs", names, name="id")]
            require(max(asked) < 100, f"milliseconds outside sshd: {asked}")
            equal(connections_of(ground, site, [f"groups {name}", "groups lisa", "name lisa"]), 0, "connections as sshd")
            equal(site.machine.passwd(name), record, "the enrolled account by its short name")
            equal(site.machine.passwd(person.login), record, "by the whole one")
            require(GROUP in site.machine.must("id", "-Gn", name).out.split(), "its groups")
        finally:
            site.service.thaw()
        require(connections_of(ground, site, ["name nosuch"]) > 0, "sshd asks about no new name: the trace proves nothing")
        site.service.stop()
        equal(site.machine.passwd(name), record, "with the daemon stopped")
        refused(site.ssh(short(person), "id"))
        admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
    return f"{seen / before:.2f} of the time with the daemon running; no connection"


def refuses(ground: Ground, site: Site, what: str, *words: str) -> str:
    """Requires that the stack check refuses and says why, that no Entra user gets in, and that lisa does."""
    site.reload()
    require(not site.stamp(), f"the stack check is content: {what}")
    said = " ".join(site.tool("stack").text.split())
    for word in words:
        require(word in said, f"{what}: stack does not say {word!r}: {said}")
    person = ground.newcomer()
    for login in (person, short(person)):
        shut_out(site.ssh(login, f"echo {MARK}"))
    admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
    return said


def edit(path: str, expression: str) -> Callable[[Site], object]:
    return lambda site: site.machine.must("sed", "-i", expression, path)


def other_profile(site: Site) -> None:
    site.machine.must("env", "DEBIAN_FRONTEND=noninteractive", "pam-auth-update", "--package", "--enable", "entralogin",
                      "--disable", "entralogin-short")


def turn_off(site: Site) -> None:
    site.machine.write(SETTINGS, "")


BROKEN = (
    ("nsswitch.conf with the other service", edit(NSSWITCH, "s/entralogin_short/entralogin/"), "entralogin_short"),
    ("PAM without the argument", other_profile, "short_names"),
    ("sshd without the block", edit(DROP_IN, f"/^Match Group {GROUP}/,/HostbasedAuthentication/d"), "short name"),
    ("a key in sshd's block", edit(DROP_IN, f"/^Match Group {GROUP}/,/^Match User/s/AuthorizedKeysFile none/"
                                   "AuthorizedKeysFile .ssh\\/authorized_keys/"), "authorizedkeysfile"),
    ("the setting off, the wiring on", turn_off, "entralogin_short"),
)


@cases("P4", "short names: where the wiring and the setting differ, stack refuses and says so; configure --enable repairs it",
       BROKEN, every=2)
def differing(ground: Ground, broken: Sequence[tuple[str, Callable[[Site], object], str]]) -> str:
    with short_names(ground, "shortbroken") as site:
        good = {path: site.machine.read(path) for path in WIRING}
        for what, breaking, word in broken:
            breaking(site)
            said = refuses(ground, site, what, word)
            site.machine.write(SETTINGS, ON)
            site.machine.run(CONFIGURE, "--enable")  # its check waits for sshd, which is reloaded here
            equal({path: site.machine.read(path) for path in WIRING}, good, f"repaired: {what}")
            site.reload()
            site.stamped()
            person = ground.newcomer()
            admitted(site.ssh(short(person), "id -un"), f"{local_part(person)}\n")
    return said[-200:]


@case("P4", "short names: setting on without configure: stack refuses, and so does sign-in; local users are as before")
def not_configured(ground: Ground) -> str:
    with ground.fresh("shortunwired") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        site.machine.write(SETTINGS, ON)
        said = refuses(ground, site, "the setting on, the wiring off", "entralogin_short", "short_names")
    return said[-200:]


@case("P7", "short names: configure --disable takes all out: nsswitch.conf and PAM's files are as before, byte for byte")
def taken_out(ground: Ground) -> str:
    with ground.fresh("shortdisable", started=False) as site:
        machine = site.machine
        machine.must(CONFIGURE, "--disable")
        before = {path: machine.read(path) for path in WIRING[:3]}
        machine.write(SETTINGS, ON)
        machine.must(CONFIGURE, "--enable")
        require(all("short" in machine.read(path) for path in WIRING), "not wired")
        machine.must(CONFIGURE, "--disable")
        equal({path: machine.read(path) for path in WIRING[:3]}, before, "after --disable")
        require(not machine.path(DROP_IN).exists(), "sshd's block is there")
        require("entralogin" not in machine.shell("grep -rl entralogin /etc/pam.d /etc/ssh /etc/nsswitch.conf").out, "left over")
    return "as before"


GROUPS_OF_OTHERS = {"entra_users": 5555, GROUP: 5556}


@case("P8", "short names: a local group called entra_users or entra_short_names: its member keeps her key, and stack says so")
def groups_of_others(ground: Ground) -> str:
    said = ""
    for name, number in GROUPS_OF_OTHERS.items():
        with ground.fresh("shortforeign", settings=ON, started=False) as site:
            machine = site.machine
            machine.must(CONFIGURE, "--disable")
            machine.must("groupadd", "-g", str(number), name)
            machine.must("usermod", "-aG", name, "lisa")
            outcome = machine.run(CONFIGURE, "--enable")
            site.machine.start_sshd(site.port)
            admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
            site.begin()
            is_stamped = site.stamp()
            admitted(site.ssh(ground.lisa, "id -un"), "lisa\n")
            person = ground.newcomer()
            if name == GROUP:
                require(not is_stamped, f"content with {name}: {site.tool('stack').text}")
                require('"names.short-group"' in site.tool("--json", "stack").out, "stack does not name the group")
                require(not outcome.ok and f"groupmod -n NEW {GROUP}" in outcome.text, f"configure: {outcome.text}")
                shut_out(site.ssh(short(person), f"echo {MARK}"))
                machine.must("groupmod", "-n", "others", GROUP)  # what the finding says
                machine.run(CONFIGURE, "--enable")  # 1: sshd has yet to read it
                site.reload()
                site.stamped()
                admitted(site.ssh(short(person), "true"))
                admitted(site.ssh(ground.lisa, "true"))
            else:
                require(is_stamped, f"the stack check refuses: {site.tool('stack').text}")
                equal(admitted(site.ssh(short(person), "id -G")).split().count(str(number)), 0, "the local group")
            said += f"{name}: configure {outcome.status}; "
    return said


# By the short name and by the whole one, of an account that is there, and of a new one: y or n.
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
def patterns(ground: Ground) -> str:
    with short_names(ground, "shortpatterns") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        seen = {}
        for line in PATTERNS:
            new = ground.newcomer()
            sshd_says(site, line.format(name=local_part(person), new=local_part(new)) + "\n")
            logins = (short(person), person, short(new), new)
            seen[line] = "".join("y" if site.ssh(login, "true").ok else "n" for login in logins)
            admitted(site.ssh(ground.lisa, "true"))
        equal({k: v for k, v in seen.items() if PATTERNS[k] != v}, {}, "lines that do something else")
    return f"{len(seen)} lines"
