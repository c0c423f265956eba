internal import Testing

@testable internal import People

/// How passwords are kept.
@Suite struct PeoplePasswordTests {
    /// RFC 7914, section 12.
    @Test(
        "scrypt gives what the RFC says",
        arguments: [
            (
                "password", "NaCl", PasswordHash.Cost(logRounds: 10, blockSize: 8, parallelism: 16),
                "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
            ),
            (
                "pleaseletmein", "SodiumChloride", PasswordHash.Cost(logRounds: 14, blockSize: 8, parallelism: 1),
                "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
            ),
        ])
    func vectors(password: String, salt: String, cost: PasswordHash.Cost, expected: String) throws {
        let bytes = try PasswordHash.derive(Array(password.utf8), salt: Array(salt.utf8), cost: cost, byteCount: 64)
        #expect(bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() == expected)
    }

    @Test("A kept password says how it was made, knows its own, and tells no two alike")
    func kept() throws {
        let kept = try PasswordHash(of: "Grüezi mitenand")
        let text = kept.description
        #expect(text.hasPrefix("scrypt$15$8$3$"))
        #expect(text.split(separator: "$").count == 6)
        let read = try #require(PasswordHash(text))
        #expect(read == kept)
        #expect(try read.matches("Grüezi mitenand"))
        #expect(try read.matches("Gru\u{308}ezi mitenand"), "the same letters from another keyboard")
        #expect(try !read.matches("grüezi mitenand"))
        #expect(try !read.matches(""))
        #expect(try PasswordHash(of: "Grüezi mitenand") != kept, "each has a salt of its own")
    }

    @Test(
        "What is not of our making is not read",
        arguments: [
            "", "scrypt", "scrypt$15$8$3$AAAA", "bcrypt$15$8$3$AAAA$AAAA", "scrypt$15$8$3$AAAA$AAAA",
            "scrypt$40$8$3$AAAA$\(longHash)",
            "scrypt$15$8$99$AAAA$\(longHash)", "scrypt$-1$8$3$AAAA$\(longHash)", "scrypt$15$8$3$$\(longHash)",
            "scrypt$15$8$3$*$\(longHash)",
        ])
    func unread(text: String) {
        #expect(PasswordHash(text) == nil)
    }

    private static let longHash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
}
