internal import Contract
internal import Crypto
internal import FoundationEssentials

/// A manifest cut into jobs. The same manifest gives the same jobs under the same ids: what is still queued of an
/// interrupted run is not done twice.
struct ManifestJobs {
    struct Job {
        let id: String
        let body: [UInt8]
        /// Which of the manifest's tenants.
        let indices: [Int]
    }

    /// Far below the 1,000 that one job may have: the bar moves, and several lanes share the work.
    private static let mostTenants = 100
    private static let mostBytes = TenantCreateMany.kind.bodyLimitBytes

    let all: [Job]
    private let manifest: TenantManifest

    init(_ manifest: TenantManifest) throws {
        self.manifest = manifest
        all = try Self.cut(Array(manifest.entries.indices), of: manifest) { body in
            "create-many-\(SHA256.hash(data: body).hexadecimal.prefix(40))"
        }
    }

    /// Some of the tenants once more, in jobs of their own.
    func anew(_ indices: [Int]) throws -> [Job] {
        try Self.cut(indices, of: manifest) { _ in "create-many-\(UUID().uuidString.lowercased())" }
    }

    private static func cut(_ indices: [Int], of manifest: TenantManifest, id: ([UInt8]) -> String) throws -> [Job] {
        let head = Array(#"{"defaults":"#.utf8) + JSONValue.object(manifest.defaults).serialised() + Array(#","tenants":["#.utf8)
        var jobs: [Job] = []
        var (body, own) = (head, [Int]())
        func close() {
            let whole = body + Array("]}".utf8)
            jobs.append(Job(id: id(whole), body: whole, indices: own))
            (body, own) = (head, [])
        }
        for index in indices {
            let entry = manifest.entries[index]
            let item = JSONValue.object(entry.fields).serialised()
            guard head.count + item.count + 2 <= mostBytes else {
                throw entry.place.fault("makes a job of more than \(mostBytes) bytes, together with the defaults")
            }
            if !own.isEmpty, own.count == mostTenants || body.count + item.count + 3 > mostBytes { close() }
            if !own.isEmpty { body.append(UInt8(ascii: ",")) }
            body += item
            own.append(index)
        }
        if !own.isEmpty { close() }
        return jobs
    }
}
