# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The undo journal, on disk before a step acts. A run that fails undoes its own steps. After a killed run, the next run
# does that, or the boot (entralogin-recover.service), or a package's script. Read by configure.

# One empty file for each step, NN.STEP, so that undoing a step needs no disk space; and STEP.before and STEP.after, the
# file that the step changes. In /etc: there at boot before anything else is mounted, and owned by root, because root
# acts on it.
JOURNAL=/etc/entralogin/unfinished

# Not empty: this run has noted a step.
BEGUN=
# Not empty: a failure leaves the rest to the next run.
GOES_ON=

# The file that a step changes.
file_of() {
    case $1 in
    nsswitch) echo $NSSWITCH ;;
    sudo) echo $SUDOERS_FILE ;;
    sshd) echo $SSHD_FILE ;;
    sshd-config) echo $SSHD_CONFIG ;;
    esac
}

# begin STEP [NEW]: notes the step before it acts; NEW is the new content of its file.
begin() {
    [ -z "$DRY" ] || return 0
    note_step "$@" || fail "the way back cannot be written to $JOURNAL: nothing was changed by this step"
    BEGUN=yes
}

note_step() {
    install -d -m 0755 /etc/entralogin && install -d -m 0700 $JOURNAL && on_disk /etc/entralogin || return 1
    if [ $# -eq 2 ]; then
        file=$(file_of "$1")
        rm -f "$JOURNAL/$1.before" || return 1
        if [ -e "$file" ]; then
            cp -p "$file" "$JOURNAL/$1.before" && on_disk "$JOURNAL/$1.before" || return 1
        fi
        cp "$2" "$JOURNAL/$1.after" && on_disk "$JOURNAL/$1.after" || return 1
    fi
    count=10
    for step in "$JOURNAL"/[0-9][0-9].*; do [ ! -e "$step" ] || count=$((count + 1)); done
    touch "$JOURNAL/$count.$1" && on_disk $JOURNAL
}

# The steps begun, newest first.
steps_begun() {
    steps=
    for step in "$JOURNAL"/[0-9][0-9].*; do [ ! -e "$step" ] || steps="${step##*/} $steps"; done
    printf '%s' "$steps"
}

is_unfinished() { [ -n "$(steps_begun)" ] || [ -d $PAM_COPIES ]; }

# Marks the run as done, in one rename. Files that a kill leaves behind after that mean nothing.
close_journal() {
    [ -z "$DRY" ] || return 0
    rm -rf $JOURNAL.done || return 1
    [ -d $JOURNAL ] || return 0
    mv $JOURNAL $JOURNAL.done && on_disk /etc/entralogin && rm -rf $JOURNAL.done || return 1
    BEGUN=
}

# Undoes the steps, newest first, and stops at the first that fails: until it is fixed, the older steps refuse users.
take_way_back() {
    put_back_pam_copies || return 1
    for step in $(steps_begun); do
        if [ "${step#*.}" = lines ]; then
            # All steps were done: at most the lines of mapped accounts are missing. Only --recover must restore them;
            # any other verb sets the machine up as it needs.
            (reload_sshd) || :
            note_on
            bring_lines || [ "$verb" != --recover ] || return 1
            break
        fi
        (take_back "${step#*.}") && rm -f "$JOURNAL/$step" && continue
        complain "the way back stops at '${step#*.}': fix what it says; the next run of configure, or the next boot, goes on"
        return 1
    done
    # New files that were not renamed into place.
    rm -f $SSHD_CONFIG.entralogin-new $SSHD_FOLDER/*.entralogin-new /etc/sudoers.d/*.entralogin-new $NSSWITCH.entralogin-new \
        /etc/pam.d/*.entralogin-new /var/lib/pam/*.entralogin-new
    close_journal
}

take_back() {
    case $1 in
    pam) take_back_pam ;;
    nsswitch) take_back_nsswitch ;;
    sudo | sshd | sshd-config) put_back "$1" || [ $? -eq 2 ] ;;
    mapped) release_mapped ;;
    off) take_out ;;
    migration) give_up_migration ;;
    migration-undo) undo_migration ;;
    *) complain "$JOURNAL: '$1' is no step" && return 1 ;;
    esac
}

# put_back STEP: restores the file of the step. Returns 2 where the file was changed after the step.
put_back() {
    file=$(file_of "$1")
    before=$JOURNAL/$1.before
    if [ -e "$before" ]; then ! cmp -s "$before" "$file" || return 0; else [ -e "$file" ] || return 0; fi
    if ! cmp -s "$JOURNAL/$1.after" "$file"; then
        complain "$file was changed meanwhile, and is left"
        return 2
    fi
    if [ -e "$before" ]; then
        swap_in "$before" "$file"
    else
        rm -f "$file" && on_disk "${file%/*}"
    fi
}

# copy_whole FILE FOLDER: copies FILE below FOLDER, with its path. cp --parents looks up the path's folders relative to
# the current folder, so it runs in /.
copy_whole() { (cd / && cp -a --parents "$1" "$2"); }

# swap_in SAVED TARGET: replaces TARGET by a copy of SAVED with its owner
# and mode; on a full disk, by a hard link to it.
swap_in() {
    new=$2.entralogin-new
    rm -f "$new" || return 1
    cp -p "$1" "$new" 2>/dev/null || { rm -f "$new" && ln "$1" "$new"; } || return 1
    into_place "$2"
}

# Undoes an earlier run that did not end, before anything else.
recover() {
    if is_unfinished; then
        complain "an earlier run did not end: taking its way back"
        make_sshd_folder
        before=$(sshd_state)
        take_way_back || exit 1
        [ "$before" = "$(sshd_state)" ] || (reload_sshd) || :
    else
        close_journal || fail "$JOURNAL cannot be removed"
    fi
}

# Where systemd starts the machine, a killed run is undone before any user can sign in.
recover_at_boot() {
    ! have systemctl || systemctl enable --quiet $RECOVERY 2>/dev/null ||
        complain "$RECOVERY cannot be enabled: a run that is killed is not undone at boot"
}
