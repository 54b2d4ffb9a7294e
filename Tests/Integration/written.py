# SPDX-License-Identifier: Apache-2.0
"""P2 and P4: under generated files of sudo and sshd, no user is let in or becomes root without the role."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from case import case
from credentials import intruder, locked
from environment import EARLY, Environment, Host
from roles import EARLY_SUDOERS, TARGETPW, administrator
from simulator.sshkeys import public_line
from testbed import Outcome, Person
from testbed.checks import equal, require
from testbed.machine import wait_for

SCOPES = ("", "@ALL", ":ALL", ":lisa", ":%#1879048192", ":%#1879048193", ":%entra_users", ':"%:entralogin:administrators"',
          ":ENTRA", ">root", ">ALL", "!ALL", "!/usr/bin/id", "!IDS", ":!lisa", ":+nobody")
SETS = ("!pam_acct_mgmt", "pam_service=open", "pam_login_service=open", "pam_service=other", "pam_service=cron",
        "pam_service=systemd-user", "pam_service=sshd", "!authenticate", "targetpw", "rootpw", "runaspw", "!group_plugin",
        "group_plugin=/nonexistent.so", 'group_plugin="group_file.so /etc/group"', 'group_plugin="system_group.so"', "!use_pty",
        "requiretty", "!root_sudo", "exempt_group=entra_admins", "exempt_group=entra_users", "match_group_by_gid",
        "legacy_group_processing", "noexec", "setenv", "!env_reset", "ignore_local_sudoers", "!pam_session", "!pam_setcred",
        "passwd_tries=3", "timestamp_timeout=-1", "timestamp_type=global", "verifypw=never", "listpw=never", "runas_default=lisa",
        "stay_setuid", "rlimit_nofile=user", "rlimit_as=user", "case_insensitive_group", "use_netgroups", "pam_ruser",
        "!pam_ruser", "pam_askpass_service=open", "ignore_audit_errors", "intercept")
ALIASES = ('User_Alias ENTRA = %#1879048192, %entra_users, "%:entralogin:administrators"\n'
           "Cmnd_Alias IDS = /usr/bin/id, /bin/sh\n")
RULES = ("lisa ALL=(ALL) ALL", "%users ALL=(ALL) ALL", "ALL ALL=(lisa) /bin/true", "!%#1879048193 ALL=(lisa) ALL",
         '"%:entralogin:administrators" ALL=(ALL) PASSWD: /bin/true', "%#1879048193 ALL=(root) !/usr/bin/id",
         '"%:entralogin:administrators" ALL=(ALL:ALL) NOPASSWD: SETENV: ALL', "root, %root ALL=(ALL) NOPASSWD: ALL",
         '"%:entralogin:other" ALL=(ALL) NOPASSWD: ALL', '"%:other:administrators" ALL=(ALL) NOPASSWD: ALL')
# Runs sudo each time that the case creates the next file /tmp/TAG-N, until /tmp/TAG-stop exists.
LOOP = """sudo -n id -u; i=0; touch /tmp/{tag}-on; while [ ! -e /tmp/{tag}-stop ]; do
    if [ -e /tmp/{tag}-$i ]; then
        (timeout 20 sudo -n id -u; timeout 20 sudo -n -i id -u) </dev/null >/tmp/{tag}-o$i.new 2>&1
        mv /tmp/{tag}-o$i.new /tmp/{tag}-o$i; i=$((i + 1))
    else sleep 0.01; fi
