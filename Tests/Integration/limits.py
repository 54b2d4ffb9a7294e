# SPDX-License-Identifier: Apache-2.0
"""P2: what a caller can set around a program that becomes root: limits, environment, signals, descriptors, names."""

from __future__ import annotations

from case import case
from environment import Environment, Host
from roles import ADMINS_GID, administrator
from sudo_right import tried
from testbed import Outcome
from testbed.checks import equal, require
from testbed.machine import wait_for

# Runs a command in each environment; prints "ROOT WORDS" if the command's last line is 0.
TRY = r"""
exec 2>/dev/null; n=0; d=$HOME/tries; mkdir -p $d; cd $d
try() { n=$((n + 1)); r=$(timeout 20 "$@" </dev/null | tail -n 1); [ "$r" != 0 ] || echo "ROOT $*"; }
"""
LIMITS = TRY + r"""
for l in data:$(seq -s, 0 16384 3200000) stack:0,4096,8192,16384,32768,65536,98304,131072,196608,262144,524288 \
    fsize:0,1,512,4096,65536 nofile:$(seq -s, 0 24),64 nproc:0,1,2,3,5 cpu:0,1 core:0 memlock:0,64 sigpending:0,1 \
    msgqueue:0 nice:0 rtprio:0 rttime:1,1000 rss:0,64 locks:0,1; do
    for v in $(echo ${l#*:} | tr , ' '); do try prlimit --${l%:*}=$v:$v sudo -n id -u; done
done; echo "tried $n"
"""
CALLS = TRY + r"""
mkdir -p lib; cp /usr/libexec/entralogin/sudo_entralogin.so lib/
for e in LD_PRELOAD=$d/lib/sudo_entralogin.so LD_LIBRARY_PATH=$d/lib LD_AUDIT=$d/lib/a.so LD_DEBUG=all \
    GLIBC_TUNABLES=glibc.malloc.check=3:glibc.rtld.nns=1 GLIBC_TUNABLES=glibc.rtld.optional_static_tls=1000000000 \
    MALLOC_ARENA_MAX=1 GCONV_PATH=$d NLSPATH=$d/%N LOCPATH=$d LC_ALL=../../../tmp RES_OPTIONS=attempts:9 HOSTALIASES=$d/h \
    LOCALDOMAIN=x RESOLV_HOST_CONF=/etc/shadow TMPDIR=$d TZ=/etc/shadow POSIXLY_CORRECT=1 SUDO_ASKPASS=/bin/false \
    SUDO_USER=lisa SUDO_UID=0 USER=lisa LOGNAME=root HOME=/root XDG_RUNTIME_DIR=$d SSH_AUTH_INFO_0=x PAM_USER=lisa \
    PAM_TYPE=account LISTEN_FDS=3 NOTIFY_SOCKET=$d/n PATH=$d:$PATH; do try env "$e" sudo -n id -u; done
try env -i /usr/bin/sudo -n id -u
for a in sudoedit '' entralogin -sudo 'sudo:' /usr/sbin/sshd; do
    try perl -e 'my $a = shift; exec {"/usr/bin/sudo"} $a, qw(-n id -u)' "$a"
done
try perl -e 'exec {"/usr/bin/sudo"} "x" x 100000, qw(-n id -u)'
for s in ALRM CHLD PIPE HUP TERM INT QUIT TSTP TTOU TTIN USR1 USR2 SYS XFSZ XCPU; do
    try perl -e '$SIG{shift()} = "IGNORE"; exec qw(sudo -n id -u)' $s
done
try perl -e 'use POSIX; my $s = POSIX::SigSet->new; $s->fillset; sigprocmask(SIG_BLOCK, $s); exec qw(sudo -n id -u)'
for u in 1000 3000 6000 10000 15000 20000 30000; do
    try perl -e 'use Time::HiRes qw(ualarm); $SIG{ALRM} = "IGNORE"; ualarm(shift()); exec qw(sudo -n id -u)' $u
done
for k in 10 100 500 1000 1015 1018 1020; do
    try perl -e '$^F = 100000; for (1 .. shift()) { open my $h, "<", "/dev/null"; push @h, $h } exec qw(sudo -n id -u)' $k
done
for c in '0<&-' '2>&-' '0<&- 2>&-' '0</dev/full' '0<>/dev/ptmx'; do try sh -c "sudo -n id -u $c"; done
for c in 'setpriv --pdeathsig KILL' 'setarch -R' 'setarch x86_64 -L' 'choom -n 1000 --' 'chrt -i 0' 'taskset 1' 'ionice -c 3' \
    'setpriv --no-new-privs' 'strace -f -o /dev/null' 'strace -o /dev/null -e inject=connect:retval=0' 'unshare -Ur' \
    'setpriv --groups %G' 'setpriv --ambient-caps +all' 'script -qec'; do
    try $c sudo -n sh -c 'grep -q 4294967295 /proc/self/uid_map && id -u'
done
(umask 777; try sudo -n id -u; echo "$n" >/dev/null); cd /proc/self/fd; try sudo -n id -u
mkdir $d/gone; cd $d/gone; rmdir $d/gone; try sudo -n id -u; cd $d
for c in 'doas id -u' 'pkexec id -u' 'runuser -u root id -u' 'sg root -c id\ -u' 'sudo -n -s id -u' 'sudoedit -n /etc/passwd' \
    'gpasswd -a lisa entra_admins' 'chage -l root'; do try $c; done
echo "tried $n"
"""


def withdrawn(env: Environment, host: Host, script: str) -> Outcome:
    """Runs the script in a session of an administrator whose role is withdrawn before; may take minutes."""
    person, ready, go = administrator(env), "/tmp/limits-ready", "/tmp/limits-go"
    for path in (ready, go):
        host.machine.remove(path)
    waits = f"sudo -n id -u; touch {ready}; while [ ! -e {go} ]; do sleep 0.05; done; id -G; {script}"
    running = env.aside(host.ssh, person, waits, timeout=300)
    try:
        wait_for(lambda: host.machine.path(ready).exists() or running.done(), "the session")
        env.withdraw(person)
        host.flush()
    finally:
        host.machine.write(go, "")
    outcome: Outcome = running.result(330)
    equal(outcome.lines()[0], "0", f"sudo before the change ({outcome.text})")
    require(str(ADMINS_GID) in outcome.out, f"the session has lost its group, so nothing was tried: {outcome.text}")
    return outcome


def never_root(env: Environment, script: str, least: int) -> str:
    """Requires that no way becomes root without the role, and, as the control, that at least `least` ways do with it."""
    host = env.vm
    control = host.ssh(administrator(env), script, timeout=300)
    works = control.out.count("ROOT ")
    require(works >= least, f"only {works} ways work with the role: {control.text[-600:]}")
    outcome = withdrawn(env, host, script)
    equal([line for line in outcome.lines() if line.startswith("ROOT ")], [], "ways that make root")
    equal(tried(outcome), tried(control), "how many ways were tried")
    return f"{tried(outcome)} ways; with the role {works} of them are root, without it none"


@case("P2", "no limit of any resource makes sudo pass over the end of a role", deep=True, attack="P13")
def resources(env: Environment) -> str:
    return never_root(env, LIMITS, 100)


@case("P2", "no environment, signal, descriptor, name or way to call it makes sudo pass over the end of a role", deep=True,
      attack="P14")
def calls(env: Environment) -> str:
    return never_root(env, CALLS, 70)
