// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import LinuxSystem
internal import StackCheck

@main
enum Main {
    static func main() {
        // Main actor's work ends here: what follows knows nothing of it.
        exit(run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }

    private nonisolated static func run(_ arguments: [String]) -> ExitStatus {
        let invocation: Invocation
        do throws(UsageError) {
            invocation = try Invocation(arguments)
        } catch {
            Output.complain("entraloginctl: \(printable(error.text))\n\(CommandTable.usage)")
            return .usage
        }
        let hasColours = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil && !invocation.isJSON
        let tool = Tool(
            machine: LiveMachine(runner: SubprocessRunner()),
            isRoot: geteuid() == 0,
            isJSON: invocation.isJSON,
            style: Style(hasColours: hasColours),
            now: SystemClock.wallSeconds()
        )
        return tool.run(invocation.command)
    }
}

/// Where the tool's words go.
enum Output {
    /// As it is.
    static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

    static func say(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    static func say(_ lines: [String]) { write(lines.map { $0 + "\n" }.joined(), to: STDOUT_FILENO) }

    static func complain(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(0, count))
        }
    }
}
