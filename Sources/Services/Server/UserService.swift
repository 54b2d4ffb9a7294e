// SPDX-License-Identifier: Apache-2.0

internal import AccessControl
internal import AccountDirectory
internal import Authorization
internal import Identity
internal import Wire

/// `entraloginctl users`: the accounts, and changes to them by the machine's administrator. Each leaves a record (P15).
struct UserService: Sendable {
    /// Accounts in one page. Each takes less than 1,300 bytes of JSON: the longest name and home, and a display name
    /// that consists of quotes. A frame holds 64 KiB.
    static let perPage = 48

    private let sources: ReportSources

    init(_ sources: ReportSources) { self.sources = sources }

    // MARK: Reading

    /// The accounts whose names come after `text`.
    func page(after text: String) async -> UsersReport {
        let now = sources.accounts.view()
        let (accounts, isLast) = now.enrolled(after: text, limit: UserService.perPage)
        let grants = sources.grants.current()
        var page: [UserReport] = []
        for enrolled in accounts { page.append(await report(of: enrolled, in: now, grants)) }
        return UsersReport(users: page, next: isLast ? nil : page.last?.name)
    }

    /// One account by its name, by a name that it had, or by its uid in digits; retired ones too.
    func show(_ text: String) async -> Response {
        let now = sources.accounts.view()
        guard let enrolled = account(text, in: now) else { return .notFound }
        var user = await report(of: enrolled, in: now, sources.grants.current())
        user.tenantID = enrolled.identity.tenant.description
        user.shell = enrolled.account.shell
        user.formerNames = enrolled.formerNames.map(\.text)
        user.shortNameObstacle = now.obstacleToShortName(of: enrolled.account)
        if case .none(let denial) = now.standing(of: enrolled.account.name) {
            user.refusalDetail = denial.detail.isEmpty ? denial.text : denial.detail
        }
        return .document(ReportText.json(user))
    }

    private func account(_ text: String, in accounts: CurrentAccounts) -> EnrolledAccount? {
        if let uid = UInt32(text) { return accounts.holder(ofSystemUID: uid).account ?? accounts.enrolled(uid: uid) }
        return UserName(folding: text).flatMap(accounts.enrolled(named:))
    }

    private func report(
        of enrolled: EnrolledAccount,
        in accounts: CurrentAccounts,
        _ grants: [PosixID: BootTime]
    ) async -> UserReport {
        let account = enrolled.account
        let now = sources.time.bootTime()
        var user = UserReport(
            name: account.name.text,
            uid: account.systemUID,
            objectID: enrolled.identity.objectID.description,
            displayName: account.displayName,
            home: account.home,
            enrolledAt: enrolled.enrolledAt.seconds
        )
        user.shortName = account.shortName?.text
        user.retiredAt = enrolled.retiredAt?.seconds
        user.lockedAt = enrolled.lockedAt?.seconds
        user.administratorForSeconds = grants[account.uid].map { now.duration(to: $0).components.seconds }
        user.addedAt = enrolled.isAdded ? enrolled.enrolledAt.seconds : nil
        user.lastSignInAt = sources.accounts.knownSignIn(enrolled)?.seconds
        if case .none(let denial) = accounts.standing(of: account.name) {
            user.refusal = denial.reason.rawValue
        }
        if let answer = await sources.access.authorizer.cached(enrolled.identity) {
            user.lastDecision = answer.role == nil ? "deny" : "allow"
            user.lastDecisionAgeSeconds = answer.answeredAt.duration(to: now).components.seconds
        }
        return user
    }

    // MARK: Changing

    /// Binds an account before its user's first sign-in. Recorded once, even if it is on disk but was not published.
    func add(_ text: String, as objectID: String, joining groups: [String]) async -> Response {
        guard let objectID = ObjectID(objectID) else { return .malformed }
        guard let name = UserName(folding: text) else { return refusal(Denial(.notOurName)) }
        let isKnown = sources.accounts.view().enrolled(named: name) != nil
        let outcome: Result<AddedAccount, Denial>
        do throws(Denial) {
            outcome = .success(try await sources.accounts.add(name, as: objectID, joining: Set(groups)))
        } catch {
            outcome = .failure(error)
        }
        if !isKnown, let added = sources.accounts.view().enrolled(named: name), added.isAdded {
            var record = DecisionRecord(.added, .notice, "\(name) (uid \(added.account.systemUID)) added by root")
            record.user = name.text
            record.objectID = added.identity.objectID
            sources.access.log.record(record)
        }
        switch outcome {
        case .failure(let denial): return refusal(denial)
        case .success(let added): return .document(ReportText.json(AddedUserReport(added)))
        }
    }

    func retire(_ text: String) async -> Response {
        let response = await change(text, .retired) { name, _ throws(Denial) in
            let retired = try await sources.accounts.retire(name)
            return (retired, "\(name) (uid \(retired.account.uid)) retired")
        }
        // Also where it was retired before: what is left of it ends now.
        if case .done = response, let retired = account(text, in: sources.accounts.view()) {
            _ = await end(retired, because: .retired)
        }
        return response
    }

    /// By name, uid or object id.
    func lock(_ text: String) async -> Response { await lock(text, true, .locked, "locked") }

    func unlock(_ text: String) async -> Response { await lock(text, false, .unlocked, "unlocked") }

