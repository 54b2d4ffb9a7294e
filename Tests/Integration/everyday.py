# SPDX-License-Identifier: Apache-2.0
"""P16: Documentation/how-to/everyday.md is right about rules for one user, groups, sftp, mail and clients."""

from __future__ import annotations

from case import case
from environment import Environment, Host
from roles import administrator
from testbed import Person
from testbed.checks import admitted, equal, require
from testbed.machine import run, wait_for

OWN = "/etc/ssh/sshd_config.d/60-own.conf"
ACCESS = "/etc/security/access.conf"
PAM_SSHD = "/etc/pam.d/sshd"
SENDMAIL = "/usr/sbin/sendmail"


def sshd_says(host: Host, text: str) -> None:
    host.machine.write(OWN, text)
    host.machine.reload_sshd(host.port)
    host.stamped()


def who_gets_in(host: Host, *people: Person) -> str:
    """One letter for each person: y or n."""
    return "".join("y" if host.ssh(person, "true").ok else "n" for person in people)


# alice and bob have signed in; the third user is new. sshd takes the part after an @ for the client's host.
PATTERNS = {
    "DenyUsers {alice}": "yyy",
    "DenyUsers {escaped}": "nyy",
    "DenyUsers *@contoso.com": "yyy",
    "DenyUsers *?contoso.com": "nnn",
    "AllowUsers {alice} lisa": "nnn",
    "AllowUsers *@contoso.com lisa": "nnn",
    "AllowUsers {escaped} lisa": "ynn",
    "AllowUsers *?contoso.com lisa": "yyy",
    "AllowUsers *@* lisa": "yyy",
    "AllowGroups entra_users lisa": "yyy",
    "AllowGroups entra_admins lisa": "nnn",
}


@case("P16", "AllowUsers, DenyUsers and AllowGroups as the page has them: with ? for the @, by entra_users", deep=True)
def patterns(env: Environment) -> str:
    with env.fresh("patterns") as host:
        alice, bob = administrator(env), env.newcomer()
        equal(who_gets_in(host, alice, bob), "yy", "before")
        seen = {}
        for line in PATTERNS:
            sshd_says(host, line.format(alice=alice.login, escaped=alice.login.replace("@", "?")) + "\n")
            seen[line] = who_gets_in(host, alice, bob, env.newcomer())
            equal(who_gets_in(host, env.lisa), "y", f"lisa by {line}")
        equal({k: v for k, v in seen.items() if PATTERNS[k] != v}, {}, "lines that do something else")
    return f"{len(seen)} lines"


RULES = {
    "+:root lisa:ALL\n+:{alice}:ALL\n-:ALL:ALL": "nnn",
    "-:{alice}:ALL": "yyy",
    "+:root lisa:ALL\n+:(entra_users):ALL\n-:ALL:ALL": "yyy",
    "+:root lisa:ALL\n+:({alice}):ALL\n-:ALL:ALL": "ynn",
    "-:({alice}):ALL": "nyy",
    "+:root lisa:ALL\n+:(entra_admins):ALL\n-:ALL:ALL": "nnn",
}


@case("P16", "access.conf as the page has it: one user's name in parentheses, entra_users, never entra_admins", deep=True)
def access(env: Environment) -> str:
    with env.fresh("access") as host:
        alice, bob = administrator(env), env.newcomer()
        equal(who_gets_in(host, alice, bob), "yy", "before")
        host.machine.write(PAM_SSHD, host.machine.read(PAM_SSHD) + "account required pam_access.so\n")
        host.stamped()
        seen = {}
        for rule in RULES:
            host.machine.write(ACCESS, rule.format(alice=alice.login) + "\n")
            seen[rule] = who_gets_in(host, alice, bob, env.newcomer())
        equal({k: v for k, v in seen.items() if RULES[k] != v}, {}, "rules that do something else")
    return f"{len(seen)} rules"


