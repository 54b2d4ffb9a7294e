// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Migration

/// What to do.
enum Command: Hashable, Sendable {
    case status
    case doctor
    case explain(name: String)
    case users(UsersCommand)
    case checkCertificate(file: String, user: String?)
    case stack(stamp: Bool, isUnattended: Bool)
    /// `stack --lines`: the configuration lines that a program reads, for configure.
    case configurationLines(of: ReadingProgram)
    /// `stack --obstacles`: why a package must not integrate this machine by itself, for configure.
    case setupObstacles
    /// `stack --domains`: what sshd's block must name, for configure.
    case coveredDomains
    case setup(SetupVerb)
    case flush
    /// `allowList`: a file; nil for the default one, which may be absent.
    case auditAccounts(allowList: String?)
    case migrate(from: OldPackage, MigrationVerb)
    case export
    /// All settings, or the one with that name (`Section.Key`).
    case config(key: String?)
    /// `objectID`: for a user who has no account here yet.
    case check(name: String, objectID: ObjectID?, needsAdministrator: Bool)
    case test(file: String, user: String?)
    /// `since`: in journalctl's syntax.
    case log(name: String, since: String?)
    case sessions
    case endSessions(name: String)
    /// `refresh`: the daemon fetches the keys first. `publish`: copies them for sshd.
    case keys(refresh: Bool, publish: Bool)
    /// Ranges for rootless containers; `write`: brings /etc/subuid and /etc/subgid up to date.
    case subordinateIDs(write: Bool)
    /// To standard output if no file is given.
    case metrics(file: String?)
    /// A bundle for a bug report; to standard output if no file is given.
    case report(file: String?)
    /// Who may sign in here according to Azure's role assignments.
    case access
    /// The help of one command, by its words; if empty, of all commands.
    case help(of: [String])
    case version
}

/// A program whose configuration files can include others.
enum ReadingProgram: String, Sendable {
    case sshd
    case sudo
}

/// What to do with the accounts.
enum UsersCommand: Hashable, Sendable {
    case list
    case show(name: String)
    /// `groups`: local groups; `isRootEquivalent`: groups that give their members root's rights are intended.
    case add(name: String, objectID: ObjectID, groups: [String], isRootEquivalent: Bool)
    case retire(name: String)
    /// By name, uid or object id.
    case lock(name: String)
    case unlock(name: String)
    /// Unless `isSamePerson`, only shows what would happen.
    case rebind(name: String, objectID: ObjectID, isSamePerson: Bool)
    case rename(name: String, new: String)
    case setShell(name: String, shell: String)
    case setHome(name: String, home: String)
}

/// The words after the program's name, parsed.
struct Invocation: Hashable, Sendable {
    var command: Command
    var isJSON: Bool
}

/// Why the words could not be parsed: one line.
struct UsageError: Error, Hashable, Sendable {
    var text: String
}

extension Invocation {
    /// Options may stand anywhere; `--` ends them.
    init(_ arguments: [String]) throws(UsageError) {
        var words = Words(arguments)
        if words.take("--help") || words.take("-h") {
            self.init(command: try Invocation.help(&words), isJSON: false)
            return
        }
        if words.take("--version") {
            self.init(command: .version, isJSON: false)
            return
        }
        let isJSON = words.take("--json")
        guard let word = words.next() else { throw UsageError(text: "a command is missing") }
        self.init(command: try Invocation.command(word, &words), isJSON: isJSON)
        try words.finish(after: word)
    }

    /// `help users rebind`, `users rebind --help`, `help` alone. Words after the command's own are ignored.
    private static func help(_ words: inout Words) throws(UsageError) -> Command {
        var asked: [String] = []
        while let word = words.next() { asked.append(word) }
        if asked.first == "help" { asked.removeFirst() }
        guard let word = asked.first else { return .help(of: []) }
        guard !CommandTable.entries(of: asked).isEmpty else { throw unknown(word) }
        return .help(of: asked)
    }

    private static func unknown(_ word: String) -> UsageError {
        let near = Suggestion.nearest(to: word, among: CommandTable.verbs)
        return UsageError(text: "'\(word)' is not a command\(Suggestion.question(near))")
    }

    /// A word after `users` or `sessions` that is not one of their commands.
    private static func unknown(_ word: String, of verb: String) -> UsageError {
        let near = Suggestion.nearest(to: word, among: CommandTable.subverbs(of: verb))
        return UsageError(text: "'\(word)' is not a command of \(verb)\(Suggestion.question(near))")
    }

