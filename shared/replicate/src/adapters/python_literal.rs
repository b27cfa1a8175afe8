//! Reads the text that Python prints for plain data (`{'a': [1.5, None]}`): some models answer so.

use serde_json::Value;

/// The data, or `None` when the text is no such literal. Depth is limited by the JSON reader.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut json = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' | '"' => {
                let string = quoted(&mut rest, c)?;
                json.push_str(&serde_json::to_string(&string).ok()?);
            }
            // A tuple is a list.
            '(' | '[' | '{' => json.push(if c == '(' { '[' } else { c }),
            ')' | ']' | '}' => {
                // Python allows a comma before the end, JSON does not.
                if json.ends_with(',') {
                    json.pop();
                }
                json.push(if c == ')' { ']' } else { c });
            }
            _ if c.is_whitespace() => {}
            _ if c.is_alphabetic() => {
                let mut word = String::from(c);
                while let Some(next) = rest.next_if(|n| n.is_alphanumeric()) {
                    word.push(next);
                }
                // `nan` and `inf` have no place in JSON: the answer is refused.
                json.push_str(match word.as_str() {
                    "True" => "true",
                    "False" => "false",
                    "None" => "null",
                    _ => return None,
                });
            }
            '0'..='9' | '-' | '+' | '.' | 'e' | ',' | ':' => {
                json.push(c);
                // The exponent belongs to the number, not to a word.
                if c.is_ascii_digit()
                    && let Some(e) = rest.next_if(|n| matches!(n, 'e' | 'E'))
                {
                    json.push(e);
                }
            }
            _ => return None,
        }
    }
    serde_json::from_str(&json).ok()
}

fn quoted(rest: &mut impl Iterator<Item = char>, end: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            c if c == end => return Some(text),
            '\\' => text.push(escaped(rest)?),
            c => text.push(c),
        }
    }
}

fn escaped(rest: &mut impl Iterator<Item = char>) -> Option<char> {
    let code = |rest: &mut dyn Iterator<Item = char>, digits: usize| {
        let hex: String = rest.take(digits).collect();
        char::from_u32(u32::from_str_radix(&hex, 16).ok()?)
    };
    match rest.next()? {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'x' => code(rest, 2),
        'u' => code(rest, 4),
        'U' => code(rest, 8),
        c @ ('\\' | '\'' | '"') => Some(c),
        _ => None,
    }
}
