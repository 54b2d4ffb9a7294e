# SPDX-License-Identifier: Apache-2.0
"""P4, P8 and P16: PAM stacks as other distributions have them, and unusual stacks that a test generates."""

from __future__ import annotations

import random
from functools import partial

from case import case
from environment import Environment, Host
from roles import administrator, sudo_refused_after
from testbed import Person
from testbed.checks import admitted, equal, require

PAM_SSHD = "/etc/pam.d/sshd"
GUID = "????????-????-????-????-????????????"
NOT_ENTRA = f"uid < 1879049216 user !~ *@* user !~ {GUID}"
FIRST = "account [success=2 ignore=2 module_unknown=ignore default=die] pam_entralogin.so"
BEHIND = [("account requisite pam_succeed_if.so quiet uid < 1879049216 user notingroup entra_admins user !~ *@* ruser !~ *@* "
           f"user !~ {GUID} ruser !~ {GUID}"),
          f"account requisite pam_succeed_if.so quiet use_uid {NOT_ENTRA}"]
ACCOUNT = "\n".join([FIRST, *BEHIND])
SESSION = ("session [success=1 ignore=1 module_unknown=ignore default=die] pam_entralogin.so\n"
           f"session requisite pam_succeed_if.so quiet {NOT_ENTRA}\n"
           "session [success=ignore default=1] pam_succeed_if.so quiet uid >= 1879049216 uid <= 2147352575\n"
           "session optional pam_mkhomedir.so umask=0077")

# The PAM files that sshd and sudo include, as in the distribution, with entralogin's lines where the documentation puts them.
RHEL = {
    "sshd": "auth substack password-auth\nauth include postlogin\naccount required pam_nologin.so\n"
            "account include password-auth\nsession required pam_loginuid.so\nsession include password-auth\n"
            "session include postlogin\n",
    "sudo": "auth include system-auth\naccount include system-auth\nsession include system-auth\n",
    "postlogin": "session optional pam_umask.so silent\n",
    **dict.fromkeys(("system-auth", "password-auth"), "".join((
        "auth required pam_faildelay.so delay=2000\nauth required pam_faillock.so preauth silent\n",
        "auth sufficient pam_unix.so\nauth required pam_faillock.so authfail\nauth required pam_deny.so\n",
        f"{ACCOUNT}\naccount required pam_access.so\naccount required pam_faillock.so\naccount required pam_unix.so\n",
        "account sufficient pam_localuser.so\naccount sufficient pam_usertype.so issystem\n",
        f"account required pam_permit.so\n{SESSION}\nsession optional pam_keyinit.so revoke\n",
        "session required pam_limits.so\n-session optional pam_systemd.so\n",
        "session [success=1 default=ignore] pam_succeed_if.so service in crond quiet use_uid\n",
        "session required pam_unix.so\n"))),
}
SUSE = {
    "sshd": "auth requisite pam_nologin.so\nauth include common-auth\naccount requisite pam_nologin.so\n"
            "account include common-account\nsession required pam_loginuid.so\nsession include common-session\n",
    "sudo": "auth include common-auth\naccount include common-account\nsession include common-session\n",
    "common-auth": "auth required pam_env.so\nauth required pam_unix.so try_first_pass\n",
    "common-account": f"{ACCOUNT}\naccount requisite pam_unix.so try_first_pass\naccount sufficient pam_localuser.so\n"
                      "account required pam_permit.so\n",
    "common-session": f"{SESSION}\nsession required pam_limits.so\nsession required pam_unix.so try_first_pass\n"
                      "session optional pam_umask.so\n-session optional pam_systemd.so\nsession optional pam_env.so\n",
}
UBUNTU = {
    "sshd": "@include common-auth\naccount required pam_nologin.so\n@include common-account\n"
            "session required pam_loginuid.so\n@include common-session\nsession optional pam_motd.so noupdate\n"
            "session required pam_limits.so\nsession required pam_env.so\n",
    "sudo": "session required pam_limits.so\n@include common-auth\n@include common-account\n@include common-session\n",
    "common-auth": "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n"
                   "auth required pam_permit.so\n",
    "common-account": f"{ACCOUNT}\naccount [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n"
                      "account requisite pam_deny.so\naccount required pam_permit.so\naccount sufficient pam_localuser.so\n",
    "common-session": f"session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_permit.so\n"
                      f"{SESSION}\nsession optional pam_umask.so\nsession required pam_unix.so\n",
}
# Written by hand: any failure ends the stack, and entralogin's line is in a file of its own.
REST = ("account [success=1 default=die] pam_unix.so\naccount required pam_deny.so\n"
        "account [success=ok new_authtok_reqd=ok ignore=ignore default=die] pam_permit.so\n")
STRICT = UBUNTU | {"common-account": f"account include entra\n{REST}", "entra": f"{ACCOUNT}\n"}
SUBSTACK = STRICT | {"common-account": f"account substack entra\naccount [default=reset] pam_permit.so\n{REST}"}
LAYOUTS = {"RHEL 9": RHEL, "SUSE 15": SUSE, "Ubuntu 24.04": UBUNTU, "default=die": STRICT}


@case("P4", "PAM laid out as on RHEL 9, SUSE 15 and Ubuntu 24.04, and with default=die: the same people get in, and no other",
      attack="S29")
