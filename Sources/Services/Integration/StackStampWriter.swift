// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Identity
package import LinuxSystem

/// Root's side of the stack stamp: runs the integration check, and writes or removes the stamp.
package struct StackStampWriter: Sendable {
    private let machine: any HostView
    private let file: AtomicFile
    private let version: String
    private let domain: String
    private let otherDomains: [String]
    private let numbers: ClosedRange<UInt32>
    private let administratorsGroup: String
    private let mappedGroups: [String]
    private let hasShortNames: Bool
    /// The pause between two attempts.
    private let pause: @Sendable () -> Void

    /// `domain`, `others`, `numbers`, `administratorsGroup`, `mappedGroups`, `hasShortNames`: see `StackCheck`. `path`
    /// is the stamp's file; its folder must be root's.
    package init(
        on machine: any HostView,
        version: String,
        domain: String = "contoso.com",
        others: [String] = [],
        numbers: ClosedRange<UInt32> = PosixID.userRange,
        administratorsGroup: String = "entra_admins",
        mappedGroups: [String] = [],
        hasShortNames: Bool = false,
        path: String = VerifiedStack.path,
        pause: @escaping @Sendable () -> Void = { usleep(100_000) }
    ) {
        self.machine = machine
        self.version = version
        self.domain = domain
        otherDomains = others
        self.numbers = numbers
        self.administratorsGroup = administratorsGroup
        self.mappedGroups = mappedGroups
        self.hasShortNames = hasShortNames
        file = AtomicFile(path)
        self.pause = pause
    }

    /// Only checks; changes nothing.
    package func check() -> StackVerdict {
        let earlier = earlier
        return StackCheck(
            on: machine,
            domain: domain,
            others: otherDomains,
            numbers: numbers,
            administratorsGroup: administratorsGroup,
            mappedGroups: mappedGroups,
            trusting: earlier?.listener,
            wasWithheld: earlier?.withholdsAdministrators,
            hasShortNames: hasShortNames
        ).run()
    }

    /// Checks, and leaves a stamp only where everything holds.
    ///
    /// It checks, records the state of the files, and checks again: a change between the first check and the record
    /// shows in the second check, and a change after the record shows to the daemon. If something changed meanwhile, it
    /// starts again: systemd ignores what its path unit sees while the check's own service runs, and the check at the
    /// daemon's start is made once.
    ///
    /// One check runs at a time: at boot the daemon's start and the path unit start one each, and a slow one that saw
    /// sshd start would remove what the other wrote after that. The last to begin decides.
    package func stamp() throws(FileError) -> StackVerdict {
        try FileLock.holding("\(file.path).lock", waitingAtMost: StackStampWriter.longestWait) { () throws(FileError) in
            for _ in 1..<StackStampWriter.attempts {
                let (verdict, isSteady) = try attempt()
                if isSteady { return verdict }
                pause()
            }
            return try attempt().verdict
        }
    }

    private static let attempts = 10
    /// For another check: several times what a check takes on a busy machine, and less than systemd gives a start.
    private static let longestWait = Duration.seconds(15)

    /// Steady where nothing changed from the first check until after the record.
    private func attempt() throws(FileError) -> (verdict: StackVerdict, isSteady: Bool) {
        let first = check()
        guard first.holds else {
            try remove()
            return (first, true)
        }
        let stack: VerifiedStack
        do throws(FileAbsence) {
            stack = try VerifiedStack.making(of: first, version: version, on: machine)
        } catch {
            try remove()
            let vanished = "a file vanished while it was looked at"
            return (first.adding(Finding(.stamp, .error, vanished, remedy: "try again")), false)
        }
        let second = check()
        guard second.holds, second.restsOn == first.restsOn, second.listener == first.listener,
            second.withholdsAdministrators == first.withholdsAdministrators
        else {
            try remove()
            guard second.holds else { return (second, false) }
            let changed = "the integration changed while it was checked"
            return (second.adding(Finding(.stamp, .error, changed, remedy: "try again")), false)
        }
        try file.replace(with: Array(stack.text.utf8), mode: 0o644)
        return (second, stack.difference(seenBy: machine.status) == nil)
    }

    private func remove() throws(FileError) {
        guard unlink(file.path) == 0 || errno == ENOENT else {
            throw FileError(path: file.path, step: "remove", problem: .failed(.last))
        }
    }

    /// The present stamp, whatever has changed since: its listener counts, and whether administrators were withheld.
    private var earlier: VerifiedStack? {
        let requirement = FileRequirement(owners: [0], forbiddenMode: 0o022)
        guard let bytes = try? file.read(limit: VerifiedStack.sizeLimit, requiring: requirement),
            let text = String(validating: bytes, as: UTF8.self),
            let stack = VerifiedStack(text), stack.version == version
        else { return nil }
        return stack
    }
}

extension StackVerdict {
    fileprivate func adding(_ finding: Finding) -> StackVerdict {
        StackVerdict(findings: findings + [finding], restsOn: restsOn, listener: listener, sudoers: sudoers)
    }
}
