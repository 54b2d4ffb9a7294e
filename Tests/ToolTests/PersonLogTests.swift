// SPDX-License-Identifier: Apache-2.0

import Integration
import Testing

@testable import entraloginctl

private struct FixedRunner: ProgramRunner {
    var result: ProgramResult

    func run(_ path: String, _ arguments: [String]) -> ProgramResult {
        let asked = ["--reverse", "_SYSTEMD_UNIT=entralogind.service", "_UID=993", "ENTRALOGIN_USER=alice@contoso.com"]
        return asked.allSatisfy(arguments.contains) ? result : ProgramResult(status: 9)
    }
}

struct PersonLogTests {
    private static let denied = """
        {"__REALTIME_TIMESTAMP":"1786975509123456","MESSAGE":"account of alice","ENTRALOGIN_EVENT":"account",\
        "ENTRALOGIN_DECISION":"deny","ENTRALOGIN_REASON":"role-not-assigned","ENTRALOGIN_SERVICE":"sudo",\
        "ENTRALOGIN_CORRELATION_ID":"c0ffee","ENTRALOGIN_OBJECT_ID":"0b1ec700","ENTRALOGIN_LATENCY_USEC":"1500","_PID":["1","2"],"X":null}
        """
    private static let opened = """
        {"__REALTIME_TIMESTAMP":"1786975509000000","MESSAGE":[97,98],"ENTRALOGIN_EVENT":"session-opened",\
        "ENTRALOGIN_DECISION":"allow","ENTRALOGIN_ROLE":"user","ENTRALOGIN_SERVICE":"sshd"}
        """

    @Test("P15: records are asked for by what journald sets itself, the newest first, and shown oldest first")
    func reading() throws {
        let output = "\(Self.denied)\nnot json\n{\"MESSAGE\":\"x\"}\n\(Self.opened)\n"
        let log = log(ProgramResult(status: 0, output: output))
        let records = try log.records(of: "alice@contoso.com", since: nil)
        #expect(records.map(\.event) == ["session-opened", "account"])
        #expect(records[1].reason == "role-not-assigned" && records[1].latencyMicroseconds == 1500)
        #expect(records[0].message == "" && records[0].role == "user")
    }

    private func log(_ result: ProgramResult) -> PersonLog {
        PersonLog(runner: FixedRunner(result: result), daemonUID: 993)
    }

    @Test("A record that waited for the journal is shown with the time of its decision")
    func delayed() {
        let line = """
            {"__REALTIME_TIMESTAMP":"9000000","_SOURCE_REALTIME_TIMESTAMP":"8000000","ENTRALOGIN_EVENT":"account",\
            "ENTRALOGIN_DELAY_USEC":"3000000"}
            """
        #expect(PersonLog.decision(in: line[...])?.time == 5_000_000)
    }

    @Test("A journal that cannot be read is said, and an empty one is none")
    func failing() throws {
        let broken = log(ProgramResult(status: 1, complaint: "No journal files\n"))
        #expect(throws: PersonLog.Failure(text: "the journal cannot be read: No journal files")) {
            try broken.records(of: "alice@contoso.com", since: "-1h")
        }
        #expect(try log(ProgramResult(status: 1)).records(of: "alice@contoso.com", since: nil).isEmpty)
    }

    @Test("A decision is a line; a refusal has the object id and the correlation id below; an empty time is named")
    func text() throws {
        let records = [Self.opened, Self.denied].compactMap { PersonLog.decision(in: $0[...]) }
        #expect(
            LogText(style: Style()).lines(PersonLogReport(name: "alice@contoso.com", records: records), since: nil) == [
                "2026-08-17 14:05:09  session-opened (sshd): allowed as user",
                "2026-08-17 14:05:09  account (sudo): refused: role-not-assigned",
                "                     object id 0b1ec700", "                     correlation id c0ffee",
            ]
        )
        let none = PersonLogReport(name: "x", records: [])
        #expect(LogText(style: Style()).lines(none, since: nil) == ["Nothing is logged about x in the last week."])
        #expect(LogText(style: Style()).lines(none, since: "-1h") == ["Nothing is logged about x since -1h."])
    }
}
