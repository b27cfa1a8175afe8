//! The entry points of the fuzzer, over seeds that are cut, joined and spoiled the same way each time.

use shared_policy::BUILT_IN;

use crate::entry;

const PACK: &str = include_str!("../../packs/general.yaml");
const TEXTS: [&str; 8] = [
    "Ого! Ты, \u{200b}С\u{301}у\u{301}ка, \u{1f600} fück, б***ь, с у к а",
    "\u{202e}Реклама\u{202c}. ООО «Ромашка», ИНН 7707083893, erid: 2VtzqxXyZ12",
    "а-б-в-г-д б*********ь @$!|0134 ууууу \u{0}\u{7f}\u{feff}",
    "с\u{489}у\u{20dd}к\u{336}а\u{e0061}\u{fe0f} \u{1f46f}\u{200d}\u{2642}\u{fe0f}",
    "ｓｕｋａ 𝖋𝖚𝖈𝖐 ꜰᴜᴄᴋ ﷺ ﬁ ǆ ß İ ı \u{1d5ba}",
    "شتم שלום कुछ 中文 ไทย \u{10ffff}\u{fffd}",
    "https://user:pass@shop.example.ru:8080/?erid=LjN8Kaaxi&promo=\u{430}",
    "",
];
/// Of each seed.
const TIMES: usize = 60;

/// Numbers that look drawn by lot, the same ones in every run.
struct Lot(u64);

impl Lot {
    fn draw(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let below = u64::try_from(below.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.0 % below).unwrap_or(0)
    }

    /// The seed with a few parts removed, repeated, overwritten or taken from another.
    fn spoil(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.draw(6) {
            let from = self.draw(bytes.len());
            let to = (from + self.draw(40)).min(bytes.len());
            let part = bytes[from..to].to_vec();
            let place = self.draw(bytes.len() + 1);
            match self.draw(5) {
                0 => drop(bytes.drain(from..to)),
                1 => drop(bytes.splice(place..place, part)),
                2 => bytes
                    .iter_mut()
                    .skip(from)
                    .take(3)
                    .for_each(|byte| *byte ^= 0x55),
                3 => {
                    let start = self.draw(other.len());
                    let end = (start + 60).min(other.len());
                    drop(bytes.splice(place..place, other[start..end].iter().copied()));
                }
                _ => bytes.truncate(place),
            }
        }
        bytes
    }
}

fn run(target: fn(&[u8]), seeds: &[&[u8]], times: usize) {
    let mut lot = Lot(0x9e37_79b9_7f4a_7c15);
    for seed in seeds {
        target(seed);
        for _ in 0..times {
            let other = seeds[lot.draw(seeds.len())];
            target(&lot.spoil(seed, other));
        }
    }
}

#[test]
fn spoiled_packs_are_taken_or_refused() {
    let hostile = [
        "a: &a [*a, *a]\n".repeat(50),
        "pack: 1\nextends: x\n".into(),
        "[".repeat(50_000),
        "- ".repeat(20_000),
        "&a [".repeat(2_000),
    ];
    let mut seeds = vec![PACK.as_bytes()];
    seeds.extend(hostile.iter().map(String::as_bytes));
    run(entry::pack, &seeds, TIMES);
}

#[test]
fn spoiled_lists_are_taken_or_refused() {
    let seeds: Vec<Vec<u8>> = BUILT_IN
        .iter()
        .zip(TEXTS.iter().cycle())
        // The whole of a list takes long to compile many times over.
        .map(|((_, list), text)| {
            let some: String = list.chars().take(2_000).collect();
            format!("{some}\0{text}").into_bytes()
        })
        .collect();
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    run(entry::list, &seeds, TIMES);
}

#[test]
fn spoiled_texts_are_read() {
    let seeds: Vec<&[u8]> = TEXTS.iter().map(|text| text.as_bytes()).collect();
    run(entry::text, &seeds, TIMES * 2);
}
