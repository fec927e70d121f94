//! Limits of a workflow's settings that its plan may not exceed.

use serde::Deserialize;

use super::{Forecast, Runs};
use crate::Violation;

/// What a run may take, in a workflow's settings. Pointers of violations lead there: `/settings/max_price_usd`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Limits {
    /// Attempts of nodes. A run is stopped when it has made more; one that is sure to is refused.
    pub max_steps: Option<u64>,
    /// Branches or items that one node may start.
    pub max_fan_out: Option<u64>,
    /// What a run may cost at most, without models and those outside.
    pub max_price_usd: Option<f64>,
}

impl Limits {
    /// Why a workflow with this plan is not to be published.
    pub fn violations(&self, forecast: &Forecast) -> Vec<Violation> {
        let bounds = &forecast.bounds;
        let mut found = Vec::new();
        let mut refuse = |name: &str, message: String| {
            found.push(Violation::error(format!("/settings/{name}"), "over_limit", message));
        };
        if let Some(most) = self.max_steps.filter(|most| bounds.steps.min > *most) {
            let message = format!("a run makes {} steps at least; {most} is the most", bounds.steps.min);
            refuse("max_steps", message);
        }
        if let Some(most) = self.max_fan_out.filter(|most| bounds.fan_out.max.is_none_or(|max| max > *most)) {
            let width = bounds.fan_out.max.map_or_else(|| "any number of".to_owned(), |max| max.to_string());
            let hint = forecast.nodes.iter().find(|node| {
                node.runs != Runs::Never
                    && node.items.is_some_and(|items| items.max.is_none_or(|max| max > most))
            });
            let hint = hint.map_or_else(String::new, |node| {
                format!(". `maxItems` in the schema of what `{}` walks would bound it", node.key)
            });
            refuse(
                "max_fan_out",
                format!("a node may start {width} branches or items; {most} is the most{hint}"),
            );
        }
        if let Some(most) =
            self.max_price_usd.filter(|most| bounds.price_usd.max.is_none_or(|max| max > *most))
        {
            let price = bounds.price_usd.max;
            let price =
                price.map_or_else(|| "without bounds".to_owned(), |max| format!("up to {max:.6} US dollars"));
            refuse("max_price_usd", format!("what a run costs is {price}; {most} is the most"));
        }
        found
    }
}
