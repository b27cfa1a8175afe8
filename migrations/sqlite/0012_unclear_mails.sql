-- Mails whose fate is not known are counted, so that none is sent a third time.

-- Attempts that perhaps sent it: the server's answer was never noted.
alter table mails add column maybe_sent integer not null default 0;

update mails set maybe_sent = 1 where state = 'sending';
