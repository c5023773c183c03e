//! What becomes of a message in which something was found.

use std::collections::BTreeMap;

use mcp_gateway_sdk::{
    Message, PatchOp, PatchValue, Place, Rule as Finding, Text, Verdict, VerdictBuilder,
};
use serde_json::Value;

use crate::config::{Action, Policy, Requests};
use crate::document::Suspicion;
use crate::fence::{fence, whole};
use crate::places::{is_prose, item};
use crate::rule::{Context, Rule};

/// What is found by the model alone.
const WORDING: &str = "wording";

/// What takes the place of what a server says about itself, where that is refused: without it there would be no server.
const REMOVED: &str = "(removed by the guardrail injection: it gave orders to the model)";

/// What becomes of a message, put together suspicion by suspicion.
pub(crate) struct Treatment<'m> {
    message: Message<'m>,
    context: Context,
    rules: &'m [Rule],
    verdict: VerdictBuilder,
    /// Parts that get something else in their place, by the text that they are in.
    edits: Vec<Edit<'m>>,
    /// Items of a list that are taken out.
    items: BTreeMap<usize, String>,
}

struct Edit<'m> {
    text: Text<'m>,
    range: std::ops::Range<usize>,
    instead: String,
    pointer: String,
    rule: Finding,
}

impl<'m> Treatment<'m> {
    pub(crate) fn new(message: &Message<'m>, context: Context, rules: &'m [Rule]) -> Self {
        Self {
            message: *message,
            context,
            rules,
            verdict: Verdict::builder(),
            edits: Vec::new(),
            items: BTreeMap::new(),
        }
    }

    /// Does what the policy says of the text that was found.
    pub(crate) fn treat(&mut self, policy: &Policy, found: &Suspicion<'m>, place: &Place) {
        if found.score < policy.warn {
            return;
        }
        let sure = found.score >= policy.block;
        let action = match (self.context, policy.requests) {
            (Context::Arguments, Requests::Off) => return,
            (Context::Arguments, Requests::Warn) => Action::Warn,
            (Context::Arguments, Requests::Block) => Action::Block,
            _ => policy.action,
        };
        let prose = is_prose(self.context, place);
        match action {
            Action::Warn => self.mark(found),
            Action::Block if sure => self.refuse(found, place),
            Action::Block | Action::Fence if prose => self.fence(found, place),
            // What cannot be fenced is either sure enough to be refused, or reported.
            Action::Fence if sure => self.refuse(found, place),
            Action::Block | Action::Fence => self.mark(found),
        }
    }

    /// The verdict.
    pub(crate) fn finish(mut self) -> Result<Verdict, String> {
        match self.items.is_empty() {
            true => {
                for edit in self.edits {
                    self.verdict
                        .mask(&edit.text, edit.range, edit.rule, edit.instead);
                }
            }
            false => self.patch(),
        }
        self.verdict.finish()
    }

    fn mark(&mut self, found: &Suspicion<'m>) {
        let rule = self.finding(found);
        self.verdict.mark(&found.text, found.range.clone(), rule);
    }

    fn fence(&mut self, found: &Suspicion<'m>, place: &Place) {
        let range = whole(&found.text, found.range.clone());
        let passage = found.text.get(range.clone()).unwrap_or_default();
        let (session, server) = (self.message.session(), self.message.server());
        let instead = fence(passage, &found.text, session, server);
        self.edit(found, range, instead, place);
    }

    /// Refuses the message, or only what of it need not be there: an item of a list, what a server says about itself.
    fn refuse(&mut self, found: &Suspicion<'m>, place: &Place) {
        let method = self.message.method();
        if let Some((pointer, number)) = item(method, place) {
            self.items.insert(number, pointer);
            return self.mark(found);
        }
        if self.context == Context::Description && is_prose(self.context, place) {
            return self.edit(found, 0..found.text.len(), REMOVED.to_owned(), place);
        }
        let rule = found.rules.first().and_then(|rule| self.rules.get(*rule));
        let (id, says) = rule.map_or((WORDING, "speaks like one"), |rule| (&rule.id, &rule.says));
        self.verdict.block(format!(
            "it looks like an attack on the model: it {says} ({id})"
        ));
        self.mark(found);
    }

    fn edit(
        &mut self,
        found: &Suspicion<'m>,
        range: std::ops::Range<usize>,
        instead: String,
        place: &Place,
    ) {
        let rule = self.finding(found);
        match self.edits.last_mut() {
            // Two passages of one line are fenced as one.
            Some(last)
                if last.text.index() == found.text.index() && range.start < last.range.end =>
            {
                last.range.end = last.range.end.max(range.end);
                let passage = found.text.get(last.range.clone()).unwrap_or_default();
                let (session, server) = (self.message.session(), self.message.server());
                last.instead = match last.instead == REMOVED || instead == REMOVED {
                    true => REMOVED.to_owned(),
                    false => fence(passage, &found.text, session, server),
                };
                self.verdict.note(rule);
            }
            _ => self.edits.push(Edit {
                text: found.text,
                range,
                instead,
                pointer: place.pointer.clone(),
                rule,
            }),
        }
    }

    /// Takes items out of a list. A patch cannot be combined with masks, so what is fenced is part of it.
    fn patch(&mut self) {
        let mut edits = std::mem::take(&mut self.edits);
        while let Some(first) = edits.first() {
            let index = first.text.index();
            let rest = edits.partition_point(|edit| edit.text.index() == index);
            let later = edits.split_off(rest);
            let mut after = String::new();
            let mut copied = 0;
            for edit in &edits {
                after.push_str(edit.text.get(copied..edit.range.start).unwrap_or_default());
                after.push_str(&edit.instead);
                copied = edit.range.end;
                self.verdict
                    .mark(&edit.text, edit.range.clone(), edit.rule.clone());
            }
            if let Some(edit) = edits.last() {
                after.push_str(edit.text.get(copied..).unwrap_or_default());
                self.verdict.patch(PatchOp::Replace(PatchValue {
                    path: edit.pointer.clone(),
                    value: Value::String(after).to_string(),
                }));
            }
            edits = later;
        }
        // From the end, so that the numbers of the others stay.
        for pointer in std::mem::take(&mut self.items).into_values().rev() {
            self.verdict.patch(PatchOp::Remove(pointer));
        }
    }

    /// The surest rule, and what else fits.
    fn finding(&self, found: &Suspicion<'m>) -> Finding {
        let mut rules = found.rules.iter().filter_map(|rule| self.rules.get(*rule));
        let first = rules.next();
        let mut says = first.map_or(String::new(), |rule| rule.says.clone());
        for rule in rules.take(3) {
            says.push_str(", ");
            says.push_str(&rule.id);
        }
        let id = first.map_or(WORDING, |rule| &rule.id);
        Finding::new(id).confidence(found.score).remark(says)
    }
}
