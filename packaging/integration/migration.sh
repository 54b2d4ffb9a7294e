# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Replaces the integration of Microsoft's packages by entralogin's, in one step that a failure undoes; and restores the
# old one, byte for byte. Does not touch accounts and packages. Read by configure.

# The files as they were, and as they were without the old lines: owned by root, never by the daemon.
SAVED=/var/lib/entralogin-migration
OLD_PROFILES=/usr/share/pam-configs

old_sshd_files() { grep -ls '^[^#]*aad_certhandler' $SSHD_CONFIG $SSHD_FOLDER/*.conf || :; }
old_pam_files() { grep -ls '^[^#]*pam_aad\.so' /etc/pam.d/* || :; }
old_pam_profiles() { have pam-auth-update && grep -ls 'pam_aad\.so' $OLD_PROFILES/* || :; }
names_old_service() { grep -qs '^[[:space:]]*[a-z]*[[:space:]]*:[^#]*[[:space:]:]aad\([[:space:]]\|$\)' $NSSWITCH; }

# Prints an sshd file without the old package's Match block. Fails where that block has other programs' lines, or where
# the old program stands outside a block: the remaining lines would apply to other users.
without_old_block() {
    awk '
        function flush(  i) {
            if (old && strange) bad = 1
            if (!old) for (i = 1; i <= n; i++) print held[i]
            n = old = strange = 0
        }
        { line = tolower($0); sub(/^[[:space:]]+/, "", line); key = line; sub(/[[:space:]=].*/, "", key) }
        key == "match" { flush(); inside = 1; held[++n] = $0; next }
        !inside { print; if (line !~ /^#/ && line ~ /aad_certhandler/) bad = 1; next }
        { held[++n] = $0 }
        line == "" || line ~ /^#/ { next }
        line ~ /aad_certhandler/ { old = 1 }
        key !~ /^(authorizedkeyscommand|authorizedkeyscommanduser|authenticationmethods|pubkeyauthentication)$/ { strange = 1 }
        END { flush(); exit bad }' "$1"
}

# Whether a line can be removed: no control value may skip a number of lines, and no line may continue on the next.
pam_line_is_alone() {
    ! grep -q '^[^#]*\[[^]]*=[1-9]' "$1" && ! grep -q '^[^#]*\\$' "$1"
}

# Prints one reason on each line; nothing where the old integration can be removed automatically.
migration_obstacles() {
    [ ! -e $SAVED ] || echo "$SAVED holds what an earlier migration replaced: migrate --undo, or remove it"
    sshd=$(sshd_program) || {
        echo "sshd is not installed"
        return 0
    }
    "$sshd" -t -f $SSHD_CONFIG 2>/dev/null || echo "sshd refuses the configuration that is there already"
    for file in $(old_sshd_files); do
        without_old_block "$file" >/dev/null ||
            echo "$file calls aad_certhandler outside of the package's block, or the block has lines of others"
    done
    profiles=$(old_pam_profiles)
    for file in $(old_pam_files); do
        case $file in
        /etc/pam.d/common-*) [ -z "$profiles" ] || continue ;;
        esac
        { [ ! -L "$file" ] && pam_line_is_alone "$file"; } ||
            echo "$file: something there counts lines, or is a link: take out pam_aad.so by hand"
    done
    ! names_old_service || [ ! -L $NSSWITCH ] || echo "$NSSWITCH is a link: take out 'aad' by hand"
}

