/// The text search configurations that PostgreSQL 15 brings along
/// (<https://www.postgresql.org/docs/15/textsearch-dictionaries.html>, `src/backend/snowball`).
public enum SearchLanguage {
    /// Every configuration's name, `simple` among them.
    public static let configurations: [String] = (Array(configurationsByLanguage.values) + ["simple"]).sorted()

    /// The configuration for a BCP 47 tag such as `de`, `de-AT` or `zh-Hant`; `simple` for none and for languages without one.
    public static func configuration(for languageTag: String?) -> String {
        guard let languageTag else { return "simple" }
        let primary = languageTag.prefix { $0 != "-" && $0 != "_" }.lowercased()
        return configurationsByLanguage[aliases[primary] ?? primary] ?? "simple"
    }

    private static let configurationsByLanguage = [
        "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish", "nl": "dutch", "en": "english",
        "fi": "finnish",
        "fr": "french", "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "ga": "irish",
        "it": "italian",
        "lt": "lithuanian", "ne": "nepali", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian",
        "sr": "serbian",
        "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
    ]

    /// Written forms of Norwegian, and codes that BCP 47 keeps for old texts.
    private static let aliases = ["nb": "no", "nn": "no", "in": "id", "ji": "yi", "mo": "ro"]
}

extension SearchLanguage {
    /// A guess at the language of a text that does not state one: `en`, `de`, `fr`, `es`, `it`, `nl` or `pt`.
    ///
    /// Counts frequent short words among the first 1,000 words; nil if they are few, or if no language has clearly the most.
    public static func detect(_ text: String) -> String? {
        var scores: [String: Int] = [:]
        for word in text.prefix(20_000).split(maxSplits: 1_000, whereSeparator: { !$0.isLetter }).prefix(1_000) {
            for language in languages[word.lowercased(), default: []] { scores[language, default: 0] += 1 }
        }
        let ranking = scores.sorted { $0.value > $1.value }
        guard let best = ranking.first, best.value >= 3 else { return nil }
        let second = ranking.dropFirst().first?.value ?? 0
        return best.value * 2 >= second * 3 ? best.key : nil
    }

    private static let languages: [String: [String]] = {
        var languages: [String: [String]] = [:]
        for (language, words) in frequentWords {
            for word in words.split(separator: " ") { languages[String(word), default: []].append(language) }
        }
        return languages
    }()

    private static let frequentWords = [
        "en": "the and of to is that it for with you this are was on be have from or by not at your we can will",
        "de": "der die das und ist nicht ein eine den mit von zu für auf dem sich des im wir sie werden bei auch wird oder",
        "fr": "le la les et est des une un dans pour que qui pas du au sur avec vous nous ce par plus sont ou être",
        "es": "el la los las y es que una un en por con para no del se lo al como más su está son este pero",
        "it": "il la di che e è un una per non con del sono si della le dei nel anche come gli più questo alla ma",
        "nl": "de het een en van is niet dat op te met voor zijn aan er ook als bij naar wordt worden of uit kan door",
        "pt": "o a os as e é que um uma em para com não do da dos das no na por se mais como você são ao",
    ]
}
