# SPDX-License-Identifier: Apache-2.0
"""P8, P11 and P15: what entralogin reports to the Linux audit system, by which process, and what happens with no receiver."""

from __future__ import annotations

import os
import re
import socket

from booted_environment import BootedEnvironment, BootedHost
from case import case
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for
from testbed.tracing import audited, tracing

SOCKET = "/run/entralogin/audit.sock"
UNIT = "entralogin-audit"
MAY_WRITE = f"{1 << 29:016x}"  # CAP_AUDIT_WRITE (capabilities(7))
TYPES = {"USER_AUTH", "USER_ACCT", "USER_MGMT"}


def line(host: BootedHost) -> str:
    """What status prints about audit."""
    found = [row for row in host.tool("status").out.splitlines() if row.startswith("audit ")]
    require(len(found) == 1, f"status: {found}")
    return found[0].split(maxsplit=1)[1]


def started(host: BootedHost, env: BootedEnvironment) -> int:
    """Starts audit-events by a first event; returns its process id in the testbed."""
    refused(host.ssh(env.person("carol"), "id"))
    wait_for(lambda: runs(host), "audit-events")
    return host.machine.outer_pid(f"{UNIT}.service")


def runs(host: BootedHost) -> bool:
    """Whether audit-events runs. systemd reports its child's process id before the child has executed the program."""
    pid = host.machine.main_pid(f"{UNIT}.service")
    return pid != 0 and host.machine.run("cat", f"/proc/{pid}/comm").out.strip() == "audit-events"


def answers(trace: str) -> list[str]:
    """The errors of the kernel's acknowledgements; 0 is none (netlink(7))."""
    return re.findall(r"\{error=([^,}]+)", trace)


def has(events: list[str], *parts: str) -> bool:
    return any(all(part in event for part in parts) for event in events)


@case("P11", "grants, refusals and withdrawals are audit events, sent by a program that may do that and nothing else")
def events(env: BootedEnvironment) -> str:
    alice, carol = env.person("alice"), env.person("carol")
    with env.boot("audit", audits=True) as host:
        machine = host.machine
        machine.wait_until_up()
        host.wait_until_ready()
        pid, log = started(host, env), machine.folder / "audit.txt"
        with tracing(pid, log, "sendto,recvfrom", "-s", "4000"):
            admitted(host.ssh(alice, "sudo -n id -u"), "0\n")
            refused(host.ssh(carol, "id"))
            person = f'acct="{carol.login}"'
            wait_for(lambda: has(audited(log.read_text()), person), "carol's refusal")
            wait_for(lambda: has(audited(log.read_text()), "delete-user-from-group"), "the end of alice's membership")
            wait_for(lambda: len(answers(log.read_text())) >= len(audited(log.read_text())), "the kernel's answers")
        trace = log.read_text()
        seen, her = audited(trace), f'acct="{alice.login}"'
        for parts in (("op=entralogin:session", her, 'service=sshd ', "res=success"),
                      ("op=add-user-to-group", her, 'grp="entra_admins"', "res=success"),
                      ("op=delete-user-from-group", her, 'grp="entra_admins"', "res=success"),
                      ("op=entralogin:account", person, 'reason=role-not-assigned ', "res=failed")):
            require(has(seen, *parts), f"no event with {parts}: {seen}")
        object_id = env.testbed.directory.principals["alice"].object_id
        require(all(f'uuid={object_id} ' in event for event in seen if her in event), f"{seen}")
        records = {r.get("ENTRALOGIN_CORRELATION_ID") for r in machine.journal(f"ENTRALOGIN_USER={carol.login}")}
        require(any(f'correlation={one} ' in "".join(seen) for one in records), "no id of a record")
        types = set(re.findall(r"nlmsg_type=(?:AUDIT_)?(\w+)", trace)) - {"NLMSG_ERROR"}
        require(types <= TYPES | {f"0x{number:x}" for number in (1100, 1101, 1102)}, f"types: {types}")
        equal(set(answers(trace)), {"0"}, "the kernel's answers")
        # The first event, which started the program, may have been sent before strace was attached.
        told = [f"{count} events, 0 dropped" for count in (len(seen), len(seen) + 1)]
        require(line(host) in told, f"{line(host)}; seen: {len(seen)}")
    return f"{len(seen)} taken by the kernel, for example: {seen[0][:150]}"


