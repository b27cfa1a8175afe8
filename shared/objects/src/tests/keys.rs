use shared_domain::{Ids, Lang, ProjectId, ReportId, SystemIds, VideoId};

use crate::keys;

fn ids() -> (ProjectId, VideoId) {
    (SystemIds.next().into(), SystemIds.next().into())
}

/// Names that people, scanners and attackers give to files.
const HOSTILE: [&str; 60] = [
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "/etc/shadow",
    "C:\\x.mp4",
    "a/../../b.mp4",
    "....//x.mp4",
    "%2e%2e%2f.mp4",
    "..%c0%af.mp4",
    "x.mp4/../../y",
    "x.m/4",
    "x.m\\4",
    "x.\0mp4",
    "x.mp4\0.exe",
    "x.mp4\n",
    "x.\r\nSet-Cookie: a=b",
    "x.mp4;rm -rf",
    "x.$(id)",
    "x.`id`",
    "x.|id",
    "x.&id",
    "x.<script>",
    "\"><img src=x>.mp4",
    "x.'or'1",
    "x.mp4?x=1",
    "x.mp4#y",
    "x.mp4%00",
    "x. mp4",
    "x.mp4 ",
    " .mp4 ",
    ".",
    "..",
    "...",
    "",
    ".mp4",
    "mp4",
    "x.",
    "x..",
    "x.mp4.",
    "-rf.mp4",
    "-i",
    "http:x.mp4",
    "concat:a|b.mp4",
    "file:x.mp4",
    "pipe:0",
    "data:,x.mp4",
    "x.мп4",
    "x.ｍｐ４",
    "x.mp４",
    "x.\u{202e}4pm",
    "x.\u{200b}mp4",
    "е́.mp4",
    "😀.mp4",
    "x.😀",
    "x.toolong",
    "x.mp4mp4mp4",
    "CON.mp4",
    "NUL",
    "x.mp4:stream",
    "{{7*7}}.mp4",
    "x.${jndi:ldap://h}",
];

#[test]
fn hostile_names_never_reach_keys() {
    for name in HOSTILE {
        for ext in [keys::extension_of(name).as_str(), name] {
            let (project, video) = ids();
            let key = keys::raw(project, video, ext);
            let rest = key
                .strip_prefix(&format!("videos/raw/{project}/{video}."))
                .expect("prefix");
            let plain = rest
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            assert!(
                plain && (1..=5).contains(&rest.len()),
                "{name:?} gave {key:?}"
            );
            assert_eq!(
                keys::video_of_raw_key(&key),
                Some((project, video)),
                "{name:?}"
            );
        }
    }
}

#[test]
fn extensions_are_kept_in_lower_case() {
    assert_eq!(keys::extension_of("Отпуск 2024.MP4"), "mp4");
    assert_eq!(keys::extension_of("a.b.webm"), "webm");
    assert_eq!(keys::extension_of("noext"), "bin");
}

#[test]
fn only_our_own_spelling_is_an_upload() {
    let (project, video) = ids();
    let key = keys::raw(project, video, "mp4");
    let foreign = [
        key.to_uppercase(),
        key.replace('-', ""),
        key.replace(".mp4", ""),
        key.replace(".mp4", ".MP4"),
        key.replace(".mp4", ".mp4.exe"),
        key.replace("videos/raw/", "videos/"),
        key.replace("videos/raw/", "videos/raw/../raw/"),
        format!("/{key}"),
        format!("{key}/"),
        format!("videos/raw/{{{project}}}/{video}.mp4"),
        format!("videos/raw/{project}/x/{video}.mp4"),
        keys::frame(video, 1),
        String::new(),
    ];
    for key in foreign {
        assert_eq!(keys::video_of_raw_key(&key), None, "{key:?}");
    }
}

#[test]
fn derived_keys_lie_under_their_video_and_sort_by_time() {
    let (_, video) = ids();
    let report = ReportId::from(SystemIds.next());
    let prefix = keys::video_prefix(video);
    for key in [
        keys::frame(video, 500),
        keys::audio(video, 3),
        keys::strip(video),
        keys::waveform(video),
        keys::likeness(video),
        keys::report(video, report, "json"),
    ] {
        assert!(key.starts_with(&prefix), "{key}");
    }
    assert_eq!(
        keys::frame(video, 500),
        format!("{prefix}frames/000000500.jpg")
    );
    assert!(keys::frame(video, 9_999) < keys::frame(video, 10_000));
    assert_eq!(
        keys::report(video, report, "ru.html"),
        format!("{prefix}reports/{report}.ru.html")
    );
    assert_eq!(
        keys::report(video, report, "../x"),
        format!("{prefix}reports/{report}.bin")
    );
}

#[test]
fn a_frame_is_found_by_its_own_name_only() {
    let (_, video) = ids();
    let key = keys::frame(video, 1500);
    assert_eq!(keys::frame_name(video, &key), Some("000001500.jpg"));
    assert_eq!(keys::frame_named(video, "000001500.jpg"), Some(key.clone()));
    let (_, other) = ids();
    assert_eq!(keys::frame_name(other, &key), None, "of another video");
    assert_eq!(keys::frame_name(video, &keys::audio(video, 1)), None);
    for name in [
        "1500.jpg",
        "000001500.png",
        "+00001500.jpg",
        "../strip.jpg",
        "",
    ] {
        assert_eq!(keys::frame_named(video, name), None, "{name:?}");
    }
}

#[test]
fn a_segment_is_found_by_the_name_in_its_playlist_and_by_no_other() {
    let (_, video) = ids();
    let key = keys::segment(video, 7);
    assert_eq!(key, format!("videos/{video}/hls/00007.ts"));
    assert_eq!(keys::segment_named(video, "00007.ts"), Some(key));
    assert!(keys::playlist(video).starts_with(&keys::segments_prefix(video)));
    for name in [
        "7.ts",
        "00007.mp4",
        "+0007.ts",
        "../00007.ts",
        "#EXTM3U",
        "",
    ] {
        assert_eq!(keys::segment_named(video, name), None, "{name}");
    }
}

#[test]
fn the_page_in_another_language_lies_beside_the_one_that_is_known() {
    for known in ["a/1.ru.html", "a/1.en.html", "a/1.html"] {
        assert_eq!(keys::page_in(known, Lang::Ru), "a/1.ru.html");
        assert_eq!(keys::page_in(known, Lang::En), "a/1.en.html");
    }
}
