-- Letters whose jobs an operator has sent again by HTTP, or thrown away, leave the lists at once. A row only tells of a letter: where the letter is
-- still in its queue, the leader's duty writes the row again.
create function tenantry.forget_letters(credential text, letters uuid[]) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select from tenantry.credentials c
        where c.key = forget_letters.credential and c.role = 'operator' and c.revoked_at is null and c.expires_at > now()) then
        raise insufficient_privilege using message = 'dead letters are an operator''s to settle';
    end if;
    delete from tenantry.dead_letters d where d.id = any(forget_letters.letters);
end
$$;

revoke execute on function tenantry.forget_letters(text, uuid[]) from public;
