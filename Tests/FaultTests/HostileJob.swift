internal import AMQP
internal import Contract
internal import Foundation
internal import TestSupport

/// Something small that once stopped a family for everybody, or made a worker grow without end.
struct HostileJob {
    let name: String
    let kind: String
    /// One for each job that is sent.
    let bodies: [[UInt8]]
    var tenant: String? = "prey"
    var headers: FieldTable = [:]
    /// Whether its credential is nobody's.
    var isStrangers = false
    /// What each of its jobs is answered with; nil: success.
    var code: ErrorCode?
    /// Whether it takes so long that neighbours are to be answered before it ends.
    var isLong = false

    private init(
        _ name: String, _ kind: String, _ bodies: [String], tenant: String? = "prey", headers: FieldTable = [:],
        isStrangers: Bool = false, code: ErrorCode? = nil, isLong: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.bodies = bodies.map { Array($0.utf8) }
        self.tenant = tenant
        self.headers = headers
        self.isStrangers = isStrangers
        self.code = code
        self.isLong = isLong
    }

    /// Whether all of it is sent: what is seen then is written down in "Measurements".
    static let isWhole = ProcessInfo.processInfo.environment["TENANTRY_PRINTS_COSTS"] != nil
    private static let passwords = isWhole ? 60 : 12
    private static let tableMegabytes = isWhole ? 12 : 5

    static let all: [HostileJob] =
        json + HostileDocument.all.map(documents) + [pages, rows] + [
            HostileJob("forty past months of a thousand million tokens", "conversation.log", [months]),
            HostileJob(
                "\(passwords) passwords", "admin.create",
                (0..<passwords).map {
                    #"{"email":"p\#($0)@x.ch","display_name":"P","role":"account_admin","password":"correct horse \#($0)"}"#
                }, tenant: nil, isLong: true),
            HostileJob("a body of 40 MiB", "conversation.log", [spaces(40 << 20)], code: .payloadTooLarge),
            HostileJob(
                "a stranger's body of 40 MiB", "corpus.ingest", [spaces(40 << 20)], isStrangers: true, code: .unauthenticated),
            HostileJob(
                "headers of 100 KiB", "conversation.log", [TestFleet.log(["h"])],
                headers: FieldTable((0..<100).map { ("x-\($0)", .text(String(repeating: "x", count: 1_000))) }),
                code: .payloadTooLarge),
            HostileJob(
                "metadata that grows job by job", "conversation.log",
                (0..<24).map { log("g\($0)", #""metadata":{"k\#($0)":"\#(String(repeating: "m", count: 15 << 10))"},"#) },
                code: .limitReached),
            HostileJob(
                "a setting that grows job by job", "tenant.update",
                (0..<24).map { #"{"settings":{"s":{"k\#($0)":"\#(String(repeating: "s", count: 60 << 10))"}}}"# },
                code: .limitReached),
            HostileJob(
                "a thousand tenants of defaults that are too long", "tenant.create_many",
                [
                    #"{"defaults":{"settings":{"a":"\#(String(repeating: "d", count: 100 << 10))"}},"tenants":["#
                        + (0..<1_000).map { #"{"slug":"t\#($0)","display_name":"x"}"# }.joined(separator: ",") + "]}"
                ], tenant: nil, code: .payloadTooLarge),
        ]

    private static let json = [
        HostileJob(
            "55 arrays around ten thousand numbers", "tenant.update", [#"{"settings":{"a":\#(nested(55, numbers(10_000)))}}"#],
            code: .payloadTooLarge),
        HostileJob(
            "30 arrays around ten thousand numbers", "tenant.update", [#"{"settings":{"a":\#(nested(29, numbers(10_000)))}}"#]),
        HostileJob(
            "2 MiB of nested arrays in a document's metadata", "corpus.ingest",
            [document(#""content":"x","metadata":{"a":\#(nested(55, numbers(400_000)))}"#)], code: .payloadTooLarge),
        HostileJob(
            "16 MiB of opening brackets", "corpus.ingest", [String(repeating: "[", count: 16 << 20)], code: .payloadTooLarge),
    ]

    private static func documents(_ hostile: HostileDocument) -> HostileJob {
        let documents = (0..<8).map(hostile.document).joined(separator: ",")
        return HostileJob("eight documents: \(hostile.testDescription)", "corpus.ingest", [#"{"documents":[\#(documents)]}"#])
    }

    private static let pages = HostileJob(
        "a page of 12 MiB of open elements", "corpus.ingest",
        [document(#""content":"\#(String(repeating: "<b><i>x", count: (12 << 20) / 7))""#, type: "text/html")])

    private static let rows = HostileJob(
        "a table of \(tableMegabytes) MiB", "corpus.ingest",
        [
            document(
                #""content":"name,value\\n\#(String(repeating: "a,1\\n", count: (tableMegabytes << 20) / 5))""#, type: "text/csv")
        ], isLong: true)

    private static func document(_ fields: String, type: String = "text/plain") -> String {
        #"{"documents":[{"external_id":"x","title":"t","media_type":"\#(type)",\#(fields)}]}"#
    }

    private static func nested(_ depth: Int, _ inner: String) -> String {
        String(repeating: "[", count: depth) + inner + String(repeating: "]", count: depth)
    }

    private static func numbers(_ count: Int) -> String { (0..<count).map { "\($0 % 10)" }.joined(separator: ",") }

    private static func log(_ id: String, _ more: String) -> String {
        TestFleet.log([id], conversation: "growing").replacing(#""messages""#, with: more + #""messages""#)
    }

    private static func spaces(_ count: Int) -> String { "{" + String(repeating: " ", count: count - 2) + "}" }

    private static let months: String = {
        let times = (0..<40).map { "\(2022 + $0 / 12)-\($0 % 12 < 9 ? "0" : "")\($0 % 12 + 1)-15T12:00:00Z" }
        let messages = times.map { #"{"id":"\#($0)","role":"user","content":"x","sent_at":"\#($0)","tokens_in":1000000000}"# }
        return #"{"conversation_id":"months","messages":[\#(messages.joined(separator: ","))]}"#
    }()
}
