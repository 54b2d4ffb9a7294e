# SPDX-License-Identifier: Apache-2.0
"""P16: Documentation/how-to/everyday.md is right about rules for one user, groups, sftp, mail and clients."""

from __future__ import annotations

from bed import Person
from bed.checks import admitted, equal, require
from bed.machine import run, wait_for
from case import case
from ground import Ground, Site
from roles import administrator

OWN = "/etc/ssh/sshd_config.d/60-own.conf"
ACCESS = "/etc/security/access.conf"
PAM_SSHD = "/etc/pam.d/sshd"
SENDMAIL = "/usr/sbin/sendmail"


def sshd_says(site: Site, text: str) -> None:
    site.machine.write(OWN, text)
    site.machine.reload_sshd(site.port)
    site.stamped()


def who_gets_in(site: Site, *people: Person) -> str:
    """One letter for each person: y or n."""
    return "".join("y" if site.ssh(person, "true").ok else "n" for person in people)


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
def patterns(ground: Ground) -> str:
    with ground.fresh("patterns") as site:
        alice, bob = administrator(ground), ground.newcomer()
        equal(who_gets_in(site, alice, bob), "yy", "before")
        seen = {}
        for line in PATTERNS:
            sshd_says(site, line.format(alice=alice.login, escaped=alice.login.replace("@", "?")) + "\n")
            seen[line] = who_gets_in(site, alice, bob, ground.newcomer())
            equal(who_gets_in(site, ground.lisa), "y", f"lisa by {line}")
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
def access(ground: Ground) -> str:
    with ground.fresh("access") as site:
        alice, bob = administrator(ground), ground.newcomer()
        equal(who_gets_in(site, alice, bob), "yy", "before")
        site.machine.write(PAM_SSHD, site.machine.read(PAM_SSHD) + "account required pam_access.so\n")
        site.stamped()
        seen = {}
        for rule in RULES:
            site.machine.write(ACCESS, rule.format(alice=alice.login) + "\n")
            seen[rule] = who_gets_in(site, alice, bob, ground.newcomer())
        equal({k: v for k, v in seen.items() if RULES[k] != v}, {}, "rules that do something else")
    return f"{len(seen)} rules"


@case("P16", "time.conf by a user's name keeps nobody out", deep=True)
def times(ground: Ground) -> str:
    with ground.fresh("times") as site:
        person = ground.newcomer()
        site.machine.write(PAM_SSHD, site.machine.read(PAM_SSHD) + "account required pam_time.so\n")
        site.machine.write("/etc/security/time.conf", f"sshd;*;{person.login};!Al0000-2400\n")
        site.stamped()
        equal(who_gets_in(site, person), "y", "by name")
        site.machine.write("/etc/security/time.conf", "sshd;*;lisa;!Al0000-2400\n")
        equal(who_gets_in(site, ground.lisa), "n", "the module works: lisa")
    return "a local name is met, a name with an @ is not"


@case("P16", "a local group: usermod once the user has signed in; useradd before that takes the name", deep=True)
def groups(ground: Ground) -> str:
    with ground.fresh("groups") as site:
        machine, person, later = site.machine, ground.newcomer(), ground.newcomer()
        admitted(site.ssh(person, "true"))
        machine.must("groupadd", "docker")
        machine.must("usermod", "-aG", "docker", person.login)
        require("docker" in admitted(site.ssh(person, "id -Gn")).split(), "no member at the next sign-in")
        machine.must("gpasswd", "-d", person.login, "docker")
        require("docker" not in admitted(site.ssh(person, "id -Gn")).split(), "still a member")
        require(not machine.run("usermod", "-aG", "docker", later.login).ok, "usermod of a name that never signed in")
        machine.must("useradd", "-m", "-G", "docker", later.login)
        equal(who_gets_in(site, later), "n", "after useradd took the name")
        machine.write("/etc/subuid", "lisa:100000:65536\n")
        machine.write("/etc/subgid", "lisa:100000:65536\n")
        machine.must("usermod", "--add-subuids", "200000-265535", "--add-subgids", "200000-265535", person.login)
        equal(machine.read("/etc/subuid").splitlines()[1], f"{person.login}:200000:65536", "the line in /etc/subuid")
    return "in, out, and taken"


@case("P16", "sftp only: a folder of root's for each name works from the first sign-in on, the home never", deep=True)
def only_sftp(ground: Ground) -> str:
    with ground.fresh("sftp") as site:
        person = ground.newcomer()
        folder = f"/srv/sftp/{person.login}"
        block = "Match User *@contoso.com\n    ForceCommand internal-sftp -d /upload\n    ChrootDirectory {}\n"
        sshd_says(site, block.format("/srv/sftp/%u"))
        site.machine.must("install", "-d", f"{folder}/upload")
        listed = person.sftp("pwd\n", port=site.port)
        require("/upload" in listed.out, f"a folder of root's: {listed.text}")
        sshd_says(site, block.format("%h"))
        home = person.sftp("pwd\n", port=site.port)
        require(not home.ok and "Broken pipe" in home.text, f"the home: {home.text}")
    return one_line_of(home.text)


