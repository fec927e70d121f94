//! The node types as an editor needs them (NOD-19): groups, forms and help, all from the registry that validates.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    expr::infer::ShapeScope,
    nodes::{self, ERROR, Field, Group, Kind, Labels, NodeType, TYPES},
    shape::Shape,
    typed::Typing,
};

/// One type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PaletteEntry {
    /// The word in `node_type`.
    pub node_type: &'static str,
    /// Where the palette shows it.
    pub group: Group,
    /// Its name on a button.
    pub label: &'static str,
    /// What it does, in a sentence.
    pub help: &'static str,
    /// Whether a graph with it can be published yet.
    pub is_available: bool,
    /// JSON Schema of its metadata. It and the validator agree on all that a schema can say; that expressions parse, the validator alone
    /// tells.
    pub metadata: Value,
    /// What fields are that are left out.
    pub defaults: Map<String, Value>,
    /// Metadata of an ordinary node.
    pub example: Value,
    /// JSON Schema of its output, where nothing is known of what it gets; `structured_output` says more.
    pub output: Value,
    /// The labels that its edges may carry in the example, `error` left out; empty where edges carry none.
    pub labels: Vec<String>,
    /// Whether several edges may lead to it.
    pub joins: bool,
    /// Whether edges may lead away from it.
    pub continues: bool,
}

/// Every type, in the order of the palette.
pub fn palette() -> Vec<PaletteEntry> {
    TYPES.iter().map(|node_type| entry(*node_type)).collect()
}

fn entry(node_type: &dyn NodeType) -> PaletteEntry {
    let (about, arity) = (node_type.about(), node_type.arity());
    let example = of_json(about.example);
    let raw = example.as_object().cloned().unwrap_or_default();
    let labels = match node_type.labels(&raw) {
        Labels::None => Vec::new(),
        Labels::Choice(labels) | Labels::Parts(labels) => labels,
    };
    let given = node_type.fields().iter().filter(|field| !field.default.is_empty());
    PaletteEntry {
        node_type: node_type.name(),
        group: node_type.group(),
        label: about.label,
        help: about.help,
        is_available: node_type.is_available(),
        metadata: schema(node_type),
        defaults: given.map(|field| (field.name.to_owned(), of_json(field.default))).collect(),
        output: output(node_type, &raw),
        example,
        labels,
        joins: arity.joins,
        continues: arity.continues,
    }
}

/// Texts of the registry; a test reads them all.
fn of_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn output(node_type: &dyn NodeType, raw: &Map<String, Value>) -> Value {
    let (metadata, _) = nodes::read(node_type, raw);
    let scope = ShapeScope { input: Shape::any(), base: Shape::any(), item: None };
    node_type.plan(&mut Typing::new(&metadata, scope)).settled().to_schema()
}

/// The schema of a type's metadata: its fields, and its rules between them.
fn schema(node_type: &dyn NodeType) -> Value {
    let properties: Map<_, _> =
        node_type.fields().iter().map(|field| (field.name.to_owned(), property(field))).collect();
    let required: Vec<_> =
        node_type.fields().iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if let Value::Object(rules) = node_type.rules() {
        if rules.is_empty() {
            return schema;
        }
        schema["allOf"] = json!([rules]);
    }
    schema
}

fn property(field: &Field) -> Value {
    let mut schema = kind(field.kind);
    schema["description"] = json!(field.help);
    if !field.default.is_empty() {
        schema["default"] = of_json(field.default);
    }
    if field.secret {
        schema["x-secrets"] = json!(true);
    }
    schema
}

/// What a field holds. `x-expression` and `x-template` tell an editor where JSONata stands.
fn kind(kind: Kind) -> Value {
    let label = json!({ "type": "string", "minLength": 1, "maxLength": 63, "not": { "const": ERROR } });
    match kind {
        Kind::Expression => json!({ "type": "string", "x-expression": true }),
        Kind::Text => json!({ "type": "string", "x-template": true }),
        Kind::Template => json!({ "x-template": true }),
        Kind::TemplateObject => json!({ "type": "object", "x-template": true }),
        Kind::Cases => json!({
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": { "label": label, "when": { "type": "string", "x-expression": true } },
                "required": ["label", "when"],
                "additionalProperties": false,
            },
        }),
        Kind::Parts => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": label,
            "additionalProperties": { "type": "string", "x-expression": true },
        }),
        Kind::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::OneOf(words) => json!({ "enum": words }),
        Kind::Word => json!({ "type": "string", "minLength": 1 }),
        Kind::Id(_) => json!({
            "type": "string",
            "format": "uuid",
            "pattern": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        }),
        Kind::Json => json!({}),
    }
}
