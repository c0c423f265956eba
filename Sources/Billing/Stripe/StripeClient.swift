internal import AsyncHTTPClient
internal import Contract
internal import NIOCore
internal import NIOHTTP1

/// A request of Stripe's REST API.
struct StripeRequest: Sendable {
    enum Method: Sendable {
        case get, post
    }

    var method: Method
    var path: String
    var form: [(name: String, value: String)]
    /// Every request that makes or changes something has one.
    var idempotencyKey: String?

    /// `application/x-www-form-urlencoded`
    var body: String {
        form.map { "\(Self.escaped($0.name))=\(Self.escaped($0.value))" }.joined(separator: "&")
    }

    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                bytes.append(byte)
            case UInt8(ascii: " "): bytes.append(UInt8(ascii: "+"))
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Why a request has not succeeded.
enum StripeFailure: Error, Sendable {
    /// May succeed later: no answer, or one that says so. Whether the request had its effect is unknown.
    case passing(String)
    /// Will not succeed as it is.
    case lasting(String)
    /// Nor this: what its path names is not there.
    case gone(String)

    var message: String {
        switch self {
        case .passing(let message), .lasting(let message), .gone(let message): message
        }
    }
}

/// Stripe's REST API, on behalf of a connected account (a direct charge: that account's own customer and invoice).
/// Source: [Connect: making API calls](https://docs.stripe.com/connect/authentication).
struct StripeClient: Sendable {
    /// What our requests mean is settled by this, whatever the account's own default is.
    static let version = "2024-06-20"
    private static let mostAnswerBytes = 4 << 20

    private let http: HTTPClient
    private let options: StripeOptions

    init(_ options: StripeOptions) {
        self.options = options
        var configuration = HTTPClient.Configuration()
        // The key goes to nobody else.
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(Int64(options.timeoutSeconds))
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutdown() async throws {
        try await http.shutdown()
    }

    /// - Throws: `StripeFailure`; `CancellationError` where the task was cancelled.
    func send(_ request: StripeRequest, account: String) async throws -> JSONValue {
        // It becomes a header.
        guard account.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw StripeFailure.lasting("the tenant's stripe_account is none: it has blanks or other than ASCII characters")
        }
        var outgoing = HTTPClientRequest(url: options.url + request.path)
        outgoing.headers.add(name: "Authorization", value: "Bearer \(options.key)")
        outgoing.headers.add(name: "Stripe-Account", value: account)
        outgoing.headers.add(name: "Stripe-Version", value: Self.version)
        outgoing.headers.add(name: "User-Agent", value: "tenantry")
        if let key = request.idempotencyKey { outgoing.headers.add(name: "Idempotency-Key", value: key) }
        if request.method == .post {
            outgoing.method = .POST
            outgoing.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            outgoing.body = .bytes(ByteBuffer(string: request.body))
        }
        let (status, body): (UInt, [UInt8])
        do {
            // The deadline holds for the answer's body, too.
            let answer = try await http.execute(outgoing, deadline: .now() + .seconds(Int64(options.timeoutSeconds)))
            status = answer.status.code
            body = Array(buffer: try await answer.body.collect(upTo: Self.mostAnswerBytes))
        } catch {
            if Task.isCancelled { throw CancellationError() }
            throw StripeFailure.passing("no answer from \(options.url): \(error)")
        }
        // A body that is not JSON says nothing more: the status alone is reported.
        let json = try? JSONValue(parsing: body)
        if (200..<300).contains(status), let json { return json }
        throw Self.failure(status, json)
    }

    /// Source: [HTTP status codes](https://docs.stripe.com/api/errors). A key that is not accepted is not the invoice's fault; a conflict is
    /// another request under the same idempotency key that is still under way.
    static func failure(_ status: UInt, _ json: JSONValue?) -> StripeFailure {
        var message = "Stripe answered \(status)"
        if case .string(let text)? = json?["error"]?["message"] { message += ": " + text.prefix(500) }
        switch status {
        case 401, 408, 409, 429, 500...: return .passing(message)
        case 404: return .gone(message)
        case 400..<500: return .lasting(message)
        default: return .passing(message + ", which is no answer of its API")
        }
    }
}
