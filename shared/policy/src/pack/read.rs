//! Reads a pack and tells the line of whatever is wrong with it.

mod raw;
mod rules;
mod value;

use std::collections::{BTreeMap, HashSet};

use serde_saphyr::Spanned;
use time::Date;

use super::{Band, Bilingual, Category, Pack, PackError, Rule, Scale};
use crate::taxonomy::Taxonomy;
use raw::{RawCategory, RawEffective, RawPack, RawScale};
use rules::Around;
use value::{at, band, date, name, share, task, whole};

pub(crate) use raw::read_yaml;

/// Of the file.
pub(super) const MAX_BYTES: usize = 512 * 1024;
const MAX_RULES: usize = 1_000;
const MAX_BANDS: usize = 16;
/// Of this file format.
const FORMAT: u32 = 1;

/// What a pack may refer to.
pub(super) struct Known<'k> {
    pub(super) taxonomy: &'k Taxonomy,
    /// Whether there is a dictionary of this name.
    pub(super) dictionary: &'k dyn Fn(&str) -> bool,
    /// Packs that it may extend.
    pub(super) packs: &'k [Pack],
}

impl Known<'_> {
    /// A risk of a category, by its code.
    fn risk(&self, category: &str, code: &Spanned<String>) -> Result<String, PackError> {
        let kind = self.taxonomy.find_category(category);
        let codes: Vec<&str> = kind
            .iter()
            .flat_map(|kind| &kind.risks)
            .map(|risk| risk.code.as_str())
            .collect();
        if codes.contains(&code.value.as_str()) {
            return Ok(code.value.clone());
        }
        let there = codes.join(", ");
        Err(at(
            code,
            format!(
                "unknown risk `{}` of category `{category}`; there are {there}",
                code.value
            ),
        ))
    }
}

pub(super) fn parse(yaml: &str, known: &Known<'_>) -> Result<Pack, PackError> {
    if yaml.len() > MAX_BYTES {
        return Err(whole(format!("the file is larger than {MAX_BYTES} bytes")));
    }
    let raw: RawPack = read_yaml(yaml)?;
    if raw.pack.value != FORMAT {
        return Err(at(
            &raw.pack,
            format!("this program reads packs of format {FORMAT}"),
        ));
    }
    let (effective_from, effective_until) = days(&raw.effective)?;
    let base = base(&raw, known, effective_from)?;
    let scale = match raw.scale {
        Some(own) => Some(scale(own)?),
        None => base.and_then(|base| base.scale.clone()),
    };
    let categories = categories(raw.categories, base, known)?;
    let around = Around {
        categories: &categories,
        scale: scale.as_ref(),
        known,
    };
    let own = rules::rules(raw.rules, &around)?;
    let rules = merged(own, (&raw.thresholds, &raw.without), base)?;
    let stated = |own: Option<Bilingual>, of: fn(&Pack) -> &Bilingual, field: &str| {
        own.or_else(|| base.map(of).cloned())
            .ok_or_else(|| at(&raw.id, format!("a pack states its `{field}`")))
    };
    let pack = Pack {
        source: stated(raw.source, |base| &base.source, "source")?,
        disclaimer: stated(raw.disclaimer, |base| &base.disclaimer, "disclaimer")?,
        required: match (raw.required, base) {
            (Some(tasks), _) => tasks.iter().map(task).collect::<Result<_, _>>()?,
            (None, Some(base)) => base.required.clone(),
            (None, None) => return Err(at(&raw.id, "a pack states its `required` tasks")),
        },
        unclear_below: match raw.unclear_below {
            Some(value) => share(&value)?,
            None => base.map_or(0.5, |base| base.unclear_below),
        },
        labels: labels(raw.labels, base, known.taxonomy),
        extends: lineage(base),
        id: name(raw.id)?,
        version: name(raw.version)?,
        effective_from,
        effective_until,
        title: raw.title,
        scale,
        categories,
        rules,
    };
    check_bands(&pack)?;
    Ok(pack)
}

fn days(raw: &RawEffective) -> Result<(Option<Date>, Option<Date>), PackError> {
    let from = raw.from.as_ref().map(date).transpose()?;
    let until = raw.until.as_ref().map(date).transpose()?;
    if let (Some(first), Some(last), Some(place)) = (from, until, &raw.until)
        && last < first
    {
        return Err(at(place, "the pack ends before it begins"));
    }
    Ok((from, until))
}

/// Every pack below, the nearest first.
fn lineage(base: Option<&Pack>) -> Vec<String> {
    base.map_or_else(Vec::new, |base| {
        [vec![base.id.clone()], base.extends.clone()].concat()
    })
}

/// The pack that this one builds upon: of its versions the one that holds on this one's first day, so
/// that a version judges for ever as it did.
fn base<'k>(
    raw: &RawPack,
    known: &Known<'k>,
    from: Option<Date>,
) -> Result<Option<&'k Pack>, PackError> {
    let Some(wanted) = &raw.extends else {
        return Ok(None);
    };
    let (id, of) = (raw.id.value.as_str(), wanted.value.as_str());
    if id == of {
        return Err(at(wanted, format!("`{id}` cannot extend itself")));
    }
    let day = from.unwrap_or(Date::MAX);
    if let Some(base) = super::in_force(known.packs, of, day) {
        if base.extends.iter().any(|further| further == id) {
            let way = base.extends.join("`, `");
            let reason = format!("`{id}` extends `{of}`, which extends `{way}`: a circle");
            return Err(at(wanted, reason));
        }
        return Ok(Some(base));
    }
    let ids: HashSet<&str> = known.packs.iter().map(|pack| pack.id.as_str()).collect();
    let reason = if ids.contains(of) {
        format!("no version of `{of}` is in force on {day}")
    } else {
        let mut ids: Vec<&str> = ids.into_iter().collect();
        ids.sort_unstable();
        format!("unknown pack `{of}`; there are {}", ids.join(", "))
    };
    Err(at(wanted, reason))
}