    private func lock(_ text: String, _ isLocked: Bool, _ event: RecordedEvent, _ word: String) async -> Response {
        guard let enrolled = account(withID: text) else { return .notFound }
        return await change(enrolled.account.name.text, event) { name, _ throws(Denial) in
            let changed = try await sources.accounts.lock(name, isLocked)
            return (changed, "\(name) (uid \(changed.account.uid)) \(word)")
        }
    }

    /// The account with that object id, or the one that `account(_:)` finds.
    private func account(withID text: String) -> EnrolledAccount? {
        let accounts = sources.accounts.view()
        return ObjectID(text).flatMap { id in accounts.allEnrolled().first { $0.identity.objectID == id } }
            ?? account(text, in: accounts)
    }

    func rebind(_ text: String, to objectID: String) async -> Response {
        guard let objectID = ObjectID(objectID) else { return .malformed }
        return await change(text, .rebound) { name, before throws(Denial) in
            let rebound = try await sources.accounts.rebind(name, to: objectID)
            let was = before.map { "; it was \($0.identity.objectID)" } ?? ""
            let back = before?.retiredAt == nil ? "" : ", and is retired no more"
            return (rebound, "\(name) (uid \(rebound.account.uid)) belongs to object id \(objectID) now\(back)\(was)")
        }
    }

    func rename(_ text: String, to new: String) async -> Response {
        guard let new = UserName(folding: new) else { return await shorten(text, to: new) }
        return await change(text, .renamed) { name, _ throws(Denial) in
            let renamed = try await sources.accounts.rename(name, to: new)
            return (renamed, "\(name) (uid \(renamed.account.uid)) is called \(new) now")
        }
    }

    /// A text that is not an Entra name can only be the account's short name.
    private func shorten(_ text: String, to new: String) async -> Response {
        guard let name = UserName(folding: text), let short = ShortName(new.lowercased()), name.localPart == short.text
        else {
            return refusal(Denial(.notOurName))
        }
        return await change(name.text, .renamed) { name, _ throws(Denial) in
            let renamed = try await sources.accounts.shorten(name)
            return (renamed, "\(name) (uid \(renamed.account.uid)) is called \(short) on this machine now")
        }
    }

    func setShell(_ text: String, to shell: String) async -> Response {
        await change(text, .changed) { name, before throws(Denial) in
            let changed = try await sources.accounts.set(shell: shell, of: name)
            let was = before.map { "; it was \($0.account.shell)" } ?? ""
            return (changed, "\(name) (uid \(changed.account.uid)) has the shell \(shell) now\(was)")
        }
    }

    func setHome(_ text: String, to home: String) async -> Response {
        await change(text, .changed) { name, before throws(Denial) in
            let changed = try await sources.accounts.set(home: home, of: name)
            let was = before.map { "; it was \($0.account.home)" } ?? ""
            return (changed, "\(name) (uid \(changed.account.uid)) has the home \(home) now\(was)")
        }
    }

    /// Ends all processes of one account, by its name, a former name, its uid or its object id; retired ones too.
    func endSessions(_ text: String) async -> Response {
        guard let enrolled = account(withID: text) else { return .notFound }
        switch await end(enrolled, because: .command) {
        case .success(let ended):
            let others = ended.others.map { OtherProcessReport(pid: $0.pid, uid: $0.uid, command: $0.command) }
            return .document(
                ReportText.json(
                    EndedSessionsReport(
                        name: enrolled.account.name.text,
                        uid: enrolled.account.systemUID,
                        ended: ended.ended,
                        left: ended.left,
                        others: others
                    )
                )
            )
        case .failure(let fault): return .refused(WireRefusal(reason: "not-ended", text: fault.text, correlation: ""))
        }
    }

    private func end(
        _ account: EnrolledAccount,
        because cause: EndingCause
    ) async -> Result<EndedProcesses, EndingFault> {
        await sources.access.ending.end(account, because: cause, correlation: sources.access.correlationID())
    }

    /// Makes one change and records it with its message if it changed something; the tool shows a refusal.
    private func change(
        _ text: String,
        _ event: RecordedEvent,
        _ body: (UserName, EnrolledAccount?) async throws(Denial) -> (EnrolledAccount, message: String)
    ) async -> Response {
        guard let name = UserName(folding: text) else { return .notFound }
        let before = account(name.text, in: sources.accounts.view())
        do throws(Denial) {
            let (after, message) = try await body(name, before)
            guard after != before else { return .done }
            var record = DecisionRecord(event, .notice, message)
            record.user = after.account.name.text
            record.objectID = after.identity.objectID
            sources.access.log.record(record)
            return .done
        } catch {
            return refusal(error)
        }
    }

    private func refusal(_ denial: Denial) -> Response {
        let detail = denial.detail.isEmpty ? "" : ": \(DenialText.shorten(DenialText.clean(denial.detail), to: 1024))"
        return .refused(WireRefusal(reason: denial.reason.rawValue, text: denial.text + detail, correlation: ""))
    }
}

extension AddedUserReport {
    fileprivate init(_ added: AddedAccount) {
        let account = added.enrolled.account
        self.init(
            name: account.name.text,
            uid: account.systemUID,
            objectID: added.enrolled.identity.objectID.description,
            home: account.home,
            shell: account.shell,
            isNew: added.isNew,
            shortName: account.shortName?.text
        )
    }
}
