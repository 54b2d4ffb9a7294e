// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Integration
internal import LinuxSystem

@main
enum Main {
    static func main() {
        // `run` is nonisolated: closures formed on the main actor would trap on other threads.
        exit(run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }

    private nonisolated static func run(_ arguments: [String]) -> ExitStatus {
        let invocation: Invocation
        do throws(UsageError) {
            invocation = try Invocation(arguments)
        } catch {
            Output.complain("entraloginctl: \(printable(error.text))\n\(CommandTable.reminder(after: arguments))")
            return .usage
        }
        let hasColours = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil && !invocation.isJSON
        let machine = LiveMachine(runner: SubprocessRunner())
        let tool = Tool(
            client: DaemonClient(state: { ServiceState.ask(machine) }),
            machine: machine,
            isRoot: geteuid() == 0,
            isJSON: invocation.isJSON,
            style: Style(hasColours: hasColours),
            now: SystemClock.wallSeconds()
        )
        let status = tool.run(invocation.command)
        guard let problem = Output.problem else { return status }
        // A script must not take missing output for an answer.
        Output.complain("entraloginctl: the output cannot be written: \(problem)")
        return .refused
    }
}
