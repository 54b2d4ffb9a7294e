# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# entralogin's block in sshd_config. Other programs (VMAccess, WALinuxAgent, cloud-init) write between
# its marks, after them and in their place, and some strip comments. So entralogin's lines are recognized
# by their words, and no other line is dropped. Read by configure.

# The group of all accounts with a short name: ENTRALOGIN_SHORT_GROUP and ENTRALOGIN_SHORT_GID in entralogin_name.h.
SHORT_GROUP=entra_short_names
SHORT_GID=1879048194

# own_lines MODE [FILE]. Modes: `has`, whether the file has lines of entralogin; `numbers`, their line numbers; `rest`,
# the file without the block; `inside`, other programs' settings inside the block; `left`, the file without entralogin's
# lines, where those settings keep their Match line, and so their meaning.
own_lines() {
    awk -v mode="$1" -v begins="$MARK: begin" -v ends="$BLOCK_END" -v guids="$GUIDS" -v short="match group $SHORT_GROUP" '
        function keyword(i) { return substr(words[i], 1, index(words[i] " ", " ") - 1) }
        function is_setting(i) { return words[i] != "" && words[i] !~ /^#/ }
        function is_known(i) {
            return words[i] in known || words[i] ~ /^trustedusercakeys \/var\/lib\/entralogin/ ||
                words[i] ~ /^authorizedprincipalscommand \/usr\/libexec\/entralogin\//
        }
        # The keyword in lower case, one blank between words. sshd ignores white space and CR at the end of a line.
        function plain(line,  at) {
            gsub(/[ \t\r]+/, " ", line); sub(/^ /, "", line); sub(/ $/, "", line)
            at = index(line " ", " ")
            return tolower(substr(line, 1, at - 1)) substr(line, at)
        }
        FNR == NR { if (/^[ \t]+[A-Z]/) known[plain($0)] = 1; next }
        { lines[++n] = $0; words[n] = plain($0) }
        # Starts at the Match line of a block; `marked`: the mark stands before it.
        function read_block(m, marked,  i, end, calls, others) {
            for (end = m + 1; end <= n && keyword(end) != "match"; end++) {
                if (words[end] ~ /^authorizedprincipalscommand / && is_known(end)) calls = 1
                else if (is_setting(end) && !is_known(end)) others = 1
            }
            if (!calls && !marked && others) { before = 1; return }
            own[m] = 1
            for (i = m + 1; i < end; i++) if (is_known(i)) own[i] = 1; else if (is_setting(i)) inside[i] = m
            if (end > n || tolower(words[end]) != "match all") { if (others) kept[m] = 1; return }
            own[end] = 1
            if (others) kept[m] = kept[end] = 1
            # Settings after `Match all` are for all users. After another Match block they need that line to stay so.
            for (i = end + 1; before && i <= n && keyword(i) != "match"; i++) if (is_setting(i)) needed[end] = 1
            if (end in needed) delete own[end]
        }
        END {
            for (i = 1; i <= n; i++) {
                if (words[i] == plain(begins)) { own[i] = marked = 1 }
                else if (words[i] == plain(ends)) { own[i] = 1; marked = 0 }
                else if (keyword(i) != "match" || i in own || i in needed) continue
                else {
                    at = length(words[i]) - length(guids) + 1
                    if (tolower(words[i]) == short) { read_block(i, marked); continue }
                    if (tolower(words[i]) ~ /^match user / && substr(words[i], at) == guids) read_block(i, marked)
                    else before = 1
                    marked = 0
                }
            }
            for (i = 1; i <= n; i++) {
                if (i in own) found = 1
                if (mode == "numbers" && i in own) print i
                if (mode == "inside" && i in inside && !told[words[i]]++) print lines[i]
                if (mode == "rest" && !(i in own) && !(i in inside)) print lines[i]
                if (mode == "left" && (!(i in own) || i in kept)) print lines[i]
            }
            if (mode == "has") exit !found
        }' $SHARE/sshd/00-entralogin.conf "${2:-$SSHD_CONFIG}"
}

has_block() { [ -f $SSHD_CONFIG ] && own_lines has; }

# Prints sshd_config with one block, at its end, from $WORK/sshd.conf. Settings of other programs stay inside the block,
# after entralogin's.
with_block() {
    own_lines rest
    echo "$MARK: begin"
    sed '/^#/d' "$WORK/sshd.conf"
    own_lines inside
    echo "Match all"
    echo "$BLOCK_END"
}

# passes FILE [ADDED]: whether sshd accepts FILE, which is to become the machine's sshd_config; its first ADDED lines
# are not part of that. Prints each of sshd's messages once, under the name of sshd_config and with the line that the
# message is about.
passes() {
    status=0
    "$sshd" -t -f "$1" >"$WORK/sshd.says" 2>&1 || status=$?
    awk -v file="$1" -v added="${2:-0}" -v real=$SSHD_CONFIG -v status=$status '
        FNR == NR { lines[FNR] = $0; next }
        { sub(/\r$/, "") }
        index($0, file) == 1 {
            said = substr($0, length(file) + 1)
            if (match(said, /line [0-9]+/) && (number = substr(said, RSTART + 5, RLENGTH - 5) - added) > 0) {
                line = lines[number + added]; gsub(/[^ -~]/, "?", line)
                said = substr(said, 1, RSTART - 1) "line " number substr(said, RSTART + RLENGTH)
                if (status) said = said " [" line "]"
            }
            $0 = real said
        }
        { print }' "$1" "$WORK/sshd.says" >"$WORK/sshd.new"
    touch "$WORK/sshd.told"
    grep -vxFf "$WORK/sshd.told" "$WORK/sshd.new" | tee -a "$WORK/sshd.told" >&2 || :
    return $status
}