@case("P16", "time.conf by a user's name keeps nobody out", deep=True)
def times(env: Environment) -> str:
    with env.fresh("times") as host:
        person = env.newcomer()
        host.machine.write(PAM_SSHD, host.machine.read(PAM_SSHD) + "account required pam_time.so\n")
        host.machine.write("/etc/security/time.conf", f"sshd;*;{person.login};!Al0000-2400\n")
        host.stamped()
        equal(who_gets_in(host, person), "y", "by name")
        host.machine.write("/etc/security/time.conf", "sshd;*;lisa;!Al0000-2400\n")
        equal(who_gets_in(host, env.lisa), "n", "the module works: lisa")
    return "a local name is met, a name with an @ is not"


@case("P16", "a local group: usermod once the user has signed in; useradd before that takes the name", deep=True)
def groups(env: Environment) -> str:
    with env.fresh("groups") as host:
        machine, person, later = host.machine, env.newcomer(), env.newcomer()
        admitted(host.ssh(person, "true"))
        machine.must("groupadd", "docker")
        machine.must("usermod", "-aG", "docker", person.login)
        require("docker" in admitted(host.ssh(person, "id -Gn")).split(), "no member at the next sign-in")
        machine.must("gpasswd", "-d", person.login, "docker")
        require("docker" not in admitted(host.ssh(person, "id -Gn")).split(), "still a member")
        require(not machine.run("usermod", "-aG", "docker", later.login).ok, "usermod of a name that never signed in")
        machine.must("useradd", "-m", "-G", "docker", later.login)
        equal(who_gets_in(host, later), "n", "after useradd took the name")
        machine.write("/etc/subuid", "lisa:100000:65536\n")
        machine.write("/etc/subgid", "lisa:100000:65536\n")
        machine.must("usermod", "--add-subuids", "200000-265535", "--add-subgids", "200000-265535", person.login)
        equal(machine.read("/etc/subuid").splitlines()[1], f"{person.login}:200000:65536", "the line in /etc/subuid")
    return "in, out, and taken"


@case("P16", "sftp only: a folder of root's for each name works from the first sign-in on, the home never", deep=True)
def only_sftp(env: Environment) -> str:
    with env.fresh("sftp") as host:
        person = env.newcomer()
        folder = f"/srv/sftp/{person.login}"
        block = "Match User *@contoso.com\n    ForceCommand internal-sftp -d /upload\n    ChrootDirectory {}\n"
        sshd_says(host, block.format("/srv/sftp/%u"))
        host.machine.must("install", "-d", f"{folder}/upload")
        listed = person.sftp("pwd\n", port=host.port)
        require("/upload" in listed.out, f"a folder of root's: {listed.text}")
        sshd_says(host, block.format("%h"))
        home = person.sftp("pwd\n", port=host.port)
        require(not home.ok and "Broken pipe" in home.text, f"the home: {home.text}")
    return one_line_of(home.text)


def one_line_of(text: str) -> str:
    return text.strip().splitlines()[-1]


@case("P16", "mail of a cron job goes to the user's whole name, unless MAILTO says otherwise", deep=True)
def mail(env: Environment) -> str:
    with env.fresh("mail") as host:
        machine, person = host.machine, env.newcomer()
        admitted(host.ssh(person, "true"))
        machine.write(SENDMAIL, "#!/bin/sh\ncat >/dev/null\necho \"$*\" >>/var/tmp/mails\n", 0o755)
        machine.must("install", "-m", "666", "/dev/null", "/var/tmp/mails")
        machine.write("/etc/cron.d/own", f"@reboot {person.login} echo words\nMAILTO=root\n@reboot {person.login} echo more\n")
        machine.start_cron()
        wait_for(lambda: len(machine.read("/var/tmp/mails").splitlines()) == 2, "two mails", 90)
        sent = sorted(line.split()[-1] for line in machine.read("/var/tmp/mails").splitlines())
        equal(sent, sorted([person.login, "root"]), "whom the mails are for")
    return " ".join(sent)


@case("P16", "clients: %40 in a URL, %C in ControlPath, any pipe; LogLevel ERROR hides refusals; a copied key opens nothing",
      deep=True)
