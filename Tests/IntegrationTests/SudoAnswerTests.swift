// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Integration

struct SudoAnswerTests {
    private static let heading = "Matching Defaults entries for lisa on vm:\n    env_reset\n\n"
    private static let may = "User lisa may run the following commands on vm:\n"

    @Test(
        "sudo's own words, as 1.9 prints them",
        arguments: [
            (0, heading + may + "    (ALL : ALL) ALL\n", .all), (0, may + "    (ALL) NOPASSWD: ALL\n", .all),
            (0, may + "    (root) /usr/bin/true\n    (ALL) NOPASSWD: /bin/a, ALL, !/bin/su\n", .all),
            (0, may + "    (ALL : ALL) NOPASSWD: /usr/bin/systemctl restart web\n", .some),
            (0, "User lisa is not allowed to run sudo on vm.\n", .none),
            (1, "User lisa is not allowed to run sudo on vm.\n", .none),
            (0, may, .unknown), (1, may + "    (ALL) ALL\n", .unknown), (1, "sudo: parse error\n", .unknown),
            (nil, may + "    (ALL) ALL\n", .unknown), (0, "", .unknown),
        ] as [(Int32?, String, SudoRights)]
    )
    func answers(status: Int32?, output: String, expected: SudoRights) {
        #expect(SudoAnswer(ProgramResult(status: status, output: output)).rights == expected)
    }
}
