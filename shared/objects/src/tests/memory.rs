//! Memory does not follow the size of an object. One process per test makes the figure honest.
#![cfg(target_os = "linux")]

use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use futures::{StreamExt, stream};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};

use super::support::{Place, http};

const PIECES: usize = 640;
const PIECE: usize = 128 * 1024;
const MOST_KIB: u64 = 40 * 1024;

/// The most memory this process ever held, in KiB.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eighty_megabytes_pass_through_without_staying() -> Result<()> {
    let place = Place::open().await?;
    place
        .objects
        .put("warm", Bytes::from_static(b"x"), "text/plain")
        .await?;
    let before = peak()?;
    let size = (PIECES * PIECE) as u64;
    let expires = Duration::from_mins(5);
    let signed = place
        .objects
        .presign_put("v/a", size, "video/mp4", expires)
        .await?;
    let piece = Bytes::from(vec![7; PIECE]);
    let pieces = stream::iter((0..PIECES).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
    let put = http()?.put(&signed.url).header(CONTENT_TYPE, "video/mp4");
    let put = put
        .header(CONTENT_LENGTH, size)
        .body(reqwest::Body::wrap_stream(pieces));
    put.send().await?.error_for_status()?;

    let url = place.objects.presign_get("v/a", expires).await?;
    let mut body = http()?
        .get(url)
        .send()
        .await?
        .error_for_status()?
        .bytes_stream();
    let mut got = 0;
    while let Some(piece) = body.next().await {
        got += piece?.len() as u64;
    }
    assert_eq!(got, size);
    let grown = peak()?.saturating_sub(before);
    assert!(grown < MOST_KIB, "memory grew by {grown} KiB");
    Ok(())
}