# All or nothing: files that a killed run saved only in part are never restored.
save_old() {
    rm -rf $SAVED.new && install -d -m 0700 $SAVED.new $SAVED.new/files $SAVED.new/between || return 1
    for file in $(old_sshd_files) $(old_pam_files) /etc/pam.d/common-* /var/lib/pam/* $NSSWITCH; do
        [ ! -f "$file" ] || copy_whole "$file" $SAVED.new/files || return 1
    done
    sync && mv -T $SAVED.new $SAVED && on_disk ${SAVED%/*}
}

# replace_old FILE: replaces FILE by $WORK/old.new.
replace_old() { cmp -s "$WORK/old.new" "$1" || place "$WORK/old.new" "$(stat -c %a "$1")" "$1"; }

# sshd and the name service come before PAM: as long as the old names are known, the old PAM module refuses them.
take_out_old() {
    for file in $(old_sshd_files); do
        without_old_block "$file" >"$WORK/old.new" || fail "$file has changed meanwhile"
        replace_old "$file"
    done
    "$sshd" -t -f $SSHD_CONFIG || fail "sshd refuses its configuration without the old lines"
    if names_old_service; then
        sed '/^[^#]*:/{:again;s/^\([^#]*[[:space:]:]\)aad\([[:space:]]\|$\)/\1\2/;tagain;s/[[:space:]]*$//}' \
            $NSSWITCH >"$WORK/old.new"
        replace_old $NSSWITCH
        getent passwd root >/dev/null || fail "root has no passwd entry any more after the change of $NSSWITCH"
    fi
    for profile in $(old_pam_profiles); do
        DEBIAN_FRONTEND=noninteractive pam-auth-update --package "$(pam_disabling)" "${profile##*/}" </dev/null ||
            fail "pam-auth-update failed"
    done
    for file in $(old_pam_files); do
        pam_line_is_alone "$file" || fail "$file still calls pam_aad.so, and something there counts lines"
        sed '/^[^#]*pam_aad\.so/d' "$file" >"$WORK/old.new"
        replace_old "$file"
    done
    (cd $SAVED/files && find . -type f) >"$WORK/saved"
    while read -r file; do
        install -D -m 0600 "/$file" "$SAVED/between/$file"
    done <"$WORK/saved"
}

# Restores every file, PAM's before the names that it refuses. Leaves and names a file that changed after the migration.
restore_old() {
    (cd $SAVED/files && for part in etc/pam.d var/lib/pam etc/nsswitch.conf etc/ssh; do
        [ ! -e $part ] || find $part -type f || exit 1
    done) >"$WORK/saved" || fail "$SAVED cannot be read"
    while read -r file; do
        target=/$file
        ! cmp -s "$SAVED/files/$file" "$target" || continue
        case $target in
        /etc/*)
            if [ -e "$SAVED/between/$file" ] && ! cmp -s "$SAVED/between/$file" "$target"; then
                complain "$target was changed meanwhile and is left; the old one is $SAVED/files$target"
                : >"$WORK/left"
                continue
            fi
            ;;
        esac
        swap_in "$SAVED/files/$file" "$target" || fail "$target cannot be written"
    done <"$WORK/saved"
    forget_names
}

# Restores the old integration, in the running sshd, too. May be repeated;
# ends the run where entralogin's cannot be removed.
give_up_migration() {
    rm -rf $SAVED.new || return 1
    [ -d $SAVED/files ] || return 0
    take_out >/dev/null
    mapped forget || complain "look at /etc/entralogin/adopted"
    rm -rf $SAVED/between || return 1
    restore_old
    (reload_sshd) || :
    drop_saved || return 1
    complain "the old integration is back"
}

drop_saved() { rm -rf $SAVED.new && mv -T $SAVED $SAVED.new && rm -rf $SAVED.new; }

migrate() {
    OLD_PACKAGE=$1
    migration_obstacles >"$WORK/obstacles"
    if [ -s "$WORK/obstacles" ]; then
        sed 's/^/  /' "$WORK/obstacles" >&2
        fail "nothing was changed"
    fi
    begin migration
    save_old || fail "what is there cannot be saved to $SAVED"
    # The list comes first: without it, entralogin could give one of these names a number of its own range.
    install -d -m 0755 -o root -g root /etc/entralogin
    mapped adopt || fail "the accounts could not be taken over"
    take_out_old
    wire
    [ "$MISSING" -eq 0 ] || fail "the integration is not complete"
    have_sshd_read
    # Their lines come last, when everything that refuses them is in place.
    begin mapped
    mapped restore || fail "the accounts could not be taken over"
    [ -n "$RELOADED" ] || ! booted || reload_sshd
    if ! stamp; then
        [ -z "$RELOADED" ] || fail "sshd and PAM are not wired as they must be"
        # Without systemd the administrator has to reload sshd; until then the check sees the old configuration.
        complain "once sshd has read its files: entraloginctl stack --stamp"
    fi
    note_on
    close_journal
    say "wired. Try a sign-in before you close this session; back: entraloginctl migrate --undo"
}

migrate_undo() {
    [ -d $SAVED/files ] || fail "nothing was migrated here"
    GOES_ON=yes
    begin migration-undo
    (release_mapped) || stay_on
    undo_migration
    close_journal
    [ ! -e "$WORK/left" ] || exit 1
    say "the old integration is back"
}

# May be repeated.
undo_migration() {
    [ -d $SAVED/files ] || return 0
    take_out
    mapped forget || : >"$WORK/left"
    restore_old
    reload_sshd
    [ -e "$WORK/left" ] || drop_saved
}
