# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Azure's own tools write sshd_config anew (VMAccess, behind the portal's "Reset configuration only") or change values
# in it (cloud-init). Sign-in comes back by itself where the file is one of theirs, and only on a machine where
# configure turned it on and nobody turned it off. A file that was edited by hand is left alone. Read by configure.

# Exists while sign-in is turned on by configure: not before, and not after --disable.
TURNED_ON=/etc/entralogin/turned-on

note_on() {
    install -d -m 0755 /etc/entralogin && (: >$TURNED_ON) && on_disk /etc/entralogin ||
        complain "$TURNED_ON cannot be written: after a reset by Azure's tools, sign-in does not come back by itself"
}

# Keywords of the files that VMAccess puts in place, in order: Debian, Ubuntu and systems that it does not know; RHEL
# and its relatives; SUSE. A keyword that comes several times in a row counts once; those that these tools set later are
# ignored, wherever they stand. Azure Linux's file needs no entry: it has the Include line.
AZURE_TOOLS_SET='passwordauthentication|challengeresponseauthentication|kbdinteractiveauthentication|clientaliveinterval'
AZURE_FILES="port protocol hostkey useprivilegeseparation keyregenerationinterval serverkeybits syslogfacility loglevel \
logingracetime permitrootlogin strictmodes rsaauthentication pubkeyauthentication ignorerhosts rhostsrsaauthentication \
hostbasedauthentication permitemptypasswords x11forwarding x11displayoffset printmotd printlastlog tcpkeepalive \
acceptenv subsystem usepam
protocol syslogfacility gssapiauthentication gssapicleanupcredentials usepam acceptenv x11forwarding subsystem
authorizedkeysfile usepam x11forwarding useprivilegeseparation subsystem acceptenv"

# Whether sshd_config is one of these files, apart from entralogin's own lines.
is_azures_file() {
    [ -f $SSHD_CONFIG ] || return 1
    shape=$(own_lines rest | tr 'A-Z\r' 'a-z ' | awk -v set="^($AZURE_TOOLS_SET)\$" '
        NF == 0 || $1 ~ /^#/ || $1 ~ set || $1 == last { next }
        { last = $1; printf "%s%s", (n++ ? " " : ""), $1 }')
    [ -n "$shape" ] && printf '%s\n' "$AZURE_FILES" | grep -qxF "$shape"
}

# Whether the only foreign lines in entralogin's block are values that these tools change wherever the keyword stands.
is_changed_by_tools() {
    has_marks || return 1
    changed=$(own_lines inside | tr 'A-Z' 'a-z' | sed 's/^[[:space:]]*//; s/[[:space:]].*//')
    [ -n "$changed" ] && ! printf '%s\n' "$changed" | grep -qvxE "$AZURE_TOOLS_SET"
}

# For entralogin-reset.service, which systemd starts when the check finds sign-in broken.
after_reset() {
    [ -e $TURNED_ON ] && ! is_unfinished || return 0
    if sshd_names_entralogin; then
        ! reads_folder && is_changed_by_tools || return 0
    else
        is_azures_file || return 0
    fi
    say "one of Azure's tools has written $SSHD_CONFIG: putting entralogin's lines back"
    before=$(sshd_state)
    read_short_names
    wire_sshd
    have_sshd_read
    close_journal
    [ "$MISSING" -eq 0 ] && stamp || exit 1
}

# Whether sign-in was turned on; asked where sshd does not read entralogin's lines.
was_on() { [ -e $TURNED_ON ] || { [ -e $SSHD_FILE ] && is_own $SSHD_FILE; }; }

say_what_sshd_lacks() {
    complain "sign-in was on here, and sshd does not read entralogin's lines any more: neither an Include of" \
        "$SSHD_FOLDER/*.conf nor a block is in $SSHD_CONFIG. To put them back: entraloginctl setup --apply"
}

# Names the Entra accounts that have processes: from now on their uids have no name.
say_who_is_signed_in() {
    people=$(stat -c %u /proc/[0-9]* 2>/dev/null | sort -un | awk '$1 >= 1879049216 && $1 <= 2147352575' |
        while read -r uid; do getent passwd "$uid" | cut -d: -f1; done | tr '\n' ' ')
    [ -z "$people" ] ||
        say "signed in or with processes of theirs, and without a name until sign-in is on again: ${people% }"
}
