//! Built-in functions: what they take, and what they give.

use std::sync::Arc;

use jsonata_core::ast::AstNode;

use super::{
    At, Inference,
    operators::name_of,
    path::{flattened, sequence},
};
use crate::shape::{List, Rest, Shape};

/// What a function takes in one place.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Number,
    Text,
    /// A number, or a list of them.
    Numbers,
    /// A text, or a list of them.
    Texts,
    /// A text, number or boolean.
    Scalar,
    Any,
}

/// What a function gives; nothing where its first argument is missing.
#[derive(Clone, Copy)]
enum Gives {
    Number,
    Text,
    Boolean,
    Texts,
}

/// Functions that are known by what they take first and what they give.
fn known(name: &str) -> Option<(Takes, Gives)> {
    Some(match name {
        "sum" | "max" | "min" | "average" => (Takes::Numbers, Gives::Number),
        "abs" | "floor" | "ceil" | "round" | "power" | "sqrt" => (Takes::Number, Gives::Number),
        "number" => (Takes::Scalar, Gives::Number),
        "length" | "toMillis" | "parseInteger" => (Takes::Text, Gives::Number),
        "formatNumber" | "formatBase" | "formatInteger" | "fromMillis" => (Takes::Number, Gives::Text),
        "uppercase" | "lowercase" | "trim" | "substring" | "substringBefore" | "substringAfter" | "pad"
        | "replace" | "base64encode" | "base64decode" | "encodeUrl" | "encodeUrlComponent" | "decodeUrl"
        | "decodeUrlComponent" => (Takes::Text, Gives::Text),
        "join" => (Takes::Texts, Gives::Text),
        "string" | "type" => (Takes::Any, Gives::Text),
        "contains" => (Takes::Text, Gives::Boolean),
        "split" => (Takes::Text, Gives::Texts),
        _ => return None,
    })
}

impl Inference<'_> {
    pub(super) fn call(&mut self, name: &str, args: &[AstNode], is_builtin: bool, at: &At) -> Shape {
        let is_bound = self.names.contains(name);
        if !is_builtin || is_bound || args.iter().any(|arg| matches!(arg, AstNode::Placeholder)) {
            self.all(args, &At { absence: super::Absence::Expected, ..at.clone() });
            return Shape::any();
        }
        if let Some((takes, gives)) = known(name) {
            return self.known_call(name, args, takes, gives, at);
        }
        match name {
            "exists" => {
                self.all(args, &at.expected());
                Shape::boolean()
            }
            "boolean" | "not" => {
                self.all(args, &at.tested());
                Shape::boolean().optional()
            }
            "map" | "filter" | "single" | "each" | "sift" => self.each_call(name, args, at),
            "count" => self.count(args, at),
            _ => {
                let shapes: Vec<_> = args.iter().map(|arg| self.node(arg, &at.plain())).collect();
                other_call(name, args, &shapes)
            }
        }
    }

    fn known_call(&mut self, name: &str, args: &[AstNode], takes: Takes, gives: Gives, at: &At) -> Shape {
        let mut first = None;
        for (i, arg) in args.iter().enumerate() {
            let shape = self.node(arg, &at.plain());
            if i == 0 {
                self.check(name, takes, &shape, arg, at);
                first = Some(shape);
            }
        }
        let may_miss = first.is_none_or(|first| first.any || first.missing || first.list.is_some());
        let shape = match gives {
            Gives::Number => Shape::number(),
            Gives::Text => Shape::text(),
            Gives::Boolean => Shape::boolean(),
            Gives::Texts => Shape::list(Shape::text()),
        };
        Shape { missing: may_miss, ..shape }
    }

    fn check(&mut self, name: &str, takes: Takes, shape: &Shape, arg: &AstNode, at: &At) {
        let scalar = |shape: &Shape| match takes {
            Takes::Number | Takes::Numbers => shape.number,
            Takes::Text | Takes::Texts => shape.text.is_some(),
            Takes::Scalar => shape.number || shape.text.is_some() || shape.boolean,
            Takes::Any => true,
        };
        if shape.any || shape.is_empty() || scalar(shape) {
            return;
        }
        let of_list = match (takes, &shape.list) {
            (Takes::Numbers | Takes::Texts, Some(list)) => Some(list),
            _ => None,
        };
        let wants = match takes {
            Takes::Number => "a number",
            Takes::Numbers => "numbers",
            Takes::Text => "a text",
            Takes::Texts => "texts",
            Takes::Scalar | Takes::Any => "a text, a number or a boolean",
        };
        let (is_wrong, is_sure) = match of_list {
            None => (true, at.is_sure),
            Some(list) => {
                let is_fine = list.item.any || list.item.is_empty() || scalar(&list.item);
                (!is_fine, at.is_sure && list.least > 0)
            }
        };
        if is_wrong {
            let at = At { is_sure, ..at.clone() };
            self.doubt_kind(&format!("`${name}`"), wants, shape, name_of(arg).as_deref(), &at);
        }
    }

    /// Whoever counts means a list.
    fn count(&mut self, args: &[AstNode], at: &At) -> Shape {
        for arg in args {
            let shape = self.node(arg, &at.plain());
            if !shape.any && shape.list.is_none() && !shape.is_empty() {
                let at = At { is_sure: false, ..at.clone() };
                self.doubt_kind("`$count`", "a list", &shape, name_of(arg).as_deref(), &at);
            }
        }
        Shape::number()
    }

    /// Functions that call another one for each item.
    fn each_call(&mut self, name: &str, args: &[AstNode], at: &At) -> Shape {
        let Some((first, others)) = args.split_first() else { return Shape::any() };
        let list = self.node(first, &at.plain());
        let item = match name {
            "map" | "filter" | "single" => flattened(&list),
            _ => Shape::any(),
        };
        let mut mapped = Shape::any();
        for arg in others {
            mapped = match arg {
                AstNode::Lambda { params, body, .. } => {
                    let second =
                        if matches!(name, "each" | "sift") { Shape::text() } else { Shape::number() };
                    let known = [item.clone(), second];
                    self.lambda(params, body, &known, at)
                }
                other => {
                    self.node(other, &at.plain());
                    Shape::any()
                }
            };
        }
        match name {
            "map" if mapped.any => Shape::any(),
            "map" => Shape { missing: true, ..mapped.clone().present().or(&Shape::list(mapped.present())) },
            "filter" => sequence(&list).or(&list).optional(),
            "single" => item.optional(),
            "sift" => sifted(&list),
            _ => Shape::any(),
        }
    }
}

