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
