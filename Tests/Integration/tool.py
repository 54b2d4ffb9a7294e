# SPDX-License-Identifier: Apache-2.0
"""P15, and the tool's part of P1, P2, P5 and P16: the administrator reads each cause by its name, with its remedy, once."""

from __future__ import annotations

import json
import re
import signal
from functools import partial
from typing import Any

from case import case
from environment import Environment, Host
from testbed.checks import admitted, equal, refused, require
from testbed.installed import REPOSITORY, TOOL
from testbed.machine import wait_for
from testbed.tracing import audited, tracing_sshd

SSHD = "/etc/ssh/sshd_config.d/00-b.conf"  # read before entralogin's file; used only for what sshd -T prints


def findings(host: Host) -> dict[str, dict[str, Any]]:
    """doctor's warnings and errors, by id; requires that none comes twice."""
    report = json.loads(host.tool("--json", "doctor").out)["findings"]
    told = [f for f in report if f["severity"] in ("warning", "error")]
    sentences = [f["found"] for f in told]
    require(len(set(sentences)) == len(sentences), f"doctor says something twice: {sentences}")
    return {f["id"]: f for f in told}


def told(host: Host, finding: str, *words: str) -> str:
    """Requires that doctor has this finding, with these words in its remedy or its sentence, and exits with a status for it."""
    outcome = host.tool("--json", "doctor")
    all_of_it = [f for f in json.loads(outcome.out)["findings"] if f["id"] == finding]
    require(bool(all_of_it), f"doctor does not find {finding}: {outcome.text}")
    found = all_of_it[0]
    text = " ".join(f"{f['found']} {f.get('place', '')} {f['needed']} {f['remedy']}" for f in all_of_it)
    for word in words:
        require(word in text, f"{finding}: {word!r} is not in {text}")
    require(all(f["remedy"] for f in all_of_it), f"{finding} has no remedy")
    require(outcome.status == 1 or (outcome.status == 5 and found["severity"] == "warning"),
            f"doctor ends with status {outcome.status}: {outcome.text}")
    return found["found"]


def on_page(host: Host, finding: str) -> None:
    """Requires that doctor prints what Documentation/troubleshooting.md shows, except for the machine's resource id."""
    report = json.loads(host.tool("--json", "doctor").out)["findings"]
    found = [f for f in report if f["id"] == finding]
    require(bool(found), f"doctor does not find {finding}")
    page = " ".join((REPOSITORY / "Documentation/troubleshooting.md").read_text().split())

    def shown(part: str) -> bool:
        return " ".join(re.sub(r"/subscriptions/\S*/[^\s;,)]*", "RESOURCE", part).split()) in page

    require(any(all(shown(f[key]) for key in ("found", "needed", "remedy")) for f in found),
            f"the page does not show {found}")


def fits(text: str) -> None:
    """Requires that every line has at most eighty columns, except for a word that is too long for any line."""
    long = [line for line in text.splitlines() if len(line) > 80 and len(line) - max(map(len, line.split())) > 20]
    require(not long, f"too long for a terminal: {long}")


# File, the text that is added before or after its content, the finding, and words that must be in it.
AROUND = (
    (SSHD, "AllowGroups sudo\n", "sshd.allowgroups", ("entra_users",)),
    (SSHD, "AllowGroups entra_admins\n", "sshd.allowgroups", ("begins when a session opens",)),
    (SSHD, "DenyGroups entra_users\n", "sshd.denygroups", ("every Entra account",)),
    (SSHD, "AllowUsers alice@contoso.com\n", "sshd.allowusers", ("alice?contoso.com",)),
    (SSHD, "PubkeyAcceptedAlgorithms ssh-ed25519,ssh-ed25519-cert-v01@openssh.com\n", "sshd.pubkeyacceptedalgorithms",
     ("rsa-sha2",)),
    (SSHD, "CASignatureAlgorithms ssh-ed25519\n", "sshd.casignaturealgorithms", ("rsa-sha2-256",)),
    (SSHD, "RequiredRSASize 3072\n", "sshd.requiredrsasize", ("2048",)),
    (SSHD, "DenyUsers *\n", "sshd.denyusers", ("DenyUsers *",)),
    ("/etc/passwd", "ted:x:1879050000:100::/:/bin/sh\n", "ids.user", ("ted", "usermod")),
    ("/etc/group", "teds:x:1879048192:\n", "ids.group", ("teds", "groupmod")),
    ("/etc/subgid", "lisa:1879048000:65536\n", "ids.subordinate", ("lisa", "--del-subgids")),
    ("/etc/subuid", "lisa:1879048192:65536\n", "ids.subordinate", ("lisa", "--del-subuids")),
    ("/etc/login.defs", "UID_MAX 4000000000\n", "ids.defaults", ("UID_MAX",)),
    ("/etc/sudoers.d/broken", "alice ALL=(\n", "sudoers.syntax", ("visudo",)),
    ("/etc/pam.d/other-site", "auth sufficient pam_aad.so\n", "old-extension", ("AADSSHLoginForLinux",)),
)