    private static func command(_ word: String, _ words: inout Words) throws(UsageError) -> Command {
        switch word {
        case "status": return .status
        case "doctor": return .doctor
        case "users": return .users(try users(&words))
        case "flush": return .flush
        case "setup": return .setup(try setup(&words))
        case "help": return try help(&words)
        case "report": return .report(file: try words.takeValue(of: "--output"))
        case "access": return .access
        case "config": return .config(key: words.next())
        case "stack": return try stack(&words)
        case "explain": return .explain(name: try words.need("a name", after: word))
        case "check":
            let objectID = try words.takeObjectID()
            let needsAdministrator = words.take("--admin")
            let name = try words.need("a name", after: word)
            return .check(name: name, objectID: objectID, needsAdministrator: needsAdministrator)
        case "test":
            let user = try words.takeValue(of: "--user")
            return .test(file: try words.need("a file, or - for standard input", after: word), user: user)
        case "log":
            let since = try words.takeValue(of: "--since", orNegative: true)
            return .log(name: try words.need("a name", after: word), since: since)
        case "sessions":
            guard let verb = words.next() else { return .sessions }
            guard verb == "end" else { throw unknown(verb, of: "sessions") }
            return .endSessions(name: try words.need("a name", after: "sessions end"))
        case "export": return .export
        case "migrate":
            let package = try words.takeValue(of: "--from")
            guard let package = package.flatMap(OldPackage.init) else {
                throw UsageError(text: "migrate needs --from aadsshlogin or --from aadlogin")
            }
            let verb = MigrationVerb.allCases.first { $0 != .plan && words.take($0.rawValue) }
            return .migrate(from: package, verb ?? .plan)
        case "audit":
            let file = try words.takeValue(of: "--allow")
            guard try words.need("the word 'accounts'", after: word) == "accounts" else {
                throw UsageError(text: "audit looks at accounts only")
            }
            return .auditAccounts(allowList: file)
        case "keys":
            let refresh = words.take("--refresh")
            return .keys(refresh: refresh, publish: words.take("--publish"))
        case "subids": return .subordinateIDs(write: words.take("--write"))
        case "metrics": return .metrics(file: try words.takeValue(of: "--output"))
        case "check-certificate":
            let user = try words.takeValue(of: "--user")
            return .checkCertificate(file: try words.need("a file, or - for standard input", after: word), user: user)
        default: throw unknown(word)
        }
    }

    private static func stack(_ words: inout Words) throws(UsageError) -> Command {
        let program = try words.takeValue(of: "--lines")
        let stamp = words.take("--stamp")
        let isUnattended = words.take("--unattended")
        let domains = words.take("--domains")
        let obstacles = words.take("--obstacles")
        if let program {
            guard let program = ReadingProgram(rawValue: program) else {
                throw UsageError(text: "stack --lines needs sshd or sudo")
            }
            return .configurationLines(of: program)
        }
        if obstacles { return .setupObstacles }
        return domains ? .coveredDomains : .stack(stamp: stamp, isUnattended: isUnattended)
    }

    private static func setup(_ words: inout Words) throws(UsageError) -> SetupVerb {
        guard let verb = SetupVerb.allCases.first(where: { words.take($0.rawValue) }) else {
            throw UsageError(text: "setup needs --dry-run, --apply or --undo")
        }
        return verb
    }

    private static func users(_ words: inout Words) throws(UsageError) -> UsersCommand {
        // Before the operands: the value of an option is not an operand.
        let objectID = try words.takeValue(of: "--object-id")
        let groups = try words.takeValue(of: "--groups")
        let word = words.next() ?? "list"
        let verb = "users \(word)"
        guard objectID == nil || word == "rebind" || word == "add" else {
            throw UsageError(text: "\(verb) does not take '--object-id'")
        }
        guard groups == nil || word == "add" else { throw UsageError(text: "\(verb) does not take '--groups'") }
        switch word {
        case "add": return try adding(objectID, groups, &words)
        case "list": return .list
        case "show": return .show(name: try words.need("a name", after: verb))
        case "retire": return .retire(name: try words.need("a name", after: verb))
        case "lock": return .lock(name: try words.need("a name or an object id", after: verb))
        case "unlock": return .unlock(name: try words.need("a name or an object id", after: verb))
        case "rename":
            let name = try words.need("a name", after: verb)
            guard words.take("--short") else {
                return .rename(name: name, new: try words.need("the new name", after: verb))
            }
            return .rename(name: name, new: String(name.prefix { $0 != "@" }))
        case "rebind":
            let name = try words.need("a name", after: verb)
            guard let objectID else { throw UsageError(text: "users rebind needs --object-id and an object id") }
            let id = try Words.objectID(objectID)
            return .rebind(name: name, objectID: id, isSamePerson: words.take("--same-person"))
        case "set-shell":
            let name = try words.need("a name", after: verb)
            return .setShell(name: name, shell: try words.need("a shell", after: verb))
        case "set-home":
            let name = try words.need("a name", after: verb)
            return .setHome(name: name, home: try words.need("a folder", after: verb))
        default: throw unknown(word, of: "users")
        }
    }

