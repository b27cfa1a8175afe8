//! Our own look into ISO and `QuickTime` files: ffprobe says "h264" of a file whose pictures lie
//! elsewhere (`dref`, `rmra`) or are encrypted, and ends with 0.
//!
//! Only headers of boxes are read, a bounded number of them; sizes are claims of the file.

use shared_domain::Refusal;

use crate::error::MediaError;
use crate::source::Blocks;

/// Boxes looked at before the file is given up as hostile. What follows the index is not walked: a
/// file that was written in fragments has a box or two for each second.
const MOST: u32 = 4096;
/// Entries of one table.
const ENTRIES: u32 = 16;

struct BoxHeader {
    kind: [u8; 4],
    /// Of the content.
    start: u64,
    end: u64,
}

/// Why the file cannot be checked, if it is one of these tricks.
pub(crate) async fn find_trick(blocks: &Blocks) -> Result<Option<Refusal>, MediaError> {
    let mut budget = MOST;
    let mut open = vec![(0, blocks.size(), true)];
    while let Some((mut at, end, is_top)) = open.pop() {
        while at < end {
            let Some(header) = read_header(blocks, at, end).await? else {
                break;
            };
            budget -= 1;
            if budget == 0 {
                return Ok(Some(Refusal::TooExpensive));
            }
            at = header.end;
            match &header.kind {
                b"rmra" => return Ok(Some(Refusal::NoStreams)),
                b"moov" | b"trak" | b"mdia" | b"minf" | b"dinf" | b"stbl" => {
                    // The rest of this level comes later.
                    if !is_top || &header.kind != b"moov" {
                        open.push((at, end, is_top));
                    }
                    open.push((header.start, header.end, false));
                    break;
                }
                b"dref" if points_elsewhere(blocks, &header).await? => {
                    return Ok(Some(Refusal::NoStreams));
                }
                b"stsd" if is_encrypted(blocks, &header).await? => {
                    return Ok(Some(Refusal::Encrypted));
                }
                _ => {}
            }
        }
    }
    Ok(None)
}

async fn read_header(blocks: &Blocks, at: u64, end: u64) -> Result<Option<BoxHeader>, MediaError> {
    let bytes = blocks.read(at, 16).await?;
    let Some((first, rest)) = bytes.split_at_checked(8) else {
        return Ok(None);
    };
    let size = u64::from(number(&first[..4]));
    let kind = [first[4], first[5], first[6], first[7]];
    let (header, size) = match (size, rest.first_chunk::<8>()) {
        (0, _) => (8, end - at),
        (1, Some(large)) => (16, u64::from_be_bytes(*large)),
        (size, _) => (8, size),
    };
    if size < header {
        return Ok(None);
    }
    let stop = at.saturating_add(size).min(end);
    Ok(Some(BoxHeader {
        kind,
        start: (at + header).min(stop),
        end: stop,
    }))
}

/// Whether a data reference names another file. An entry that is not marked as this very file but
/// names nothing is a common slip of encoders.
async fn points_elsewhere(blocks: &Blocks, dref: &BoxHeader) -> Result<bool, MediaError> {
    let count = number(&blocks.read(dref.start + 4, 4).await?).min(ENTRIES);
    let mut at = dref.start + 8;
    for _ in 0..count {
        let Some(entry) = read_header(blocks, at, dref.end).await? else {
            break;
        };
        let length = entry.end - entry.start;
        let flags = number(&blocks.read(entry.start, 4).await?);
        if flags & 1 == 0 {
            let rest = blocks
                .read(entry.start + 4, length.saturating_sub(4).min(64))
                .await?;
            if rest.iter().any(|byte| *byte != 0) {
                return Ok(true);
            }
        }
        at = entry.end;
    }
    Ok(false)
}

async fn is_encrypted(blocks: &Blocks, stsd: &BoxHeader) -> Result<bool, MediaError> {
    let count = number(&blocks.read(stsd.start + 4, 4).await?).min(ENTRIES);
    let mut at = stsd.start + 8;
    for _ in 0..count {
        let Some(entry) = read_header(blocks, at, stsd.end).await? else {
            break;
        };
        if matches!(&entry.kind, b"encv" | b"enca" | b"drmi" | b"drms") {
            return Ok(true);
        }
        at = entry.end;
    }
    Ok(false)
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .first_chunk::<4>()
        .map_or(0, |four| u32::from_be_bytes(*four))
}
