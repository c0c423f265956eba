internal import Contract
internal import Logging

/// Passes on what is logged, with everything written out that could forge a line or steer a terminal: job ids and errors quote what others sent.
struct PrintableLogHandler: LogHandler {
    private var base: any LogHandler

    init(_ base: any LogHandler) {
        self.base = base
    }

    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue.mapValues { Self.escaped($0) } }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { base.metadataProvider }
        set { base.metadataProvider = newValue }
    }

    var logLevel: Logger.Level {
        get { base.logLevel }
        set { base.logLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue.map { Self.escaped($0) } }
    }

    func log(event: LogEvent) {
        var event = event
        event.message = "\(Self.escaped(event.message.description))"
        event.metadata = event.metadata?.mapValues { Self.escaped($0) }
        event.error = event.error.map { Described(description: Self.escaped("\($0)")) }
        base.log(event: event)
    }

    private struct Described: Error, CustomStringConvertible {
        let description: String
    }

    private static func escaped(_ text: String) -> String { PrintableText.escaped(text, keepsLines: false) }

    private static func escaped(_ value: Logger.MetadataValue) -> Logger.MetadataValue {
        switch value {
        case .string(let text): .string(escaped(text))
        case .stringConvertible(let value): .string(escaped(value.description))
        case .array(let values): .array(values.map { escaped($0) })
        case .dictionary(let values): .dictionary(values.mapValues { escaped($0) })
        }
    }
}
