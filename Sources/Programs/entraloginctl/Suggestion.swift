// SPDX-License-Identifier: Apache-2.0

/// "Did you mean": the known words that are nearest to an unknown one.
enum Suggestion {
    private static let limit = 3
    /// Longer words are not compared: the work grows with the square.
    private static let longest = 128

    /// The candidates that are a slip or two away, the nearest first; of equals, in their own order.
    static func nearest(to word: String, among candidates: [String]) -> [String] {
        let typed = Array(word.lowercased().utf8)
        guard !typed.isEmpty, typed.count <= longest else { return [] }
        let allowed = max(1, min(3, typed.count / 3))
        let near = candidates.enumerated().compactMap { index, candidate -> (distance: Int, index: Int)? in
            let other = Array(candidate.lowercased().utf8)
            guard abs(other.count - typed.count) <= allowed else { return nil }
            let found = distance(typed, other)
            return found <= allowed ? (found, index) : nil
        }
        return near.sorted { ($0.distance, $0.index) < ($1.distance, $1.index) }.prefix(limit).map {
            candidates[$0.index]
        }
    }

    /// For accounts: those whose local part is the word; otherwise the nearest names.
    static func accounts(like word: String, among names: [String]) -> [String] {
        let folded = word.lowercased()
        let same = names.filter { $0.prefix { $0 != "@" } == folded }
        return same.isEmpty ? nearest(to: word, among: names) : Array(same.prefix(limit))
    }

    /// The keys of settings: the part behind the dot counts, too, so that `OfflineGrace` finds its section.
    static func keys(like word: String, among keys: [String]) -> [String] {
        let folded = word.lowercased()
        let same = keys.filter { $0.lowercased() == folded || $0.lowercased().hasSuffix(".\(folded)") }
        return same.isEmpty ? nearest(to: word, among: keys) : Array(same.prefix(limit))
    }

    /// `; did you mean status?`, or nothing.
    static func question(_ words: [String]) -> String {
        words.isEmpty ? "" : "; did you mean \(words.joined(separator: " or "))?"
    }

    /// Letters to put in, take out, replace or swap with the next (optimal string alignment).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard !right.isEmpty else { return left.count }
        var before: [Int] = []
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var next = [i + 1]
            for (j, b) in right.enumerated() {
                var best = min(row[j + 1] + 1, next[j] + 1, row[j] + (a == b ? 0 : 1))
                if i > 0, j > 0, a == right[j - 1], left[i - 1] == b { best = min(best, before[j - 1] + 1) }
                next.append(best)
            }
            before = row
            row = next
        }
        return row[right.count]
    }
}
