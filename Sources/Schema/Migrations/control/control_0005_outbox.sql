-- An alert is noted as published by its own room, which knows it by the message's id. Workers of the version before still write and read the
-- column while a fleet is replaced bit by bit; a later migration drops it.
comment on column tenantry.outbox.alert is 'Not used any more, and always null.';
