# SPDX-License-Identifier: Apache-2.0
"""P17: after Azure's own tools changed a running machine, sign-in comes back by itself, unless a person edited the file."""

from __future__ import annotations

from booted_environment import BootedEnvironment, BootedHost
from case import case
from testbed.booted import BootedMachine
from testbed.checks import admitted, equal, require
from testbed.installed import CONFIGURE, TOOL
from testbed.machine import wait_for

CONFIG = "/etc/ssh/sshd_config"
RESET = "entralogin-reset.service"
TURNED_ON = "/etc/entralogin/turned-on"
MATCH = b"\nMatch User "

# The files that VMAccess puts in place: with the same keywords, order and last byte, but without comments.
DEBIAN = (
    "Port 22;Protocol 2;HostKey /etc/ssh/ssh_host_rsa_key;HostKey /etc/ssh/ssh_host_dsa_key;"
    "HostKey /etc/ssh/ssh_host_ecdsa_key;HostKey /etc/ssh/ssh_host_ed25519_key;UsePrivilegeSeparation yes;"
    "KeyRegenerationInterval 3600;ServerKeyBits 1024;SyslogFacility AUTH;LogLevel INFO;LoginGraceTime 120;"
    "PermitRootLogin without-password;StrictModes yes;RSAAuthentication yes;PubkeyAuthentication yes;IgnoreRhosts yes;"
    "RhostsRSAAuthentication no;HostbasedAuthentication no;PermitEmptyPasswords no;ChallengeResponseAuthentication no;"
    "PasswordAuthentication yes;X11Forwarding yes;X11DisplayOffset 10;PrintMotd no;PrintLastLog yes;TCPKeepAlive yes;"
    "AcceptEnv LANG LC_*;Subsystem sftp /usr/lib/openssh/sftp-server;UsePAM yes;ClientAliveInterval 120")
RHEL = (
    "Protocol 2;SyslogFacility AUTHPRIV;PasswordAuthentication yes;ChallengeResponseAuthentication no;"
    "GSSAPIAuthentication yes;GSSAPICleanupCredentials yes;UsePAM yes;AcceptEnv LANG LC_CTYPE;AcceptEnv LC_PAPER;"
    "AcceptEnv LC_IDENTIFICATION LC_ALL LANGUAGE;AcceptEnv XMODIFIERS;X11Forwarding yes;ClientAliveInterval 180;"
    "Subsystem\tsftp\t/usr/libexec/openssh/sftp-server;")
SUSE = (
    "AuthorizedKeysFile\t.ssh/authorized_keys;PasswordAuthentication no;UsePAM yes;X11Forwarding yes;"
    "UsePrivilegeSeparation sandbox\t\t# for new ones;Subsystem\tsftp\t/usr/lib/ssh/sftp-server;AcceptEnv LANG LC_CTYPE;"
    "AcceptEnv LC_PAPER;AcceptEnv LC_IDENTIFICATION LC_ALL;ClientAliveInterval 180;")
SHAPES = {"Debian": DEBIAN, "Ubuntu": f"{DEBIAN};", "RHEL": RHEL, "SUSE": SUSE}


def put(machine: BootedMachine, content: bytes) -> None:
    """Writes the file as these tools do, then restarts sshd."""
    machine.path(CONFIG).write_bytes(content)
    machine.systemctl("restart", "ssh.service")


def reset(machine: BootedMachine, shape: str) -> bytes:
    content = SHAPES[shape].replace(";", "\n").encode()
    put(machine, content)
    return content


def runs(machine: BootedMachine) -> str:
    return machine.property(RESET, "ExecMainStartTimestampMonotonic")


def looked_at(machine: BootedMachine, before: str) -> None:
    wait_for(lambda: runs(machine) != before and machine.property(RESET, "ActiveState") == "inactive", f"{RESET} to look", 60)


