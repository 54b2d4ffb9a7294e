// SPDX-License-Identifier: Apache-2.0

/// One command as users type it. `--help` prints the table; tests compare the completions, the man page and the README
/// with it.
struct CommandEntry: Hashable, Sendable {
    /// `users rebind`.
    let words: String
    /// `NAME --object-id ID [--same-person]`; empty if there is nothing more.
    let operands: String
    /// The command's own options, besides `--json`.
    let options: [String]
    /// What it does, in a few words.
    let summary: String

    init(_ words: String, _ operands: String = "", options: [String] = [], does summary: String) {
        self.words = words
        self.operands = operands
        self.options = options
        self.summary = summary
    }

    /// The first word.
    var verb: String { words.split(separator: " ").first.map(String.init) ?? words }
}

enum CommandTable {
    static let all: [CommandEntry] = [
        CommandEntry("status", does: "what the daemon knows and how it fares"),
        CommandEntry("doctor", does: "what is wrong here, and how to fix it"),
        CommandEntry("explain", "NAME", does: "what would happen to this person, and why"),
        CommandEntry(
            "check",
            "NAME [--admin] [--object-id ID]",
            options: ["--admin", "--object-id"],
            does: "ask Azure now for this person's role; nobody gets in by it"
        ),
        CommandEntry(
            "test",
            "FILE [--user NAME]",
            options: ["--user"],
            does: "a dry sign-in with a certificate (- standard input)"
        ),
        CommandEntry("access", does: "who may sign in here, as Azure's role assignments say it"),
        CommandEntry("log", "NAME [--since TIME]", options: ["--since"], does: "the decisions about one person"),
        CommandEntry("sessions", does: "who is signed in over SSH"),
        CommandEntry("sessions end", "NAME|ID", does: "end everything of an account: connections, services, jobs"),
        CommandEntry("users list", does: "the accounts that have signed in, or were added"),
        CommandEntry("users show", "NAME", does: "everything about one of them; also by uid or old name"),
        CommandEntry(
            "users add",
            "NAME --object-id ID [--groups GROUP,...] [--root-equivalent]",
            options: ["--object-id", "--groups", "--root-equivalent"],
            does:
                "make an account before its person's first sign-in, a member of these local groups; --root-equivalent "
                + "says that groups which make root of their members are meant"
        ),
        CommandEntry(
            "users retire",
            "NAME",
            does: "end an account, also in local groups; nobody else gets its name, uid or home"
        ),
        CommandEntry(
            "users lock",
            "NAME|ID",
            does: "refuse an account until it is unlocked: sign-in, sudo and jobs; what runs goes on"
        ),
        CommandEntry("users unlock", "NAME|ID", does: "let it sign in again, if it has the role"),
        CommandEntry(
            "users rebind",
            "NAME --object-id ID [--same-person]",
            options: ["--object-id", "--same-person"],
            does:
                "give it to the same person's new Entra object, or bring it back; without --same-person only say what would be"
        ),
        CommandEntry(
            "users rename",
            "NAME NEW|--short",
            options: ["--short"],
            does: "the person got another name in Entra; --short: the account gets its short one (ShortNames=)"
        ),
        CommandEntry("users set-shell", "NAME SHELL", does: "give it another login shell"),
        CommandEntry("users set-home", "NAME FOLDER", does: "give it another home; nothing is moved"),
        CommandEntry(
            "check-certificate",
            "FILE [--user NAME]",
            options: ["--user"],
            does: "what the rules say of a certificate (- standard input)"
        ),
        CommandEntry(
            "keys",
            "[--refresh] [--publish]",
            options: ["--refresh", "--publish"],
            does: "the keys of Entra's that certificates are held against; --refresh fetches them first, --publish "
                + "copies them for sshd"
        ),
        CommandEntry(
            "subids",
            "[--write]",
            options: ["--write"],
            does: "the accounts' ranges for rootless containers; --write gives them to those that have none yet"
        ),
        CommandEntry(
            "stack",
            "[--stamp [--unattended]] [--lines sshd|sudo] [--domains] [--obstacles]",
            options: ["--stamp", "--unattended", "--lines", "--domains", "--obstacles"],
            does:
                "check the integration with sshd, PAM and the name service; --stamp records the result, or removes the record; --unattended is for units"
        ),
        CommandEntry(
            "setup",
            "--dry-run|--apply|--undo",
            options: ["--dry-run", "--apply", "--undo"],
            does: "wire sshd, PAM, the name service and sudo; say what would be changed; or take it out"
        ),
        CommandEntry(
            "audit accounts",
            "[--allow FILE]",
            options: ["--allow"],
            does: "the local accounts that people can sign in to without Entra"
        ),
        CommandEntry(
            "migrate",
            "--from aadsshlogin|aadlogin [--apply|--undo]",
            options: ["--from", "--apply", "--undo"],
            does:
                "what leads from Microsoft's package to this one here; --apply swaps the integration, --undo puts it back"
        ),
        CommandEntry("export", does: "the accounts as Microsoft's packages keep them"),
        CommandEntry("config", "[SECTION.KEY]", does: "the settings in force, or one of them"),
        CommandEntry(
            "report",
            "[--output FILE]",
            options: ["--output"],
            does:
                "versions, findings, status, settings and records in one text, without secrets, to send with a bug report"
        ),
        CommandEntry("flush", does: "forget cached decisions"),
        CommandEntry(
            "metrics",
            "[--output FILE]",
            options: ["--output"],
            does: "OpenMetrics text, to a file as a whole"
        ),
    ]

    /// Options that every command takes.
    static let common = ["--json", "--help", "--version"]

    private static let column = 24

    /// `--help`: each command and what it does; a long command gets a line of its own.
    static var usage: String {
        let rows = all.flatMap { entry in
            let command = "  \(entry.words) \(entry.operands)"
            let lines = Text.wrap(entry.summary, width: Style.width - column)
            let pad = String(repeating: " ", count: column)
            guard command.count < column else { return [command] + lines.map { pad + $0 } }
            return Text.labelled(command.trimmed, column: column, entry.summary)
        }
        return (["usage: entraloginctl [--json] COMMAND", ""] + rows + ["", ending]).joined(separator: "\n")
    }

    private static let ending = """
          --json  for programs        --version        --help  this, or one command's

        Only root may ask. Exit status: 0 well; 1 refused, or a finding that keeps
        people out; 2 usage; 3 the daemon does not answer; 4 not permitted; 5 doctor
        has warnings only.
        """
}

extension String {
    /// Without trailing blanks.
    var trimmed: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
