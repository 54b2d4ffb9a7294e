# SPDX-License-Identifier: Apache-2.0
"""P1, P3, P4, P16: the integration check asks libpam itself, because a module that libpam does not run refuses no sign-in."""

from __future__ import annotations

import json

from case import case
from credentials import MARK, shut_out
from environment import Environment, Host
from testbed.checks import admitted, require

MODULE = "pam_entralogin.so"
ELSEWHERE = "/usr/lib64/security"  # a folder of libraries; Debian's libpam does not look there
PROBE = "/usr/libexec/entralogin/pam-probe"
COMMON = "/etc/pam.d/common-account"
RECORD = "/usr/local/sbin/record"
CALLS = "/run/record-calls"


def folder_of_libpam(host: Host) -> str:
    return host.machine.shell("dirname /usr/lib/*/security/pam_unix.so").out.strip()


def said(host: Host) -> list[str]:
    """The sentences of doctor's warnings and errors."""
    report = json.loads(host.tool("--json", "doctor").out)
    return [found["found"] for found in report["findings"] if found["severity"] in ("warning", "error")]


def named(host: Host, *words: str) -> str:
    """Requires that the integration check fails, and that doctor has these words in one sentence."""
    require(not host.stamp(), "the check is content")
    found = said(host)
    sentence = next((text for text in found if all(word in text for word in words)), "")
    require(bool(sentence), f"doctor does not say {words}: {found}")
    return sentence


@case("P1", "a module in a folder that libpam does not read: no stamp, nobody without the role gets in, doctor names both",
      attack="H8")
def unread_folder(env: Environment) -> str:
    with env.fresh("unread") as host:
        folder = folder_of_libpam(host)
        host.machine.must("mkdir", "-p", ELSEWHERE)
        host.machine.must("mv", f"{folder}/{MODULE}", f"{ELSEWHERE}/{MODULE}")
        host.stamp()
        shut_out(host.ssh(env.person("carol"), f"echo {MARK}"))
        seen = named(host, "libpam reads", f"{ELSEWHERE}/{MODULE}")
        host.machine.must("mv", f"{ELSEWHERE}/{MODULE}", f"{folder}/{MODULE}")
        host.stamped()
        admitted(host.ssh(env.newcomer(), "true"))
    return seen


@case("P1", "a module that libpam cannot load or reach, for sshd or for sudo alone: no stamp, doctor says so", attack="H8")
def unloaded(env: Environment) -> str:
    with env.fresh("unloaded") as host:
        file = f"{folder_of_libpam(host)}/{MODULE}"
        text = host.machine.read(COMMON)
        # An absolute path to a missing file with the same name.
        host.machine.write(COMMON, text.replace(MODULE, f"/opt/{MODULE}"))
        named(host, "sshd", file)
        host.machine.write(COMMON, text.replace(MODULE, f"{MODULE} debug"))
        named(host, "arguments")
        host.machine.write(COMMON, text)
        host.stamped()
        # A module before it refuses: the check must not take this for a refusal by entralogin's module.
        host.machine.write(COMMON, "account requisite pam_access.so\n" + text.replace(MODULE, f"/opt/{MODULE}"))
        access = host.machine.read("/etc/security/access.conf")
        host.machine.write("/etc/security/access.conf", "-:ALL EXCEPT root:ALL\n")
        named(host, "sshd", file)
        host.machine.write("/etc/security/access.conf", access)
        host.machine.write(COMMON, text)
        host.stamped()
        sudo = host.machine.read("/etc/pam.d/sudo")
        there = text.replace(MODULE, f"/opt/{MODULE}")
        host.machine.write("/etc/pam.d/sudo", sudo.replace("@include common-account", there))
        seen = named(host, "for sudo", file)
        host.machine.write("/etc/pam.d/sudo", sudo)
        host.machine.must("mv", PROBE, f"{PROBE}.away")
        require(not host.stamp(), "the check is content without the program that asks libpam")
        host.machine.must("mv", f"{PROBE}.away", PROBE)
        host.stamped()
    return seen


@case("P16", "a stack in which another module refuses the check's name first, or nobody may sign in now, keeps its stamp")
def refused_by_others(env: Environment) -> str:
    with env.fresh("others") as host:
        text = host.machine.read("/etc/pam.d/sshd")
        host.machine.write("/etc/nologin", "not now\n")
        host.stamped()
        host.machine.remove("/etc/nologin")
        rule = "account requisite pam_access.so\n@include common-account"
        host.machine.write("/etc/pam.d/sshd", text.replace("@include common-account", rule))
        host.machine.write("/etc/security/access.conf", "-:ALL EXCEPT root (entra_users) lisa:ALL\n")
        host.stamped()
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        shut_out(host.ssh(env.person("carol"), f"echo {MARK}"))
    return "content, and right"


@case("P3", "the check's own PAM transaction reaches the module and no other behind it, and asks the daemon nothing")
def without_effects(env: Environment) -> str:
    with env.fresh("quiet") as host:
        host.machine.write(RECORD, f'#!/bin/sh\necho "$PAM_USER" >>{CALLS}\n', 0o755)
        text = host.machine.read(COMMON)
        host.machine.write(COMMON, f"{text}\naccount required pam_exec.so {RECORD}\n")
        questions, lines = host.questions(), len(host.journal.text().splitlines())
        host.stamped()
        outcome = host.machine.run(PROBE, "sshd")
        require(outcome.out.startswith("mark reached\nresult 10\nmodule /"), f"pam-probe says {outcome.text}")
        require(not host.machine.path(CALLS).exists(), "modules behind entralogin's were run")
        require(host.questions() == questions, "Azure was asked")
        require("entralogin-probe" not in host.journal.text(), f"the daemon was asked: {host.journal.text()[lines:]}")
    return outcome.out.splitlines()[0]
