# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# pam-auth-update(8), on Debian and Ubuntu: a profile in /usr/share/pam-configs. Read by configure.

pam_auth_update_applies() { have pam-auth-update; }

pam_auth_update_obstacle() {
    for stage in account auth session; do
        file=/etc/pam.d/common-$stage
        [ -f /usr/share/pam/common-$stage ] && [ -f $file ] || continue
        unmanaged_lines $file >"$WORK/pam.there"
        unmanaged_lines /usr/share/pam/common-$stage >"$WORK/pam.stock"
        cmp -s "$WORK/pam.there" "$WORK/pam.stock" && has_recorded_lines $stage ||
            echo "$file was edited by hand"
    done
}

pam_auth_update_wire() {
    [ -f /etc/pam.d/common-account ] || return 0
    pam_names_entralogin || begin pam
    run_pam_auth_update --enable || fail "pam-auth-update failed"
    [ -z "$DRY" ] || return 0
    for pair in account:common-account session:common-session; do
        file=/etc/pam.d/${pair#*:}
        [ -f "$file" ] || continue
        has_our_line "${pair%%:*}" ||
            pam_gap "$file was changed by hand, so pam-auth-update left it alone"
    done
}

# $REMOVING: the profile is about to be removed, too, so pam-auth-update must forget that it saw it.
pam_auth_update_unwire() {
    pam_auth_update_applies || return 0
    if [ -n "$REMOVING" ]; then change=--remove; else change=$(pam_disabling); fi
    run_pam_auth_update "$change" || fail "pam-auth-update failed"
}

# The wanted profile, and the other one.
pam_profile() { printf %s "entralogin${SHORT_NAMES:+-short}"; }
other_pam_profile() { if [ -n "$SHORT_NAMES" ]; then printf entralogin; else printf entralogin-short; fi; }

# pam-auth-update changes two files for each stage, one after the other. Once they disagree, it assumes an edit by hand
# and changes neither. So copies make a run of it all or nothing.
PAM_COPIES=$JOURNAL/pam
run_pam_auth_update() {
    if [ -n "$DRY" ]; then
        say "would run: pam-auth-update --package $1 $(pam_profile)"
        return 0
    fi
    put_back_pam_copies || return 1
    rm -rf $PAM_COPIES.new && install -d -m 0700 $JOURNAL $PAM_COPIES.new || return 1
    for file in /etc/pam.d/common-* /var/lib/pam/*; do
        [ -f "$file" ] || continue
        { copy_whole "$file" $PAM_COPIES.new && on_disk "$PAM_COPIES.new$file"; } || return 1
    done
    mv -T $PAM_COPIES.new $PAM_COPIES && on_disk $JOURNAL || return 1
    BEGUN=yes
    # When it cannot write the file of a stage, it may skip that stage or all of them without a message.
    for attempt in first second; do
        if [ "$1" = --enable ]; then
            set -- "$1" "$(pam_profile)" "$(pam_disabling)" "$(other_pam_profile)"
        else
            set -- "$1" entralogin entralogin-short
        fi
        DEBIAN_FRONTEND=noninteractive pam-auth-update --package "$@" </dev/null || return 1
        ! pam_is_after "$1" || break
        ! has_changed_pam && can_write /etc/pam.d && can_write /var/lib/pam || return 1
        # It treats files that were edited by hand the same way; the caller reports those.
        [ "$attempt" = first ] || complain "pam-auth-update changes nothing"
    done
    # It does not sync its files to disk.
    for file in /etc/pam.d/common-* /etc/pam.d /var/lib/pam/* /var/lib/pam; do
        [ ! -e "$file" ] || on_disk "$file" || return 1
    done
    drop_pam_copies
}

# Debian 11's and Ubuntu 22.04's pam-auth-update knows no --disable; there --remove removes the lines. It also forgets
# that it saw the profile, which matters only for profiles that are on by default.
pam_disabling() {
    if grep -q -e --disable "$(command -v pam-auth-update)"; then echo --disable; else echo --remove; fi
}

can_write() { touch "$1/entralogin.new" && rm -f "$1/entralogin.new"; }

# Blanks at the end of a line do not count: where an argument was removed by hand, pam-auth-update leaves one.
has_changed_pam() {
    for file in /etc/pam.d/common-*; do
        [ -f "$PAM_COPIES$file" ] || continue
        sed 's/[[:space:]]*$//' "$file" >"$WORK/pam.now"
        sed 's/[[:space:]]*$//' "$PAM_COPIES$file" | cmp -s - "$WORK/pam.now" || return 0
    done
    return 1
}

# has_our_line STAGE: whether entralogin's line is there in the wanted form.
has_our_line() {
    grep -qs "^$1[[:space:]].*pam_entralogin\.so${SHORT_NAMES:+[[:space:]]*short_names}[[:space:]]*\$" /etc/pam.d/common-"$1"
}

pam_is_after() {
    if [ "$1" = --enable ]; then
        has_our_line account && has_our_line session
    else
        ! grep -qs '^[^#]*pam_entralogin\.so' /etc/pam.d/common-*
    fi
}

drop_pam_copies() { rm -rf $PAM_COPIES.new && mv -T $PAM_COPIES $PAM_COPIES.new && rm -rf $PAM_COPIES.new; }

# Undoes what a killed or failed run changed. Leaves the files alone if another program or a person has changed them.
put_back_pam_copies() {
    [ -d $PAM_COPIES ] || return 0
    for file in /etc/pam.d/common-*; do
        [ ! -f "$PAM_COPIES$file" ] || ! has_foreign_lines "$PAM_COPIES$file" "$file" || {
            complain "$file was changed meanwhile, and is left"
            drop_pam_copies
            return
        }
    done
    for file in /etc/pam.d/common-* /var/lib/pam/*; do
        [ -f "$PAM_COPIES$file" ] && ! cmp -s "$PAM_COPIES$file" "$file" || continue
        swap_in "$PAM_COPIES$file" "$file" || return 1
    done
    # Files that pam-auth-update had begun to write.
    rm -f /etc/pam.d/common-*.pam-new /var/lib/pam/*.new
    drop_pam_copies
}

# has_foreign_lines COPY FILE: FILE has lines that are neither in COPY nor of entralogin's profile.
has_foreign_lines() {
    grep -vxFf "$1" "$2" | grep -q -v 'pam_entralogin\.so\|pam_succeed_if\.so quiet \(use_uid \)\?uid\|pam_mkhomedir\.so\|^#\|^[[:space:]]*$'
}

# The lines of a common-* file outside the two blocks that pam-auth-update writes.
unmanaged_lines() {
    awk '/^#/ || /^[[:space:]]*$/ || /^\$/ {
            if (/^# here are the per-package modules/ || /^# and here are more per-package modules/) skipped = 1
            if (/^# here.s the fallback/ || /^# end of pam-auth-update/) skipped = 0
            next
        }
        !skipped { $1 = $1; print }' "$1"
}

# True where each line inside those blocks is one that pam-auth-update recorded. It counts jumps anew, and keeps options
# that were added by hand, so only the beginning of a line is compared.
has_recorded_lines() {
    awk -v stage="$1" '
        function plain(line) { gsub(/=(end|[0-9]+)/, "=N", line); gsub(/[[:space:]]+/, " ", line); sub(/^ | $/, "", line); return line }
        FNR == NR { known[plain($0)] = 1; next }
        /^# here are the per-package modules/ || /^# and here are more per-package modules/ { inside = 1; next }
        /^# here.s the fallback/ || /^# end of pam-auth-update/ { inside = 0; next }
        inside && !/^#/ && NF { line = $0; sub(/^[a-z]+[[:space:]]+/, "", line); line = plain(line); sub(/ $/, "", line)
            if (!(line in known)) strange = 1 }
        END { exit strange }' "/var/lib/pam/$1" "/etc/pam.d/common-$1"
}
