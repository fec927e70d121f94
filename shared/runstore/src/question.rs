//! A filter of runs as DynamoDB takes it: what the keys of an index say, and what is left to say of the items.

use app::{
    ports::{RunFilter, Search},
    position::RunPosition,
};
use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use chrono::SecondsFormat;
use domain::{TeamId, Timestamp};

use crate::{
    items::{Item, text},
    keys,
};

/// Runs that one request looks through when few of them may match.
pub(crate) const WIDE: i32 = 250;

/// What to ask an index.
pub(crate) struct Question {
    index: &'static str,
    keys: String,
    filters: Vec<String>,
    values: Item,
}

impl Question {
    /// The question for the runs that the filter shows; None where no time can be what it says.
    pub(crate) fn of(team: TeamId, filter: &RunFilter, before: Option<&RunPosition>) -> Option<Self> {
        let (index, keys) = match filter.workflow_id {
            Some(_) => ("by_workflow", "workflow_id = :workflow"),
            None => ("by_team", "team_id = :team"),
        };
        let values = [(":team".to_owned(), text(team.to_string()))].into();
        let mut question = Self { index, keys: keys.to_owned(), filters: Vec::new(), values };
        if let Some(workflow) = filter.workflow_id {
            question.bind(":workflow", workflow.to_string());
            // Whoever asks may have the id of another team's workflow.
            question.filters.push("team_id = :team".to_owned());
        }
        question.between(filter, before)?;
        question.only(filter);
        Some(question)
    }

    /// Bounds the places in the index. A bare time sorts before every run of that instant.
    fn between(&mut self, filter: &RunFilter, before: Option<&RunPosition>) -> Option<()> {
        let cursor = before.map(|before| before.as_str().to_owned());
        let upper = cursor.into_iter().chain(filter.to.map(place_of)).min();
        let lower = filter.from.map(place_of);
        match (lower, upper) {
            (Some(lower), Some(upper)) if lower > upper => return None,
            (Some(lower), Some(upper)) => {
                self.keys += " AND created_sk BETWEEN :from AND :to";
                self.bind(":from", lower);
                self.bind(":to", upper);
            }
            (Some(lower), None) => {
                self.keys += " AND created_sk >= :from";
                self.bind(":from", lower);
            }
            (None, Some(upper)) => {
                self.keys += " AND created_sk < :to";
                self.bind(":to", upper);
            }
            (None, None) => {}
        }
        Some(())
    }

    /// Says what the summary must hold.
    fn only(&mut self, filter: &RunFilter) {
        if !filter.statuses.is_empty() {
            let words = filter.statuses.iter().map(|status| status.as_str());
            let names = self.bind_all(":status", words.map(str::to_owned));
            self.filters.push(format!("summary.#status IN ({names})"));
        }
        if let Some(trigger) = filter.trigger {
            self.bind(":trigger", trigger.as_str().to_owned());
            self.filters.push("summary.#trigger = :trigger".to_owned());
        }
        if filter.asks_people {
            self.filters.push("attribute_exists(summary.asks_since)".to_owned());
        }
        let is_of_workflow =
            |search: &Search| filter.workflow_id.is_some_and(|id| search.workflows().contains(&id));
        if let Some(search) = filter.search.as_ref().filter(|search| !is_of_workflow(search)) {
            self.bind(":text", search.text().to_owned());
            self.bind(":run", format!("{}{}", keys::RUN, search.text()));
            let mut ways =
                vec!["begins_with(pk, :run)".to_owned(), "contains(summary.#words, :text)".to_owned()];
            if !search.workflows().is_empty() && filter.workflow_id.is_none() {
                let ids = search.workflows().iter().map(ToString::to_string);
                let names = self.bind_all(":found", ids);
                ways.push(format!("workflow_id IN ({names})"));
            }
            self.filters.push(format!("({})", ways.join(" OR ")));
        }
    }

    /// The request for a page.
    pub(crate) fn asked_of(self, query: QueryFluentBuilder, limit: u32) -> QueryFluentBuilder {
        // One more to see whether there is a next page, and one for the cursor itself.
        let few = i32::try_from(limit + 2).unwrap_or(WIDE);
        let query = query.index_name(self.index).scan_index_forward(false);
        let query =
            query.key_condition_expression(self.keys).set_expression_attribute_values(Some(self.values));
        if self.filters.is_empty() {
            return query.limit(few);
        }
        let filter = self.filters.join(" AND ");
        let names = [("#status", "status"), ("#trigger", "trigger"), ("#words", "words")];
        // A name that is not used is an error.
        let used = names.into_iter().filter(|(name, _)| filter.contains(name));
        let used = used.map(|(name, field)| (name.to_owned(), field.to_owned())).collect();
        query.limit(few.max(WIDE)).filter_expression(filter).set_expression_attribute_names(Some(used))
    }

    fn bind(&mut self, name: &str, value: String) {
        self.values.insert(name.to_owned(), AttributeValue::S(value));
    }

    /// Binds each value to a name of its own; answers the names as a list.
    fn bind_all(&mut self, name: &str, values: impl Iterator<Item = String>) -> String {
        let names = values.enumerate().map(|(n, value)| {
            let name = format!("{name}{n}");
            self.bind(&name, value);
            name
        });
        names.collect::<Vec<_>>().join(", ")
    }
}

/// Where the runs of a time begin.
fn place_of(time: Timestamp) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
