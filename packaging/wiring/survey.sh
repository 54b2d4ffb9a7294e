# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Why a package must not wire this machine by itself: its owner has hardened what we would change, or another product
# decides about the same people. Only looks. Read by configure.

# One reason a line; nothing on a stock machine.
survey() {
    survey_others
    survey_pam
    survey_nsswitch
    survey_names
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

# A file that a package brought, and that is not as the package brought it.
is_edited() {
    [ -f "$1" ] || return 1
    if have dpkg-query; then
        recorded=$(dpkg-query -W -f='${Conffiles}\n' 2>/dev/null | awk -v file="$1" '$1 == file { print $2; exit }')
        [ -n "$recorded" ] && [ "$recorded" != "$(md5sum <"$1" | cut -d' ' -f1)" ]
    else
        have rpm && rpm -Vf --nodeps "$1" 2>/dev/null | grep -q "^..5.*[[:space:]]$1\$"
    fi
}

# A file, or what a link leads to, that belongs to a package and is as the package brought it.
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
    if have pam-auth-update; then
        for stage in account auth session; do
            file=/etc/pam.d/common-$stage
            [ -f /usr/share/pam/common-$stage ] && [ -f $file ] || continue
            unmanaged_lines $file >"$WORK/pam.there"
            unmanaged_lines /usr/share/pam/common-$stage >"$WORK/pam.stock"
            cmp -s "$WORK/pam.there" "$WORK/pam.stock" && has_recorded_lines $stage ||
                echo "$file was edited by hand"
        done
    elif have authselect; then
        uses_authselect || echo "authselect does not manage PAM and $NSSWITCH, or finds them edited (authselect check)"
    elif ! pam_names_us; then
        echo "nothing here adds lines to PAM by machine"
    fi
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
# that were added by hand, so a line is held against its beginning.
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

survey_nsswitch() {
    [ -L $NSSWITCH ] || nsswitch_obstacle
}

# sshd's block goes by the name alone, and takes passwords, keys and tickets from whoever has it. Without Domains= that is
# everybody with an @ in their name, as people of another directory have whose names are written in full.
survey_names() {
    [ "$(setting Accounts.Domains)" = any ] || return 0
    remedy="their sign-in over SSH would end: name the domains that are Entra's in Domains= first"
    local=$(sed -n 's/^\([^:#+-][^:]*@[^:]*\):.*/\1/p' /etc/passwd | tr '\n' ' ')
    [ -z "$local" ] || echo "local accounts with an @ in their names (${local% }): $remedy"
    others=$(sed -n 's/^[[:space:]]*passwd[[:space:]]*:\([^#]*\).*/\1/p' $NSSWITCH 2>/dev/null | head -n 1 |
        sed 's/\[[^]]*\]//g' | tr -s '[:space:]' '\n' |
        grep -vxE 'files|compat|db|altfiles|systemd|entralogin|cache|' | tr '\n' ' ' || :)
    [ -z "$others" ] || echo "$NSSWITCH asks ${others% }, too; where people there have an @ in their names, $remedy"
}

survey_sudo() {
    ! is_edited /etc/sudoers || echo "/etc/sudoers was edited by hand"
    if [ -f /etc/sudoers ]; then
        "$TOOL" stack --lines sudo >"$WORK/sudo.lines" || echo "sudo's files cannot be read whole"
        awk -F'\t' -v main=/etc/sudoers -v own=$SUDOERS_FILE '
            $3 == "Defaults" && $1 != main && $1 != own && !told[$1]++ { print $1 " changes sudo\047s defaults" }
        ' "$WORK/sudo.lines"
    fi
    if [ -e $SUDOERS_FILE ] && ! ours $SUDOERS_FILE; then echo "$SUDOERS_FILE was made by hand"; fi
}

# Keywords that say who may come in, with what, and what they may do then. Others (ports, logs, time-outs, PermitRootLogin,
# and the PasswordAuthentication that Azure's provisioning writes) are nothing to our block, and no sign of hardening
# against it. All of them stay in force: our file adds a Match block for names that can be ours.
HARDENED='allowusers|allowgroups|denyusers|denygroups|match|authenticationmethods|usepam|pubkeyauthentication'
HARDENED="$HARDENED|authorizedkeyscommand|authorizedprincipalscommand|authorizedprincipalsfile|trustedusercakeys"
HARDENED="$HARDENED|forcecommand|chrootdirectory|revokedkeys|casignaturealgorithms|pubkeyacceptedalgorithms"
HARDENED="$HARDENED|pubkeyacceptedkeytypes|requiredrsasize"

survey_sshd() {
    # The tool reads as sshd and sudo do: quotes, and files behind files.
    if [ -f $SSHD_CONFIG ]; then
        "$TOOL" stack --lines sshd >"$WORK/sshd.lines" || echo "sshd's files cannot be read whole"
        block=$(own_lines numbers | tr '\n' ' ')
        cut -f1 "$WORK/sshd.lines" | sort -u | while IFS= read -r file; do
            # The distribution's crypto policy names algorithms, for everybody; the check says where they shut Entra's out.
            case $file in $SSHD_FILE | /etc/crypto-policies/*) continue ;; esac
            is_packaged "$file" || survey_sshd_lines "$file"
        done
    fi
    if [ -e $SSHD_FILE ] && ! ours $SSHD_FILE; then echo "$SSHD_FILE was made by hand"; fi
    # An OpenSSH that knows the folder, and a file from which the distribution's line is gone.
    if ! reads_folder && ! has_own_block && [ -d $SSHD_FOLDER ] && [ -f $SSHD_CONFIG ]; then
        if is_azures_file || [ -s /var/lib/entralogin/accounts ]; then
            complain "note: $SSHD_CONFIG does not read $SSHD_FOLDER, as after the portal's Reset configuration: a block is added"
        else
            echo "$SSHD_CONFIG does not read $SSHD_FOLDER any more"
        fi
    fi
}

# What a file says of HARDENED, but for our block in the main one.
survey_sshd_lines() {
    awk -F'\t' -v file="$1" -v main=$SSHD_CONFIG -v block="$block" -v hardened="^($HARDENED)\$" '
        BEGIN { split(block, part, " "); for (i in part) own[part[i]] = 1 }
        $1 != file || $3 !~ hardened || (file == main && $2 in own) { next }
        { split($4, value, " ") }
        ($3 == "usepam" || $3 == "pubkeyauthentication") && tolower(value[1]) == "yes" { next }
        { print file " says who may sign in: " $3 " " $4 }' "$WORK/sshd.lines"
}
