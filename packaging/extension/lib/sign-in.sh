# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Turns sign-in on and off. On means: the daemon knows the machine and Entra's keys, has an identity to ask Azure with,
# and the integration is in force and verified. If one of these fails, everything is put back. Read by handler.

CONFIGURE=/usr/libexec/entralogin/configure
STAMP=/run/entralogin/stack-verified
DAEMON=entralogind.service
# An object id that no account has: the question is only whether this machine can ask Azure.
NOBODY=00000000-0000-0000-0000-000000000000

is_on() {
    grep -qs '^[^#]*AuthorizedPrincipalsCommand[[:space:]].*entralogin' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf
}

turn_on() {
    HAS_BEEN_ON=
    ! is_on || HAS_BEEN_ON=yes
    read_settings
    check_settings
    refuse_hardened
    UNDO="undo_turning_on $UNDO"
    place_settings
    start_daemon
    wait_for_daemon
    refuse_without_identity
    say "connecting with sshd, PAM, the name service and sudo"
    $CONFIGURE --enable >"$WORK/said" 2>&1 || refuse_integration
    cat "$WORK/said" >>"$LOG"
    [ -e $STAMP ] || refuse_integration
    [ "$VERB" != enable ] || UNDO=
    DONE="sign-in with Entra ID is on: entralogin $(installed_version)${REMARK:+; $REMARK}"
}

undo_turning_on() {
    restore_settings
    if [ -z "$HAS_BEEN_ON" ]; then
        $CONFIGURE --disable >>"$LOG" 2>&1
    elif [ -n "$CHANGED" ]; then
        # sshd's and sudo's files also contain Domains= and AdministratorsGroup=.
        RESTART=yes timeout 90 $CONFIGURE --enable >>"$LOG" 2>&1
    fi
}

# On a hardened machine the owner decides; the package leaves such a machine alone for the same reasons.
refuse_hardened() {
    [ -z "$HAS_BEEN_ON" ] && [ -z "$WIRE_HARDENED" ] || return 0
    # A file that the portal's "Reset configuration" wrote is no reason to refuse: configure --survey recognizes it.
    $CONFIGURE --survey >"$WORK/reasons" 2>>"$LOG" || refuse 1 "the machine's files cannot be looked at; see $LOG"
    [ ! -s "$WORK/reasons" ] || refuse $CONFIGURATION \
        "this machine was hardened by hand, and is left alone (wireHardened changes that): $(cat "$WORK/reasons")"
}

start_daemon() {
    systemctl daemon-reload
    verb=start
    [ -z "$CHANGED" ] || verb=restart
    timeout "$(left 60)" systemctl $verb $DAEMON >>"$LOG" 2>&1 ||
        refuse 1 "the daemon does not start: $(journalctl -q -u $DAEMON -n 1 -o cat --no-pager 2>/dev/null)"
}

# Waits until the daemon knows what this machine is and has Entra's keys, a minute at most.
wait_for_daemon() {
    until=$(($(date +%s) + $(left 60)))
    until is_ready; do
        if [ "$(systemctl show -p NRestarts --value $DAEMON)" -gt 2 ]; then
            refuse 1 "the daemon ends again and again: $(journalctl -q -u $DAEMON -t entralogind -n 1 -o cat --no-pager 2>/dev/null)"
        fi
        if [ "$(date +%s)" -ge $until ]; then
            grave=$(the_text warnings/0/text <"$WORK/status")
            refuse $MISSING "the daemon does not know the machine or Entra's keys: ${grave:-see entraloginctl doctor}"
        fi
        sleep 0.5
    done
}

is_ready() {
    timeout 10 entraloginctl --json status 2>/dev/null >"$WORK/status.json" || :
    json -v blank=1 <"$WORK/status.json" 2>/dev/null >"$WORK/status" || return 1
    grep -q '^true	isReady	' "$WORK/status"
}

# Asks Azure about an object id that no account has, in the way each sign-in asks about its user.
refuse_without_identity() {
    REMARK=
    timeout 30 entraloginctl --json check extension --object-id $NOBODY >"$WORK/check.json" 2>>"$LOG" || :
    json -v blank=1 <"$WORK/check.json" 2>>"$LOG" >"$WORK/check" || refuse 1 "the daemon does not say whether Azure answers"
    reasons=$(sed -n 's|^string	answers/[0-9]*/reason	||p' "$WORK/check" | sort -u | tr '\n' ' ')
    # If Azure answered, that answer has no reason, but a role: "none".
    if grep -q '^string	answers/[0-9]*/role	' "$WORK/check"; then
        say "asked Azure about nobody: it answers"
        return 0
    fi
    reasons=${reasons:-no answer }
    say "asked Azure about nobody: ${reasons% }"
    case " $reasons" in
    *" no-managed-identity "*) refuse $NO_IDENTITY "the machine has no system-assigned managed identity: switch it on" ;;
    *" metadata-closed "* | *" machine-unknown "*) refuse $MISSING "the metadata service gives no token: ${reasons% }" ;;
    *" role-not-assigned "*) ;;
    *) REMARK="Azure does not answer role checks yet (${reasons% }): see entraloginctl doctor" ;;
    esac
}

refuse_integration() {
    cat "$WORK/said" >>"$LOG"
    refuse $CONFIGURATION "the integration is not complete: $(tail -n 3 "$WORK/said")"
}

turn_off() {
    [ -x $CONFIGURE ] || return 0
    $CONFIGURE --disable >"$WORK/said" 2>&1 || refuse_integration
    cat "$WORK/said" >>"$LOG"
}
