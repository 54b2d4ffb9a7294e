# SPDX-License-Identifier: Apache-2.0
"""P10: in the compiled policy with entralogin's module, sesearch finds no access to entralogin beyond what is listed here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from case import case
from enforcing_environment import EnforcingEnvironment
from testbed.checks import equal, require
from testbed.installed import REPOSITORY
from testbed.machine import run

DAEMON, HELPER, AUDIT = "entralogind_t", "entralogin_principals_t", "entralogin_audit_t"
SESSIONS = "entralogin_sessions_t"
STATE, PUBLISHED, KEYS, RUNTIME, SETTINGS, ADOPTED = (
    f"entralogin_{name}_t" for name in ("state", "published", "authorities", "runtime", "etc", "adopted"))
# Domains in which PAM runs, or that may get the record of a name before its first session.
ASKERS = {"sshd_t", "local_login_t", "crond_t", "sudodomain", "staff_su_t", "sysadm_su_t", "user_su_t", "sysadm_t",
          "systemd_userdbd_t", "systemd_logind_t"}
# Rules that name entralogin's types. Debian's rules about all files or domains (backups, dpkg, unconfined) are not checked.
NAMED = {
    (RUNTIME, "sock_file", "write"): ASKERS | {HELPER, DAEMON},  # the daemon sends to the audit program
    (AUDIT, "unix_dgram_socket", "sendto"): {DAEMON},
    (DAEMON, "unix_stream_socket", "connectto"): ASKERS | {HELPER},
    (SESSIONS, "unix_stream_socket", "connectto"): {DAEMON},
    (STATE, "file", "read"): {DAEMON},
    (STATE, "file", "write"): {DAEMON},
    (PUBLISHED, "file", "read"): ASKERS | {DAEMON, "nsswitch_domain", "systemd_user_runtime_dir_t"},
    (PUBLISHED, "file", "write"): {DAEMON},
    (KEYS, "file", "read"): {DAEMON, "sshd_t"},
    (KEYS, "file", "write"): set(),
    (RUNTIME, "file", "write"): set(),  # the check's result: written by root's tool, which its unit confines
    (SETTINGS, "file", "write"): set(),
    (ADOPTED, "file", "read"): ASKERS | {DAEMON, SESSIONS, "nsswitch_domain", "systemd_user_runtime_dir_t"},
    (ADOPTED, "file", "write"): set(),
    ("entralogin_principals_exec_t", "file", "execute"): {HELPER, "sshd_t"},
    (HELPER, "process", "transition"): {"sshd_t"},
}
CAPABILITIES = {DAEMON: set(), HELPER: set(), AUDIT: {"audit_write"}, SESSIONS: {"kill"}}
SERVING = ("httpd_t", "user_t", "staff_t", "nscd_t", "postfix_local_t")


@dataclass(frozen=True)
class Rule:
    source: str
    target: str
    object_class: str
    permissions: frozenset[str]
    text: str


def rules(policy: Path, *asked: str) -> list[Rule]:
    """The rules that sesearch finds. Takes a few seconds, because each call reads the policy. The source of a rule may be an
    attribute of the requested domain."""
    answered = run(["sesearch", "-A", *asked, str(policy)], timeout=120)
    require(answered.ok, f"sesearch: {answered.text}")
    found = []
    for line in answered.out.splitlines():
        parts = re.match(r"allow (\w+) (\w+):(\w+) \{? ?([\w ]+?) ?\}?;", line)
        require(parts is not None, f"sesearch says what is no rule: {line}")
        assert parts is not None
        found.append(Rule(parts[1], parts[2], parts[3], frozenset(parts[4].split()), line))
    return found


@case("P10", "the policy: who may ask, read and write what is entralogin's, by name, is this list and nobody else")
def named(env: EnforcingEnvironment) -> str:
    about_us = rules(env.policy, "-rt", "-t", "^entralogin")
    for (target, kind, permission), expected in NAMED.items():
        sources = {rule.source for rule in about_us
                   if (rule.target, rule.object_class) == (target, kind) and permission in rule.permissions}
        equal(sources, expected, f"{target}:{kind} {permission}")
    return f"{len(NAMED)} lists"


@case("P10", "the policy: a web server, a cache and a shell may read accounts, and that is all")
def serving(env: EnforcingEnvironment) -> str:
    theirs = rules(env.policy, "-rs", "-s", f"^({'|'.join(SERVING)})$", "-rt", "-t", "^entralogin")
    # Not the processes of the audit program and of the program that ends sessions: nscd may look at every daemon's
    # processes (init_daemon_domain).
    by_name = {(rule.source, rule.target, rule.object_class, *sorted(rule.permissions)) for rule in theirs
               if rule.target.startswith("entralogin_") and rule.target not in {AUDIT, SESSIONS}}
    folder = ("getattr", "open", "search")
    file = ("getattr", "ioctl", "lock", "open", "read")
    equal(by_name, {*(("nsswitch_domain", kind, "file", *file) for kind in (PUBLISHED, ADOPTED)),
                    *(("nsswitch_domain", kind, "dir", *folder) for kind in (PUBLISHED, STATE, RUNTIME, SETTINGS))},
          "their rules")
    touching = [rule.text for rule in theirs if rule.permissions & {"write", "connectto", "transition", "ptrace"}]
    equal(touching, [], "what Debian lets them do with everything")
    return ", ".join(SERVING)


@case("P10", "the policy: the programs have no capability but their one, start no program but getent, write only their own")
def least(env: EnforcingEnvironment) -> str:
    for source, own in ((DAEMON, {DAEMON, STATE, PUBLISHED}), (HELPER, {HELPER}), (AUDIT, {AUDIT})):
        theirs = rules(env.policy, "-s", source)

        def able(kind: str, permission: str, theirs: list[Rule] = theirs) -> list[Rule]:
            return [rule for rule in theirs if rule.object_class == kind and permission in rule.permissions]

        # Without the capabilities under the boolean for NIS, which the policy gives every client of the name service.
        capable = {permission for rule in theirs for permission in rule.permissions
                   if rule.object_class.startswith("cap") and "[ allow_ypbind ]" not in rule.text}
        equal(capable, CAPABILITIES[source], f"capabilities of {source}")
        started = able("file", "execute_no_trans") + able("process", "transition")
        # getent has this type; it stays in the daemon's own domain.
        equal({rule.target for rule in started}, {"bin_t"} if source == DAEMON else set(), f"programs of {source}")
        equal([rule.text for rule in able("process", "transition")], [], f"other domains of {source}")
        # init_tmpfs_t: a unit may get such a file as its standard input.
        equal({rule.target for rule in able("file", "write")} - {"init_tmpfs_t"}, own, f"files that {source} writes")
        if source != DAEMON:
            equal([rule.text for rule in able("tcp_socket", "create") + able("udp_socket", "create")], [], "its network")
    return "nothing beside their own files"


def with_portable(env: EnforcingEnvironment, name: str, text: str) -> set[str]:
    """Replaces the module by this text; returns all rules about entralogin's types."""
    machine = env.testbed.machine(name, base=env.installed)
    machine.write("/root/entralogin.cil", text)
    machine.must("semodule", "-n", "-i", "/root/entralogin.cil", timeout=300)
    machine.stop()
    return about_entralogin(next((machine.folder / "changes/etc/selinux/default/policy").glob("policy.*")))


def about_entralogin(policy: Path) -> set[str]:
    return {rule.text for side in ("s", "t") for rule in rules(policy, f"-r{side}", f"-{side}", "^entralogin")}


@case("P10", "the policy in the form for every distribution allows what the module does; without a type, all but its rules")
def portable(env: EnforcingEnvironment) -> str:
    text = (REPOSITORY / "build/selinux/entralogin.cil").read_text()
    module = about_entralogin(env.policy)
    equal(with_portable(env, "portable", text), module, "rules")
    lacking = with_portable(env, "lacking", re.sub(r"\bcrond_t\b", "no_such_t", text))
    equal({rule for rule in module - lacking if " crond_t " not in rule}, set(), "rules that went with crond_t")
    require(not any(rule.startswith("allow crond_t entralogind_t:") for rule in lacking), "rules of what is not there")
    require(any(rule.startswith("allow crond_t entralogind_t:") for rule in module), "crond_t has none in the module either")
    return f"{len(module)} rules"