done"""


def sudoers(letters: random.Random) -> str:
    lines = [f"Defaults{letters.choice(SCOPES)} " + ", ".join(letters.choice(SETS) for _ in range(letters.choice((1, 1, 2, 3))))
             for _ in range(letters.randint(1, 4))]
    lines += [letters.choice(RULES) for _ in range(letters.randint(0, 2))]
    letters.shuffle(lines)
    return ALIASES + "\n".join(lines) + "\n"


class Asker:
    """A session that answers with sudo's output for the present files."""

    def __init__(self, env: Environment, host: Host, tag: str) -> None:
        self._machine, self._tag, self._at = host.machine, f"sudo-{tag}", 0
        self.person = administrator(env)
        self._running = env.aside(host.ssh, self.person, LOOP.format(tag=self._tag), timeout=600)
        wait_for(lambda: self._machine.path(f"/tmp/{self._tag}-on").exists() or self._running.done(), "the session")

    def ask(self) -> list[str]:
        self._machine.write(f"/tmp/{self._tag}-{self._at}", "")
        said = self._machine.path(f"/tmp/{self._tag}-o{self._at}")
        wait_for(lambda: said.exists() or self._running.done(), "sudo's answer", 120)
        self._at += 1
        return said.read_text(errors="replace").splitlines()

    def end(self) -> Outcome:
        self._machine.write(f"/tmp/{self._tag}-stop", "")
        outcome: Outcome = self._running.result(60)
        return outcome


@case("P2", "300 generated files of sudoers: no setting makes entralogin's rule pass over the end of a role", deep=True,
      attack="P16")
