// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import entraloginctl

struct SuggestionTests {
    @Test(
        "A slip or two is understood, and nothing is suggested that is not near",
        arguments: [
            ("statsu", ["status"]), ("STATUS", ["status"]), ("doctr", ["doctor"]), ("expalin", ["explain"]),
            ("user", ["users"]), ("frobnicate", []), ("", []), ("zz", []), (String(repeating: "a", count: 500), []),
        ] as [(String, [String])]
    )
    func commands(word: String, meant: [String]) {
        #expect(Suggestion.nearest(to: word, among: CommandTable.verbs) == meant)
    }

    @Test("A short name stands for the accounts whose local part it is; a misspelt one for its neighbours")
    func accounts() {
        let names = ["alice@contoso.com", "alice@fabrikam.com", "bob@contoso.com"]
        #expect(Suggestion.accounts(like: "alice", among: names) == ["alice@contoso.com", "alice@fabrikam.com"])
        #expect(Suggestion.accounts(like: "bbo@contoso.com", among: names) == ["bob@contoso.com"])
        #expect(Suggestion.accounts(like: "carol@contoso.com", among: ["bob@fabrikam.com"]).isEmpty)
    }

    @Test("A setting is found without its section and in another case")
    func keys() {
        let keys = ["SignIn.OfflineGrace", "Log.Level", "Accounts.Shell"]
        #expect(Suggestion.keys(like: "OfflineGrace", among: keys) == ["SignIn.OfflineGrace"])
        #expect(Suggestion.keys(like: "log.level", among: keys) == ["Log.Level"])
        #expect(Suggestion.keys(like: "Log.Levle", among: keys) == ["Log.Level"])
        #expect(Suggestion.question(["a", "b"]) == "; did you mean a or b?" && Suggestion.question([]).isEmpty)
    }
}
