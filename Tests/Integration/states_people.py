# SPDX-License-Identifier: Apache-2.0
"""States of accounts and homes, of rules of sshd and other PAM modules for who may sign in, and of sudo's rules."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from booted_environment import BootedHost
from state import State
from states_seen import NEWCOMER, ROLES, USER

ALICE, BOB = "alice@contoso.com", "bob@contoso.com"
EARLY, LATE = "/etc/ssh/sshd_config.d/00-a.conf", "/etc/ssh/sshd_config.d/90-late.conf"
ACCOUNT = "/etc/pam.d/common-account"
STORE = "/var/lib/entralogin/accounts"
# Lines that an administrator writes into sshd's configuration, before and after entralogin's block.
SSHD = (
    "AllowUsers lisa root", "AllowUsers lisa alice@contoso.com", "AllowUsers *@*", "AllowUsers *",
    "AllowUsers *?contoso.com lisa",
    "DenyUsers bob*", "DenyUsers *@contoso.com", "DenyUsers ?ob?contoso.com", "AllowGroups sudo", "AllowGroups entra_users sudo",
    "AllowGroups entra_admins sudo", "DenyGroups entra_users", "DenyGroups entra_admins", "DenyGroups users",
    "UsePAM no", "AuthorizedKeysFile none", "AuthorizedKeysFile /etc/ssh/keys/%u", "PubkeyAuthentication no",
    "TrustedUserCAKeys none", "AuthorizedPrincipalsFile /etc/ssh/principals", "AuthorizedPrincipalsCommand /bin/false",
    "AuthenticationMethods any", "AuthenticationMethods publickey,password", "PubkeyAcceptedAlgorithms ssh-ed25519",
    "CASignatureAlgorithms ssh-ed25519", "RequiredRSASize 4096", "MaxAuthTries 1", "MaxSessions 0", "MaxSessions 1",
    "MaxStartups 1:100:1", "LoginGraceTime 1", "PermitTTY no", "ForceCommand /bin/false", "ForceCommand internal-sftp",
    "ChrootDirectory /var/empty", "StrictModes yes", "Banner /nonexistent", "PermitUserRC no", "Nonsense yes",
    "RevokedKeys /nonexistent", "RevokedKeys /dev/null", "HostCertificate /nonexistent", "PasswordAuthentication no",
    "KbdInteractiveAuthentication no", "ExposeAuthInfo yes", "IgnoreRhosts no", "Match User bob*\n    DenyUsers bob*",
    "Match Group entra_users\n    ForceCommand /bin/false", "Match User *@contoso.com\n    PubkeyAuthentication no",
    "Match Address 127.0.0.1\n    PubkeyAuthentication no", "Match all\n    AuthorizedPrincipalsCommand none",
    "Match User newcomer\n    PermitTTY no", "Include /nonexistent", "AllowUsers",
)
# Lines that were seen to change nothing.
HARMLESS = {one for one in SSHD if one.split()[0] in (
    "MaxAuthTries", "MaxStartups", "LoginGraceTime", "PermitTTY", "StrictModes", "Banner", "PermitUserRC", "HostCertificate",
    "PasswordAuthentication", "KbdInteractiveAuthentication", "ExposeAuthInfo", "IgnoreRhosts", "Include")}
PAM_LINES = (
    "account required pam_access.so", "account required pam_nologin.so", "account requisite pam_deny.so",
    "account required pam_time.so", "account required pam_succeed_if.so user ingroup sudo",
    "account required pam_succeed_if.so uid < 100000", "account required pam_succeed_if.so quiet shell notin /bin/bash",
    "account required pam_listfile.so onerr=fail item=user sense=allow file=/etc/allowed",
    "account required pam_listfile.so onerr=succeed item=user sense=deny file=/etc/denied",
    "account sufficient pam_permit.so", "account required pam_permit.so", "account required pam_missing.so",
    "account required pam_shells.so", "account required pam_unix.so", "account required pam_exec.so /bin/false", "nonsense",
)
FILES = {
    "/etc/security/access.conf": "-:ALL EXCEPT root lisa:ALL\n", "/etc/security/time.conf": "*;*;!root&!lisa;!Al0000-2400\n",
    "/etc/allowed": "root\nlisa\n", "/etc/denied": f"{BOB}\n",
}


def _shell(script: str, host: BootedHost) -> None:
    host.machine.shell(script)


def _write(path: str, text: str, host: BootedHost) -> None:
    host.machine.write_file(path, text)


def sshd() -> Iterator[State]:
    for text in SSHD:
        for path, where in ((EARLY, "before our block"), (LATE, "behind our block")):
            name = " / ".join(" ".join(text.split("\n")).split("    "))
            yield State("sshd", f"{name}, {where}", partial(_write, path, text + "\n"), (path,), "systemctl reload ssh",
                        denied=_turned_away(text), local=False,
                        deep=path == LATE or text in HARMLESS)


def _turned_away(text: str) -> tuple[str, ...]:
    if "ForceCommand" in text:
        return ROLES
    return (USER,) if text.startswith("DenyUsers") else ()


def pam() -> Iterator[State]:
    """A line of another module before and after entralogin's, with that module's own file."""
    for line in PAM_LINES:
        for where, script in (("first", f"sed -i '1i {line}' {ACCOUNT}"), ("last", f"echo '{line}' >>{ACCOUNT}")):
            yield State("PAM", f"{line}, {where}", partial(_with_files, script), (ACCOUNT, *FILES), local=False,
                        denied=(USER,) if "sense=deny" in line else (),
                        deep=where == "first" and "pam_access" not in line)
    for service in ("sshd", "sudo"):
        for line in ("account required pam_deny.so", "session required pam_deny.so", "auth required pam_deny.so",
                     "session required pam_limits.so", "session required pam_mkhomedir.so"):
            path = f"/etc/pam.d/{service}"
            yield State("PAM", f"{path}: {line}, last", partial(_shell, f"echo '{line}' >>{path}"), (path,), local=False)
        yield State("PAM", f"/etc/pam.d/{service} is missing", partial(_shell, f"rm /etc/pam.d/{service}"),
                    (f"/etc/pam.d/{service}",), local=False)


def _with_files(script: str, host: BootedHost) -> None:
    for path, text in FILES.items():
        host.machine.write_file(path, text)
    host.machine.shell(script)


HOMES = {
    "is missing": "rm -rf '{home}'", "belongs to lisa": "chown lisa '{home}'", "belongs to root": "chown root: '{home}'",
    "belongs to root, with a file in it": "touch '{home}/notes'; chown root: '{home}'",
    "has the mode 0777": "chmod 777 '{home}'", "has the mode 0000": "chmod 0 '{home}'",
    "is a file": "rm -rf '{home}'; touch '{home}'", "is a link to nothing": "rm -rf '{home}'; ln -s /nowhere '{home}'",
    "is a link to lisa's": "rm -rf '{home}'; ln -s /home/lisa '{home}'", "is read-only": "mount --bind -r '{home}' '{home}'",
    "is empty": "find '{home}' -mindepth 1 -delete",
}
SCRIPTS = {
    "a local user has bob's name": "echo 'bob@contoso.com:x:1500:100::/home/lisa:/bin/sh' >>/etc/passwd",
    "a local group has bob's name": "echo 'bob@contoso.com:x:1500:' >>/etc/group",
    "a local user has bob's number": "echo \"twin:x:$(id -u bob@contoso.com):100::/:/bin/sh\" >>/etc/passwd",
    "a local group has bob's number": "echo \"twin:x:$(id -u bob@contoso.com):\" >>/etc/group",
    "a local group is called entra_users": "echo 'entra_users:x:1501:lisa' >>/etc/group",
    "a local group is called entra_admins": "echo 'entra_admins:x:1502:lisa' >>/etc/group",
    "a local group has entra_admins' number": "echo 'twins:x:1879048193:lisa' >>/etc/group",
    "/run/nologin is there": "echo 'closed for repair' >/run/nologin",
    "/etc/nologin is there": "echo 'closed for repair' >/etc/nologin",
    "bash is gone from /etc/shells": "sed -i /bash/d /etc/shells", "/etc/shells is missing": "rm /etc/shells",
    "bash may not be run": "chmod 0 /usr/bin/bash", "bob was retired": "entraloginctl users retire bob@contoso.com",
    "bob has another shell that is there": "entraloginctl users set-shell bob@contoso.com /bin/sh",
    "bob has nologin as his shell": "entraloginctl users set-shell bob@contoso.com /usr/sbin/nologin",
    "bob has a home elsewhere": "entraloginctl users set-home bob@contoso.com /srv/bob",
    "bob has a home that cannot be": "entraloginctl users set-home bob@contoso.com /proc/bob",
    "a newcomer's home is another's": "for n in $(seq 0 599); do mkdir -p /home/user$n@contoso.com; done",
    "a newcomer's home is a file": "for n in $(seq 0 599); do touch /home/user$n@contoso.com; done",
    "a newcomer's name is a local group's": "for n in $(seq 0 599); do echo user$n@contoso.com:x:$((3000+n)): >>/etc/group; done",
    "a newcomer's name is a local user's":
        "for n in $(seq 0 599); do echo user$n@contoso.com:x:$((3000+n)):100::/:/bin/sh >>/etc/passwd; done",
    "/home may be written by all": "chmod 777 /home", "/home is closed": "chmod 700 /home", "/home is lisa's": "chown lisa /home",
    "/ may be written by all": "chmod 777 /", "/ is closed to others": "chmod 700 /", "/etc/skel is missing": "rm -rf /etc/skel",
    "/etc/skel is large": "dd if=/dev/zero of=/etc/skel/large bs=1M count=4 status=none", "/dev/null is a file":
        "rm /dev/null; touch /dev/null", "/tmp is closed": "chmod 700 /tmp", "/var/log is missing": "mv /var/log /var/log-away",
    "the host keys are missing": "rm /etc/ssh/ssh_host_*", "a host key may be read by all": "chmod 644 /etc/ssh/ssh_host_*_key",
    "/run/sshd is missing": "rm -rf /run/sshd", "wtmp and utmp are missing": "rm -f /var/log/wtmp /run/utmp",
    "the user entralogin-ssh is locked": "usermod -L -e 1 entralogin-ssh",
    "the user entralogin has expired": "usermod -e 1 entralogin",
    "the user entralogin has another number": "sed -i 's/^entralogin:x:[0-9]*:/entralogin:x:777:/' /etc/passwd",
    "limits: nobody may have a process": "echo '* hard nproc 0' >/etc/security/limits.d/none.conf",
    "limits: no further login": "echo '* hard maxlogins 0' >/etc/security/limits.d/none.conf",
}
SUDO = {
    "a later rule denies administrators": "%entra_admins ALL=(ALL) !ALL\n",
    "a later rule asks for a password": "%entra_users ALL=(ALL:ALL) PASSWD: ALL\n",
    "everybody has to have a terminal": "Defaults requiretty\n",
    "another plugin for groups": "Defaults group_plugin=/nonexistent.so\n",
    "root's password is asked": "Defaults rootpw\n", "PAM is not asked": "Defaults !pam_acct_mgmt\n",
    "another PAM service": "Defaults pam_service=other\n", "a syntax error": "this is nonsense\n",
    "nothing new": "Defaults insults\n",
    "lecture": "Defaults lecture=always\n", "sudo waits for a log server": "Defaults log_servers=127.0.0.1:9\n",
    "sudo logs its input and output": "Defaults log_input,log_output\n", "no setting": "",
}


def homes() -> Iterator[State]:
    for who, login in (("the administrator's", ALICE), ("the user's", BOB)):
        for how, script in HOMES.items():
            yield State("home", f"{who} {how}", partial(_shell, script.format(home=f"/home/{login}")), rebuild=True,
                        deep=login == ALICE)


def accounts() -> Iterator[State]:
    for name, script in SCRIPTS.items():
        yield State("account", name, partial(_shell, script), denied=_denied(name), rebuild=True,
                    local=name.startswith(("a local", "bob", "a newcomer")))
    for place in ("1", "2", "$"):
        script = f"sed -i '{place}s/contoso/contosx/' {STORE}; systemctl restart --no-block entralogind"
        yield State("account", f"one letter changed in line {place} of the store, before a start", partial(_shell, script),
                    rebuild=True)


def _denied(name: str) -> tuple[str, ...]:
    """The roles whose users are refused by root's own settings, or because their name is local. `doctor` cannot know that of a
    user before the first sign-in."""
    is_bob = name in ("bob was retired", "bob has nologin as his shell", "a local user has bob's name")
    return (USER,) if is_bob else (NEWCOMER,) if name.startswith("a newcomer's") else ()


def sudo() -> Iterator[State]:
    for name, text in SUDO.items():
        for path in ("/etc/sudoers.d/00-early", "/etc/sudoers.d/zz-late"):
            yield State("sudo", f"{name}, {path}", partial(_write, path, text), (path,), deep="early" in path)
    for name, script in {"sudo is not setuid": "chmod u-s /usr/bin/sudo", "sudo is missing": "rm /usr/bin/sudo",
                         "/etc/sudoers has no includedir": "sed -i '/includedir/d' /etc/sudoers",
                         "/etc/sudoers may be written by all": "chmod 666 /etc/sudoers",
                         "/etc/sudo.conf names another plugin": "echo 'Plugin sudoers_policy nonexistent.so' >/etc/sudo.conf",
                         "nsswitch.conf takes sudoers from sss": "echo 'sudoers: sss' >>/etc/nsswitch.conf"}.items():
        yield State("sudo", name, partial(_shell, script),
                    ("/usr/bin/sudo", "/etc/sudoers", "/etc/sudo.conf", "/etc/nsswitch.conf"))
