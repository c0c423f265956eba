internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc

/// The credential of a command that enqueues.
struct CredentialOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Credential, key.secret (else TENANTRY_TOKEN, or TENANTRY_OPERATOR_TOKEN). Everybody on this machine can read it in the process list.",
            valueName: "token"))
    var token: String?
    @Option(help: ArgumentHelp("A file whose first line is the credential.", valueName: "file"))
    var tokenFile: String?

    func validate() throws {
        if token != nil, tokenFile != nil { throw ValidationError("give --token or --token-file, not both") }
    }

    /// What was given; nil if nothing was.
    func given() throws -> String? {
        guard let tokenFile else { return token }
        return try SecretFile.firstLine(of: tokenFile)
    }
}

/// A file that holds one secret.
enum SecretFile {
    private static let mostBytes = 4_096

    /// The file's first line.
    ///
    /// - Parameter trims: whether blanks are left out.
    static func firstLine(of path: String, trims: Bool = true) throws -> String {
        guard let file = fopen(path, "r") else { throw Failure("\(path) cannot be read: \(systemError())") }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: mostBytes + 1)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { throw Failure("\(path) is empty") }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        guard bytes.count < mostBytes, let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure("the first line of \(path) is no credential")
        }
        let line = String(text.split(whereSeparator: \.isNewline).first ?? "").filter { !trims || !$0.isWhitespace }
        guard !line.isEmpty else { throw Failure("the first line of \(path) is empty") }
        return line
    }
}
