# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Reports to the agent, by status file, exit status and output; and the log. Read by handler.

# Exit statuses, as Microsoft's own extension documents them; 1 for everything else.
NO_IDENTITY=22
OLD_PRODUCT=23
OTHER_SYSTEM=51
MISSING=52
CONFIGURATION=53

LOG_LIMIT=1048576
LOG=/dev/null
STATUS_FOLDER=
WORK=
# Functions that undo what was done, newest first; run when a verb fails.
UNDO=
REFUSAL=
DONE=done

say() { printf '%s %s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$VERB" "$*" | tee -a "$LOG"; }

# refuse STATUS SENTENCE. Never in a subshell: the sentence would be lost.
refuse() {
    REFUSAL=$2
    exit "$1"
}

# allow SECONDS: sets the deadline of all that follows. The agent kills a late handler, and half-done work is worse.
allow() { DEADLINE=$(($(date +%s) + $1)); }

# left LIMIT: the seconds for one step of at most LIMIT; at least one.
left() {
    rest=$((DEADLINE - $(date +%s)))
    [ "$rest" -le "$1" ] || rest=$1
    [ "$rest" -ge 1 ] || rest=1
    echo "$rest"
}

# JSON as lines: json.awk says how.
json() { awk "$@" -f "$LIB/json.awk"; }

# the_text PATH: what json printed for that path.
the_text() { awk -F '\t' -v path="$1" '$2 == path { print $3 }'; }

begin() {
    trap leave EXIT
    trap 'exit 1' HUP INT TERM
    WORK=$(mktemp -d /run/entralogin-extension.XXXXXX)
    json <"$HANDLER/HandlerEnvironment.json" >"$WORK/environment" ||
        refuse $CONFIGURATION "HandlerEnvironment.json cannot be read"
    log_folder=$(the_text 0/handlerEnvironment/logFolder <"$WORK/environment")
    CONFIG_FOLDER=$(the_text 0/handlerEnvironment/configFolder <"$WORK/environment")
    STATUS_FOLDER=$(the_text 0/handlerEnvironment/statusFolder <"$WORK/environment")
    NAME=$(the_text 0/name <"$WORK/environment")
    [ -n "$log_folder" ] && [ -n "$CONFIG_FOLDER" ] && [ -n "$STATUS_FOLDER" ] ||
        refuse $CONFIGURATION "HandlerEnvironment.json names no folders"
    mkdir -p "$log_folder"
    LOG=$log_folder/extension.log
    if [ -f "$LOG" ] && [ "$(wc -c <"$LOG")" -gt $LOG_LIMIT ]; then mv -f "$LOG" "$LOG.1"; fi
    find_sequence
    say "version $VERSION, sequence ${SEQUENCE:-none}"
    report transitioning 0 "$VERB: under way"
}

# The agent names the settings to use. With an older agent, these are the ones that it wrote last: numbers may go back.
find_sequence() {
    SEQUENCE=${ConfigSequenceNumber:-}
    if [ -z "$SEQUENCE" ]; then
        # shellcheck disable=SC2012 # by time; and the names are checked below
        SEQUENCE=$(ls -t "$CONFIG_FOLDER" 2>/dev/null | sed -n 's/^\([0-9]*\)\.settings$/\1/p' | head -n 1)
    fi
    case $SEQUENCE in
    *[!0-9]* | ?????????????*)
        SEQUENCE=
        refuse $CONFIGURATION "ConfigSequenceNumber is not a number"
        ;;
    esac
}

# report transitioning|success|error CODE TEXT: writes the status file atomically: the agent may read it at any time.
report() {
    [ -n "$STATUS_FOLDER" ] && [ -n "$SEQUENCE" ] || return 0
    mkdir -p "$STATUS_FOLDER"
    printf '[{"version":"1.0","timestampUTC":"%s","status":{"name":"%s","operation":"%s","status":"%s","code":%d,%s}}]\n' \
        "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(plain "$NAME")" "$VERB" "$1" "$2" \
        "\"formattedMessage\":{\"lang\":\"en-US\",\"message\":\"$(plain "$3")\"}" >"$STATUS_FOLDER/.$SEQUENCE.new"
    mv -f "$STATUS_FOLDER/.$SEQUENCE.new" "$STATUS_FOLDER/$SEQUENCE.status"
}

# Any text as the inside of a JSON string: ASCII, one line, and no more than the portal shows.
plain() { printf '%s' "$1" | tr '\n\t' '  ' | tr -cd '\040-\176' | cut -c1-1000 | sed 's/[\\"]/\\&/g'; }

# Install and update report a transition: the agent calls enable next.
finish() {
    case $VERB in
    install | update) state=transitioning ;;
    *) state=success ;;
    esac
    say "done: $1"
    report $state 0 "$1"
}

leave() {
    status=$?
    trap - EXIT
    set +e
    if [ "$status" -ne 0 ]; then
        [ -n "$REFUSAL" ] || REFUSAL="it failed; see $LOG"
        for step in $UNDO; do "$step"; done
        say "exit status $status: $REFUSAL"
        report error "$status" "$REFUSAL"
    fi
    [ -z "$WORK" ] || rm -rf "$WORK"
    exit "$status"
}
