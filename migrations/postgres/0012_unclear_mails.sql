-- Mails whose fate is not known are counted, so that none is sent a third time.

alter table mails add column maybe_sent bigint not null default 0;
comment on column mails.maybe_sent is 'Attempts that perhaps sent it: the server''s answer was never noted.';

update mails set maybe_sent = 1 where state = 'sending';
