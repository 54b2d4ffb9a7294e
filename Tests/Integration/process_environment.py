# SPDX-License-Identifier: Apache-2.0
"""P10, P11 and P13: flaws of similar programs: the groups of sshd's helper, links, many descriptors, a user's root folder."""

from __future__ import annotations

import shutil

from case import case
from environment import PASSWORD, STATE, Environment, Host
from identity import FIRST_UID
from local_people import module_file
from no_effects import HELPER
from sockets import impostor
from testbed import pam, wire
from testbed.asking import ask, place
from testbed.checks import admitted, equal, require
from testbed.installed import CONFIGURE

SEEN = "/run/helper-groups"
LOOKING = f"""#!/bin/sh
id -G >>{SEEN}
exec {HELPER}.real "$@"
"""
ADMINS_GID = FIRST_UID - 1023
MANY = 4000  # descriptors; select(2) handles only 1,024
JAIL = "/home/lisa/jail"


@case("P10", "the helper that sshd runs has its own group only, whatever sshd's are (CVE-2021-41617)")
def groups_of_the_helper(env: Environment) -> str:
    with env.fresh("helpergroups") as host:
        machine = host.machine
        machine.must("mv", HELPER, f"{HELPER}.real")
        machine.write(HELPER, LOOKING, 0o755)
        machine.write(SEEN, "", 0o666)
        powerful = {name: int(machine.must("getent", "group", name).out.split(":")[2])
                    for name in ("sudo", "shadow", "adm")}
        powerful |= {"entra_admins": ADMINS_GID}
        groups = ",".join(str(gid) for gid in powerful.values())
        machine.stop_sshd()
        machine.start_sshd(host.port, before=("/usr/bin/setpriv", f"--groups={groups}"))
        host.stamped()
        person = env.newcomer()
        admitted(host.ssh(person, "id -un"), f"{person.login}\n")
        own = int(machine.must("getent", "group", "entralogin-ssh").out.split(":")[2])
        seen = machine.read(SEEN).split("\n")[:-1]
        require(len(seen) >= 2, f"the helper was not looked at: {seen}")
        equal(set(seen), {str(own)}, f"the helper's groups, with sshd's {groups}")
    return f"sshd with {', '.join(powerful)}; the helper with {own} alone, {len(seen)} times"


@case("P11", "who owns the daemon gets no folder of root's by a link in place of its own, when root wires anew")
def links_in_place_of_folders(env: Environment) -> str:
    with env.fresh("links", started=False) as host:
        machine = host.machine
        machine.must("install", "-d", "-m", "0700", "/root/kept")
        for place in ("nss", "ssh"):
            machine.remove(f"{STATE}/{place}")
            machine.must("ln", "-s", "/root/kept", f"{STATE}/{place}")
            machine.must("chown", "-h", "entralogin:", f"{STATE}/{place}")
        outcome = machine.run(CONFIGURE, "--enable")
        equal(machine.must("stat", "-c", "%U %a", "/root/kept").out, "root 700\n", "root's folder behind the links")
        require(f"{STATE} cannot be made" in outcome.err, f"it is not said: {outcome.text}")
        # configure makes a folder that is only missing, also without systemd-tmpfiles.
        machine.remove(STATE)
        machine.must("mv", "/usr/bin/systemd-tmpfiles", "/root/")
        machine.run(CONFIGURE, "--enable")
        owners = machine.must("stat", "-c", "%U %a", STATE, f"{STATE}/nss", f"{STATE}/ssh", "/run/entralogin/nss").out
        equal(owners, "entralogin 755\n" * 4, "the daemon's folders")
    return "root 700, as before; the folders that are missing are made"


@case("P10", "the helper with root's groups can no more than without: no file is opened, the answer is the same")
def helper_with_groups(env: Environment) -> str:
    host, person = env.vm, env.newcomer()
    admitted(host.ssh(person, "true"))
    assert person.certificate is not None
    kind, body = person.certificate.read_text().split()[:2]
    uid, home = str(host.machine.uid(person.login)), host.machine.home(person.login)
    group = host.machine.must("getent", "group", "entralogin-ssh").out.split(":")[2]
    opened: dict[str, set[str]] = {}
    for groups in ("--clear-groups", f"--groups=0,27,42,{ADMINS_GID}"):
        command = ["setpriv", "--reuid=entralogin-ssh", f"--regid={group}", groups, HELPER, person.login, uid, home,
                   kind]
        good = host.machine.must(*command, body).out
        equal(good, f"{person.login}\n", f"a good certificate with {groups}")
        equal(host.machine.must(*command, body[:-8]).out, "", f"a damaged one with {groups}")
        log = "/tmp/helper-trace"
        host.machine.must("strace", "-f", "-q", "-o", log, "-e", "trace=open,openat,connect,execve", *command, body)
        text = host.machine.read(log)
        require("principals.sock" in text, f"it did not ask: {text}")
        after = text[text.index(f'execve("{HELPER}"'):]
        opened[groups] = {part.split('"')[1] for part in after.splitlines() if "open" in part.split("(")[0]}
    sets = list(opened.values())
    equal(sets[0], sets[1], "files that are opened")
    foreign = {path for path in sets[0] if not path.startswith(("/etc/ld.so", "/lib", "/usr/lib"))}
    equal(foreign, set(), "files beside the C library")
    return f"opens {len(sets[0])} files, all of the loader; asks one socket"


