// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import Testing

struct JSONTests {
    private func parse(_ text: String) -> JSON? { try? JSON(parsing: Array(text.utf8)) }

    @Test("a document is read, whatever blanks stand in it")
    func reading() {
        let document = parse(" {\"a\" : [1, -2.5e+3,\ttrue,false,null ], \"b\":\"x\\u00e9\\n\\ud83d\\ude00\\/\"}\r\n")
        let numbers: [JSON] = [.number("1"), .number("-2.5e+3"), .boolean(true), .boolean(false), .null]
        #expect(document == .object(["a": .array(numbers), "b": .string("x\u{e9}\n\u{1f600}/")]))
        #expect(document?["b"]?.text == "x\u{e9}\n\u{1f600}/")
        #expect(parse("\u{feff}[]") == .array([]))
    }

    @Test(
        "P13: what is not JSON, or says one thing twice, is refused",
        arguments: [
            "", " ", "{", "[", "\"", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[1 2]", "{} {}", "nul", "tru", "01",
            "+1",
            ".5", "1.", "1e", "-", "'a'", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
            "\"a\nb\"", "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}", "{a:1}", "[1]x", "\"\\u+123\"",
        ]
    )
    func refused(text: String) {
        #expect(parse(text) == nil)
    }

    @Test("P13: bytes that are not UTF-8 are refused")
    func encoding() {
        #expect((try? JSON(parsing: [0x22, 0xff, 0x22])) == nil)
        #expect((try? JSON(parsing: [0x22, 0xed, 0xa0, 0x80, 0x22])) == nil)
    }

    @Test("P13: depth and the number of values are bounded")
    func limits() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(parse(nested(JSON.Limit.depth + 1)) != nil)
        #expect(parse(nested(JSON.Limit.depth + 2)) == nil)
        #expect(parse(nested(100_000)) == nil)
        func many(_ count: Int) -> String { "[" + Array(repeating: "1", count: count).joined(separator: ",") + "]" }
        #expect(parse(many(JSON.Limit.values - 1)) != nil)
        #expect(parse(many(JSON.Limit.values)) == nil)
        #expect(parse(String(repeating: "1", count: 65)) == nil)
    }

    @Test("P13: every prefix of a document is refused")
    func prefixes() {
        let text = "{\"value\":[{\"actionId\":\"a\\u0041\",\"isDataAction\":true,\"timeToLiveInMs\":300000}]}"
        for length in 0..<text.utf8.count { #expect((try? JSON(parsing: Array(text.utf8.prefix(length)))) == nil) }
        #expect(parse(text) != nil)
    }

    @Test("what is written is read back")
    func writing() {
        let value = JSON.object([
            "text": .string("\u{0}\u{1f}\"\\/\u{e9}\u{1f600}"),
            "list": .array([.number("12"), .null, .boolean(false)]),
            "empty": .object([:]),
        ])
        #expect((try? JSON(parsing: value.bytes)) == value)
        #expect(String(decoding: JSON.string("\u{7}").bytes, as: UTF8.self) == "\"\\u0007\"")
    }

    @Test("a number is whole only where it is written so, and a text is one only where that is asked for")
    func integers() {
        #expect(parse("12")?.integer == 12)
        #expect(parse("1.0")?.integer == nil)
        #expect(parse("1e3")?.integer == nil)
        #expect(parse("\"12\"")?.integer == nil)
        #expect(parse("\"12\"")?.integerOrText == 12)
        #expect(parse("\"-12\"")?.integerOrText == nil)
        #expect(parse("\"99999999999999999999\"")?.integerOrText == nil)
    }
}
