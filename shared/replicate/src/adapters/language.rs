//! Whisper names languages in English; everybody else uses codes.

/// The code of a language given as code (`ru`, `ru-RU`) or as Whisper's name; `und` for what is unknown.
pub(super) fn code(given: &str) -> String {
    let given = given.trim().to_lowercase();
    if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == given) {
        return (*code).to_owned();
    }
    let start = given.split(['-', '_']).next().unwrap_or_default();
    let is_code = matches!(start.len(), 2 | 3) && start.bytes().all(|b| b.is_ascii_lowercase());
    if is_code {
        start.to_owned()
    } else {
        "und".to_owned()
    }
}

/// The names that Whisper gives to the languages heard most often.
#[rustfmt::skip]
const NAMES: [(&str, &str); 44] = [
    ("russian", "ru"), ("english", "en"), ("ukrainian", "uk"), ("belarusian", "be"), ("kazakh", "kk"),
    ("tatar", "tt"), ("bashkir", "ba"), ("uzbek", "uz"), ("armenian", "hy"), ("georgian", "ka"),
    ("azerbaijani", "az"), ("turkish", "tr"), ("german", "de"), ("french", "fr"), ("spanish", "es"),
    ("castilian", "es"), ("portuguese", "pt"), ("italian", "it"), ("dutch", "nl"), ("flemish", "nl"),
    ("polish", "pl"), ("czech", "cs"), ("slovak", "sk"), ("bulgarian", "bg"), ("serbian", "sr"),
    ("croatian", "hr"), ("romanian", "ro"), ("moldovan", "ro"), ("hungarian", "hu"), ("greek", "el"),
    ("finnish", "fi"), ("swedish", "sv"), ("norwegian", "no"), ("danish", "da"), ("latvian", "lv"),
    ("lithuanian", "lt"), ("estonian", "et"), ("hebrew", "he"), ("arabic", "ar"), ("hindi", "hi"),
    ("chinese", "zh"), ("mandarin", "zh"), ("japanese", "ja"), ("korean", "ko"),
];
