# SPDX-License-Identifier: Apache-2.0
# JSON (RFC 8259) as lines "type TAB path TAB value", one for each string, number, true, false and null; a path is the
# names and numbers on the way, joined by slashes. All or nothing: a document that is not understood to its end is an
# error, and so are names of other than plain characters, names that occur twice, and control characters in text. With
# `-v blank=1`, escaped control characters become blanks. For any awk; called with LC_ALL=C, so characters are bytes.

BEGIN {
    SIZE = 65536
    DEPTH = 16
}

{ if (length(text) <= SIZE) text = text $0 "\n" }

END {
    size = length(text)
    if (size > SIZE) fail("it is longer than " SIZE " bytes")
    at = 1
    value("", 1)
    skip()
    if (at <= size) fail("something follows the document")
    for (i = 1; i <= lines; i++) print line[i]
}

function fail(why) {
    print "at byte " at ": " why | "cat >&2"
    close("cat >&2")
    exit 1
}

function skip() { while (at <= size && index(" \t\r\n", substr(text, at, 1))) at++ }

function take(character) {
    skip()
    if (substr(text, at, 1) != character) return 0
    at++
    return 1
}

function add(type, path, content) { line[++lines] = type "\t" path "\t" content }

function value(path, depth,    rest) {
    if (depth > DEPTH) fail("it is nested more than " DEPTH " deep")
    if (take("{")) { object(path, depth); return }
    if (take("[")) { array(path, depth); return }
    if (take("\"")) { add("string", path, string()); return }
    rest = substr(text, at, 64)
    if (match(rest, /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/)) add("number", path, substr(rest, 1, RLENGTH))
    else if (match(rest, /^(true|false|null)/)) add(substr(rest, 1, RLENGTH), path, "")
    else fail("a value is missing")
    at += RLENGTH
}

function object(path, depth,    name) {
    if (take("}")) return
    do {
        if (!take("\"")) fail("a name is missing")
        name = string()
        if (name !~ /^[A-Za-z0-9_.@-]+$/) fail("a name of other characters")
        name = (path == "" ? "" : path "/") name
        if (name in seen) fail("a name occurs twice")
        seen[name] = 1
        if (!take(":")) fail("a colon is missing")
        value(name, depth + 1)
    } while (take(","))
    if (!take("}")) fail("a brace is missing")
}

function array(path, depth,    index_) {
    if (take("]")) return
    do value((path == "" ? "" : path "/") index_++ + 0, depth + 1)
    while (take(","))
    if (!take("]")) fail("a bracket is missing")
}

# The text after an opening quotation mark, up to the closing one.
function string(    out, rest, escaped) {
    while (1) {
        rest = substr(text, at, 512)
        if (match(rest, /^[^"\\]+/)) {
            rest = substr(rest, 1, RLENGTH)
            if (rest ~ /[[:cntrl:]]/) fail("a control character")
            out = out rest
            at += RLENGTH
            continue
        }
        at++
        if (substr(rest, 1, 1) == "\"") return out
        if (rest == "") fail("a quotation mark is missing")
        escaped = substr(rest, 2, 1)
        at++
        if (escaped == "u") out = out unicode()
        else if (escaped != "" && index("\"\\/", escaped)) out = out escaped
        else if (escaped != "" && index("bfnrt", escaped)) out = out control()
        else fail("an escape that there is not")
    }
}

function control() {
    if (!blank) fail("a control character")
    return " "
}

# The four digits of \u: ASCII only.
function unicode(    i, digit, code) {
    for (i = 0; i < 4; i++) {
        digit = index("0123456789abcdef", tolower(substr(text, at, 1)))
        if (!digit || at > size) fail("not four hexadecimal digits")
        code = code * 16 + digit - 1
        at++
    }
    if (code < 32 || code == 127) return control()
    if (code > 127) fail("a character beyond ASCII, escaped")
    return sprintf("%c", code)
}
