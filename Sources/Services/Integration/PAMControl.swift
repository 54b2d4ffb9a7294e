// SPDX-License-Identifier: Apache-2.0

/// What a PAM stack does with one return value of a module (pam.conf(5)).
package enum PAMAction: Hashable, Sendable {
    case ignore
    case bad
    case die
    case ok
    case done
    case reset
    /// Skips that many entries.
    case jump(Int)

    init?(_ word: Substring) {
        switch word {
        case "ignore": self = .ignore
        case "bad": self = .bad
        case "die": self = .die
        case "ok": self = .ok
        case "done": self = .done
        case "reset": self = .reset
        default:
            guard let count = Int(word), count > 0, count < 1000 else { return nil }
            self = .jump(count)
        }
    }
}

/// The control field of a PAM line, in one form for all spellings.
package struct PAMControl: Hashable, Sendable {
    /// By return value: `success`, `new_authtok_reqd`, ...
    package private(set) var actions: [String: PAMAction]
    /// For every value that is not among `actions`.
    package private(set) var fallback: PAMAction

    /// Nil for a control that libpam does not understand either: libpam then refuses the service.
    init?(_ text: String) {
        switch text.lowercased() {
        case "required": self.init(["success": .ok, "new_authtok_reqd": .ok, "ignore": .ignore], else: .bad)
        case "requisite": self.init(["success": .ok, "new_authtok_reqd": .ok, "ignore": .ignore], else: .die)
        case "sufficient": self.init(["success": .done, "new_authtok_reqd": .done], else: .ignore)
        case "optional": self.init(["success": .ok, "new_authtok_reqd": .ok], else: .ignore)
        default:
            guard let control = PAMControl(bracketed: text) else { return nil }
            self = control
        }
    }

    private init(_ actions: [String: PAMAction], else fallback: PAMAction) {
        self.actions = actions
        self.fallback = fallback
    }

    private init?(bracketed text: String) {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
        self.init([:], else: .bad)
        for pair in text.dropFirst().dropLast().split(whereSeparator: { $0 == " " || $0 == "\t" }) {
            let halves = pair.split(separator: "=", maxSplits: 1)
            guard halves.count == 2, let action = PAMAction(halves[1]) else { return nil }
            if halves[0] == "default" { fallback = action } else { actions[String(halves[0])] = action }
        }
    }

    /// What happens on that return value.
    package func action(on value: String) -> PAMAction { actions[value] ?? fallback }

    /// Every action that the line can take.
    var possibleActions: Set<PAMAction> { Set(actions.values).union([fallback]) }

    /// True for `[success=N ignore=N default=die]` and `[success=ok ignore=ignore default=die]`, with or without an
    /// action for a missing module: after success and ignore the stack goes on, any other result ends it with a
    /// refusal.
    var isSafe: Bool {
        guard fallback == .die, guardedEntries != nil else { return false }
        return actions.allSatisfy { value, action in
            switch value {
            case "success", "ignore", "module_unknown", "new_authtok_reqd": true
            default: action == .die
            }
        } && [.die, .ignore].contains(action(on: "module_unknown"))
            && [.die, action(on: "success")].contains(action(on: "new_authtok_reqd"))
    }

    /// The number of entries after the line that run only if the module did not, because it jumps over them. Nil for a
    /// control that is not of that form.
    var guardedEntries: Int? {
        switch (action(on: "success"), action(on: "ignore")) {
        case (.ok, .ignore): 0
        case (.jump(let count), .jump(let other)) where count == other: count
        default: nil
        }
    }

    /// True if the line keeps every user out, even local ones, while the module is missing.
    var locksOutWithoutModule: Bool { action(on: "module_unknown") != .ignore }
}
