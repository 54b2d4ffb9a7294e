# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Writes the extension's public settings to a file for the daemon: {"SignIn": {"OfflineGrace": "2h"}} is
# OfflineGrace=2h in [SignIn]. They are used only after the daemon's own check has accepted them with the machine's
# files. Read by handler.

CONFIG=/etc/entralogin/entralogin.conf
DROP_IN=/etc/entralogin/entralogin.conf.d/50-extension.conf
# Not empty: the owner asks to turn sign-in on although the machine was hardened.
WIRE_HARDENED=

# read_settings: writes $WORK/drop-in, empty where nothing is set.
read_settings() {
    : >"$WORK/lines"
    file=$CONFIG_FOLDER/$SEQUENCE.settings
    if [ -s "$file" ]; then
        json <"$file" >"$WORK/lines" 2>"$WORK/flaw" ||
            refuse $CONFIGURATION "the settings are not JSON as it must be: $(cat "$WORK/flaw")"
    fi
    translate <"$WORK/lines" >"$WORK/drop-in" 2>"$WORK/flaw" ||
        refuse $CONFIGURATION "the settings cannot be used: $(cat "$WORK/flaw")"
    refuse_protected
    if grep -q '^true.*/publicSettings/wireHardened	' "$WORK/lines"; then WIRE_HARDENED=yes; fi
}

# The daemon checks sections and keys; this refuses only what does not fit into a line of its file.
translate() {
    awk -F '\t' '
        function fail(why) { print why | "cat >&2"; close("cat >&2"); exit 1 }
        BEGIN { top = "runtimeSettings/0/handlerSettings/" }
        index($2, top) != 1 { fail($2 " is not known") }
        {
            path = substr($2, length(top) + 1)
            empty = $1 == "null" || ($1 == "string" && $3 == "")
            if (path == "protectedSettingsCertThumbprint") next
            if ((path == "publicSettings" || path == "protectedSettings") && empty) next
            # The agent writes them as one encrypted text: refuse_protected looks at what is in it.
            if (path == "protectedSettings" && $1 == "string") next
            if (path ~ /^protectedSettings/) fail("protectedSettings: this extension takes none")
            if (path == "publicSettings/wireHardened") {
                if ($1 != "true" && $1 != "false") fail("wireHardened is true or false")
                next
            }
            if (split(path, part, "/") != 3 || part[1] != "publicSettings" || part[2] part[3] !~ /^[A-Za-z]+$/ ||
                $1 == "null") fail(path ": a setting is a text, a number, true or false in a section")
            if (part[3] == "Proxy" && index($3, "@"))
                fail("Azure/Proxy: public settings can be read in Azure; write a password into a file on the machine")
            if (!begun++) print "# Made by the VM extension from its public settings; made anew whenever it is enabled."
            if (part[2] != section) print "\n[" part[2] "]"
            section = part[2]
            print part[3] "=" ($1 == "string" || $1 == "number" ? $3 : $1)
        }'
}

# Templates write empty protected settings, which the agent hands over encrypted: "{}" counts as none. A text that
# cannot be decrypted counts as empty if it is a single block of 3DES, which holds at most seven bytes.
refuse_protected() {
    top=runtimeSettings/0/handlerSettings
    secret=$(the_text $top/protectedSettings <"$WORK/lines")
    [ -n "$secret" ] || return 0
    print=$(the_text $top/protectedSettingsCertThumbprint <"$WORK/lines" | tr -cd 0-9A-Fa-f)
    printf %s "$secret" | base64 -d >"$WORK/secret" 2>/dev/null || :
    key=${HANDLER%/*}/$print
    if have openssl && [ -n "$print" ] && [ -r "$key.prv" ] && openssl cms -decrypt -inform DER -in "$WORK/secret" \
        -recip "$key.crt" -inkey "$key.prv" -out "$WORK/open" 2>/dev/null; then
        empty=$(tr -d '[:space:]' <"$WORK/open" 2>/dev/null | head -c 3)
        rm -f "$WORK/open"
        case $empty in '' | '{}' | '""') return 0 ;; esac
    elif tail -c 10 "$WORK/secret" | od -An -tx1 | grep -q '^ 80 08'; then
        say "protectedSettings: nothing, or next to nothing, and not read: this extension takes none"
        return 0
    fi
    refuse $CONFIGURATION "protectedSettings: this extension takes none"
}

# Has the daemon check them in a copy of its folder.
check_settings() {
    mkdir -p "$WORK/etc/entralogin.conf.d"
    if [ -e $CONFIG ]; then cp -p $CONFIG "$WORK/etc/"; else : >"$WORK/etc/entralogin.conf"; fi
    for file in "${CONFIG}.d"/*.conf; do
        [ ! -e "$file" ] || [ "$file" = $DROP_IN ] || cp -p "$file" "$WORK/etc/entralogin.conf.d/"
    done
    [ ! -s "$WORK/drop-in" ] || install -m 0644 "$WORK/drop-in" "$WORK/etc/entralogin.conf.d/${DROP_IN##*/}"
    entralogind --check-config --config "$WORK/etc/entralogin.conf" >"$WORK/flaw" 2>&1 ||
        refuse $CONFIGURATION "the settings cannot be used: $(sed "s|$WORK/etc|/etc/entralogin|g" "$WORK/flaw")"
}

# place_settings: installs the settings that were read and checked. CHANGED is not empty if they differ from before.
place_settings() {
    CHANGED=
    rm -f "$WORK/before"
    if [ -e $DROP_IN ]; then cp -p $DROP_IN "$WORK/before"; fi
    if [ -s "$WORK/drop-in" ]; then
        ! cmp -s "$WORK/drop-in" $DROP_IN || return 0
        install -m 0644 "$WORK/drop-in" $DROP_IN.new
        mv -f $DROP_IN.new $DROP_IN
    elif [ -e $DROP_IN ]; then
        rm -f $DROP_IN
    else
        return 0
    fi
    CHANGED=yes
}

restore_settings() {
    [ -n "$CHANGED" ] || return 0
    if [ -e "$WORK/before" ]; then mv -f "$WORK/before" $DROP_IN; else rm -f $DROP_IN; fi
}

forget_settings() { rm -f $DROP_IN; }
