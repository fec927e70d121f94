//! Who of a team has how many calls under way, where it may have only so many at a time.
//!
//! One item for each team: an attribute for each holder, and beside them how many they have together. Most requests are one write, on the
//! condition that there are enough left: only where there are not, or somebody's time is over, is it looked at who they are. A refused
//! write answers the item, so that nothing is ever read.

use std::collections::{BTreeSet, HashMap};

use app::ports::{Holding, SlotBook, SlotWish, Slots, StepSlots, StoreError};
use async_trait::async_trait;
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use chrono::DateTime;
use domain::{TeamId, Timestamp};

use crate::{
    DynamoAdmissions,
    error::{failed, malformed},
    items::{Item, keyed, number},
    keys,
};

const TAKING: &str = "take slots for calls";
const GIVING_BACK: &str = "give slots for calls back";

/// How many slots are out.
const OUT: &str = "out";

/// The last time that anybody was told to look again, in milliseconds.
const LOOK: &str = "last_look";

/// What the attribute of a holder begins with.
const HOLDER: &str = "h_";

/// How often a change is decided again because somebody else's came first. Each time one of theirs has come through.
const TRIES: u32 = 50;

#[async_trait]
impl StepSlots for DynamoAdmissions {
    async fn take(
        &self,
        team: TeamId,
        wish: &SlotWish,
        limit: u32,
        now: Timestamp,
    ) -> Result<Slots, StoreError> {
        // As long as nobody says otherwise there are enough.
        let mut known = SlotBook::default();
        for _ in 0..TRIES {
            let mut next = known.clone();
            let answer = next.take(wish, limit, now);
            let limit = matches!(answer, Slots::Held(_)).then_some(limit);
            match self.rewrite(team, &known, &next, limit).await.map_err(failed(TAKING))? {
                None => return Ok(answer),
                Some(item) => known = book_of(&item).ok_or_else(|| malformed(TAKING, "holders"))?,
            }
        }
        Err(StoreError::Conflict)
    }

    async fn give_back(&self, team: TeamId, holder: &str, held: u32, kept: u32) -> Result<(), StoreError> {
        let until = Timestamp::UNIX_EPOCH; // not known here, and not written
        let mut known = SlotBook::default();
        known.holders.insert(holder.to_owned(), Holding { slots: held, until });
        for _ in 0..TRIES {
            let mut next = known.clone();
            next.give_back(holder, kept);
            match self.rewrite(team, &known, &next, None).await.map_err(failed(GIVING_BACK))? {
                None => return Ok(()),
                Some(item) => known = book_of(&item).ok_or_else(|| malformed(GIVING_BACK, "holders"))?,
            }
        }
        Err(StoreError::Conflict)
    }
}

impl DynamoAdmissions {
    /// Writes what differs, if what it replaces is as it is known, and if no more are out with it than the limit. Answers the item if not.
    async fn rewrite(
        &self,
        team: TeamId,
        known: &SlotBook,
        next: &SlotBook,
        limit: Option<u32>,
    ) -> Result<Option<Item>, SdkError<UpdateItemError>> {
        let Some(change) = Change::between(known, next, limit) else { return Ok(None) };
        let update = self.client.update_item().table_name(&self.table);
        let update = update
            .set_key(Some(keyed(keys::slots_pk(team), keys::SLOTS)))
            .update_expression(change.update())
            .condition_expression(change.conditions.join(" AND "))
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = update.send().await else { return Ok(None) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                Ok(Some(refused.item().cloned().unwrap_or_default()))
            }
            _ => Err(error),
        }
    }
}

/// One write, as the parts of its expressions.
#[derive(Default)]
struct Change {
    sets: Vec<String>,
    removes: Vec<String>,
    adds: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: Item,
}