def is_back(env: BootedEnvironment, host: BootedHost, what: str) -> None:
    alice = env.person("alice")
    wait_for(lambda: host.ssh(alice, "true").ok, f"alice's sign-in {what}", 60)
    host.wait_until_ready()
    admitted(host.ssh(env.lisa, "id -un"), "lisa\n")


def on_port(env: BootedEnvironment, host: BootedHost) -> None:
    """Sets the port on sshd's command line: two of the files name none, and none reads the folder where it is set here."""
    machine = host.machine
    host.wait_until_ready()
    machine.write_file("/etc/default/ssh", f"SSHD_OPTS='-p {host.port} -o MaxStartups=200'\n")
    machine.systemctl("restart", "ssh.service")
    is_back(env, host, "on its port")


def comes_back(env: BootedEnvironment, host: BootedHost, *shapes: str) -> bytes:
    there = b""
    for shape in shapes:
        content = reset(host.machine, shape)
        is_back(env, host, f"after a reset as on {shape}")
        there = host.machine.path(CONFIG).read_bytes()
        require(there.startswith(content) and there.count(MATCH) == 1, f"{shape}: {there!r}")
    return there


@case("P17", "the portal's Reset configuration, and a value that cloud-init changes everywhere: sign-in comes back by itself")
def by_itself(env: BootedEnvironment) -> str:
    with env.boot("azure-reset") as host:
        machine = host.machine
        on_port(env, host)
        there = comes_back(env, host, "Debian")
        # cloud-init at the next boot sets its value wherever the keyword stands, and removes indentation.
        lines = [line.strip() for line in there.split(b"\n")]
        put(machine, b"\n".join(lines).replace(b"PasswordAuthentication no", b"PasswordAuthentication yes"))
        is_back(env, host, "after cloud-init's change")
        require(machine.run(TOOL, "stack").ok, "the integration check after cloud-init's change")
    return "in after both"


@case("P17", "the portal's Reset configuration on Ubuntu, RHEL and SUSE: sign-in comes back by itself", deep=True)
def elsewhere(env: BootedEnvironment) -> str:
    with env.boot("azure-reset-elsewhere") as host:
        on_port(env, host)
        comes_back(env, host, "Ubuntu", "RHEL", "SUSE")
    return "in after each"


@case("P17", "after setup --undo, where sign-in never was on and where a person edited sshd_config, nothing is written into it",
      deep=True)
def left_alone(env: BootedEnvironment) -> str:
    with env.boot("azure-left") as host:
        machine = host.machine
        on_port(env, host)
        stock = machine.path(CONFIG).read_bytes()
        before = runs(machine)
        edited = b"\n".join(line for line in stock.split(b"\n") if not line.startswith(b"Include")) + b"\n# mine\n"
        put(machine, edited)
        looked_at(machine, before)
        equal(machine.path(CONFIG).read_bytes(), edited, "what a person edited")
        doctor = host.tool("doctor")
        require(not doctor.ok and "configure --enable" in doctor.text, doctor.text)
        equal(doctor.out.count("FAILED"), 1, f"findings for one cause: {doctor.out}")
        require(machine.run(CONFIGURE, "--package-installed", "0").text.count("does not read entralogin's lines") == 1,
                "what an upgrade of the package says")
        machine.must(CONFIGURE, "--enable")
        is_back(env, host, "after the command that doctor names")

        machine.must(TOOL, "setup", "--undo")
        require(not machine.path(TURNED_ON).exists(), "the mark of sign-in that is on")
        content = reset(machine, "Debian")
        machine.systemctl("start", RESET)
        machine.must(CONFIGURE, "--after-reset")
        equal(machine.path(CONFIG).read_bytes(), content, "sshd_config after --undo and a reset")
        # The portal's file does not count as hardening: after it, a new installation turns sign-in on.
        equal(machine.must(CONFIGURE, "--survey").out, "", "reasons after a reset")
        machine.must(TOOL, "setup", "--apply")
        is_back(env, host, "after setup --apply on the reset file")
    return "a person's file and a machine that is off are left alone"
