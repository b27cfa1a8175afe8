//! What a person or a program reads of it.

use serde_json::{Value, json};
use shared_domain::Lang;

use super::finding::State;
use super::fix::Fixed;
use super::secrets::Censor;
use super::{Line, name};

/// Everything that was found, and what was set before.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) lines: Vec<Line>,
    pub(super) fixed: Vec<Fixed>,
    pub(super) censor: Censor,
    pub(super) lang: Lang,
}

impl Report {
    #[expect(clippy::print_stdout, reason = "the lines are the command's output")]
    pub(super) fn print(&self, as_json: bool) -> anyhow::Result<()> {
        let text = if as_json {
            serde_json::to_string_pretty(&self.json())?
        } else {
            self.text()
        };
        println!("{text}");
        Ok(())
    }

    /// A sign, the name, the sentence; what was set stands above, the sum below.
    pub(super) fn text(&self) -> String {
        let names = self.lines.iter().map(|line| line.name.chars().count());
        let width = names.max().unwrap_or_default();
        let row = |sign: char, name: &str, said: &str| format!("{sign} {name:width$}  {said}\n");
        let fixed = self.fixed.iter().map(|fixed| {
            let sign = if fixed.done { '+' } else { '-' };
            row(sign, &name(&fixed.check), &self.told(fixed))
        });
        let found = self.lines.iter().map(|line| {
            let said = self.censor.clean(line.finding.said.pick(self.lang));
            row(line.finding.state.sign(), &line.name, &said)
        });
        fixed.chain(found).collect::<String>() + &self.sum()
    }

    fn told(&self, fixed: &Fixed) -> String {
        let said = self.censor.clean(fixed.said.pick(self.lang));
        match fixed.done {
            true => said,
            false => format!("{}: {said}", self.lang.pick("не поставлено", "not set")),
        }
    }

    fn sum(&self) -> String {
        let count = |state| {
            let of = self.lines.iter().filter(|line| line.finding.state == state);
            of.count()
        };
        let (ok, warn) = (count(State::Ok), count(State::Warn));
        let (fail, unknown) = (count(State::Fail), count(State::NotChecked));
        match self.lang {
            Lang::Ru => format!(
                "\nв порядке {ok}, предупреждений {warn}, исправить {fail}, не проверено {unknown}"
            ),
            Lang::En => {
                format!("\n{ok} ok, {warn} to look at, {fail} to mend, {unknown} not checked")
            }
        }
    }

    pub(super) fn json(&self) -> Vec<Value> {
        let rows = self.lines.iter().map(|line| {
            let mut row = json!({
                "name": line.name,
                "state": line.finding.state.as_str(),
                "message": self.censor.clean(line.finding.said.pick(self.lang)),
            });
            let fixed = self
                .fixed
                .iter()
                .find(|fixed| name(&fixed.check) == line.name);
            if let Some(fixed) = fixed {
                let field = if fixed.done { "changed" } else { "not_changed" };
                row[field] = self.told(fixed).into();
            }
            row
        });
        rows.collect()
    }
}
