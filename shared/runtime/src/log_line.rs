//! Log lines that every reader takes: DigitalOcean's proxy stops reading at the first line over
//! 64 KiB, and with it the function stops answering.

use std::io::{self, Stderr, Write};

/// The longest line, its end included.
const LONGEST: usize = 60 * 1024;

/// Standard error, line by line; an event is written in one piece.
pub(crate) struct CutLines<W>(pub(crate) W);

impl CutLines<Stderr> {
    pub(crate) fn stderr() -> Self {
        Self(io::stderr())
    }
}

impl<W: Write> Write for CutLines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if line.len() <= LONGEST {
            self.0.write_all(line)?;
        } else {
            self.0.write_all(&line[..LONGEST - 1])?;
            self.0.write_all(b"\n")?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