def generated_sudoers(env: Environment) -> str:
    letters, works, tried = random.Random(30), 0, 0
    with env.fresh("sudoers") as host:
        machine = host.machine
        machine.write("/etc/pam.d/open", "".join(f"{s} required pam_permit.so\n" for s in ("auth", "account", "session")))
        gone, kept = Asker(env, host, "gone"), Asker(env, host, "kept")
        equal(gone.ask()[0], "0", "sudo while the role lasts")
        env.withdraw(gone.person)
        host.flush()
        while tried < 300:
            text, path = sudoers(letters), letters.choice((TARGETPW, TARGETPW, EARLY_SUDOERS))
            machine.write("/tmp/sudoers", text, 0o440)
            if not machine.run("visudo", "-cqf", "/tmp/sudoers").ok:
                continue
            for other in (TARGETPW, EARLY_SUDOERS):
                machine.remove(other)
            machine.write(path, text, 0o440)
            tried += 1
            require("0" not in gone.ask(), f"root without the role by {path}: {text}")
            works += "0" in kept.ask()
        require(works > tried // 3, f"sudo works with the role under {works} of {tried} files: too little was tried")
        gone.end()
        kept.end()
    return f"{tried} files; with the role root under {works}, without it under none"


CRITERIA = ("User *@*", "User *@contoso.com", "User !*@contoso.com,*", "Group entra_users", "Group users", "Address 127.0.0.0/8",
            "Address 10.0.0.0/8", "Host *", "LocalPort {port}", "LocalPort 1", "LocalAddress 127.0.0.1", "all", "Exec true",
            'Exec "test %u = root"', "User *@* Address 127.0.0.1", "User lisa", 'User "*@*"', "User *@CONTOSO.COM", "Group sudo")
HOSTILE = ("AuthorizedKeysFile /etc/ssh/planted/%u", "AuthorizedKeysFile .ssh/authorized_keys", "AuthenticationMethods any",
           "AuthorizedKeysCommand /usr/local/sbin/keys\n    AuthorizedKeysCommandUser root", "PasswordAuthentication yes",
           "AuthorizedPrincipalsFile /etc/ssh/principals", "TrustedUserCAKeys /etc/ssh/stranger",
           "KbdInteractiveAuthentication yes", "AuthorizedPrincipalsCommand /usr/local/sbin/yes",
           "AuthenticationMethods publickey password")
LATE = "/etc/ssh/sshd_config.d/90-z.conf"  # read after entralogin's file
HARMLESS = ("AllowGroups entra_users sudo root lisa", "DenyUsers nobody", "PermitTTY yes", "MaxAuthTries 10", "AcceptEnv X_*",
            "PermitRootLogin yes", "PubkeyAuthentication yes", "AllowTcpForwarding no", "ForceCommand none",
            "ClientAliveInterval 60")


def sshd_config(letters: random.Random, port: int) -> str:
    """Mostly lines that administrators write; in Match blocks about a third would break the integration."""
    def keyword() -> str:
        line = letters.choice(HOSTILE if letters.random() < 0.3 else HARMLESS)
        name, _, rest = line.partition(" ")
        return f"{letters.choice((name, name.upper(), name.lower()))}{letters.choice((' ', chr(9), '=', '  '))}{rest}"

    lines = [letters.choice(HARMLESS) for _ in range(letters.randint(0, 2))]
    for _ in range(letters.randint(0, 3)):
        lines.append("Match " + letters.choice(CRITERIA).format(port=port))
        lines += ["    " + keyword() for _ in range(letters.randint(1, 3))]
    return "\n".join(lines) + "\n"


def thieves(env: Environment, host: Host) -> list[tuple[str, Callable[[], Outcome]]]:
    """Sign-ins that must be refused: each is one that a file of sshd could allow."""
    victim, machine = env.newcomer(), host.machine
    host.ssh(victim, "true")
    thief, keys = intruder(env, victim), env.testbed.keys / "entra"
    machine.write(f"/etc/ssh/planted/{victim.login}", public_line(thief.identity) + "\n")
    home = machine.home(victim.login)
    machine.write(f"{home}/.ssh/authorized_keys", public_line(thief.identity) + "\n", 0o600)
    machine.must("chown", "-R", f"{victim.login}:", f"{home}/.ssh")
    machine.write("/etc/ssh/principals", f"{victim.login}\n")
    machine.write("/usr/local/sbin/yes", f"#!/bin/sh\necho '{victim.login}'\n", 0o755)
    machine.write("/usr/local/sbin/keys", "#!/bin/sh\ncat /etc/ssh/planted/*\n", 0o755)
    machine.write("/etc/ssh/stranger", public_line(keys / "stranger") + "\n")
    stranger = env.testbed.forged(env.key_of(victim), stranger=True)
    prober = replace(thief, identity=locked(env, victim.identity), certificate=victim.certificate)
    env.withdraw(victim)
    host.flush()

    def knock(person: Person, *flags: str) -> Callable[[], Outcome]:
        return lambda: host.ssh(person, "echo in", flags=flags)

    return [("a planted key", knock(thief)), ("a role that is gone", knock(victim)), ("no role", knock(env.person("carol"))),
            ("a stranger's CA", knock(stranger)), ("probed", knock(prober, "-i", str(thief.identity)))]


@case("P4", "60 generated files of sshd's: nobody is in by a planted key, a stranger's CA, a probed certificate or no role",
      deep=True, attack="S31")
def generated_sshd(env: Environment) -> str:
    letters, tried, verified, entered = random.Random(40), 0, 0, 0
    with env.fresh("written") as host:
        machine, ways, user = host.machine, thieves(env, host), env.newcomer()
        while tried < 60:
            path, text = letters.choice((EARLY, LATE, LATE)), sshd_config(letters, host.port)
            machine.write(path, text)
            machine.remove(LATE if path == EARLY else EARLY)
            if not machine.run("/usr/sbin/sshd", "-t").ok:
                machine.remove(path)
                continue
            tried += 1
            host.reload()
            content = host.stamp()
            verified += content
            for label, knock in ways:
                outcome = knock()
                require("in" not in outcome.out.split(), f"{label}: in, by {path} with {text}")
            entered += content and "in" in host.ssh(user, "echo in").out.split()
        took = machine.read("/var/log/sshd.log").count("by PAM account configuration")
        require(took > 10 and entered > 10, f"sshd took a credential {took} times, {entered} users in: too little was tried")
    return f"{tried} files; the check is content with {verified}, a user is in under {entered}; sshd took {took}, PAM refused"
