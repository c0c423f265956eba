import Documents
import Testing

@Suite struct LanguageTests {
    @Test(
        "Language tags find PostgreSQL's configurations",
        arguments: [
            ("de", "german"), ("de-AT", "german"), ("EN_us", "english"), ("nb-NO", "norwegian"), ("pt-BR", "portuguese"),
            ("zh-Hant", "simple"),
            ("", "simple"), ("deu", "simple"), ("sr-Latn", "serbian"),
        ])
    func configuration(tag: String, expected: String) { #expect(SearchLanguage.configuration(for: tag) == expected) }

    @Test("No tag is simple, and PostgreSQL 15 has 29 configurations")
    func configurations() {
        #expect(SearchLanguage.configuration(for: nil) == "simple")
        #expect(Set(SearchLanguage.configurations).count == 29)
        #expect(SearchLanguage.configurations.count == 29)
    }

    @Test(
        "The language of a few sentences is guessed, that of a few words is not",
        arguments: [
            ("We will ship your order within three days, and you can return it to the shop.", "en"),
            (
                "Wir liefern die Ware in drei Tagen, und Sie können sie im Laden auch zurückgeben. Das ist für Sie nicht teuer.",
                "de"
            ),
            ("Nous livrons les commandes dans les trois jours et vous pouvez les rendre pour un avoir.", "fr"),
            ("El pedido se entrega en tres días y los clientes lo pueden devolver en la tienda por su cuenta.", "es"),
            ("La consegna è gratuita per gli ordini della settimana e il reso non è un problema.", "it"),
            ("De bestelling wordt in drie dagen geleverd en het is niet nodig om te bellen voor een afspraak.", "nl"),
            ("A entrega não é paga e os clientes podem devolver a encomenda na loja com uma fatura do mês.", "pt"),
            ("Hello", nil), ("", nil), ("漢字 仮名", nil),
        ])
    func detection(text: String, expected: String?) { #expect(SearchLanguage.detect(text) == expected) }

    @Test(
        "The estimate counts words by length, marks and Han one by one",
        arguments: [
            ("", 0), ("   \n", 0), ("Hallo", 1), ("Hallo Welt", 2), ("Donaudampfschiff", 4), ("a, b.", 4), ("漢字", 2), ("Köln", 1),
            ("„Ja“", 3), ("a\u{A0}b", 3), ("\u{A0}\u{A0}", 2), ("😀", 1), ("« x »", 3),
        ])
    func tokens(text: String, expected: Int) {
        #expect(TokenEstimate.count(text) == expected)
        #expect(TokenEstimate.count(text[...]) == expected)
    }
}