# Those of them that the page about troubleshooting shows.
PRINTED = ("AllowGroups sudo\n", "auth sufficient pam_aad.so\n",
           "PubkeyAcceptedAlgorithms ssh-ed25519,ssh-ed25519-cert-v01@openssh.com\n")


@case("P15", "what keeps people out around the integration is named by doctor, with its remedy, and the stamp stays")
def around(env: Environment) -> str:
    seen = []
    with env.fresh("doctor") as host:
        admitted(host.ssh(env.newcomer(), "true"))
        equal(sorted(findings(host)), [], "findings on a good machine")
        equal(host.tool("doctor").status, 0, "status on a good machine")
        for path, text, finding, words in AROUND:
            file = host.machine.path(path)
            before = file.read_text() if file.exists() else None
            host.machine.write(path, (before or "") + text, 0o440 if "sudoers" in path else 0o644)
            told(host, finding, *words)
            if text in PRINTED:
                on_page(host, finding)
            # The check may fail only because sshd has not read the change.
            require("sshd.running" in findings(host) or host.stamp(), f"{finding} withdraws the stamp")
            host.machine.remove(path) if before is None else host.machine.write(path, before)
            seen.append(finding)
        fits(host.tool("doctor").out)
        host.machine.must("chmod", "777", "/var/lib/entralogin/nss")
        told(host, "files", "chmod 755 /var/lib/entralogin/nss")
        host.machine.must("chmod", "755", "/var/lib/entralogin/nss")
        sudoers = host.machine.read("/etc/sudoers")
        host.machine.write("/etc/sudoers", sudoers.replace("@includedir", "# @includedir"), 0o440)
        told(host, "sudoers.folder", "@includedir /etc/sudoers.d")
        host.machine.write("/etc/sudoers", sudoers, 0o440)
        host.machine.must("mount", "-t", "tmpfs", "-o", "size=4m", "small", "/var/log")
        told(host, "disk", "/var/log", "df -h")
        host.machine.must("umount", "/var/log")
        host.reload()
        host.stamped()
        wait_for(lambda: host.tool("doctor").status == 0, "doctor to find nothing once all is fixed")
    return f"{len(seen) + 3} causes"


@case("P15", "a machine with large uids in lastlog, another directory behind entralogin's: a note, and a warning")
def neighbours(env: Environment) -> str:
    with env.fresh("beside") as host:
        host.machine.must("truncate", "--size=540G", "/var/log/lastlog")
        names = host.machine.read("/etc/nsswitch.conf")
        host.machine.write("/etc/nsswitch.conf", names.replace("entralogin", "entralogin winbind"))
        line = told(host, "neighbour.passwd", "winbind stands behind entralogin")
        require("looks 540 GiB large" in host.tool("doctor").text.replace("\n        ", " "), "lastlog is not named")
    return line


@case("P15", "the application is missing while ARM answers: one warning, with its own remedy and no other")
def application(env: Environment) -> str:
    env.azure.set_fault("missing-application", "token")
    with env.fresh("application") as host:
        admitted(host.ssh(env.newcomer(), "true"))
        equal(sorted(findings(host)), ["daemon.application-missing"], "findings")
        line = told(host, "daemon.application-missing", "az ad sp create --id", "New-MgServicePrincipal")
        on_page(host, "daemon.application-missing")
        require("identity assign" not in host.tool("doctor").text, "the remedy of another thing is shown")
        equal(host.tool("doctor").status, 5, "doctor's status: nobody is kept out")
        equal(host.tool("status").status, 0, "status's status")
        env.azure.clear_faults()  # what az ad sp create does
        wait_for(lambda: not findings(host), "a doctor who is content with the application", 90)
    return line


