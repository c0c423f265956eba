internal import Accounts
internal import Billing
internal import Contract
internal import Conversations
internal import Corpus
public import Jobs
internal import Metering
internal import People
internal import Templates
internal import Tenants
internal import Usage
internal import Webhooks

/// What a worker serves, in one list: every kind's handler under the family whose queue it rides on, and what the leader does beside.
public enum Families {
    /// What the handlers and duties are told.
    public struct Options: Sendable {
        /// The most `conversation.log` jobs of one transaction.
        public var batchLimit: Int
        /// Days from a tenant's archive to its purge, where its job does not say.
        public var retentionDays: Int64
        /// Hours without an active user after which a tenant is called idle; 0: never.
        public var idleHours: Int64
        /// Whether there is a Stripe key, so that invoices can be sent.
        public var sendsInvoices: Bool
        /// How often the leader adds up the pools.
        public var sweepSeconds: Double
        /// How often `usage.aggregate` is asked for of accounts in use.
        public var aggregateSeconds: Double
        /// Whether webhooks may be on this machine.
        public var allowsLoopbackWebhooks: Bool
        /// Days for which deliveries to webhooks are kept.
        public var webhookRetentionDays: Int64

        public init(
            batchLimit: Int = 5_000, retentionDays: Int64 = 30, idleHours: Int64 = 720, sendsInvoices: Bool = false,
            sweepSeconds: Double = 0.5, aggregateSeconds: Double = 300, allowsLoopbackWebhooks: Bool = false,
            webhookRetentionDays: Int64 = 30
        ) {
            self.batchLimit = batchLimit
            self.retentionDays = retentionDays
            self.idleHours = idleHours
            self.sendsInvoices = sendsInvoices
            self.sweepSeconds = sweepSeconds
            self.aggregateSeconds = aggregateSeconds
            self.allowsLoopbackWebhooks = allowsLoopbackWebhooks
            self.webhookRetentionDays = webhookRetentionDays
        }
    }

    public static func all(_ options: Options) -> [JobFamily] {
        [
            JobFamily(.account) { Accounts.handlers() },
            JobFamily(.tenant) {
                Tenants.handlers(retentionDays: options.retentionDays) + People.handlers() + Templates.handlers()
                    + Webhooks.handlers(allowsLoopback: options.allowsLoopbackWebhooks)
            },
            JobFamily(.corpus) { Corpus.handlers() },
            JobFamily(.conversation) { Conversations.handlers(batchLimit: options.batchLimit) },
            JobFamily(.usage) { UsageFamily.handlers() + Billing.handlers(sendsInvoices: options.sendsInvoices) },
        ]
    }

    /// What the leader does for the families, one line a duty.
    public static func duties(_ options: Options) -> [LeaderDuty] {
        [PoolSweep.duty(every: options.sweepSeconds), AggregationRequests.duty(every: options.aggregateSeconds)]
            + Tenants.duties() + [WebhookUpkeep.duty(retentionDays: options.webhookRetentionDays)]
            + (options.idleHours > 0 ? [IdleTenants.duty(afterHours: options.idleHours)] : [])
    }

    /// Who is told what has been published.
    public static let confirmations = [Alerts.confirmation]
}
