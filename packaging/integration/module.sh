# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# libpam looks for modules only in the folder of its own ones. A package for all distributions may have put entralogin's
# module elsewhere (SUSE: /usr/lib64, but libpam is in /lib64): then this makes a link. Read by configure.

MODULE=pam_entralogin.so

# in_module_folders NAME: the first of the usual folders that has it.
in_module_folders() {
    for folder in /usr/lib/*-linux-gnu /usr/lib64 /usr/lib /lib/*-linux-gnu /lib64 /lib; do
        [ -f "$folder/security/$1" ] || continue
        printf %s "$folder/security"
        return 0
    done
    return 1
}

is_own_link() { [ -L "$1" ] && [ "$(basename "$(readlink "$1")")" = $MODULE ]; }

link_module() {
    theirs=$(in_module_folders pam_unix.so) && own=$(in_module_folders $MODULE) || return 0
    link=$theirs/$MODULE
    if [ -e "$link" ] || { [ -L "$link" ] && ! is_own_link "$link"; }; then return 0; fi
    act ln -sfn "$own/$MODULE" "$link" || fail "no link can be made in $theirs, where libpam looks for its modules"
}

# Called after PAM's lines were removed: until then the module is what refuses Entra accounts.
unlink_module() {
    for folder in /usr/lib/*-linux-gnu /usr/lib64 /usr/lib /lib/*-linux-gnu /lib64 /lib; do
        ! is_own_link "$folder/security/$MODULE" || pam_names_entralogin || rm -f "$folder/security/$MODULE"
    done
}