# Fault, endpoint, the finding, and words in it.
AZURE = (
    ("no-identity", "token", "daemon.no-managed-identity", ("az vm identity assign --ids /subscriptions/",)),
    ("refused-identity", "pas+arm", "daemon.identity-may-not-ask", ("az role assignment create", "Reader")),
)


def is_gone(host: Host, finding: str) -> bool:
    return finding not in findings(host)


@case("P15", "a missing managed identity, and one without rights: named by doctor with the command that fixes it")
def rights(env: Environment) -> str:
    seen = []
    for fault, where, finding, words in AZURE:
        for endpoint in where.split("+"):
            env.azure.set_fault(fault, endpoint)
        with env.fresh(fault) as host:
            told(host, finding, *words)  # before any user signs in
            refused(host.ssh(env.newcomer(), "true"))
            seen.append(told(host, finding, *words))
            on_page(host, finding)
            env.azure.clear_faults()  # what the command does in Azure
            wait_for(partial(is_gone, host, finding), f"a doctor who no longer finds {finding}", 90)
    return "; ".join(seen)


def is_named(host: Host, word: str) -> bool:
    return word in findings(host).get("daemon.no-authority-keys", {}).get("remedy", "")


@case("P15", "no DNS for Azure's names, a proxy that is none: named by doctor as what they are", deep=True)
def ways(env: Environment) -> str:
    seen = []
    for name, hosts, settings, word in (("dns", "127.0.0.1 localhost contoso-vm\n", "", "DNS: "),
                                        ("proxy", "", "[Azure]\nProxy=http://proxy.invalid:3128\n", "the proxy: ")):
        with env.fresh(name, settings=settings, started=False) as host:
            host.machine.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")  # nothing listens there: refused at once
            if hosts:
                host.machine.write("/etc/hosts", hosts)
            host.machine.start_sshd(host.port)
            host.service.start()
            wait_for(partial(is_named, host, word), name, 60)
            seen.append(told(host, "daemon.no-authority-keys", word))
            if name == "dns":
                on_page(host, "daemon.no-authority-keys")
    return "; ".join(seen)


@case("P1", "check asks every checker now, and its yes lets nobody in: not into a cache, and to no grant")
def check(env: Environment) -> str:
    with env.fresh("check") as host:
        person, carol = env.newcomer(), env.person("carol")
        object_id = env.testbed.directory.principals[env.key_of(person)].object_id
        answer = host.tool("--json", "check", person.login, "--object-id", object_id)
        report = json.loads(answer.out)
        equal([(a["checker"], a.get("role")) for a in report["answers"]],
              [("pas", "user"), ("arm", "user"), ("arm-roleassignments", "user")], "answers")
        require(answer.ok and report["role"] == "user" and not report["isDisputed"], f"{report}")
        equal(report["confirmation"], "agreed", "confirmation")
        asked = host.questions()
        admitted(host.ssh(person, "true"))
        require(host.questions() > asked, "the answer of check was used for a sign-in")
        equal(host.tool("check", "--admin", person.login).status, 1, "status for a user, asked for an administrator")
        refusal = host.tool("check", carol.login, "--object-id", env.testbed.directory.principals["carol"].object_id)
        require(refusal.status == 1 and "no role" in refusal.out, refusal.text)
        refused(host.ssh(carol, "id"), "role not assigned")
        on_page(host, "daemon.role-scope")
        fits(refusal.out)
        unknown = host.tool("check", "nobody@contoso.com").err
        require("no account" in unknown and "--object-id ID" in unknown, f"somebody unknown: {unknown}")
    return report["answers"][0]["correlationID"]


