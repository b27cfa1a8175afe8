//! The outermost chunk of an AVI file. ffmpeg takes what is there for the whole; the chunk says how long
//! it was.

/// Whether a file ends before the first chunk does, which its first bytes declare. A recorder that was
/// stopped leaves no length, and such a file is as long as it is.
pub(super) fn is_cut_off(head: &[u8], size: u64) -> bool {
    let Some(&[a, b, c, d]) = head.get(4..8) else {
        return false;
    };
    let declared = u32::from_le_bytes([a, b, c, d]);
    declared != 0 && declared != u32::MAX && size < u64::from(declared) + 8
}

#[cfg(test)]
mod tests {
    use super::is_cut_off;

    fn head(declared: u32) -> Vec<u8> {
        [b"RIFF", declared.to_le_bytes().as_slice(), b"AVI LIST"].concat()
    }

    #[test]
    fn a_file_that_lacks_what_it_declares_is_cut_off() {
        assert!(is_cut_off(&head(1_000), 1_007));
        // Files of more than a gigabyte go on in further chunks.
        for size in [1_008, 5_000] {
            assert!(!is_cut_off(&head(1_000), size));
        }
    }

    #[test]
    fn a_recorder_that_was_stopped_has_declared_nothing() {
        for declared in [0, u32::MAX] {
            assert!(!is_cut_off(&head(declared), 500));
        }
        assert!(!is_cut_off(b"RIFF", 4));
    }
}
