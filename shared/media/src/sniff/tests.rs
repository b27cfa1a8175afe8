use super::{Container, sniff};

#[test]
fn every_accepted_container_is_recognised() {
    let cases: [(&[u8], Container); 8] = [
        (b"\0\0\0\x20ftypisom\0\0\x02\0", Container::Mp4),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", Container::Mov),
        (b"\0\0\0\x08wide\0\0\0\0mdat", Container::Mov),
        (b"\0\0\x10\0moov\0\0\0\x6cmvhd", Container::Mov),
        (b"\0\0\0\x08free\0\0\0\x08mdat", Container::Mov),
        (
            b"\x1A\x45\xDF\xA3\x9f\x42\x86\x81\x01\x42\x82\x84webm",
            Container::Webm,
        ),
        (
            b"\x1A\x45\xDF\xA3\xa3\x42\x86\x81\x01\x42\x82\x88matroska",
            Container::Mkv,
        ),
        (b"RIFF\x10\0\0\0AVI LIST", Container::Avi),
    ];
    for (head, container) in cases {
        assert_eq!(sniff(head), Some(container), "{head:?}");
    }
}

#[test]
fn lists_texts_and_other_media_are_no_video() {
    let cases: [&[u8]; 8] = [
        b"",
        b"ftyp",
        b"#EXTM3U\n#EXT-X-VERSION:3",
        b"ffconcat version 1.0\nfile a.ts",
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"\xFF\xD8\xFF\xE0\0\x10JFIF",
        b"<?xml version=\"1.0\"?><MPD>",
        b"[playlist]\nFile1=x",
    ];
    for head in cases {
        assert_eq!(sniff(head), None, "{head:?}");
    }
}