def layouts(env: Environment) -> str:
    with env.fresh("layouts") as host:
        for label, files in LAYOUTS.items():
            write(host, files)
            require(host.stamp(), f"{label}: the check is not content: {host.tool('stack').text[-800:]}")
            user, refused = env.newcomer(), host.ssh(env.person("carol"), "echo in")
            equal(host.ssh(user, "id -un; pwd").out, f"{user.login}\n/home/{user.login}\n", f"{label}: a user with the role")
            require("in" not in refused.out and "role not assigned" in refused.text, f"{label}: carol: {refused.text}")
            equal(host.ssh(env.lisa, "id -un").out, "lisa\n", f"{label}: a local user")
            person = administrator(env)
            sudo_refused_after(env, host, person, partial(env.withdraw, person))
            # The control: the same files without entralogin's lines.
            write(host, {path: text.replace(ACCOUNT, "").replace(SESSION, "") for path, text in files.items()})
            require(not host.stamp(), f"{label}: without our lines the check is content")
        write(host, SUBSTACK)
        require(not host.stamp(), "the check is content with a substack whose no is taken back behind it")
    return f"{len(LAYOUTS)} layouts, and one in a substack that is refused"


def write(host: Host, files: dict[str, str]) -> None:
    for path, text in files.items():
        host.machine.write(f"/etc/pam.d/{path}", f"#%PAM-1.0\n{text}")


ACTIONS = ("required", "requisite", "sufficient", "optional", "[success=1 default=ignore]", "[success=2 default=ignore]",
           "[default=1]", "[default=2]", "[default=ignore]", "[success=done default=ignore]", "[default=done]", "[default=die]",
           "[success=reset default=reset]", "[default=reset]", "[success=3 default=ok]", "[default=ok]",
           "[SUCCESS=done Default=ignore]", "[success=ok new_authtok_reqd=ok ignore=ignore user_unknown=ignore default=bad]",
           "[user_unknown=reset default=ignore]",
           "[perm_denied=ok default=ignore]", "[success=99 default=ignore]")
OTHERS = ("pam_permit.so", "pam_permit.so", "pam_unix.so", "pam_nologin.so", "pam_localuser.so", "pam_deny.so", "pam_access.so",
          "pam_succeed_if.so quiet uid >= 1000", "pam_succeed_if.so quiet user =~ *@*", "pam_succeed_if.so quiet uid < 1000",
          "pam_succeed_if.so quiet user ingroup entra_users", "pam_time.so", "pam_faillock.so", "pam_missing.so", "pam_env.so")
LINES = (FIRST, "account [success=ok ignore=ignore module_unknown=ignore default=die] pam_entralogin.so",
         "account required pam_entralogin.so", "account requisite pam_entralogin.so", "ACCOUNT requisite pam_entralogin.so",
         "account [success=ok ignore=ignore default=bad] pam_entralogin.so", "-account required pam_entralogin.so",
         "account [success=ok ignore=ignore perm_denied=ignore default=die] pam_entralogin.so",
         "account [success=ok ignore=ignore auth_err=ok default=die] pam_entralogin.so",
         "account \\\n [success=ok ignore=ignore default=die] \\\n pam_entralogin.so")


def generated(letters: random.Random) -> tuple[dict[str, list[str]], list[str]]:
    """sshd's account stage with three files that include each other, and the session stage."""
    def others(most: int) -> list[str]:
        return [f"account {letters.choice(ACTIONS)} {letters.choice(OTHERS)}" for _ in range(letters.randint(0, most))]

    files = {name: others(3) for name in ("sshd", "one", "two", "three")}
    for name, hosts in (("one", ("sshd",)), ("two", ("sshd", "one")), ("three", ("sshd", "one", "two"))):
        host = files[letters.choice(hosts)]
        line = letters.choice(("account include {}", "account substack {}", "@include {}")).format(name)
        host.insert(letters.randint(0, len(host)), line)
    line, target = letters.choice((FIRST, *LINES)), files[letters.choice(("sshd", "sshd", *files))]
    at = 0 if letters.random() < 0.7 else letters.randint(0, len(target))
    target[at:at] = [line, *BEHIND] if line == FIRST else [line]
    session = [SESSION, "session required pam_unix.so"]
    if letters.random() < 0.3:
        extra = letters.choice(("pam_permit.so", "pam_deny.so", "pam_limits.so", "pam_loginuid.so"))
        session.insert(letters.randint(0, 1), f"session {letters.choice(ACTIONS)} {extra}")
    return files, session


def lay(host: Host, files: dict[str, list[str]], session: list[str]) -> str:
    for name, lines in files.items():
        whole = lines if name != "sshd" else ["auth required pam_permit.so", *lines, *session]
        host.machine.write(f"/etc/pam.d/{name}", "".join(f"{line}\n" for line in whole))
    return f"{files} {session}"


@case("P4", "250 generated PAM stacks: where the check is content, nobody without the role gets in, and who gets in is enrolled",
      deep=True, attack="S30")
def stacks(env: Environment) -> str:
    letters, verified, entered = random.Random(20), 0, 0
    with env.fresh("stacks") as host:
        carol: Person = env.person("carol")
        for _ in range(250):
            seen = lay(host, *generated(letters))
            if not host.stamp():
                continue
            verified += 1
            require("in" not in host.ssh(carol, "echo in").out.split(), f"carol is in: {seen}")
            person = env.newcomer()
            if "in" in host.ssh(person, "echo in").out.split():
                entered += 1
                require(host.enrolled(person.login), f"in, and not enrolled: {seen}")
        require(entered > 10, f"only {entered} people with the role got in: too little was tried")
        admitted(env.vm.ssh(env.lisa, "true"))
    return f"{verified} stacks that the check is content with, {entered} people with the role in, carol never"
