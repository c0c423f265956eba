-- An alert is noted as published by its own room, which knows it by the message's id; the outbox itself knows no kind of message.
alter table tenantry.outbox drop column alert;