@case("P2", "a no that check hears counts at once: the grant ends, and the cached yes with it")
def check_no(env: Environment) -> str:
    with env.fresh("checkno") as host:
        person = env.newcomer()
        env.make_administrator(person)
        admitted(host.ssh(person, "sudo -n true"))
        mark = host.journal.mark()
        env.azure.withdraw(env.key_of(person))
        equal(host.tool("check", person.login).status, 1, "check's status")
        refused(host.ssh(person, "id"), "role not assigned")
        asked = list(host.journal.since(mark, event="access-check"))
        equal(asked, [], "questions for the sign-in")
    return "refused without another question"


@case("P15", "PAS and ARM disagree about somebody: check says so, and doctor until they agree")
def dispute(env: Environment) -> str:
    with env.fresh("dispute") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        env.azure.set_fault("wrong-json", "arm", json.dumps([
            {"actionId": f"Microsoft.Compute/virtualMachines/{action}/action", "accessDecision": "NotAllowed",
             "isDataAction": True, "timeToLiveInMs": 1000} for action in ("login", "loginAsAdmin")]))
        report = json.loads(host.tool("--json", "check", person.login).out)
        require(report["isDisputed"] and report["role"] == "user", f"{report}")
        line = told(host, "daemon.checkers-disagree", "AccessCheckers=")
        env.azure.clear_faults()
        equal(host.tool("check", person.login).status, 0, "check's status")
        require("daemon.checkers-disagree" not in findings(host), "the dispute stays")
    return line


@case("P15", "a dry sign-in says what a sign-in would meet, and changes nothing")
def trial(env: Environment) -> str:
    with env.fresh("trial") as host:
        before = host.rest()
        seen = []
        for key, good in (("erin", True), ("carol", False)):
            person = env.person(key)
            assert person.certificate is not None
            host.machine.write("/tmp/cert.pub", person.certificate.read_text())
            outcome = host.tool("test", "/tmp/cert.pub")
            equal(outcome.status, 0 if good else 1, outcome.text)
            fits(outcome.out)
            seen.append(outcome.out.splitlines()[0])
        equal(host.rest(), before, "what is on disk")
        require(not host.enrolled("erin@contoso.com"), "a dry sign-in enrols")
    return "; ".join(seen)


@case("P5", "root gives an account another shell and another home: the next sign-in has them, uid and person stay")
def shell_and_home(env: Environment) -> str:
    with env.fresh("moved") as host:
        person = env.newcomer()
        uid = admitted(host.ssh(person, "id -u"))
        for verb, value in (("set-shell", "/bin/sh"), ("set-home", "/srv/moved")):
            require(host.tool("users", verb, person.login, value).ok, verb)
        refused_to = host.tool("users", "set-home", person.login, "/home/lisa")
        require(refused_to.status == 1 and "home-refused" in refused_to.err, refused_to.text)
        require(host.tool("users", "set-shell", person.login, "/bin/none").status == 2, "a shell that is none")
        text = admitted(host.ssh(person, "id -u; pwd; echo $0"))
        require("/srv/moved" in text, text)
        record = host.machine.passwd(person.login)
        equal([record[2], *record[5:]], [uid.strip(), "/srv/moved", "/bin/sh"], "passwd record")
    return f"uid {uid.strip()}"


