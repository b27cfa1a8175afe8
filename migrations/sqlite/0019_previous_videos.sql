-- A new version of a video is compared with the one before.

-- The version before, as the client named it or as the report found it; null for a first version.
alter table videos add column previous_video_id text references videos (video_id);
