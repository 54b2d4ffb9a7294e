# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# systemd's units, and the integration check. Read by configure.

UNITS='entralogin-audit.socket entralogin-sessions.socket entralogind-control.socket entralogind-principals.socket entralogind.service
entralogin-stack.path entralogin-stack-sshd.path entralogin-stack-pid.path entralogin-stack-sudoers.path
entralogin-stack-sudoers-folder.path entralogin-stack.timer entralogin-keys.path entralogin-linger.path entralogin-subids.path'
CACHES=entralogin-caches.path
# Enabled with the daemon, by the machine's owner, or started by a socket.
OTHERS='entralogin-metrics.timer entralogin-audit.service entralogin-sessions.service'

# Undoes a run that was killed, before any user can sign in.
RECOVERY=entralogin-recover.service
# Set by --recover: at boot that unit may stop other units and must not wait for them.
NO_BLOCK=

# Keeps the units enabled when the first boot of a captured image applies
# presets that disable them, as RHEL's "disable *" does.
PRESET=/etc/systemd/system-preset/60-entralogin.preset

# A system extension's units appear only after systemd has read /etc, so a unit in /etc starts them.
EXTENSION=entralogin-sysext.service
is_extension() { [ -e /usr/lib/extension-release.d/extension-release.entralogin ]; }

booted() { [ -d /run/systemd/system ] && have systemctl; }

# False in an image that is being built, and where the owner wants no service started (policy-rc.d, see invoke-rc.d(8)).
may_start() {
    booted || return 1
    [ -x /usr/sbin/policy-rc.d ] || return 0
    status=0
    /usr/sbin/policy-rc.d entralogind start || status=$?
    [ $status -ne 101 ]
}

# Versions up to 0.1.0 had a unit that showed Entra accounts in systemd's user database. Its link must not stay: systemd
# would ask a service that is not there, for every name of the machine.
forget_user_database() {
    rm -f /etc/systemd/system/entralogind.service.wants/entralogin-userdb.service
    rmdir /etc/systemd/system/entralogind.service.wants 2>/dev/null || :
    [ "$(readlink /run/systemd/userdb/io.entralogin 2>/dev/null)" != /run/entralogin/nss/userdb.sock ] ||
        rm -f /run/systemd/userdb/io.entralogin
}

start_units() {
    if ! have systemctl; then
        say "there is no systemd: start /usr/sbin/entralogind as the user entralogin"
        return 0
    fi
    [ -n "$DRY" ] || forget_user_database
    # shellcheck disable=SC2086 # a list of words
    act systemctl enable --quiet $UNITS || fail "systemd does not take the units"
    write_preset
    ! is_extension || write_extension_unit
    if ! may_start; then
        say "nothing is started here: the units start with the machine"
        return 0
    fi
    act systemctl daemon-reload
    # shellcheck disable=SC2086
    act systemctl start $UNITS || fail "the units do not start: journalctl -u entralogind"
    # Otherwise the old program goes on running. The sockets stay: a caller waits a moment meanwhile.
    [ -z "$RESTART" ] || act systemctl try-restart entralogind.service
    # The unit starts together with a cache. Right after it was enabled, the cache may be running already.
    for cache in nscd unscd sssd; do
        systemctl is-active --quiet $cache.service || continue
        act systemctl start $CACHES || complain "$CACHES does not start: $cache may keep old answers for a while"
        break
    done
}

write_preset() {
    # shellcheck disable=SC2086 # a list of words
    { echo "$MARK" && printf 'enable %s\n' $UNITS $CACHES $RECOVERY; } >"$WORK/preset" || fail "$WORK cannot be written"
    ! cmp -s "$WORK/preset" $PRESET || return 0
    [ -d ${PRESET%/*} ] || act install -d -m 0755 ${PRESET%/*} || fail "${PRESET%/*} cannot be made"
    place "$WORK/preset" 0644 $PRESET
}

write_extension_unit() {
    sed "s|@UNITS@|$(echo "$UNITS" | tr '\n' ' ')|" $SHARE/$EXTENSION >"$WORK/$EXTENSION" || fail "$SHARE/$EXTENSION cannot be read"
    place "$WORK/$EXTENSION" 0644 /etc/systemd/system/$EXTENSION
    act systemctl enable --quiet $EXTENSION || fail "systemd does not take $EXTENSION"
}

# Removes the files that configure itself has written for systemd.
remove_unit_files() {
    if [ -e /etc/systemd/system/$EXTENSION ]; then
        systemctl disable --quiet $EXTENSION 2>/dev/null || :
        rm -f /etc/systemd/system/$EXTENSION
    fi
    [ ! -e $PRESET ] || { rm -f $PRESET && rmdir ${PRESET%/*} 2>/dev/null || :; }
}

stop_units() {
    have systemctl || return 0
    forget_user_database
    remove_unit_files
    # What Also= of the daemon's unit enabled is disabled with it.
    # shellcheck disable=SC2086
    systemctl disable --quiet $UNITS $CACHES $OTHERS $RECOVERY 2>/dev/null || :
    booted || return 0
    # shellcheck disable=SC2086
    systemctl $NO_BLOCK stop $UNITS $CACHES $OTHERS 2>/dev/null || :
    systemctl reset-failed entralogin-stack.service entralogin-keys.service entralogin-linger.service entralogin-subids.service entralogind.service 2>/dev/null || :
}

# For an upgrade that could not change the integration, or had none to change: the old program must not go on running.
restart_daemon() {
    may_start || return 0
    forget_user_database
    systemctl daemon-reload || :
    # Its Wants= also starts the units that only this version has.
    systemctl try-restart entralogin-stack.path || complain "entralogin-stack.path does not restart: systemctl status entralogin-stack.path"
    systemctl try-restart entralogind.service entralogin-audit.service entralogin-sessions.service || complain "the daemon does not restart: journalctl -u entralogind"
}

# Runs the integration check and records its result. An sshd that was just reloaded gets five seconds to read its files.
stamp() {
    if [ -n "$RELOADED" ]; then
        for attempt in 1 2 3 4 5 6 7 8 9 10; do
            "$TOOL" stack --stamp >/dev/null 2>&1 && break
            [ "$attempt" -eq 10 ] || sleep 0.5
        done
    fi
    "$TOOL" stack --stamp
}