@case("P11", "audit-events has a user and one capability of its own, and writes what the daemon sends only")
def confined(env: BootedEnvironment) -> str:
    host = env.vm
    machine = host.machine
    started(host, env)
    status = machine.read(f"/proc/{machine.main_pid(f'{UNIT}.service')}/status")
    fields = dict(row.split(":\t", 1) for row in status.splitlines() if ":\t" in row)
    for part in ("Prm", "Eff", "Bnd", "Amb"):
        equal(fields[f"Cap{part}"], MAY_WRITE, f"Cap{part}")
    uid = machine.must("id", "-u", "entralogin-audit").out.strip()
    equal((fields["Uid"].split(), fields["NoNewPrivs"], fields["Seccomp"]), ([uid] * 4, "1", "2"), "identity")

    def send() -> str:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            try:
                sender.sendto(b"not the daemon's", SOCKET)
            except OSError as error:
                return os.strerror(error.errno or 0)
        return "sent"

    for user in ("lisa", "nobody", "entralogin-ssh", "entralogin-audit"):
        equal(machine.inside(send, user), "Permission denied", f"{user} at {SOCKET}")
    # An attacker with the daemon's rights may change the socket's mode; audit-events then still checks the sender's uid.
    machine.must("chmod", "666", SOCKET)
    equal(machine.inside(send, "nobody"), "sent", "nobody at the opened socket")

    def said() -> bool:
        return "not the daemon's" in machine.must("journalctl", "--no-pager", "-u", f"{UNIT}.service", "-o", "cat").out

    wait_for(said, "audit-events on the stranger's message")
    machine.must("chmod", "600", SOCKET)
    return f"uid {uid}, capabilities {MAY_WRITE}"


@case("P8", "where nobody takes audit events, sign-in, sudo and refusals go on; what was not told is counted and shown")
def nobody_there(env: BootedEnvironment) -> str:
    host, alice, carol = env.vm, env.person("alice"), env.person("carol")
    machine = host.machine
    host.restart()
    equal(line(host), "0 events, 0 dropped", "status after a start")
    started(host, env)
    equal(line(host), "1 events, 0 dropped", "status after a refusal")
    machine.systemctl("kill", "--signal=STOP", f"{UNIT}.service")
    admitted(host.ssh(alice, "sudo -n id -u"), "0\n")
    machine.systemctl("kill", "--signal=KILL", f"{UNIT}.service")
    machine.systemctl("stop", f"{UNIT}.socket", f"{UNIT}.service")
    try:
        admitted(host.ssh(alice, "sudo -n id -u"), "0\n")
        refused(host.ssh(carol, "id"))
        require("entralogin-audit.socket is not there" in line(host), line(host))
        doctor = host.tool("doctor")
        require(doctor.ok and "entralogin-audit.socket is inactive" in " ".join(doctor.out.split()), doctor.text)
        metrics = host.tool("metrics").out
        dropped = re.search(r'^entralogin_audit_events_total\{outcome="dropped"\} (\d+)$', metrics, re.MULTILINE)
        require(dropped is not None and int(dropped[1]) > 0, metrics)
        machine.write_file("/etc/entralogin/entralogin.conf.d/50-audit.conf", "[Log]\nAudit=no\n")
        host.restart()
        require("\naudit " not in host.tool("status").out, "status speaks of audit where it is off")
    finally:
        machine.remove("/etc/entralogin/entralogin.conf.d/50-audit.conf")
        machine.systemctl("reset-failed", f"{UNIT}.service")
        machine.systemctl("start", f"{UNIT}.socket")
        host.restart()
    assert dropped is not None
    return f"{dropped[1]} dropped"


@case("P11", "audit-events ends by itself when nothing comes, and is there again with the next event", deep=True)
def idle(env: BootedEnvironment) -> str:
    host = env.vm
    started(host, env)
    wait_for(lambda: host.machine.main_pid(f"{UNIT}.service") == 0, "the end of audit-events", 90)
    equal(host.machine.property(f"{UNIT}.service", "Result"), "success", "its result")
    started(host, env)
    return "twice started"
