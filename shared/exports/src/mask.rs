//! Words as they may be printed: `слово` is `с****`, `с у к а` is `с * * *`.

use shared_policy::Highlight;

/// Hides the letters within each place but the first; a letter that stands alone is hidden too.
pub(crate) fn mask(text: &str, places: &[Highlight]) -> String {
    let mut masked: Vec<char> = text.chars().collect();
    for place in places {
        let end = place.end.min(masked.len());
        let letters: Vec<usize> = (place.start..end)
            .filter(|at| masked[*at].is_alphanumeric())
            .collect();
        let kept = usize::from(letters.len() > 1);
        for at in letters.into_iter().skip(kept) {
            masked[at] = '*';
        }
    }
    masked.into_iter().collect()
}
