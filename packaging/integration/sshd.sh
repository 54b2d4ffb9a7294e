# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# sshd: a file in sshd_config.d where sshd_config reads that, otherwise one marked block at the end of sshd_config. Each
# file must pass sshd -t before it is put in place. Read by configure.

BLOCK_END="$MARK: end"

# If others have a group of that name, the block would apply to its members: their own keys would not count (P8).
refuse_short_group_of_others() {
    number=$(getent group $SHORT_GROUP | cut -d: -f3 || :)
    case $number in
    '' | $SHORT_GID) ;;
    *) fail "the group $SHORT_GROUP has the number $number, so it is not entralogin's: rename it first (groupmod -n NEW $SHORT_GROUP)" ;;
    esac
}

sshd_program() {
    for program in /usr/sbin/sshd /usr/bin/sshd /usr/local/sbin/sshd; do
        [ -x $program ] || continue
        printf %s $program
        return 0
    done
    return 1
}

reads_folder() { grep -qsi '^[[:space:]]*Include[[:space:]].*sshd_config\.d/\*\.conf' $SSHD_CONFIG; }
has_marks() { grep -qs "^$MARK: begin" $SSHD_CONFIG; }
# A block without marks: an administrator wrote it as configure advised, or another program has stripped its comments.
has_own_block() { has_marks || { [ -e $TURNED_ON ] && has_block; }; }
sshd_names_entralogin() { { [ -e $SSHD_FILE ] && is_own $SSHD_FILE && reads_folder; } || has_own_block; }

wire_sshd() {
    sshd=$(sshd_program) || {
        missing "sshd is not installed: run this again once it is"
        return 0
    }
    if [ -e $SSHD_FILE ] && ! is_own $SSHD_FILE; then
        missing "$SSHD_FILE was made by hand and is left alone; entralogin's would be $SHARE/sshd/00-entralogin.conf"
        return 0
    fi
    patterns=$(user_patterns)
    # The patterns consist of *, ?, letters, digits, dots, dashes, commas and @: none is special in sed's replacement.
    sshd_blocks "$patterns" >"$WORK/sshd.conf" || fail "$WORK cannot be written"
    # Debian's sshd from 10.6 on is built without this keyword, and would complain of the line at each start.
    knows_keyword GSSAPIAuthentication || sed -i '/^ *GSSAPIAuthentication /d' "$WORK/sshd.conf"
    passes $SSHD_CONFIG || fail "sshd refuses the configuration that is there already: correct that first"
    if reads_folder; then wire_sshd_file; else wire_sshd_block; fi
}

# sshd_blocks PATTERNS: prints the block for these names; before it, the same block for accounts with a short name,
# which no pattern can tell from local names. What other programs append then applies to whole names only.
sshd_blocks() {
    template=$SHARE/sshd/00-entralogin.conf
    if [ -n "$SHORT_NAMES" ]; then
        sed '/^Match /,$d' $template && echo "Match Group $SHORT_GROUP" && sed '1,/^Match /d' $template || return 1
    else
        sed '/^Match /,$d' $template
    fi
    sed -n '/^Match /,$p' $template | sed "s/@USERS@/$1/"
}

# sshd reports a keyword that it skips as an "Unsupported option", before anything else that it may find missing.
knows_keyword() {
    echo "$1 no" >"$WORK/sshd_keyword"
    ! "$sshd" -t -f "$WORK/sshd_keyword" 2>&1 | grep -qi "unsupported option $1"
}

wire_sshd_file() {
    cmp -s "$WORK/sshd.conf" $SSHD_FILE && return 0
    { echo "Include $WORK/sshd.conf" && cat $SSHD_CONFIG; } >"$WORK/sshd_config"
    passes "$WORK/sshd_config" 1 || fail "sshd refuses entralogin's lines (OpenSSH older than 7.8?): nothing was changed"
    begin sshd "$WORK/sshd.conf"
    place "$WORK/sshd.conf" 0644 $SSHD_FILE
    passes $SSHD_CONFIG || fail "sshd refuses its configuration with $SSHD_FILE in it"
}

# A Match block counts wherever it stands, unless one before it sets the same keywords.
# What is appended after entralogin's must be global again.
wire_sshd_block() {
    own_lines rest >"$WORK/sshd_rest" && with_block >"$WORK/sshd_config" || fail "$WORK cannot be written"
    cmp -s "$WORK/sshd_config" $SSHD_CONFIG && return 0
    if grep -qi '^[[:space:]]*Match[[:space:]]' "$WORK/sshd_rest"; then
        # A block before the other Match blocks that has all of entralogin's lines is as good.
        ! has_whole_block || return 0
        missing "$SSHD_CONFIG has no Include line and has Match blocks of its own: write before the first of them:"
        sed 's/^/  /; /^  #/d' "$WORK/sshd.conf" >&2
        return 0
    fi
    change_sshd_config sshd-config
}

# Whether sshd_config has each line of $WORK/sshd.conf already, compared by words.
has_whole_block() {
    has_block && sed '/^#/d' "$WORK/sshd.conf" | while read -r line; do
        tr -d '\r' <$SSHD_CONFIG | sed 's/^[[:space:]]*//' | grep -qxiF "$line" || exit 1
    done
}

# change_sshd_config [STEP]: replaces sshd_config by $WORK/sshd_config.
change_sshd_config() {
    passes "$WORK/sshd_config" || fail "sshd refuses what would come of its configuration: nothing was changed"
    [ $# -eq 0 ] || begin "$1" "$WORK/sshd_config"
    place "$WORK/sshd_config" "$(stat -c %a $SSHD_CONFIG)" $SSHD_CONFIG
}

unwire_sshd() {
    if [ -e $SSHD_FILE ]; then
        if is_own $SSHD_FILE; then
            rm -f $SSHD_FILE || fail "$SSHD_FILE cannot be removed"
        else
            missing "$SSHD_FILE was made by hand: remove it yourself"
        fi
    fi
    if has_block && ! has_own_block; then
        missing "$SSHD_CONFIG has entralogin's block, written by hand: remove it yourself"
    elif has_block && sshd=$(sshd_program); then
        own_lines left >"$WORK/sshd_config" || fail "$WORK cannot be written"
        inside=$(own_lines inside | sed 's/^[[:space:]]*/  /')
        [ -z "$inside" ] || say "$SSHD_CONFIG: lines of others in entralogin's block stay, behind its Match line:
$inside"
        change_sshd_config
    fi
}

sshd_state() { cat $SSHD_FILE $SSHD_CONFIG 2>/dev/null | cksum; }

sshd_unit() {
    for unit in ssh.service sshd.service; do
        if booted && systemctl is-active --quiet $unit; then
            printf %s "$unit"
            return 0
        fi
    done
    return 1
}

# Has the running sshd read its configuration again, only if it passes sshd -t: otherwise sshd would end. A reload ends
# no session. Where systemd does not run, the administrator reloads sshd.
reload_sshd() {
    RELOADED=
    if [ -n "$DRY" ]; then
        say "would have sshd read its configuration again"
        return 0
    fi
    sshd=$(sshd_program) || return 0
    if ! passes $SSHD_CONFIG; then
        missing "sshd refuses its configuration, and was not told to read it"
    elif unit=$(sshd_unit); then
        systemctl reload "$unit" || fail "$unit does not reload: journalctl -u $unit"
        RELOADED=$unit
    elif [ -s /run/sshd.pid ] && kill -0 "$(cat /run/sshd.pid)" 2>/dev/null; then
        say "the running sshd still has its old configuration. When you are ready: kill -HUP $(cat /run/sshd.pid)"
    fi
}
