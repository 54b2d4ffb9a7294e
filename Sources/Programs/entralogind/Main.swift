// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Libcrypto
internal import LinuxSystem
internal import Settings
internal import Wire

/// sysexits(3): what systemd shows when the daemon does not start.
enum ExitStatus: Int32 {
    case ok = 0
    case failure = 1
    case usage = 64
    /// The settings are wrong; starting again does not help.
    case configuration = 78
}

@main
struct Main {
    // Everything happens in functions outside the main actor: a closure written here would be isolated to it, and trap
    // on another thread.
    static func main() { exit(runProgram(Array(CommandLine.arguments.dropFirst())).rawValue) }
}

private let usage = """
    usage: entralogind [--config FILE] [--check-config] [--version]

      --config FILE    settings instead of /etc/entralogin/entralogin.conf (and FILE.d/*.conf)
      --check-config   read the settings as the daemon's user, say what is wrong with them, and end
      --version        print the version and end

    Started by systemd; see entralogind.service.

    """

private nonisolated func runProgram(_ arguments: [String]) -> ExitStatus {
    var path = EffectiveSettings.defaultPath
    var onlyChecks = false
    var rest = arguments[...]
    while let argument = rest.popFirst() {
        switch argument {
        case "--config":
            guard let value = rest.popFirst() else { return complain("--config needs a file\n" + usage, .usage) }
            path = value
        case "--check-config": onlyChecks = true
        case "--version":
            say("entralogind \(ProductVersion.text)\n", to: STDOUT_FILENO)
            return .ok
        case "--help", "-h":
            say(usage, to: STDOUT_FILENO)
            return .ok
        default: return complain("entralogind: \"\(argument)\" is not known\n" + usage, .usage)
        }
    }
    let settings: SettingsFiles.Outcome
    do {
        // Only for the machine's own settings: a file that was named may lie where only root can read.
        if onlyChecks && path == EffectiveSettings.defaultPath { try DaemonUser.become() }
        settings = try SettingsFiles.read(path)
    } catch {
        return complain("\(error)\n", .configuration)
    }
    if onlyChecks {
        for remark in settings.remarks { _ = complain("\(remark)\n", .ok) }
        return .ok
    }
    do {
        // Without it no certificate and no token can be checked.
        try CryptoLibrary.open()
        try Daemon.run(settings, path: path)
        return .ok
    } catch {
        return complain("entralogind: \(error)\n", .failure)
    }
}

private nonisolated func complain(_ text: String, _ status: ExitStatus) -> ExitStatus {
    say(text, to: STDERR_FILENO)
    return status
}

private nonisolated func say(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { _ = write(descriptor, $0.baseAddress, $0.count) }
}
