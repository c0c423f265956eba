-- Dead letters and retries that the broker does not take at the moment. Their jobs are acknowledged; the leader publishes them as soon as it can.

create table tenantry.postponed_messages (
    id bigint primary key generated always as identity,
    exchange text not null,
    routing_key bytea not null,
    -- Flags and values, as in an AMQP content header. The secret of a credential has given way to a seal.
    properties bytea not null,
    body bytea not null,
    -- How often it was refused since it lies here.
    attempts bigint not null default 0,
    next_at timestamptz not null default clock_timestamp(),
    created_at timestamptz not null default clock_timestamp()
);
create index postponed_messages_next_at on tenantry.postponed_messages (next_at, id);
