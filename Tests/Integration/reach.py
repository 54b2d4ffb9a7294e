# SPDX-License-Identifier: Apache-2.0
"""P1, P4: the integration check asks libpam itself, because a module that libpam does not run decides about no sign-in."""

from __future__ import annotations

import json

from bed.checks import admitted, require
from case import case
from credentials import MARK, shut_out
from ground import Ground, Site

MODULE = "pam_entralogin.so"
ELSEWHERE = "/usr/lib64/security"  # a folder of libraries; Debian's libpam does not look there
PROBE = "/usr/libexec/entralogin/pam-probe"
COMMON = "/etc/pam.d/common-account"
RECORD = "/usr/local/sbin/record"
CALLS = "/run/record-calls"


def folder_of_libpam(site: Site) -> str:
    return site.machine.shell("dirname /usr/lib/*/security/pam_unix.so").out.strip()


def said(site: Site) -> list[str]:
    """The sentences of doctor's warnings and errors."""
    report = json.loads(site.tool("--json", "doctor").out)
    return [found["found"] for found in report["findings"] if found["severity"] in ("warning", "error")]


def named(site: Site, *words: str) -> str:
    """Requires that the integration check fails, and that doctor has these words in one sentence."""
    require(not site.stamp(), "the check is content")
    found = said(site)
    sentence = next((text for text in found if all(word in text for word in words)), "")
    require(bool(sentence), f"doctor does not say {words}: {found}")
    return sentence


@case("P1", "a module in a folder that libpam does not read: no stamp, nobody without the role gets in, doctor names both",
      attack="H8")
def unread_folder(ground: Ground) -> str:
    with ground.fresh("unread") as site:
        folder = folder_of_libpam(site)
        site.machine.must("mkdir", "-p", ELSEWHERE)
        site.machine.must("mv", f"{folder}/{MODULE}", f"{ELSEWHERE}/{MODULE}")
        site.stamp()
        shut_out(site.ssh(ground.person("carol"), f"echo {MARK}"))
        seen = named(site, "libpam reads", f"{ELSEWHERE}/{MODULE}")
        site.machine.must("mv", f"{ELSEWHERE}/{MODULE}", f"{folder}/{MODULE}")
        site.stamped()
        admitted(site.ssh(ground.newcomer(), "true"))
    return seen


@case("P1", "a module that libpam cannot load or reach, for sshd or for sudo alone: no stamp, doctor says so", attack="H8")
def unloaded(ground: Ground) -> str:
    with ground.fresh("unloaded") as site:
        file = f"{folder_of_libpam(site)}/{MODULE}"
        text = site.machine.read(COMMON)
        # An absolute path that leads nowhere has the same last name.
        site.machine.write(COMMON, text.replace(MODULE, f"/opt/{MODULE}"))
        named(site, "sshd", file)
        site.machine.write(COMMON, text.replace(MODULE, f"{MODULE} debug"))
        named(site, "arguments")
        site.machine.write(COMMON, text)
        site.stamped()
        # Before it a module that refuses: its refusal must not count as that of entralogin's module.
        site.machine.write(COMMON, "account requisite pam_access.so\n" + text.replace(MODULE, f"/opt/{MODULE}"))
        access = site.machine.read("/etc/security/access.conf")
        site.machine.write("/etc/security/access.conf", "-:ALL EXCEPT root:ALL\n")
        named(site, "sshd", file)
        site.machine.write("/etc/security/access.conf", access)
        site.machine.write(COMMON, text)
        site.stamped()
        sudo = site.machine.read("/etc/pam.d/sudo")
        there = text.replace(MODULE, f"/opt/{MODULE}")
        site.machine.write("/etc/pam.d/sudo", sudo.replace("@include common-account", there))
        seen = named(site, "for sudo", file)
        site.machine.write("/etc/pam.d/sudo", sudo)
        site.machine.must("mv", PROBE, f"{PROBE}.away")
        require(not site.stamp(), "the check is content without the program that asks libpam")
        site.machine.must("mv", f"{PROBE}.away", PROBE)
        site.stamped()
    return seen


@case("P16", "a stack in which another module refuses the check's name first, or nobody may sign in now, keeps its stamp")
def refused_by_others(ground: Ground) -> str:
    with ground.fresh("others") as site:
        text = site.machine.read("/etc/pam.d/sshd")
        site.machine.write("/etc/nologin", "not now\n")
        site.stamped()
        site.machine.remove("/etc/nologin")
        rule = "account requisite pam_access.so\n@include common-account"
        site.machine.write("/etc/pam.d/sshd", text.replace("@include common-account", rule))
        site.machine.write("/etc/security/access.conf", "-:ALL EXCEPT root (entra_users) lisa:ALL\n")
        site.stamped()
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        shut_out(site.ssh(ground.person("carol"), f"echo {MARK}"))
    return "content, and right"


@case("P3", "the check's own PAM transaction reaches the module and no other behind it, and asks the daemon nothing")
def without_effects(ground: Ground) -> str:
    with ground.fresh("quiet") as site:
        site.machine.write(RECORD, f'#!/bin/sh\necho "$PAM_USER" >>{CALLS}\n', 0o755)
        text = site.machine.read(COMMON)
        site.machine.write(COMMON, f"{text}\naccount required pam_exec.so {RECORD}\n")
        questions, lines = site.questions(), len(site.journal.text().splitlines())
        site.stamped()
        outcome = site.machine.run(PROBE, "sshd")
        require(outcome.out.startswith("mark reached\nresult 10\nmodule /"), f"pam-probe says {outcome.text}")
        require(not site.machine.path(CALLS).exists(), "modules behind ours were run")
        require(site.questions() == questions, "Azure was asked")
        require("entralogin-probe" not in site.journal.text(), f"the daemon was asked: {site.journal.text()[lines:]}")
    return outcome.out.splitlines()[0]
