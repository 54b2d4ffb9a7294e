// SPDX-License-Identifier: Apache-2.0

import Identity
import Migration
import Testing

@testable import entraloginctl

private let someID = "0b1ec700-0000-4000-8000-00000000beef"

struct CommandLineTests {
    @Test(
        "migrate plans, unless it is told to do or undo it",
        arguments: [
            ("migrate --from aadsshlogin", .aadsshlogin, .plan), ("migrate --apply --from=aadlogin", .aadlogin, .apply),
            ("migrate --from aadsshlogin --undo", .aadsshlogin, .undo),
        ] as [(String, OldPackage, MigrationVerb)]
    )
    func migrating(words: String, package: OldPackage, verb: MigrationVerb) throws {
        let invocation = try Invocation(words.split(separator: " ").map(String.init))
        #expect(invocation.command == .migrate(from: package, verb))
    }

    @Test(
        "Words become commands, options standing anywhere",
        arguments: [
            ("status", Command.status, false),
            ("--json status", .status, true),
            ("doctor --json", .doctor, true),
            ("users", .users(.list), false),
            ("--json users list", .users(.list), true),
            ("users show a@b.c", .users(.show(name: "a@b.c")), false),
            ("users retire a@b.c", .users(.retire(name: "a@b.c")), false),
            ("users rename a@b.c x@b.c", .users(.rename(name: "a@b.c", new: "x@b.c")), false),
            ("explain alice@contoso.com", .explain(name: "alice@contoso.com"), false),
            ("explain -- -x@contoso.com", .explain(name: "-x@contoso.com"), false),
            ("check-certificate id-cert.pub", .checkCertificate(file: "id-cert.pub", user: nil), false),
            ("check-certificate - --user a@b.c", .checkCertificate(file: "-", user: "a@b.c"), false),
            ("check-certificate --user=a@b.c f", .checkCertificate(file: "f", user: "a@b.c"), false),
            ("stack", .stack(stamp: false, isUnattended: false), false),
            ("stack --stamp", .stack(stamp: true, isUnattended: false), false),
            ("stack --stamp --unattended", .stack(stamp: true, isUnattended: true), false),
            ("stack --lines sudo", .configurationLines(of: .sudo), false),
            ("stack --domains", .coveredDomains, false),
            ("stack --obstacles", .setupObstacles, false),
            ("flush", .flush, false),
            ("setup --dry-run", .setup(.dryRun), false),
            ("--json setup --undo", .setup(.undo), true),
            ("config", .config(key: nil), false),
            ("config Accounts.Domains", .config(key: "Accounts.Domains"), false),
            ("check a@b.c", .check(name: "a@b.c", objectID: nil, needsAdministrator: false), false),
            ("check --admin a@b.c", .check(name: "a@b.c", objectID: nil, needsAdministrator: true), false),
            ("test id-cert.pub --user a@b.c", .test(file: "id-cert.pub", user: "a@b.c"), false),
            ("log a@b.c --since -1h", .log(name: "a@b.c", since: "-1h"), false),
            ("log a@b.c", .log(name: "a@b.c", since: nil), false),
            ("--json sessions", .sessions, true),
            ("sessions end a@b.c", .endSessions(name: "a@b.c"), false),
            ("keys", .keys(refresh: false, publish: false), false),
            ("keys --publish", .keys(refresh: false, publish: true), false),
            ("--json keys --refresh", .keys(refresh: true, publish: false), true),
            ("metrics", .metrics(file: nil), false),
            ("metrics --output=/run/m.prom", .metrics(file: "/run/m.prom"), false),
            ("users set-shell a@b.c /bin/zsh", .users(.setShell(name: "a@b.c", shell: "/bin/zsh")), false),
            ("users set-home a@b.c /data/a", .users(.setHome(name: "a@b.c", home: "/data/a")), false),
            ("users lock a@b.c", .users(.lock(name: "a@b.c")), false),
            ("users unlock \(someID)", .users(.unlock(name: someID)), false),
            ("access", .access, false), ("report --output f", .report(file: "f"), false),
            ("report", .report(file: nil), false),
            ("status --help", .help(of: ["status"]), false),
            ("help users rebind", .help(of: ["users", "rebind"]), false),
            ("help", .help(of: []), false), ("-h", .help(of: []), false), ("users --help", .help(of: ["users"]), false),
            ("--version", .version, false),
        ]
    )
    func understood(words: String, command: Command, isJSON: Bool) throws {
        let invocation = try Invocation(words.split(separator: " ").map(String.init))
        #expect(invocation == Invocation(command: command, isJSON: isJSON))
    }

