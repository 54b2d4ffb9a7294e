// SPDX-License-Identifier: Apache-2.0

/// The result of one account stage that libpam ran for a name that no account has, as `pam-probe` reports it.
///
/// The files in /etc say what libpam should do. Only libpam knows where it looks for a module, and whether it can load
/// it: a module that it skips (`module_unknown=ignore`) refuses no user.
package struct PAMTransaction: Hashable, Sendable {
    package static let program = "/usr/libexec/entralogin/pam-probe"
    private static let success: Int32 = 0

    /// What entralogin's module left in the transaction (entralogin_pam.h).
    enum Mark: String, Sendable {
        case reached
        /// The same, and any name may be an Entra account's there.
        case shortNames = "short_names"
        case arguments
        case none
    }

    let service: String
    let mark: Mark
    /// What pam_acct_mgmt(3) returned.
    let result: Int32
    /// The paths of all modules that libpam has loaded for the service.
    let modules: [String]

    /// Nil if the text is not the program's output.
    init?(_ output: String, of service: String) {
        var lines = output.lines[...]
        guard let mark = PAMTransaction.take("mark ", from: &lines).flatMap(Mark.init),
            let result = PAMTransaction.take("result ", from: &lines).flatMap({ Int32($0) })
        else { return nil }
        self.service = service
        self.mark = mark
        self.result = result
        modules = lines.filter { $0.hasPrefix("module /") }.map { String($0.dropFirst("module ".count)) }
    }

    private static func take(_ prefix: String, from lines: inout ArraySlice<Substring>) -> String? {
        guard let line = lines.popFirst(), line.hasPrefix(prefix) else { return nil }
        return String(line.dropFirst(prefix.count))
    }

    /// Runs `pam-probe`; fails with the reason if it gave no result.
    static func run(_ service: String, on machine: any HostView) -> Result<PAMTransaction, PAMTransactionError> {
        let outcome = machine.run(program, [service])
        guard outcome.status == 0 else {
            let words = outcome.complaint.lines.first { !$0.isEmpty } ?? "status \(outcome.status ?? -1)"
            return .failure(PAMTransactionError(problem: String(words)))
        }
        guard let transaction = PAMTransaction(outcome.output, of: service) else {
            return .failure(PAMTransactionError(problem: "its answer cannot be read"))
        }
        return .success(transaction)
    }

    /// The files that libpam has loaded as entralogin's module; two if the service's lines name two.
    var entraloginModules: [String] { modules.filter { PAMTransaction.name(of: $0) == PAMStack.entraloginModule } }

    /// The folder in which libpam finds its modules: that of the first one that is not entralogin's.
    var folder: String? {
        modules.first { PAMTransaction.name(of: $0) != PAMStack.entraloginModule }.map { path in
            String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex))
        }
    }

    private static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    var isRefused: Bool { result != PAMTransaction.success }
}

/// Why libpam could not be asked.
struct PAMTransactionError: Error, Hashable, Sendable {
    let problem: String
}

/// Evaluates what libpam did with entralogin's line of one service's account stage.
struct PAMTransactionRule: Sendable {
    private static let repair = "make install, or install the package again; then entraloginctl stack --stamp"

    /// The path of entralogin's module in the usual folders; nil if it is in none.
    let installed: String?
    /// The account stage in the files; nil if they cannot be read.
    let stack: PAMStack?

    func evaluate(_ service: String, _ outcome: Result<PAMTransaction, PAMTransactionError>) -> Finding {
        switch outcome {
        case .failure(let error):
            let program = PAMTransaction.program
            let what = "libpam could not be asked whether it runs pam_entralogin.so: \(error.problem)"
            return finding(service, .error, what, "\(program) \(service) shows it; a module there may hang", program)
        case .success(let transaction): return evaluate(transaction)
        }
    }

    private func evaluate(_ transaction: PAMTransaction) -> Finding {
        let service = transaction.service
        guard let loaded = transaction.entraloginModules.first else { return notLoaded(transaction) }
        let order = "look at what stands before pam_entralogin.so in /etc/pam.d/\(service)"
        switch (transaction.mark, transaction.isRefused) {
        case (.reached, true), (.shortNames, true):
            return Finding(id(service), .good, "\(service): libpam runs pam_entralogin.so", place: loaded)
        case (.reached, false), (.shortNames, false):
            return finding(service, .error, "libpam goes on after pam_entralogin.so has refused", order, loaded)
        case (.arguments, _):
            let what = "pam_entralogin.so does not know the arguments of its line, and refuses every Entra account"
            return finding(
                service,
                .error,
                what,
                "take the arguments out of its line; configure --enable adds short_names",
                loaded
            )
        case (.none, false):
            return finding(service, .error, "libpam passes over pam_entralogin.so", order, loaded)
        case (.none, true):
            guard isRefusedBefore(transaction.entraloginModules) else { return notLoaded(transaction) }
            // That lets no user in, and libpam has loaded the file that entralogin's line names.
            let what =
                "\(service): another module refuses the check's name before pam_entralogin.so, which libpam loads"
            return Finding(id(service), .note, what, place: loaded)
        }
    }

    /// True if a module before entralogin's line can end the stage with a refusal, and entralogin's line names a file
    /// that libpam has loaded.
    private func isRefusedBefore(_ loaded: [String]) -> Bool {
        guard let entries = stack?.entries,
            let position = entries.firstIndex(where: { $0.module == PAMStack.entraloginModule })
        else { return false }
        let path = entries[position].path
        return entries[..<position].contains { $0.control.possibleActions.contains(.die) }
            && (!path.contains("/") || loaded.contains(path))
    }

    private func notLoaded(_ transaction: PAMTransaction) -> Finding {
        let isElsewhere = !transaction.entraloginModules.isEmpty
        let reads =
            isElsewhere
            ? "its line in the account stage names another file than \(transaction.entraloginModules[0])"
            : transaction.folder.map { "libpam reads \($0)" } ?? "libpam loads no module at all"
        let lies = installed.map { "the file lies at \($0)" } ?? "the file is missing"
        let what = "libpam does not run pam_entralogin.so for \(transaction.service): \(reads), \(lies)"
        let remedy = transaction.folder.map { "make install PAMDIR=\($0), or a package for this distribution" }
        return finding(transaction.service, .error, what, remedy ?? PAMTransactionRule.repair, installed)
    }

    private func id(_ service: String) -> FindingID { .pam(service, "libpam") }

    private func finding(
        _ service: String,
        _ severity: Severity,
        _ found: String,
        _ remedy: String,
        _ place: String?
    ) -> Finding {
        Finding(
            id(service),
            severity,
            found,
            place: place,
            needed: "pam_entralogin.so in the folder of libpam's modules, run by libpam",
            remedy: remedy
        )
    }
}