def one_line_of(text: str) -> str:
    return text.strip().splitlines()[-1]


@case("P16", "mail of a cron job goes to the user's whole name, unless MAILTO says otherwise", deep=True)
def mail(ground: Ground) -> str:
    with ground.fresh("mail") as site:
        machine, person = site.machine, ground.newcomer()
        admitted(site.ssh(person, "true"))
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
def on_the_client(ground: Ground) -> str:
    site, person, service = ground.vm, ground.newcomer(), ground.person("svc")
    url = f"ssh://{person.login.replace('@', '%40')}@127.0.0.1:{site.port}"
    admitted(run(person.argv(url, "id -un"), environment={"PATH": "/usr/bin:/bin"}), f"{person.login}\n")
    pipe = "bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3; kill $!'"
    admitted(site.ssh(person, "id -un", options={"ProxyCommand": pipe}), f"{person.login}\n")
    long = f"{service.folder}/a-folder-that-is-long-because-people-have-long-names"
    service.folder.joinpath(long).mkdir(exist_ok=True)
    shared = {"ControlMaster": "auto", "ControlPersist": "1"}
    named = site.ssh(service, "true", options=shared | {"ControlPath": f"{long}/control-%r@%h:%p"})
    require(not named.ok and "too long" in named.text, f"a path with %r: {named.text}")
    admitted(site.ssh(service, "true", options=shared | {"ControlPath": f"{service.folder}/%C"}))
    quiet = [site.ssh(ground.person("carol"), "true", options={"LogLevel": level}) for level in ("ERROR", "INFO")]
    equal(["role not assigned" in outcome.text for outcome in quiet], [False, True], "the refusal, with LogLevel ERROR and INFO")
    keys = f"{site.machine.home(person.login)}/.ssh/authorized_keys"
    public = person.identity.with_suffix(".pub").read_text()
    admitted(site.ssh(person, f"mkdir -p .ssh; echo '{public.strip()}' >{keys}; chmod 700 .ssh; chmod 600 {keys}"))
    bare = Person(person.login, person.folder, person.identity)
    require(not site.ssh(bare, "true").ok, "a key in authorized_keys lets in")
    return one_line_of(named.text)


@case("P16", "old archive formats refuse the numbers of Entra accounts; a name with a dot in sudoers.d is not read",
      deep=True)
def odds(ground: Ground) -> str:
    site, person = ground.vm, ground.newcomer()
    said = site.ssh(person, "echo x >f; tar --format=ustar -cf u.tar f; tar --format=posix -cf p.tar f && tar tf p.tar")
    require("out of" in said.err and said.out == "f\n", f"ustar and posix: {said.text}")
    with ground.fresh("dots") as other:
        rule = f'"{person.login}" ALL=(root) NOPASSWD: /usr/bin/id\n'
        other.machine.write(f"/etc/sudoers.d/{person.login}", rule, 0o440)
        require("0" not in other.ssh(person, "sudo -n id -u").lines(), "a file with a dot in its name is read")
        doctor = other.tool("doctor").out
        require(f"does not read /etc/sudoers.d/{person.login}" in " ".join(doctor.split()), f"doctor does not say so: {doctor}")
        other.machine.write("/etc/sudoers.d/one-user", rule, 0o440)
        equal(other.ssh(person, "sudo -n /usr/bin/id -u").out, "0\n", "the same rule in a file without a dot")
    return one_line_of(said.err)


@case("P16", "sudo of a user without the role: one sentence that names the role, in place of three prompts")
def one_sentence(ground: Ground) -> str:
    said = ground.vm.ssh(ground.newcomer(), "echo x | sudo -S id -u")
    sentence = "may not do that. Ask for the Azure role Virtual Machine Administrator Login"
    require(not said.ok and said.err.count(sentence) == 1 and "1 incorrect password attempt" in said.err, said.text)
    return sentence


@case("P16", "an image: with state and homes removed as the page says, a machine made of it knows no account of before",
      deep=True)
def image(ground: Ground) -> str:
    with ground.fresh("image") as site:
        machine, before, other = site.machine, ground.newcomer(), ground.newcomer()
        admitted(site.ssh(before, "touch mine"))
        site.service.stop()
        machine.must("/bin/bash", "-c", "rm -rf /var/lib/entralogin/* /var/lib/entralogin-sshd/*; rm -rf /home/*@*")
        machine.must("/bin/bash", "-c", "rm -rf /run/entralogin/*; systemd-tmpfiles --create entralogin.conf")  # the boot
        site.begin()
        site.stamped()
        require(not site.enrolled(before.login), "an account of before is still there")
        admitted(site.ssh(other, "true"))
        equal(admitted(site.ssh(before, "ls")), "", "a home of its own, made anew")
    return "enrolled anew, with an empty home"
