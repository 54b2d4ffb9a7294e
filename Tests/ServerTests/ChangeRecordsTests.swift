// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import Server
import Testing

@Suite struct ChangeRecordsTests {
    private let fixture: ReportFixture
    private let book = RecordBook()
    private let changes: ChangeRecords

    init() throws {
        fixture = try ReportFixture()
        changes = ChangeRecords(log: book, registry: fixture.accounts)
    }

    private func look(machine: Machine? = nil, integration: Denial? = nil) -> [DecisionRecord] {
        let before = book.records.count
        changes.look(machine: machine, integration: integration, accounts: fixture.accounts.report())
        return Array(book.records.dropFirst(before))
    }

    private func machine(tenant: String = contoso, name: String = "web1") throws -> Machine {
        Machine(
            kind: .virtualMachine,
            resource: try #require(ResourceID("/subscriptions/s/resourceGroups/web/machines/\(name)")),
            tenant: try #require(TenantID(tenant)),
            name: name,
            cloud: "AzurePublicCloud"
        )
    }

    @Test("P15: the integration is recorded at the first look and whenever it changes, and not in between")
    func integration() {
        let broken = Denial(.stackNotVerified, detail: "/etc/pam.d/sshd has changed")
        #expect(look(integration: broken).map(\.event) == [.stack])
        #expect(look(integration: broken).isEmpty)
        let on = look()
        #expect(on.map(\.priority) == [.information])
        #expect(on.first?.reason == nil)
        #expect(look().isEmpty)
        let off = look(integration: broken)
        #expect(off.map(\.priority) == [.error])
        #expect(off.first?.reason == .stackNotVerified && off.first?.detail == broken.detail)
    }

    @Test("P15: what the machine is in Azure is recorded when known and when changed; another tenant is a warning")
    func machine() throws {
        _ = look()
        #expect(look().isEmpty)
        #expect(look(machine: try machine()).map(\.event) == [.machine])
        #expect(look(machine: try machine()).isEmpty)
        // A machine that is unknown for a moment has not changed.
        #expect(look().isEmpty)
        #expect(look(machine: try machine()).isEmpty)
        #expect(look(machine: try machine(name: "web2")).map(\.priority) == [.information])
        let moved = look(machine: try machine(tenant: "9b1c3d5e-0000-4000-8000-000000000002", name: "web2"))
        #expect(moved.map(\.priority) == [.warning])
        #expect(moved.first?.detail?.contains("9b1c3d5e-0000-4000-8000-000000000002") == true)
    }

    @Test(
        "P7: a local account that appears later and takes an account's name, number or home is recorded, and its going too"
    )
    func shadowed() async throws {
        try await fixture.enrol("alice@contoso.com", 1)
        try await fixture.enrol("bob@contoso.com", 2)
        _ = look()
        let alice = try #require(fixture.accounts.view().allEnrolled().first?.account)
        for (line, reason) in [
            ("\(alice.name):x:1005:1005::/a:/bin/sh\n", DenialReason.localAccount),
            ("squatter:x:\(alice.uid):100::/a:/bin/sh\n", .localAccount),
            ("late:x:1006:1006::\(alice.home):/bin/sh\n", .homeRefused),
        ] {
            try fixture.locals(line)
            let taken = look()
            #expect(taken.map(\.event) == [.shadowed])
            #expect(taken.map(\.reason) == [reason])
            #expect(taken.map(\.user) == [alice.name.text])
            #expect(taken.map(\.priority) == [.warning])
            #expect(look().isEmpty)
            try fixture.locals("")
            let back = look()
            #expect(back.map(\.event) == [.shadowed])
            #expect(back.map(\.priority) == [.notice])
            #expect(look().isEmpty)
        }
    }
}
