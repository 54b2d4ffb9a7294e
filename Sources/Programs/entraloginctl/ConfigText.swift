// SPDX-License-Identifier: Apache-2.0

/// `config` for people: a line for each setting. An origin that leaves no room stands on a line of its own.
struct ConfigText: Sendable {
    let style: Style

    func lines(_ settings: [SettingReport]) -> [String] {
        let width = settings.map(\.key.count).max() ?? 0
        let pad = String(repeating: " ", count: width + 2)
        return settings.flatMap { setting in
            let value = printable(setting.value.isEmpty ? "-" : setting.value)
            let key = setting.key + pad.dropFirst(setting.key.count)
            guard let origin = setting.origin.map(printable) else { return ["\(key)\(value)"] }
            let line = "\(style.paint(key, .strong))\(value)"
            return key.count + value.count + origin.count + 4 <= Style.width
                ? ["\(line)  (\(origin))"] : [line, "\(pad)(\(origin))"]
        }
    }
}