fn categories(
    raw: Vec<RawCategory>,
    base: Option<&Pack>,
    known: &Known<'_>,
) -> Result<Vec<Category>, PackError> {
    let mut seen = HashSet::new();
    let mut categories = base.map_or_else(Vec::new, |base| base.categories.clone());
    for raw in raw {
        if !seen.insert(raw.code.value.clone()) {
            return Err(at(
                &raw.code,
                format!("category `{}` is there twice", raw.code.value),
            ));
        }
        let own = category(raw, known)?;
        match categories.iter_mut().find(|c| c.code == own.code) {
            Some(inherited) => *inherited = own,
            None => categories.push(own),
        }
    }
    Ok(categories)
}

fn category(raw: RawCategory, known: &Known<'_>) -> Result<Category, PackError> {
    let Some(kind) = known.taxonomy.find_category(&raw.code.value) else {
        let codes: Vec<&str> = known
            .taxonomy
            .categories()
            .map(|(_, kind)| kind.code.as_str())
            .collect();
        let reason = format!(
            "unknown category `{}`; there are {}",
            raw.code.value,
            codes.join(", ")
        );
        return Err(at(&raw.code, reason));
    };
    let first = || kind.risks.first().map(|risk| risk.code.clone());
    Ok(Category {
        risk_code: match &raw.risk_code {
            Some(code) => known.risk(&kind.code, code)?,
            None => first().unwrap_or_else(|| kind.code.clone()),
        },
        code: kind.code.clone(),
        name: raw.name.unwrap_or_else(|| kind.name.clone()),
        clause: raw.clause,
        severity: raw.severity,
    })
}

/// Own rules, behind those of the base that are neither left out nor written anew.
fn merged(
    own: Vec<Rule>,
    (thresholds, without): (&BTreeMap<String, Spanned<f32>>, &[Spanned<String>]),
    base: Option<&Pack>,
) -> Result<Vec<Rule>, PackError> {
    let mut rules = base.map_or_else(Vec::new, |base| base.rules.clone());
    for left_out in without {
        let before = rules.len();
        rules.retain(|rule| rule.id != left_out.value);
        if rules.len() == before {
            let reason = format!("no inherited rule is called `{}`", left_out.value);
            return Err(at(left_out, reason));
        }
    }
    for (id, score) in thresholds {
        let Some(rule) = rules.iter_mut().find(|rule| rule.id == *id) else {
            return Err(at(score, format!("no inherited rule is called `{id}`")));
        };
        rule.min_score = share(score)?;
    }
    rules.retain(|rule| own.iter().all(|new| new.id != rule.id));
    rules.extend(own);
    if rules.is_empty() || rules.len() > MAX_RULES {
        return Err(whole(format!("a pack has 1 to {MAX_RULES} rules")));
    }
    Ok(rules)
}

fn labels(
    own: BTreeMap<String, Bilingual>,
    base: Option<&Pack>,
    taxonomy: &Taxonomy,
) -> BTreeMap<String, Bilingual> {
    let mut labels = taxonomy.labels.clone();
    labels.extend(base.into_iter().flat_map(|base| base.labels.clone()));
    let lower = |(label, name): (String, Bilingual)| (label.to_lowercase(), name);
    labels.extend(own.into_iter().map(lower));
    labels
}

fn scale(raw: RawScale) -> Result<Scale, PackError> {
    let mut bands: Vec<Band> = Vec::with_capacity(raw.bands.len());
    for raw in raw.bands {
        let line = raw.code.referenced.line();
        let code = band(raw.code)?;
        if bands.iter().any(|band| band.code == code) {
            let reason = format!("band `{code}` is there twice");
            return Err(PackError { line, reason });
        }
        bands.push(Band {
            code,
            name: raw.name,
        });
    }
    if !(2..=MAX_BANDS).contains(&bands.len()) {
        return Err(whole(format!("a scale has 2 to {MAX_BANDS} bands")));
    }
    Ok(Scale {
        title: raw.title,
        bands,
    })
}

/// Inherited rules fit a scale that is the pack's own.
fn check_bands(pack: &Pack) -> Result<(), PackError> {
    for rule in &pack.rules {
        let steps = rule.worse_when.iter().map(|step| &step.band);
        for code in steps.chain([&rule.band]).flatten() {
            let Some(scale) = &pack.scale else {
                let reason = format!("rule `{}` has a band, and the pack has no scale", rule.id);
                return Err(whole(reason));
            };
            if scale.place(code).is_none() {
                let codes: Vec<&str> = scale.bands.iter().map(|b| b.code.as_str()).collect();
                let there = codes.join(", ");
                let reason = format!(
                    "rule `{}` has the unknown band `{code}`; there are {there}",
                    rule.id
                );
                return Err(whole(reason));
            }
        }
    }
    Ok(())
}