def on_the_client(env: Environment) -> str:
    host, person, service = env.vm, env.newcomer(), env.person("svc")
    url = f"ssh://{person.login.replace('@', '%40')}@127.0.0.1:{host.port}"
    admitted(run(person.argv(url, "id -un"), environment={"PATH": "/usr/bin:/bin"}), f"{person.login}\n")
    pipe = "bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3; kill $!'"
    admitted(host.ssh(person, "id -un", options={"ProxyCommand": pipe}), f"{person.login}\n")
    long = f"{service.folder}/a-folder-that-is-long-because-people-have-long-names"
    service.folder.joinpath(long).mkdir(exist_ok=True)
    shared = {"ControlMaster": "auto", "ControlPersist": "1"}
    named = host.ssh(service, "true", options=shared | {"ControlPath": f"{long}/control-%r@%h:%p"})
    require(not named.ok and "too long" in named.text, f"a path with %r: {named.text}")
    admitted(host.ssh(service, "true", options=shared | {"ControlPath": f"{service.folder}/%C"}))
    quiet = [host.ssh(env.person("carol"), "true", options={"LogLevel": level}) for level in ("ERROR", "INFO")]
    equal(["role not assigned" in outcome.text for outcome in quiet], [False, True], "the refusal, with LogLevel ERROR and INFO")
    keys = f"{host.machine.home(person.login)}/.ssh/authorized_keys"
    public = person.identity.with_suffix(".pub").read_text()
    admitted(host.ssh(person, f"mkdir -p .ssh; echo '{public.strip()}' >{keys}; chmod 700 .ssh; chmod 600 {keys}"))
    bare = Person(person.login, person.folder, person.identity)
    require(not host.ssh(bare, "true").ok, "a key in authorized_keys lets in")
    return one_line_of(named.text)


@case("P16", "old archive formats refuse the numbers of Entra accounts; a name with a dot in sudoers.d is not read",
      deep=True)
def odds(env: Environment) -> str:
    host, person = env.vm, env.newcomer()
    said = host.ssh(person, "echo x >f; tar --format=ustar -cf u.tar f; tar --format=posix -cf p.tar f && tar tf p.tar")
    require("out of" in said.err and said.out == "f\n", f"ustar and posix: {said.text}")
    with env.fresh("dots") as other:
        rule = f'"{person.login}" ALL=(root) NOPASSWD: /usr/bin/id\n'
        other.machine.write(f"/etc/sudoers.d/{person.login}", rule, 0o440)
        require("0" not in other.ssh(person, "sudo -n id -u").lines(), "a file with a dot in its name is read")
        doctor = other.tool("doctor").out
        require(f"does not read /etc/sudoers.d/{person.login}" in " ".join(doctor.split()), f"doctor does not say so: {doctor}")
        other.machine.write("/etc/sudoers.d/one-user", rule, 0o440)
        equal(other.ssh(person, "sudo -n /usr/bin/id -u").out, "0\n", "the same rule in a file without a dot")
    return one_line_of(said.err)


@case("P16", "sudo of a user without the role: one sentence that names the role, in place of three prompts")
def one_sentence(env: Environment) -> str:
    said = env.vm.ssh(env.newcomer(), "echo x | sudo -S id -u")
    sentence = "may not do that. Ask for the Azure role Virtual Machine Administrator Login"
    require(not said.ok and said.err.count(sentence) == 1 and "1 incorrect password attempt" in said.err, said.text)
    return sentence


@case("P16", "an image: with state and homes removed as the page says, a machine made of it knows no account of before",
      deep=True)
def image(env: Environment) -> str:
    with env.fresh("image") as host:
        machine, before, other = host.machine, env.newcomer(), env.newcomer()
        admitted(host.ssh(before, "touch mine"))
        host.service.stop()
        machine.must("/bin/bash", "-c", "rm -rf /var/lib/entralogin/* /var/lib/entralogin-sshd/*; rm -rf /home/*@*")
        machine.must("/bin/bash", "-c", "rm -rf /run/entralogin/*; systemd-tmpfiles --create entralogin.conf")  # as at boot
        host.begin()
        host.stamped()
        require(not host.enrolled(before.login), "an account of before is still there")
        admitted(host.ssh(other, "true"))
        equal(admitted(host.ssh(before, "ls")), "", "a home of its own, made anew")
    return "enrolled anew, with an empty home"
