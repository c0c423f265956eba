// swift-tools-version: 6.2

import PackageDescription

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// What every room of handlers knows: what a job is and what it costs, and no other such room.
let family: [Target.Dependency] = ["Contract", "Postgres", "Schema", "Jobs", "Metering"]

let everyFamily: [Target.Dependency] =
    family + [
        "Fleet", "Documents", "Accounts", "Tenants", "People", "Templates", "Corpus", "Conversations", "Usage", "Billing",
        "Webhooks", "Families",
    ]

let package = Package(
    name: "tenantry",
    products: [
        .executable(name: "tenantry", targets: ["tenantry"]),
        .library(name: "TenantryClient", targets: ["TenantryClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.2.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.90.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The C libraries, each imported by its one wrapper alone.
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),

        // What is promised, and the drivers.
        .target(name: "Contract"),
        .target(name: "Postgres", dependencies: ["CLibPQ", deque]),
        .target(name: "AMQP", dependencies: ["CLibRabbitMQ"]),

        // The fleet.
        .target(
            name: "Schema", dependencies: ["Contract", "Postgres", crypto],
            resources: [.embedInCode("Migrations/control"), .embedInCode("Migrations/tenant")]),
        .target(name: "Jobs", dependencies: ["Contract", "Postgres", crypto]),
        .target(name: "Metering", dependencies: ["Contract", "Postgres", "Jobs"]),
        .target(name: "Fleet", dependencies: ["Contract", "Postgres", "AMQP", "Jobs", deque, crypto, logging, metrics]),

        .target(name: "Documents", dependencies: ["Contract", "Postgres", "Jobs", "Metering", "CLibXML2", crypto]),

        // The kinds' handlers, one file a kind, and the list of them all.
        .target(name: "Accounts", dependencies: family),
        .target(name: "Tenants", dependencies: family + ["Documents"]),
        .target(name: "People", dependencies: family + [crypto, cryptoExtras]),
        .target(name: "Templates", dependencies: family + ["Documents"]),
        .target(name: "Corpus", dependencies: family + ["Documents"]),
        .target(name: "Conversations", dependencies: family),
        .target(name: "Usage", dependencies: family),
        .target(name: "Billing", dependencies: family + [httpClient, lifecycle, logging, nioCore, nioHTTP]),
        .target(
            name: "Webhooks",
            dependencies: family + [crypto, httpClient, lifecycle, logging, metrics, nioCore, nioHTTP, nioSSL]),
        .target(
            name: "Families",
            dependencies: family + [
                "Accounts", "Tenants", "People", "Templates", "Corpus", "Conversations", "Usage", "Billing", "Webhooks",
            ]),

        // The edges.
        .target(name: "TenantryClient", dependencies: ["Contract", "AMQP", deque, lifecycle]),
        .target(name: "Embedded"),
        .target(
            name: "API",
            dependencies: family + [
                "Documents", "Accounts", "Tenants", "People", "Templates", "Corpus", "Conversations", "Usage", "Billing",
                "Webhooks",
                "TenantryClient", hummingbird, hummingbirdCore, hummingbirdTLS, httpTypes, crypto, lifecycle, logging, metrics,
                nioCore, nioHTTP, nioHTTPTypes, nioSSL, yams,
            ]),
        // The console: pages made of the API's answers.
        .target(name: "HTML"),
        .target(
            name: "Console",
            dependencies: [
                "Contract", "Postgres", "Jobs", "People", "Metering", "HTML", "API", hummingbird, httpTypes, crypto, lifecycle,
                logging,
                nioCore,
            ],
            resources: [.embedInCode("Assets/console.css"), .embedInCode("Assets/console.js"), .embedInCode("Assets/icon.svg")]),
        .executableTarget(
            name: "tenantry",
            dependencies: [
                "Console", "Contract", "Postgres", "AMQP", "Schema", "Jobs", "Fleet", "Metering", "Accounts", "Tenants", "People",
                "Templates", "Corpus", "Conversations", "Usage", "Billing", "Webhooks",
                "Families", "TenantryClient", "Embedded", "API", argumentParser, configuration, crypto, lifecycle, logging,
                metrics,
                system, yams,
            ]),

        // Tests, against real servers of their own.
        .target(
            name: "TestSupport", dependencies: everyFamily + ["AMQP", "Embedded", logging], path: "Tests/TestSupport"),
        .executableTarget(name: "EmbeddedOwner", dependencies: ["Embedded"], path: "Tests/EmbeddedOwner"),
        .testTarget(name: "ContractTests", dependencies: ["Contract"]),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres", "TestSupport"]),
        .testTarget(name: "AMQPTests", dependencies: ["AMQP", "Embedded", "TestSupport"]),
        .testTarget(name: "EmbeddedTests", dependencies: ["Embedded", "EmbeddedOwner"]),
        .testTarget(name: "DocumentsTests", dependencies: ["Documents"]),
        .testTarget(name: "SchemaTests", dependencies: ["Postgres", "Schema", "TestSupport"]),
        .testTarget(
            name: "APITests",
            dependencies: everyFamily + [
                "API", "Console", "HTML", "TenantryClient", "TestSupport", httpClient, httpTypes, lifecycle, logging, metrics,
                nioCore, nioHTTP,
            ]),
        .testTarget(name: "HandlerTests", dependencies: everyFamily + ["TestSupport"]),
        .testTarget(name: "MeteringTests", dependencies: everyFamily + ["AMQP", "TestSupport"]),
        .testTarget(name: "BillingTests", dependencies: everyFamily + ["AMQP", "TestSupport"]),
        .testTarget(name: "FleetTests", dependencies: everyFamily + ["AMQP", "Embedded", "TestSupport"]),
        .testTarget(
            name: "WebhooksTests", dependencies: everyFamily + ["TestSupport", crypto, lifecycle, logging]),
        .testTarget(
            name: "FaultTests",
            dependencies: everyFamily + ["AMQP", "Embedded", "TenantryClient", "TestSupport", "tenantry", "DoomedWorker"]),
        .testTarget(
            name: "ClientTests", dependencies: everyFamily + ["AMQP", "TenantryClient", "TestSupport", lifecycle, logging]),
        .executableTarget(name: "ReadmeExample", dependencies: ["TenantryClient"], path: "Tests/ReadmeExample"),
        .testTarget(
            name: "CommandTests",
            dependencies: ["AMQP", "Contract", "Embedded", "Schema", "ReadmeExample", "TestSupport", "tenantry"]),
        .executableTarget(name: "DoomedWorker", dependencies: everyFamily + ["AMQP", logging], path: "Tests/DoomedWorker"),
    ]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ]
}