fn other_call(name: &str, args: &[AstNode], shapes: &[Shape]) -> Shape {
    match (name, shapes) {
        ("now", _) => Shape::text().optional(),
        ("millis" | "random", _) => Shape::number(),
        ("clone", [value]) => value.clone(),
        ("lookup", [object, _]) => match &args[1] {
            AstNode::String(key) => sequence(&object.look_up(key).0).or(&object.look_up(key).0).optional(),
            _ => Shape::any(),
        },
        ("keys", [_]) => Shape::text().or(&Shape::list(Shape::text())).optional(),
        ("append", [one, two]) if !one.any && !two.any => {
            let item = flattened(one).or(&flattened(two));
            one.clone().or(two).or(&Shape::list(item))
        }
        ("reverse" | "shuffle" | "sort" | "distinct", [list, ..]) if !list.any => {
            let list = unbounded(list);
            list.clone().or(&sequence(&list)).or(&Shape::list(flattened(&list)))
        }
        ("merge", [list]) if !list.any => {
            let object = flattened(list);
            sifted(&object).or(&Shape::object(std::iter::empty::<(String, Shape)>())).or(&Shape::missing())
        }
        _ => Shape::any(),
    }
}

/// A list of which some items may be gone.
fn unbounded(shape: &Shape) -> Shape {
    let list = shape.list.as_ref().map(|list: &Arc<List>| Shape::list_of(list.item.clone(), 0, list.most));
    Shape { list: list.and_then(|list| list.list), ..shape.clone() }
}

/// An object of which any field may be gone.
fn sifted(shape: &Shape) -> Shape {
    let Some(object) = shape.object.as_ref().filter(|_| !shape.any) else { return Shape::any() };
    let fields = object.fields.iter().map(|(name, field)| (name.clone(), field.clone().optional())).collect();
    let rest = match &object.rest {
        Rest::None => Rest::None,
        _ => Rest::Like(Shape::any()),
    };
    let others = Shape { object: None, ..shape.clone() };
    if others.present() != Shape::never() {
        return Shape::any();
    }
    Shape::object_and(fields, rest).optional()
}
