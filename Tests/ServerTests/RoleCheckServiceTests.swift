// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import Testing
import Wire

@testable import Server

@Suite struct RoleCheckServiceTests {
    @Test("A user without account is not found, unless the object id is given; one that is no GUID is malformed")
    func people() async throws {
        let fixture = try ReportFixture()
        #expect(await fixture.service.answer(.check("alice@contoso.com", objectID: "")) == .notFound)
        #expect(await fixture.service.answer(.check("alice@contoso.com", objectID: "bob")) == .malformed)
        let person = try identity(7).objectID.description
        let given = try await fixture.document(.check("alice@contoso.com", objectID: person), RoleCheckReport.self)
        #expect(given.objectID == person && given.name == "alice@contoso.com")
        try await fixture.enrol("alice@contoso.com", 1)
        let known = try await fixture.document(.check("ALICE@contoso.com", objectID: ""), RoleCheckReport.self)
        #expect(known.objectID == (try identity(1)).objectID.description)
    }

    @Test("P1: a machine that does not know what it is asks nobody, and nothing is decided")
    func unknownMachine() async throws {
        let fixture = try ReportFixture()
        try await fixture.enrol("alice@contoso.com", 1)
        let report = try await fixture.document(.check("alice@contoso.com", objectID: ""), RoleCheckReport.self)
        #expect(report.resource == nil && report.role == nil && report.answers.isEmpty)
    }

    @Test("A name that nobody has, and that is no name, is shown on one line and bounded")
    func strangeNames() async throws {
        let fixture = try ReportFixture()
        let person = try identity(7).objectID.description
        let text = "x\n" + String(repeating: "y", count: 4000)
        let report = try await fixture.document(.check(text, objectID: person), RoleCheckReport.self)
        #expect(report.name.utf8.count <= 128 && !report.name.contains("\n"))
    }
}
