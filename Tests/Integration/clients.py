# SPDX-License-Identifier: Apache-2.0
"""P4 with clients other than plain ssh: a configuration file as `az ssh config` writes it, sftp, scp, rsync, a jump
host, PuTTY's plink."""

from __future__ import annotations

from pathlib import Path

from case import case
from environment import Environment
from testbed import Machine, Outcome, Person
from testbed.checks import admitted, refused, require

ALIAS = "contoso-vm"


def configuration(person: Person, port: int, folder: str = "", *more: str) -> str:
    """A configuration like that of `az ssh config`, with quotes around the name, which a name with an apostrophe needs; and
    options for the testbed, where hosts are not known. `folder`: where key and certificate are, if not where they were made."""
    key, certificate = (f"{folder}/{p.name}" if folder else p for p in (person.identity, person.certificate or Path()))
    return "\n".join([
        f"Host {ALIAS}", f'\tUser "{person.login}"', "\tHostName 127.0.0.1", f'\tCertificateFile "{certificate}"',
        f'\tIdentityFile "{key}"', f"\tPort {port}", *(f"\t{line}" for line in more),
        "Host *", "\tStrictHostKeyChecking no", "\tUserKnownHostsFile /dev/null", "\tIdentitiesOnly yes",
        "\tBatchMode yes", "",
    ])


def configured(person: Person, port: int, *command: str, flags: tuple[str, ...] = (),
               more: tuple[str, ...] = ()) -> Outcome:
    """Runs ssh with such a configuration."""
    path = person.folder / f"config-{port}"
    path.write_text(configuration(person, port, "", *more))
    return person._run(["ssh", "-F", str(path), *flags, ALIAS, *command])


def carried(person: Person, port: int, machine: Machine) -> str:
    """Copies the person's key, certificate and configuration to a folder on that machine, whose programs are the clients."""
    folder = f"/root/{person.login}"
    for path in (person.identity, person.certificate):
        assert path is not None
        machine.write(f"{folder}/{path.name}", path.read_text(), 0o600)
    machine.write(f"{folder}/config", configuration(person, port, folder))
    return folder


ROUND_TRIPS = """
set -e; cd "$1"; ssh="ssh -F $1/config"; to=contoso-vm
mkdir -p source; for n in $(seq 20); do seq 2000 >"source/file$n"; done
$ssh $to id -un
rsync -a -e "$ssh" source/ $to:rsync/; rsync -a -e "$ssh" $to:rsync/ back-rsync/; diff -r source back-rsync; echo rsync
scp -F config -qr source $to:scp; scp -F config -qr $to:scp back-scp; diff -r source back-scp; echo scp
printf 'put -r source sftp\\nget -r sftp back-sftp\\n' | sftp -q -F config -b - $to >/dev/null
diff -r source back-sftp; echo sftp
"""


@case("P4", "a configuration as az ssh config writes it: ssh, scp, sftp and rsync, there and back", deep=True)
def copying(env: Environment) -> str:
    with env.fresh("copying", layered=True) as host:
        person, carol = env.newcomer(), env.person("carol")
        folder = carried(person, host.port, host.machine)
        outcome = host.machine.run("/bin/bash", "-c", ROUND_TRIPS, "trips", folder)
        admitted(outcome, f"{person.login}\nrsync\nscp\nsftp\n")
        for client in ("ssh -F $1/config contoso-vm id", "echo ls | sftp -F $1/config -b - contoso-vm",
                       "rsync -e \"ssh -F $1/config\" contoso-vm: /tmp"):
            refusal = host.machine.run("/bin/bash", "-c", client, "no", carried(carol, host.port, host.machine))
            require(not refusal.ok and "role not assigned" in refusal.text, f"{client}: {refusal.text}")
    return " ".join(outcome.lines())


@case("P4", "a jump host: one certificate opens both, and each machine decides for itself", deep=True)
def jump(env: Environment) -> str:
    with env.fresh("behind") as behind:
        person = env.newcomer()
        admitted(configured(person, env.vm.port, "true"))
        through = f"ProxyCommand ssh -F {person.folder}/config-{env.vm.port} -W %h:%p {ALIAS}"
        mark = env.vm.journal.mark()
        admitted(configured(person, behind.port, "id -un", more=(through,)), f"{person.login}\n")
        env.vm.journal.wait(mark, event="session-opened", user=person.login, decision="allow")
        require(behind.enrolled(person.login) and env.vm.enrolled(person.login), "not enrolled on both")
        env.azure.withdraw(env.key_of(person))
        env.vm.flush()
        refused(configured(person, behind.port, "id", more=(through,)))
    return "through, enrolled on both"


PLINK = """
set -e; cd "$1"; key=$2 certificate=$3 port=$4 user=$5
puttygen "$key" -O private -o putty.ppk
print=$(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2)
common="plink -batch -ssh -P $port -hostkey $print -i putty.ppk -l $user"
$common ${certificate:+-cert "$certificate"} 127.0.0.1 id -un
"""


@case("P4", "PuTTY's plink with the certificate; without it, or without the role, refused like everybody else")
def plink(env: Environment) -> str:
    with env.fresh("plink", layered=True) as host:
        def asked(person: Person, certificate: bool = True) -> Outcome:
            assert person.certificate is not None
            folder = carried(person, host.port, host.machine)
            return host.machine.run("/bin/bash", "-c", PLINK, "plink", folder, person.identity.name,
                                    person.certificate.name if certificate else "", str(host.port), person.login)

        person = env.newcomer()
        admitted(asked(person), f"{person.login}\n")
        mark = host.journal.mark()
        refusal = asked(env.person("carol"))
        require(not refusal.ok and not refusal.out, f"carol: {refusal.text}")
        host.journal.wait(mark, event="account", decision="deny", reason="role-not-assigned")
        bare = asked(person, certificate=False)
        require(not bare.ok and not bare.out, f"the key without the certificate: {bare.text}")
        return host.machine.must("plink", "-V").lines()[0]
