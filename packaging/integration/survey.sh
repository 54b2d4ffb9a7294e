# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Finds why a package must not set up this machine by itself: its owner has hardened what configure would change, or
# another product decides about the same users. The tool evaluates the files' content (SetupSurvey.swift); this asks the
# package databases, and tells which files are entralogin's. Changes nothing. Read by configure.

# Prints one reason on each line; nothing on a stock machine.
survey() {
    survey_others
    survey_pam
    survey_files
    survey_sudo
    survey_sshd
}

has_package() {
    if have dpkg-query; then
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
    else
        have rpm && rpm -q --quiet "$1"
    fi
}

survey_others() {
    for package in aadsshlogin aadlogin; do
        ! has_package $package || echo "the package $package is installed and decides about the same people: remove it first"
    done
    left=$(grep -ls '^[^#]*pam_aad' /etc/pam.d/* 2>/dev/null | tr '\n' ' ' || :)
    [ -z "$left" ] || echo "PAM still calls the module of aadsshlogin or aadlogin: ${left% }"
    ! grep -qs '^\(passwd\|group\)[[:space:]]*:.*[[:space:]]aad\([[:space:]]\|$\)' $NSSWITCH ||
        echo "$NSSWITCH still names the service of aadsshlogin (aad)"
}

# Whether the file comes from a package and was changed since.
is_edited() {
    [ -f "$1" ] || return 1
    if have dpkg-query; then
        recorded=$(dpkg-query -W -f='${Conffiles}\n' 2>/dev/null | awk -v file="$1" '$1 == file { print $2; exit }')
        [ -n "$recorded" ] && [ "$recorded" != "$(md5sum <"$1" | cut -d' ' -f1)" ]
    else
        have rpm && rpm -Vf --nodeps "$1" 2>/dev/null | grep -q "^..5.*[[:space:]]$1\$"
    fi
}

# Whether the file, or the link's target, comes from a package and is unchanged.
is_packaged() {
    file_itself=$(readlink -f "$1")
    if have dpkg-query; then
        dpkg-query -S "$file_itself" >/dev/null 2>&1 || return 1
    else
        rpm -qf "$file_itself" >/dev/null 2>&1 || return 1
    fi
    ! is_edited "$file_itself"
}

survey_pam() {
    for service in sshd sudo sudo-i su su-l login; do
        ! is_edited /etc/pam.d/$service || echo "/etc/pam.d/$service was edited by hand"
    done
    "$(pam_tool)_obstacle"
}

# Prints the tool's obstacles in nsswitch.conf, names, sudo and sshd: subject, file, line and text, separated by tabs.
obstacles_in_files() {
    "$TOOL" stack --obstacles 2>/dev/null || printf 'tool\t-\t-\t%s\n' "$TOOL stack --obstacles fails"
}

# Lines in entralogin's own block, or in an unchanged file of a package, are no obstacles.
survey_files() {
    obstacles_in_files >"$WORK/in-files"
    block=
    [ ! -f $SSHD_CONFIG ] || block=" $(own_lines numbers | tr '\n' ' ') "
    tab=$(printf '\t')
    while IFS=$tab read -r _ file number reason; do
        case $file:$block in
        -:*) ;;
        $SSHD_CONFIG:*" $number "*) continue ;;
        *) ! is_packaged "$file" || continue ;;
        esac
        printf '%s\n' "$reason"
    done <"$WORK/in-files"
}

survey_sudo() {
    ! is_edited /etc/sudoers || echo "/etc/sudoers was edited by hand"
    if [ -e $SUDOERS_FILE ] && ! is_own $SUDOERS_FILE; then echo "$SUDOERS_FILE was made by hand"; fi
}

survey_sshd() {
    if [ -e $SSHD_FILE ] && ! is_own $SSHD_FILE; then echo "$SSHD_FILE was made by hand"; fi
    # OpenSSH supports the folder, but sshd_config does not have the distribution's Include line any more.
    if ! reads_folder && ! has_own_block && [ -d $SSHD_FOLDER ] && [ -f $SSHD_CONFIG ]; then
        if is_azures_file || [ -s /var/lib/entralogin/accounts ]; then
            complain "note: $SSHD_CONFIG does not read $SSHD_FOLDER, as after the portal's Reset configuration: a block is added"
        else
            echo "$SSHD_CONFIG does not read $SSHD_FOLDER any more"
        fi
    fi
}
