internal import HTTPTypes
internal import Hummingbird

/// All routes, found by path and method.
struct RouteTable: Sendable {
    let routes: [Route]
    /// By the number of segments; paths with fewer names in them come first, so that a word is not taken for a name.
    private let bySegments: [Int: [(pattern: PathPattern, routes: [Route])]]

    init(_ routes: [Route]) {
        self.routes = routes
        var paths: [PathPattern: [Route]] = [:]
        for route in routes { paths[route.path, default: []].append(route) }
        bySegments = Dictionary(grouping: paths.map { (pattern: $0.key, routes: $0.value) }) { $0.pattern.segments.count }
            .mapValues { $0.sorted { ($0.pattern.names.count, $0.pattern.text) < ($1.pattern.names.count, $1.pattern.text) } }
    }

    /// The route of a request, and the names in its path.
    ///
    /// - Parameter parts: the path's segments, decoded.
    /// - Throws: `Problem`: 404 where there is no such path, 405 where it takes other methods.
    func find(_ method: HTTPRequest.Method, _ parts: [String]) throws(Problem) -> (route: Route, names: [String: String]) {
        for (pattern, routes) in bySegments[parts.count] ?? [] {
            guard let names = pattern.match(parts) else { continue }
            let wanted = method == .head ? .get : method
            if let route = routes.first(where: { $0.method == wanted }) { return (route, names) }
            var allowed = Set(routes.map(\.method.rawValue))
            if allowed.contains("GET") { allowed.insert("HEAD") }
            throw .methodNotAllowed(allowed.sorted())
        }
        throw .notFound("there is nothing at this path")
    }
}
