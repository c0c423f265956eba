-- Which person issued a token or made an administrator: what a person issued ends with the person. Not a foreign key, since the rows of people go
-- while those of their tokens stay, revoked.
alter table tenantry.credentials add column made_by uuid;
alter table tenantry.administrators add column made_by uuid;
create index credentials_made_by on tenantry.credentials (made_by) where made_by is not null;
create index administrators_made_by on tenantry.administrators (made_by) where made_by is not null;

-- For those of before, the audit log knows.
update tenantry.credentials c set made_by = issuer.administrator
from tenantry.audit_log l join tenantry.credentials issuer on issuer.key = l.credential
where l.kind = 'token.issue' and l.details -> 'result' ->> 'key' = c.key and issuer.administrator is not null;
update tenantry.administrators a set made_by = issuer.administrator
from tenantry.audit_log l join tenantry.credentials issuer on issuer.key = l.credential
    join tenantry.credentials made on made.key = l.details -> 'result' ->> 'key'
where l.kind = 'admin.create' and a.id = made.administrator and issuer.administrator is not null;
