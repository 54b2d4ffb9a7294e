# SPDX-License-Identifier: Apache-2.0
"""P4 and P8: sshd and sudo accept unusual spellings; the integration check and configure's survey must read all of them."""

from __future__ import annotations

import random

from case import case
from environment import EARLY, Environment, Host
from testbed.checks import require
from testbed.installed import CONFIGURE

SSHD = "/usr/sbin/sshd"
PLANTED = "/etc/ssh/planted/%u"
PATHS = ("/etc/ssh/plain.conf", "/etc/ssh/x y.conf", "/etc/ssh/deep/er/z.conf", "/etc/ssh/it's.conf")
BLOCK = f"User alice@contoso.com\n    AuthorizedKeysFile {PLANTED}\n"
MATCH = ("Match ", '"Match" ', "=Match ", 'Ma"tch" ', '"" Match ', "\t Match\t", "mAtCh=",
         "Match = ", '"Match"', " =Match ", "Match\t=")
INCLUDE = ("Include {}", 'Include "{}"', "Include '{}'", '"Include" "{}"', "include={}", "Include = {}", "\tInclude\t{} # x",
           "Include /none.conf {}", 'Include "/none.conf" "{}"', "=Include {}")
SUDO_PATHS = ("/etc/sudoers.site", "/etc/sudoers.d/more.site", "/etc/su do.site")
SUDO = ("@include {}", "#include {}", '@include "{}"', "  @include {}", "@include\t{}", "#include\t{}", "@include {} ",
        "@include \\\n{}", "@includedir {}.d", "#includedir {}.d", '@includedir "{}.d"')


def takes(host: Host) -> bool:
    """Whether sshd would accept a planted key for alice."""
    seen = host.machine.run(SSHD, "-T", "-C", "user=alice@contoso.com,host=h,addr=127.0.0.1")
    return seen.ok and f"authorizedkeysfile {PLANTED}".lower() in seen.out.lower()  # sshd 10.6 writes keywords in capitals


def reads(host: Host, program: str, word: str) -> bool:
    """Whether the tool reads the line, or says that it cannot read the files: then the check fails, and no package changes the
    machine."""
    seen = host.tool("stack", "--lines", program)
    return word in seen.out or not seen.ok


def noise(chance: random.Random, text: str) -> str:
    """The same text with up to three special characters or pairs of quotes inserted."""
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(text) + 1)
        text = text[:place] + chance.choice(['"', "'", "=", " ", "\t", "\\", "#", '""', "\r", "\f"]) + text[place:]
    return text


def spelled_for_sshd(chance: random.Random, count: int) -> list[str]:
    paths = [path.replace(" ", "\\ ") if form.endswith("{}") and chance.random() < 0.5 else path
             for form in INCLUDE for path in PATHS]
    forms = [form.format(path) + "\n" for form, path in zip([f for f in INCLUDE for _ in PATHS], paths, strict=True)]
    known = [word + BLOCK for word in MATCH] + forms
    return known + [noise(chance, chance.choice(known).splitlines()[0]) + "\n" + BLOCK.split("\n", 1)[1] for _ in range(count)]


def held_against_sshd(env: Environment, name: str, count: int) -> str:
    chance, taken = random.Random(name), 0
    with env.fresh(name, started=False) as host:
        for path in PATHS:
            host.machine.must("mkdir", "-p", path.rsplit("/", 1)[0])
            host.machine.write(path, "Match " + BLOCK)
        for text in spelled_for_sshd(chance, count):
            host.machine.write(EARLY, text)
            if takes(host):
                taken += 1
                require(reads(host, "sshd", "\tmatch\tUser alice"), f"sshd takes what the check overlooks: {text!r}")
    require(taken > len(MATCH), f"sshd took {taken} only")
    return f"{taken} spellings that sshd takes, all read"


@case("P4",
      "every spelling of Match and Include that sshd takes before entralogin's block is read by the check", attack="W7")
def known_spellings(env: Environment) -> str:
    return held_against_sshd(env, "spelled", 20)


@case("P4", "the same with 400 generated spellings", deep=True)
def generated_spellings(env: Environment) -> str:
    return held_against_sshd(env, "generated", 400)


def held_against_sudo(env: Environment, name: str, count: int) -> str:
    chance, taken = random.Random(name), 0
    with env.fresh(name, started=False) as host:
        for path in SUDO_PATHS:
            host.machine.write(path, "Defaults:lisa passwd_tries=7\n", 0o440)
            host.machine.must("mkdir", "-p", f"{path}.d")
            host.machine.write(f"{path}.d/a", "Defaults passwd_tries=7\n", 0o440)
        known = [form.format(path) for form in SUDO for path in (*SUDO_PATHS, "/etc/su\\ do.site")]
        for text in known + [noise(chance, chance.choice(known)) for _ in range(count)]:
            host.machine.write("/etc/sudoers.d/10-x", f"{text}\n", 0o440)
            seen = host.machine.run("cvtsudoers", "-f", "sudoers", "/etc/sudoers")
            if "passwd_tries=7" in seen.out:
                taken += 1
                require(reads(host, "sudo", "passwd_tries=7"), f"sudo takes what the survey overlooks: {text!r}")
    require(taken > len(SUDO), f"sudo took {taken} only")
    return f"{taken} spellings that sudo takes, all read"


@case("P8", "every spelling of an include that sudo takes is read by the survey")
def sudo_spellings(env: Environment) -> str:
    return held_against_sudo(env, "sudo-spelled", 10)


@case("P8", "the same with 400 generated includes of sudo's", deep=True)
def generated_sudo_spellings(env: Environment) -> str:
    return held_against_sudo(env, "sudo-generated", 400)


@case("P8", "a machine hardened in files behind Include, in quotes, or behind @include is left alone by a package",
      attack="W8")
def hardened_elsewhere(env: Environment) -> str:
    with env.fresh("hardened", started=False) as host:
        def reasons() -> str:
            return host.machine.run(CONFIGURE, "--survey").out

        require(reasons() == "", f"reasons on a stock machine: {reasons()}")
        host.machine.must("mkdir", "-p", "/etc/ssh/hardening.d")
        host.machine.write("/etc/ssh/hardening.d/a.conf", "AllowGroups ops\n")
        host.machine.write("/etc/ssh/sshd_config.d/50-site.conf", "Include /etc/ssh/hardening.d/*.conf\nLogLevel VERBOSE\n")
        require("/etc/ssh/hardening.d/a.conf says who may sign in: allowgroups ops" in reasons(), reasons())
        host.machine.write("/etc/ssh/sshd_config.d/50-site.conf", '"AllowGroups" ops\nUsePAM yes # stays\n')
        seen = reasons()
        require("50-site.conf says who may sign in: allowgroups ops" in seen and seen.count("\n") == 1, seen)
        host.machine.remove("/etc/ssh/sshd_config.d/50-site.conf")
        host.machine.write("/etc/sudoers.site", "Defaults !pam_acct_mgmt\n", 0o440)
        host.machine.write("/etc/sudoers.d/20-site", "@include /etc/sudoers.site\n", 0o440)
        require("/etc/sudoers.site changes sudo's defaults" in reasons(), reasons())
    return seen.strip()
