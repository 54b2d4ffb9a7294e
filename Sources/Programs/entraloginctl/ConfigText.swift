// SPDX-License-Identifier: Apache-2.0

/// `config` as text: a line for each setting. An origin that does not fit gets a line of its own.
struct ConfigText: Sendable {
    private static let remedy = "For the file's values to hold: systemctl restart entralogind"
    let style: Style

    func lines(_ settings: [SettingReport]) -> [String] {
        let width = settings.map(\.key.count).max() ?? 0
        let pad = String(repeating: " ", count: width + 2)
        let shown = settings.filter { $0.inForce != nil }
        let ending = shown.isEmpty ? [] : ["", ConfigText.remedy]
        return settings.flatMap { setting in lines(setting, pad) + differing(setting, pad) } + ending
    }

    private func differing(_ setting: SettingReport, _ pad: String) -> [String] {
        setting.inForce.map { [style.paint("\(pad)the daemon goes by \(printable($0))", .bad)] } ?? []
    }

    private func lines(_ setting: SettingReport, _ pad: String) -> [String] {
        let value = printable(setting.value.isEmpty ? "-" : setting.value)
        let key = setting.key + pad.dropFirst(setting.key.count)
        guard let origin = setting.origin.map(printable) else { return ["\(key)\(value)"] }
        let line = "\(style.paint(key, .strong))\(value)"
        return key.count + value.count + origin.count + 4 <= Style.width
            ? ["\(line)  (\(origin))"] : [line, "\(pad)(\(origin))"]
    }
}