    private static func adding(
        _ objectID: String?,
        _ groups: String?,
        _ words: inout Words
    ) throws(UsageError) -> UsersCommand {
        let name = try words.need("a name", after: "users add")
        guard let objectID else { throw UsageError(text: "users add needs --object-id and an object id") }
        var names: [String] = []
        for name in (groups ?? "").split(separator: ",", omittingEmptySubsequences: groups == nil).map(String.init) {
            guard !name.isEmpty else { throw UsageError(text: "--groups needs names, with a comma between two") }
            if !names.contains(name) { names.append(name) }
        }
        return .add(
            name: name,
            objectID: try Words.objectID(objectID),
            groups: names,
            isRootEquivalent: words.take("--root-equivalent")
        )
    }
}

/// The words that are still to be parsed.
private struct Words {
    private var options: [String]
    private var operands: [String]

    init(_ arguments: [String]) {
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        options = Array(arguments[..<end])
        operands = Array(arguments[end...].dropFirst())
    }

    private static func isOption(_ word: String) -> Bool { word.hasPrefix("-") && word != "-" }

    mutating func take(_ option: String) -> Bool {
        guard let index = options.firstIndex(of: option) else { return false }
        options.remove(at: index)
        return true
    }

    /// `--user NAME` or `--user=NAME`; `orNegative`: a value may begin with a minus and a digit (`-1h`).
    mutating func takeValue(of option: String, orNegative: Bool = false) throws(UsageError) -> String? {
        if let index = options.firstIndex(where: { $0.hasPrefix("\(option)=") }) {
            return String(options.remove(at: index).dropFirst(option.count + 1))
        }
        guard let index = options.firstIndex(of: option) else { return nil }
        let isNegative =
            orNegative && index + 1 < options.count && options[index + 1].dropFirst().first?.isNumber == true
        guard index + 1 < options.count, isNegative || !Words.isOption(options[index + 1]) else {
            throw UsageError(text: "\(option) needs a value")
        }
        options.remove(at: index)
        return options.remove(at: index)
    }

    mutating func takeObjectID() throws(UsageError) -> ObjectID? {
        guard let text = try takeValue(of: "--object-id") else { return nil }
        return try Words.objectID(text)
    }

    static func objectID(_ text: String) throws(UsageError) -> ObjectID {
        guard let objectID = ObjectID(text) else { throw UsageError(text: "--object-id needs a GUID") }
        return objectID
    }

    mutating func next() -> String? {
        if let index = options.firstIndex(where: { !Words.isOption($0) }) { return options.remove(at: index) }
        return operands.isEmpty ? nil : operands.removeFirst()
    }

    mutating func need(_ what: String, after verb: String) throws(UsageError) -> String {
        guard let word = next(), !word.isEmpty else { throw UsageError(text: "\(verb) needs \(what)") }
        return word
    }

    mutating func finish(after verb: String) throws(UsageError) {
        guard let word = options.first ?? operands.first else { return }
        throw UsageError(text: "\(verb) does not take '\(word)'")
    }
}

extension Command {
    /// The account that the command is about, if there is one.
    var name: String? {
        switch self {
        case .explain(let name), .check(let name, _, _), .log(let name, _), .endSessions(let name): name
        case .users(let command): command.name
        default: nil
        }
    }
}

extension UsersCommand {
    var name: String? {
        switch self {
        case .list: nil
        case .show(let name), .add(let name, _, _, _), .retire(let name), .lock(let name), .unlock(let name),
            .rebind(let name, _, _), .rename(let name, _), .setShell(let name, _), .setHome(let name, _):
            name
        }
    }
}