@case("P13", "a process with 4,000 open descriptors asks the NSS and PAM modules, and is answered (CVE-2013-0288)")
def many_descriptors(env: Environment) -> str:
    host, scratch = env.vm, env.testbed.scratch / "programs"
    person = env.newcomer()
    admitted(host.ssh(person, "true"))
    uid = host.machine.uid(person.login)
    questions = [f"name {person.login}", f"uid {uid}", f"groups {person.login}", "name never-seen@contoso.com"]
    few, many = (ask(host.machine, scratch, questions, files=files) for files in (0, MANY))
    equal([a.ids for a in many], [a.ids for a in few], "answers")
    require(all(a.ids for a in many), f"no answer: {many}")
    for service, login, result in (("su", person.login, pam.SUCCESS), ("su", "lisa", pam.SUCCESS),
                                   ("sshd", person.login, pam.DENIED)):
        equal(pam.ask(host.machine, scratch, service, login, files=MANY).results["account"], result,
              f"{service} for {login}")
    return f"{len(questions)} names and ids, three account stages"


def build_jail(env: Environment, host: Host) -> None:
    """Makes a root folder that belongs to lisa, as a hostile user would: with programs, entralogin's real module and copies of
    the published files."""
    machine, root = host.machine, host.machine.path(JAIL)
    programs = ["/usr/bin/id", "/usr/bin/getent", place(machine, env.testbed.scratch / "programs")]
    module = module_file(host, "libnss_entralogin.so.2")
    files = set(programs) | {"/" + str(module.relative_to(host.machine.path("/")))}
    for program in list(files):
        files |= {word for word in machine.run("ldd", program).out.split() if word.startswith("/")}
    for name in sorted(files):
        target = root / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(machine.path(machine.must("realpath", name).out.strip()), target)
    for folder in ("lib", "lib64"):
        if not (root / folder).exists():
            (root / folder).symlink_to(f"usr/{folder}")
    (root / "etc").mkdir()
    (root / "etc/nsswitch.conf").write_text("passwd: entralogin\ngroup: entralogin\n")
    for name in (f"{STATE}/nss/accounts.snapshot", "/run/entralogin/nss/grants.snapshot"):
        (root / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (root / name.lstrip("/")).write_bytes(host.machine.path(name).read_bytes())
    machine.must("chown", "-R", "lisa:lisa", JAIL)


@case("P10", "sudo into a root folder of a user's (CVE-2025-32463): the module there answers nothing from that folder")
def foreign_root(env: Environment) -> str:
    with env.fresh("jail") as host:
        alice = env.person("alice")
        admitted(host.ssh(alice, "true"))
        build_jail(env, host)
        host.machine.write("/etc/sudoers.d/60-jail", "Defaults:lisa runchroot=*\n", 0o440)
        names = place(host.machine, env.testbed.scratch / "programs")

        def in_jail(*command: str) -> str:
            line = f"sudo -k; echo '{PASSWORD}' | sudo -S -p '' -R {JAIL} {' '.join(command)}"
            outcome = host.ssh(env.lisa, line)
            require("not allowed" not in outcome.text and "not permitted" not in outcome.text, outcome.text)
            return outcome.out

        uid = host.machine.uid(alice.login)
        require(in_jail("/usr/bin/id", "-u").strip() == "0", "sudo does not go there: nothing is tried")
        questions = f"name {alice.login}\\nuid {uid}\\ngroups {alice.login}\\nname new@contoso.com\\n"

        def answers() -> list[str]:
            line = (f"printf '{questions}' >/tmp/questions; sudo -k; echo '{PASSWORD}' | sudo -S -v; "
                    f"sudo -R {JAIL} {names} sshd </tmp/questions")
            outcome = host.ssh(env.lisa, line)
            require(len(outcome.lines()) == 4, outcome.text)
            return [" ".join(part.split()[1:]) for part in outcome.lines()]

        equal(answers(), ["-", "-", "65534", "-"], "with lisa's files")
        # If root owns the same files, the module answers from them. So it works there, and the owner makes the difference.
        host.machine.must("chown", "-R", "root:root", JAIL)
        require(answers()[:2] == [str(uid), str(uid)], "with root's files nothing is answered either: proves nothing")
        host.machine.must("chown", "-R", "lisa:lisa", JAIL)
        with impostor(host, f"{JAIL}{wire.CONTROL}", "lisa", "lisa", "lisa") as heard:
            equal(answers(), ["-", "-", "65534", "-"], "with lisa's files and server")
            equal(heard, [], "what her server was asked")
    return "nothing from lisa's files, nothing said to her server; the same files of root's are read"