    @Test(
        "P5: an account is given to another object only by one who names it and says that it is the same person",
        arguments: [
            ("users rebind a@b.c --object-id \(someID)", false), ("users rebind a@b.c --object-id=\(someID)", false),
            ("users rebind --object-id \(someID.uppercased()) a@b.c --same-person", true),
            ("users --same-person rebind --object-id \(someID) -- a@b.c", true),
        ]
    )
    func rebinding(words: String, isSamePerson: Bool) throws {
        let objectID = try #require(ObjectID(someID))
        let invocation = try Invocation(words.split(separator: " ").map(String.init))
        #expect(invocation.command == .users(.rebind(name: "a@b.c", objectID: objectID, isSamePerson: isSamePerson)))
    }

    @Test(
        "P7: an account is added with its object id; groups that make root of it only by a word of its own",
        arguments: [
            ("users add a@b.c --object-id \(someID)", [], false),
            ("users add --groups docker,lxd,docker --object-id=\(someID) a@b.c", ["docker", "lxd"], false),
            ("users add a@b.c --root-equivalent --object-id \(someID) --groups=docker", ["docker"], true),
        ] as [(String, [String], Bool)]
    )
    func adding(words: String, groups: [String], isRootEquivalent: Bool) throws {
        let objectID = try #require(ObjectID(someID))
        let invocation = try Invocation(words.split(separator: " ").map(String.init))
        let added = UsersCommand.add(
            name: "a@b.c",
            objectID: objectID,
            groups: groups,
            isRootEquivalent: isRootEquivalent
        )
        #expect(invocation.command == .users(added))
    }

    @Test(
        "What cannot be understood is said in a line",
        arguments: [
            ("", "a command is missing"), ("statsu", "'statsu' is not a command; did you mean status?"),
            ("users lsit", "'lsit' is not a command of users; did you mean list?"),
            ("session", "'session' is not a command; did you mean sessions?"),
            ("help dcotor", "'dcotor' is not a command; did you mean doctor?"),
            ("frobnicate", "'frobnicate' is not a command"),
            ("explain", "explain needs a name"),
            ("status now", "status does not take 'now'"),
            ("status --stamp", "status does not take '--stamp'"),
            ("check-certificate f --user", "--user needs a value"),
            ("check-certificate f --user --stamp", "--user needs a value"),
            ("users retire", "users retire needs a name"),
            ("users retire a b", "users does not take 'b'"),
            ("users retire a --same-person", "users does not take '--same-person'"),
            ("users show a --object-id x", "users show does not take '--object-id'"),
            ("users --object-id x", "users list does not take '--object-id'"),
            ("users add a", "users add needs --object-id and an object id"),
            ("users add --object-id \(someID)", "users add needs a name"),
            ("users add a --object-id bob", "--object-id needs a GUID"),
            ("users add a --object-id \(someID) --groups", "--groups needs a value"),
            ("users add a --object-id \(someID) --groups=", "--groups needs names, with a comma between two"),
            ("users add a --object-id \(someID) --groups a,,b", "--groups needs names, with a comma between two"),
            ("users show a --groups b", "users show does not take '--groups'"),
            ("users retire a --root-equivalent", "users does not take '--root-equivalent'"),
            ("users rename a", "users rename needs the new name"),
            ("users rebind a", "users rebind needs --object-id and an object id"),
            ("users rebind a --object-id", "--object-id needs a value"),
            ("users rebind a --object-id bob", "--object-id needs a GUID"),
            ("users rebind --object-id \(someID)", "users rebind needs a name"),
            ("users set-shell a", "users set-shell needs a shell"),
            ("users set-home a", "users set-home needs a folder"),
            ("check", "check needs a name"),
            ("check a --object-id bob", "--object-id needs a GUID"),
            ("audit", "audit needs the word 'accounts'"),
            ("audit users", "audit looks at accounts only"),
            ("audit accounts now", "audit does not take 'now'"),
            ("audit accounts --allow", "--allow needs a value"),
            ("migrate", "migrate needs --from aadsshlogin or --from aadlogin"),
            ("migrate --from aadsshlogin --apply --undo", "migrate does not take '--undo'"),
            ("migrate --from sssd", "migrate needs --from aadsshlogin or --from aadlogin"),
            ("export all", "export does not take 'all'"),
            ("sessions all", "'all' is not a command of sessions"),
            ("users frobnicate a", "'frobnicate' is not a command of users"),
            ("retire a", "'retire' is not a command"),
        ]
    )
    func refused(words: String, text: String) {
        #expect(throws: UsageError(text: text)) { try Invocation(words.split(separator: " ").map(String.init)) }
    }
}