@case("P15", "sessions, keys, metrics and status show what there is, on lines that fit a terminal, and as JSON")
def looking(env: Environment) -> str:
    with env.fresh("looking") as host:
        person = env.newcomer()
        session = env.aside(host.ssh, person, "while ! test -e /tmp/go; do sleep 0.05; done")
        wait_for(lambda: bool(json.loads(host.tool("--json", "sessions").out)["sessions"]), "the session")
        entry = json.loads(host.tool("--json", "sessions").out)["sessions"][0]
        require(entry["name"] == person.login and not entry["isAdministrator"], f"{entry}")
        for verb in (["status"], ["sessions"], ["keys"], ["config"], ["users"], ["users", "show", person.login],
                     ["explain", person.login], ["stack"], ["doctor"]):
            outcome = host.tool(*verb)
            require(outcome.ok and outcome.out != "", f"{verb}: {outcome.text}")
            fits(outcome.out)
            require("\033" not in outcome.out, f"{verb}: colours without a terminal")
            json.loads(host.tool("--json", *verb).out)
        coloured = host.machine.must("script", "-qec", "entraloginctl status", "/dev/null").out
        require("\033[" in coloured, f"no colours on a terminal: {coloured!r}")
        require(len(host.tool("status").out.splitlines()) <= 24, "status is longer than a screen")
        host.machine.write("/tmp/go", "")
        admitted(session.result(30))
        host.machine.must("mkdir", "-p", "/var/lib/metrics")
        require(host.tool("metrics", "--output", "/var/lib/metrics/e.prom").ok, "metrics to a file")
        text = host.machine.read("/var/lib/metrics/e.prom")
        require(text.endswith("# EOF\n") and "entralogin_up 1" in text and person.login not in text, text)
        counted = [line for line in text.splitlines() if 'event="session-opened"' in line]
        equal(len(counted), 1, "counters of sessions")
        host.service.stop()
        equal(host.tool("metrics", "--output", "/var/lib/metrics/e.prom").status, 3, "metrics of a dead daemon")
        require("entralogin_up 0" in host.machine.read("/var/lib/metrics/e.prom"), "a dead daemon is no metric")
    return counted[0]


@case("P15", "each grant and refusal is an audit event, too: libpam writes it, as root, in the process that asks")
def audit(env: Environment) -> str:
    with env.fresh("audit") as host:
        person, carol = env.newcomer(), env.person("carol")
        log = host.machine.folder / "audit.txt"
        with tracing_sshd(host.machine, log, "sendto", "-s", "600"):
            admitted(host.ssh(person, "true"))
            refused(host.ssh(carol, "id"))
            wait_for(lambda: f'acct="{carol.login}"' in " ".join(audited(log.read_text())), "an event of carol's")
        events = audited(log.read_text())
        for login, result in ((person.login, "res=success"), (carol.login, "res=failed")):
            own = [e for e in events if "op=PAM:accounting" in e and f'acct="{login}"' in e]
            require(len(own) == 1 and result in own[0], f"{login}: {own} of {events}")
        opened = [e for e in events if "op=PAM:session_open" in e and person.login in e]
        require(len(opened) == 1 and "res=success" in opened[0], f"{opened}")
    return opened[0][:120]


@case("P16", "what the tool cannot write is an error, whichever command it is: a full disk, a reader that has gone")
def unwritten(env: Environment) -> str:
    host = env.vm
    seen = []
    for command in ("status", "doctor", "users list", "config", "--json status", "metrics", "help"):
        full = host.machine.shell(f"{TOOL} {command} >/dev/full")
        require(full.status not in (0, 5) and "cannot be written" in full.err, f"{command}: {full.status} {full.text}")
        seen.append(full.status)
    # Ends as cat(1) does: by SIGPIPE, without a message.
    gone = host.machine.run("bash", "-c", f"exec 3> >(exec true); wait $!; {TOOL} help >&3")
    equal((gone.status, gone.err), (128 + signal.SIGPIPE, ""), "with a reader that has gone")
    return f"{len(seen)} commands, status {set(seen)}"


COMPLETE = """. {script}
COMP_WORDS=({words} '') COMP_CWORD={count}
_entraloginctl
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@case("P16", "completion in bash offers the names of accounts and the keys of settings")
def completion(env: Environment) -> str:
    host, person = env.vm, env.newcomer()
    admitted(host.ssh(person, "true"))
    script = "/run/completion.bash"
    host.machine.write(script, (REPOSITORY / "packaging/completions/bash").read_text())
    offered = {}
    for words in ("entraloginctl explain", "entraloginctl users lock", "entraloginctl config", "entraloginctl"):
        text = COMPLETE.format(script=script, words=words, count=len(words.split()))
        outcome = host.machine.run("bash", "-c", text)
        require(outcome.ok, outcome.text)
        offered[words] = outcome.out.split()
    for words in ("entraloginctl explain", "entraloginctl users lock"):
        require(person.login in offered[words], f"{words}: {offered[words]}")
    require("Accounts.Domains" in offered["entraloginctl config"], str(offered["entraloginctl config"]))
    require("doctor" in offered["entraloginctl"], str(offered["entraloginctl"]))
    return f"{len(offered['entraloginctl config'])} keys"
