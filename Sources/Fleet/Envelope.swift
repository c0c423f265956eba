internal import AMQP
internal import Contract
internal import Crypto
internal import Jobs

/// What stands around a payload, once it is in order.
struct Envelope {
    let kind: Kind
    let id: String
    let tenant: String?
    let precondition: Precondition?
    let isByHTTP: Bool

    /// Checks a delivery's properties and headers.
    static func read(_ delivery: Delivery) -> Result<Envelope, Rejection> {
        do throws(Rejection) {
            let mostBytes = delivery.headerInt(Header.attempts.constant) == nil ? Bounds.headerBytes : Bounds.retriedHeaderBytes
            guard delivery.propertyBytes <= mostBytes else {
                throw Rejection(
                    .payloadTooLarge,
                    "properties and headers have \(delivery.propertyBytes) bytes; a job has at most \(Bounds.headerBytes)")
            }
            let kind = try checkedKind(delivery)
            guard let messageID = delivery.messageIDBytes, messageID.count > 0 else {
                throw Rejection(.invalidPayload, "property message_id is missing: it is the job's idempotency key")
            }
            guard let id = String(validating: messageID, as: UTF8.self), id.unicodeScalars.count <= 128, !id.utf8.contains(0)
            else {
                throw Rejection(.invalidPayload, "property message_id must be 1 to 128 characters of UTF-8")
            }
            guard PrintableText.isPrintable(id) else {
                throw Rejection(.invalidPayload, "property message_id holds a control character")
            }
            if let contentType = delivery.contentType,
                contentType.lowercased().prefix(while: { $0 != ";" && $0 != " " }) != "application/json"
            {
                throw Rejection(.invalidPayload, "property content_type must be application/json or absent")
            }
            let isSealed = delivery.header(Header.seal.constant) != nil && delivery.header(Header.key.constant) != nil
            guard isSealed || delivery.header(Header.authorization.constant) != nil else {
                throw Rejection(.unauthenticated, "header authorization is missing: it must be \"Bearer <key>.<secret>\"")
            }
            let tenant = delivery.headerText(Header.tenant.constant)
            if kind.needsTenant {
                guard let tenant, !tenant.isEmpty else {
                    throw Rejection(.invalidPayload, "header tenant is missing: \(kind.name) works on one tenant")
                }
            }
            if let tenant, !Slug.isValid(tenant) {
                throw Rejection(.invalidPayload, "header tenant is not a slug: it must match ^[a-z][a-z0-9-]{1,39}$")
            }
            return .success(
                Envelope(
                    kind: kind, id: id, tenant: tenant, precondition: try precondition(of: delivery, kind),
                    isByHTTP: delivery.isByHTTP))
        } catch {
            return .failure(error)
        }
    }

    /// What the job asks for of what it changes. What is not understood is not passed over: the sender wants no change that it does not allow.
    private static func precondition(of delivery: Delivery, _ kind: Kind) throws(Rejection) -> Precondition? {
        guard delivery.hasHeader(Header.ifMatch.constant) else { return nil }
        guard kind.takesPrecondition else {
            throw Rejection(.invalidPayload, "header if-match: \(kind.name) changes nothing that has an entity tag")
        }
        guard let precondition = delivery.headerText(Header.ifMatch.constant).flatMap({ Precondition($0) }) else {
            throw Rejection(.invalidPayload, "header if-match must be *, or entity tags in quotes, separated by commas")
        }
        return precondition
    }

    /// The kind that a delivery claims, if it is one: for metrics and headers also where the rest of the envelope is wrong.
    static func kind(of delivery: Delivery) -> Kind? {
        Kind.named(delivery.typeBytes ?? delivery.routingKeyBytes)
    }

    private static func checkedKind(_ delivery: Delivery) throws(Rejection) -> Kind {
        let routingKey = delivery.routingKeyBytes
        if let type = delivery.typeBytes, !type.elementsEqual(routingKey) {
            let names = (String(decoding: type, as: UTF8.self), String(decoding: routingKey, as: UTF8.self))
            throw Rejection(.invalidPayload, "property type \"\(names.0)\" and routing key \"\(names.1)\" do not agree")
        }
        guard let kind = Kind.named(routingKey) else {
            throw Rejection(.unknownKind, "there is no kind \"\(String(decoding: routingKey, as: UTF8.self))\"")
        }
        return kind
    }
}
