//! Names and what models say are hostile: nothing of them may end a line, a cue or a cell, hide, or
//! turn the text that follows it.

/// One line without anything invisible, of at most so many characters.
pub(crate) fn line(text: &str, most: usize) -> String {
    let shown = text.chars().map(|c| match c {
        c if c.is_whitespace() || c.is_control() => ' ',
        c => c,
    });
    let shown: String = shown.filter(|c| !is_invisible(*c)).collect();
    let words: Vec<&str> = shown.split_whitespace().collect();
    cut(&words.join(" "), most)
}

/// What has no shape of its own, turns the direction of what follows, or may not stand in XML.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
        | '\u{FFF0}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}' | '\u{E0000}'..='\u{E007F}')
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.chars().take(most.saturating_sub(1)).collect();
            format!("{}…", kept.trim_end())
        }
    }
}

/// A name for a file: nothing that is a folder, or that some system does not take.
pub(crate) fn file_name(text: &str) -> String {
    let name: String = line(text, 200)
        .chars()
        .map(|c| match c {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            c => c,
        })
        .collect();
    let name = name.trim_matches(['.', ' ']);
    if name.is_empty() { "video" } else { name }.to_owned()
}