impl Change {
    /// None if nothing differs.
    fn between(known: &SlotBook, next: &SlotBook, limit: Option<u32>) -> Option<Self> {
        if known == next {
            return None;
        }
        let mut change = Self::default();
        let holders: BTreeSet<_> = known.holders.keys().chain(next.holders.keys()).collect();
        for (n, holder) in holders.into_iter().enumerate() {
            let (before, after) = (known.holders.get(holder), next.holders.get(holder));
            if before != after {
                change.names.insert(format!("#h{n}"), format!("{HOLDER}{holder}"));
                change.replace(n, before, after);
            }
        }
        change.count(known.out(), next.out(), limit);
        if known.last_look != next.last_look {
            change.look(known.last_look, next.last_look);
        }
        Some(change)
    }

    fn replace(&mut self, n: usize, before: Option<&Holding>, after: Option<&Holding>) {
        if let Some(before) = before {
            self.conditions.push(format!("#h{n}[0] = :had{n}"));
            self.values.insert(format!(":had{n}"), number(&before.slots));
        } else {
            self.conditions.push(format!("attribute_not_exists(#h{n})"));
        }
        match (before, after) {
            (_, None) => self.removes.push(format!("#h{n}")),
            (Some(before), Some(after)) if before.until == after.until => {
                self.sets.push(format!("#h{n}[0] = :has{n}"));
                self.values.insert(format!(":has{n}"), number(&after.slots));
            }
            (_, Some(after)) => {
                let until = number(&after.until.timestamp_millis());
                self.sets.push(format!("#h{n} = :has{n}"));
                self.values.insert(format!(":has{n}"), AttributeValue::L(vec![number(&after.slots), until]));
            }
        }
    }

    /// Others may come and go meanwhile, as long as there are enough left for what is taken.
    fn count(&mut self, before: u32, after: u32, limit: Option<u32>) {
        let taken = i64::from(after) - i64::from(before);
        self.names.insert("#out".to_owned(), OUT.to_owned());
        self.adds.push("#out :taken".to_owned());
        self.values.insert(":taken".to_owned(), number(&taken));
        if let Some(limit) = limit {
            self.conditions.push("(attribute_not_exists(#out) OR #out <= :most)".to_owned());
            self.values.insert(":most".to_owned(), number(&(i64::from(limit) - taken)));
        }
    }

    fn look(&mut self, before: Option<Timestamp>, after: Option<Timestamp>) {
        self.names.insert("#look".to_owned(), LOOK.to_owned());
        if let Some(before) = before {
            self.conditions.push("#look = :last".to_owned());
            self.values.insert(":last".to_owned(), number(&before.timestamp_millis()));
        } else {
            self.conditions.push("attribute_not_exists(#look)".to_owned());
        }
        if let Some(after) = after {
            self.sets.push("#look = :look".to_owned());
            self.values.insert(":look".to_owned(), number(&after.timestamp_millis()));
        }
    }

    fn update(&self) -> String {
        let parts = [("SET", &self.sets), ("REMOVE", &self.removes), ("ADD", &self.adds)];
        let parts = parts.into_iter().filter(|(_, actions)| !actions.is_empty());
        let parts: Vec<_> = parts.map(|(verb, actions)| format!("{verb} {}", actions.join(", "))).collect();
        parts.join(" ")
    }
}

/// What is known from an item; None if it does not have the form that is written here.
fn book_of(item: &Item) -> Option<SlotBook> {
    let mut book = SlotBook::default();
    for (name, value) in item {
        if let Some(holder) = name.strip_prefix(HOLDER) {
            let [slots, until] = &value.as_l().ok()?[..] else { return None };
            let holding = Holding { slots: slots.as_n().ok()?.parse().ok()?, until: time_of(until)? };
            book.holders.insert(holder.to_owned(), holding);
        } else if name == LOOK {
            book.last_look = Some(time_of(value)?);
        }
    }
    Some(book)
}

fn time_of(value: &AttributeValue) -> Option<Timestamp> {
    DateTime::from_timestamp_millis(value.as_n().ok()?.parse().ok()?)
}
