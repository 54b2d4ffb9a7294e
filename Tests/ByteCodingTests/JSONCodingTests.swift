// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import FoundationEssentials
import Testing

/// JSON(encoding:) and decoded(as:), against the standard encoder and decoder.
struct JSONCodingTests {
    private enum Colour: String, Codable { case red, green }

    private struct Inner: Codable, Hashable {
        var text = "\u{0}\"\\é😀\u{2028}"
        var numbers: [Int64] = [.min, -1, 0, .max]
        var byte: UInt8? = 255
        var nothing: String?
    }

    private struct Outer: Codable, Hashable {
        var colour = Colour.red
        var colours: [Colour?] = [.green, nil]
        var truth = true
        var inner = Inner()
        var list = [Inner(), Inner(text: "", numbers: [], byte: nil, nothing: "no")]
        var table: [String: UInt32] = ["a": .max, "": 0]
        var nested: [[String]] = [[], ["x"]]
    }

    /// Its encoded form differs from its properties.
    private struct ByHand: Codable, Hashable {
        var pair: [Int] = [1, 2]
        private enum CodingKeys: CodingKey { case inside, first }
        private enum Deeper: CodingKey { case second }

        init() {}

        init(from decoder: any Decoder) throws {
            let outside = try decoder.container(keyedBy: CodingKeys.self)
            let inside = try outside.nestedContainer(keyedBy: Deeper.self, forKey: .inside)
            var list = try inside.nestedUnkeyedContainer(forKey: .second)
            pair = [try outside.decode(Int.self, forKey: .first), try list.decode(Int.self)]
        }

        func encode(to encoder: any Encoder) throws {
            var outside = encoder.container(keyedBy: CodingKeys.self)
            var inside = outside.nestedContainer(keyedBy: Deeper.self, forKey: .inside)
            var list = inside.nestedUnkeyedContainer(forKey: .second)
            try list.encode(pair[1])
            try outside.encode(pair[0], forKey: .first)
        }
    }

    private func expectSame<Value: Codable & Hashable>(_ value: Value) throws {
        let bytes = try JSON(encoding: value).bytes
        #expect(try JSONDecoder().decode(Value.self, from: Data(bytes)) == value)
        #expect(try JSON(parsing: bytes).decoded(as: Value.self) == value)
        let standard = Array(try JSONEncoder().encode(value))
        #expect(try JSON(parsing: standard).decoded(as: Value.self) == value)
        #expect(try JSON(parsing: standard) == JSON(parsing: bytes))
        let indented = try JSON(encoding: value).indented
        #expect(try JSON(parsing: Array(indented.utf8)) == JSON(parsing: bytes))
    }

    @Test("What is encoded is what the standard encoder says, and both read both")
    func standard() throws {
        try expectSame(Outer())
        try expectSame([Outer(), Outer(colour: .green, colours: [], truth: false, list: [], table: [:])])
        try expectSame(ByHand())
        try expectSame(["x": [true, nil]])
    }

    @Test(
        "A member that is missing, of another kind or beyond its type is an error, one that is unknown is passed over",
        arguments: [
            (#"{"text":"x","numbers":[1],"more":[{}]}"#, true), (#"{"text":"x","numbers":[1],"byte":null}"#, true),
            (#"{"numbers":[1]}"#, false), (#"{"text":null,"numbers":[1]}"#, false),
            (#"{"text":1,"numbers":[1]}"#, false), (#"{"text":"x","numbers":{}}"#, false),
            (#"{"text":"x","numbers":["1"]}"#, false), (#"{"text":"x","numbers":[1.5]}"#, false),
            (#"{"text":"x","numbers":[9223372036854775808]}"#, false),
            (#"{"text":"x","numbers":[],"byte":256}"#, false),
            (#"{"text":"x","numbers":[],"byte":-1}"#, false), (#"{"text":"x","numbers":[true]}"#, false), ("[]", false),
            ("null", false),
        ]
    )
    func reading(_ text: String, isGood: Bool) throws {
        let json = try JSON(parsing: Array(text.utf8))
        #expect(((try? json.decoded(as: Inner.self)) != nil) == isGood)
    }

    @Test("What no report has is an error, and not left out")
    func fractions() throws {
        #expect(throws: JSONError.self) { try JSON(encoding: ["x": 1.5]) }
        #expect(throws: JSONError.self) { try JSON.array([.string("red")]).decoded(as: [Int].self) }
        #expect(throws: (any Error).self) { try JSON.string("blue").decoded(as: Colour.self) }
    }

    @Test("For people, a member or an element a line; what is empty on one line")
    func indented() throws {
        struct Small: Encodable {
            var b: [Int] = [1, 2]
            var a: [String: String] = [:]
            var c = "x"
        }
        let lines = ["{", "  \"a\" : {},", "  \"b\" : [", "    1,", "    2", "  ],", "  \"c\" : \"x\"", "}"]
        #expect(try JSON(encoding: Small()).indented == lines.joined(separator: "\n"))
    }
}
