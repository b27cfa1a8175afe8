//! The table of packs.

use comfy_table::{Table, presets};
use shared_domain::Lang;
use shared_policy::{Pack, Packs};
use time::Date;

/// Every version; a star marks those that judge today.
pub(super) fn list(packs: &Packs, today: Date, lang: Lang) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_header(["", "ID", "VERSION", "FROM", "UNTIL", "RULES", "TITLE"]);
    for pack in packs.all() {
        table.add_row(row(pack, packs, today, lang));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

fn row(pack: &Pack, packs: &Packs, today: Date, lang: Lang) -> [String; 7] {
    let judges = packs
        .in_force(&pack.id, today)
        .is_some_and(|judging| judging.version == pack.version);
    let day = |day: Option<Date>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
    [
        if judges { "*" } else { "" }.to_owned(),
        pack.id.clone(),
        pack.version.clone(),
        day(pack.effective_from),
        day(pack.effective_until),
        pack.rules.len().to_string(),
        pack.title.pick(lang).to_owned(),
    ]
}
