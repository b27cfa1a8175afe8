-- A new version of a video is compared with the one before.

alter table videos add column previous_video_id uuid;
comment on column videos.previous_video_id is 'The version before, as the client named it or as the report found it; null for a first version.';

alter table videos add constraint videos_previous_video_id_fkey
    foreign key (previous_video_id) references videos (video_id) not valid;
