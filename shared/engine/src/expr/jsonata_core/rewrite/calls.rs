//! The rewriter's part for functions: calls, and where functions are made and named.

use jsonata_core::ast::{AstNode, BinaryOp, PathStep};

use super::{Place, Rewriter};
use crate::expr::{
    ExprError,
    jsonata_core::{
        builtins::{self, Guard},
        hosts::Host,
    },
    limits,
};

/// What a call is part of.
pub(super) enum Call<'a> {
    /// Nothing: it may be wrapped.
    At(Place),
    /// The start of a path, which reads flags of its value that a wrapper would drop; the path is wrapped instead.
    First,
    /// The right side of `~>`, with what stands on the left.
    Piped(&'a mut AstNode),
}

impl Call<'_> {
    fn copies(&self) -> bool {
        matches!(self, Self::At(place) if place.copies())
    }
}

impl Rewriter<'_> {
    /// `$name := value`, as one node or as two: a function must stand right after `:=` to know its own name, so it is
    /// counted in a second step.
    pub(super) fn bind(&mut self, name: AstNode, value: AstNode) -> Vec<AstNode> {
        let is_function = matches!(value, AstNode::Lambda { .. });
        let size = lambda_size(&value);
        let value = self.node(value, if is_function { Place::Free } else { Place::Kept });
        let bound = name.clone();
        let mut nodes =
            vec![AstNode::Binary { op: BinaryOp::ColonEqual, lhs: Box::new(name), rhs: Box::new(value) }];
        if is_function {
            nodes.push(self.call(Host::Closure, vec![bound, size]));
        }
        nodes
    }

    pub(super) fn closure(&mut self, function: AstNode) -> AstNode {
        let size = lambda_size(&function);
        self.call(Host::Closure, vec![function, size])
    }

    /// `lhs ~> rhs`: a call on the right gets the left side as its first argument.
    pub(super) fn chain(&mut self, lhs: AstNode, rhs: AstNode) -> AstNode {
        let mut lhs = self.node(lhs, Place::Kept);
        let rhs = match rhs {
            AstNode::Function { name, args, is_builtin } => {
                self.function(name, args, is_builtin, Call::Piped(&mut lhs))
            }
            AstNode::Path { mut steps } if steps.len() == 1 => {
                let PathStep { node, stages, .. } = &mut steps[0];
                *node = match std::mem::replace(node, AstNode::Null) {
                    AstNode::Function { name, args, is_builtin } => {
                        self.function(name, args, is_builtin, Call::Piped(&mut lhs))
                    }
                    other => self.node(other, Place::Step),
                };
                self.stages(stages);
                AstNode::Path { steps }
            }
            other => match self.node(other, Place::Free) {
                // A wrapper on the right would be taken for the call that gets the left side.
                call @ (AstNode::Function { .. } | AstNode::Call { .. }) => AstNode::Block(vec![call]),
                other => other,
            },
        };
        let chain = AstNode::Binary { op: BinaryOp::ChainPipe, lhs: Box::new(lhs), rhs: Box::new(rhs) };
        self.wrap(Host::Built, chain)
    }

    pub(super) fn function(
        &mut self,
        name: String,
        args: Vec<AstNode>,
        is_builtin: bool,
        call: Call<'_>,
    ) -> AstNode {
        if args.len() > limits::ARGUMENTS {
            let message =
                format!("a call has at most {} arguments, ${name} has {}", limits::ARGUMENTS, args.len());
            self.problem.get_or_insert(ExprError::new("too_large", message));
        }
        let alone = matches!(call, Call::At(_));
        let is_partial = args.iter().any(|arg| matches!(arg, AstNode::Placeholder));
        if !is_builtin || self.names.contains(&name) || self.is_param(&name) || !builtins::exists(&name) {
            // A function that the expression wrote itself counts what it makes; others may be built-ins by another name.
            let counts = self.lambdas.contains(&name) && !self.is_param(&name);
            let node = AstNode::Function { name, args: self.all(args, Place::Kept), is_builtin };
            return match () {
                () if is_partial && alone => self.closure(node),
                () if call.copies() || (alone && !counts) => self.wrap(Host::Gathered, node),
                () => node,
            };
        }
        let weighed = builtins::weighed(&name);
        let guard = builtins::guard(&name);
        if is_partial && (guard.is_some() || weighed.is_some()) {
            let function = self.partial(name, args);
            return if alone { self.closure(function) } else { function };
        }
        if let Some(guard) = guard {
            return self.guarded(&name, guard, args, call);
        }
        self.hosts.extend(Host::named(&name));
        let takes_items = matches!(name.as_str(), "map" | "filter" | "single" | "each" | "sift");
        let args = args
            .into_iter()
            .map(|arg| match arg {
                AstNode::Lambda { params, body, signature, thunk } => {
                    let body = Box::new(self.lambda_body(&params, *body, takes_items));
                    AstNode::Lambda { params, body, signature, thunk }
                }
                other => self.node(other, Place::Free),
            })
            .collect::<Vec<_>>();
        let node = AstNode::Function { name, args, is_builtin };
        match weighed.or(call.copies().then_some(Host::Gathered)) {
            _ if is_partial && alone => self.closure(node),
            Some(host) if alone => self.wrap(host, node),
            _ => node,
        }
    }

    /// A call of what an expression gives.
    pub(super) fn applied(&mut self, procedure: AstNode, args: Vec<AstNode>, place: Place) -> AstNode {
        let counts = matches!(&procedure, AstNode::Lambda { .. })
            || matches!(&procedure, AstNode::Block(nodes) if matches!(nodes.as_slice(), [AstNode::Lambda { .. }]));
        let is_partial = args.iter().any(|arg| matches!(arg, AstNode::Placeholder));
        let procedure = Box::new(self.node(procedure, Place::Free));
        let node = AstNode::Call { procedure, args: self.all(args, Place::Kept) };
        match () {
            () if is_partial => self.closure(node),
            () if place.copies() || !counts => self.wrap(Host::Gathered, node),
            () => node,
        }
    }

    pub(super) fn guarded(
        &mut self,
        name: &str,
        guard: Guard,
        args: Vec<AstNode>,
        mut call: Call<'_>,
    ) -> AstNode {
        let in_front = usize::from(matches!(call, Call::Piped(_)));
        let mut args = self.all(args, Place::Free);
        let function = |name: &str, args| AstNode::Function { name: name.to_owned(), args, is_builtin: true };
        let node = match guard {
            Guard::Instead(host) => {
                // These take their context as an argument, since a host function does not see it.
                if host == Host::Eval && args.len() + in_front == 1 {
                    args.push(AstNode::Variable(String::new()));
                }
                return self.call(host, args);
            }
            Guard::Now => {
                if args.is_empty() && in_front == 0 {
                    self.hosts.insert(Host::Now);
                    return function("now", args);
                }
                self.hosts.insert(Host::Millis);
                let picture = args.into_iter().map(|arg| self.bounded("fromMillis", arg));
                let args = std::iter::once(function("millis", Vec::new())).chain(picture).collect();
                return function("fromMillis", args);
            }
            Guard::Each => {
                let args = args.into_iter().map(|arg| self.bounded(name, arg)).collect();
                function(name, args)
            }
            Guard::Together { at_least } => {
                if args.len() + in_front + 1 == at_least && name != "join" && name != "formatInteger" {
                    args.insert(0, self.wrap(Host::Context, AstNode::Variable(String::new())));
                }
                let count = args.len() + in_front;
                if name == "replace" && count > 2 {
                    let third = &mut args[2 - in_front];
                    *third = self.replacement(std::mem::replace(third, AstNode::Null));
                }
                if let Call::Piped(lhs) = &mut call
                    && count > 1
                {
                    **lhs = self.wrap(Host::Hold, std::mem::replace(*lhs, AstNode::Null));
                }
                if count > 1
                    && let Some(last) = args.pop()
                {
                    args = args.into_iter().map(|arg| self.wrap(Host::Hold, arg)).collect();
                    let (name, held) = (AstNode::string(name), builtins::number(count - 1));
                    args.push(self.call(Host::Check, vec![last, name, held]));
                }
                function(name, args)
            }
        };
        match builtins::weighed(name) {
            Some(host) if matches!(call, Call::At(_)) => self.wrap(host, node),
            _ => node,
        }
    }

    pub(super) fn bounded(&mut self, name: &str, arg: AstNode) -> AstNode {
        self.call(Host::Bound, vec![arg, AstNode::string(name)])
    }

    /// The third argument of `$replace`, already rewritten: what a function gives for each match counts.
    pub(super) fn replacement(&mut self, third: AstNode) -> AstNode {
        const GIVEN: &str = "heddle:replacement";
        match third {
            AstNode::Lambda { params, body, signature, .. } => {
                let body = Box::new(self.wrap(Host::Piled, *body));
                AstNode::Lambda { params, body, signature, thunk: false }
            }
            text @ AstNode::String(_) => text,
            third => {
                let given = || AstNode::Variable(GIVEN.to_owned());
                let found = || vec![AstNode::Variable("heddle:match".to_owned())];
                let applied = AstNode::Call { procedure: Box::new(given()), args: found() };
                let body = Box::new(self.wrap(Host::Piled, applied));
                let params = vec!["heddle:match".to_owned()];
                let per_match = AstNode::Lambda { params, body, signature: None, thunk: false };
                let bind = AstNode::Binary {
                    op: BinaryOp::ColonEqual,
                    lhs: Box::new(given()),
                    rhs: Box::new(third),
                };
                let choose = AstNode::Conditional {
                    condition: Box::new(self.wrap(Host::IsFunction, given())),
                    then_branch: Box::new(per_match),
                    else_branch: Some(Box::new(given())),
                };
                AstNode::Block(vec![bind, choose])
            }
        }
    }

    /// `$replace(?, "a", "b")`: a function of the open arguments, so that the guard sees all of them when it is called.
    pub(super) fn partial(&mut self, name: String, args: Vec<AstNode>) -> AstNode {
        let mut params = Vec::new();
        let args = args
            .into_iter()
            .map(|arg| match arg {
                AstNode::Placeholder => {
                    params.push(format!("heddle:open{}", params.len()));
                    AstNode::Variable(params[params.len() - 1].clone())
                }
                given => given,
            })
            .collect();
        let call = self.function(name, args, true, Call::At(Place::Kept));
        AstNode::Lambda { params, body: Box::new(call), signature: None, thunk: false }
    }

    /// A variable; one that names a guarded built-in becomes a function that calls it under guard.
    pub(super) fn variable(&mut self, name: String) -> AstNode {
        if self.names.contains(&name) || self.is_param(&name) {
            return AstNode::Variable(name);
        }
        self.hosts.extend(Host::named(&name));
        let Some(guard) = builtins::guard(&name) else {
            return AstNode::Variable(name);
        };
        let args = match guard {
            Guard::Instead(host) if host != Host::Eval => {
                self.hosts.insert(host);
                return AstNode::Variable(host.name().to_owned());
            }
            Guard::Now => 0,
            Guard::Instead(_) | Guard::Each => {
                if name == "pad" || name.starts_with("format") || name == "parseInteger" { 2 } else { 1 }
            }
            Guard::Together { at_least } => {
                if name == "join" {
                    1
                } else {
                    at_least
                }
            }
        };
        let open = vec![AstNode::Placeholder; args];
        self.partial(name, open)
    }

    pub(super) fn lambda_body(&mut self, params: &[String], body: AstNode, first_is_item: bool) -> AstNode {
        let outer = self.items.len();
        self.items
            .extend(params.iter().enumerate().map(|(at, name)| (name.clone(), first_is_item && at == 0)));
        let body = self.within(false, |this| this.node(body, Place::Kept));
        self.items.truncate(outer);
        body
    }

    /// Whether a parameter hides whatever else has that name.
    pub(super) fn is_param(&self, name: &str) -> bool {
        self.items.iter().any(|(param, _)| param == name)
    }

    pub(super) fn is_item(&self, name: &str) -> bool {
        self.items.iter().rev().find(|(param, _)| param == name).is_some_and(|(_, is_item)| *is_item)
    }
}

/// How large a function is, as a literal.
fn lambda_size(node: &AstNode) -> AstNode {
    let mut nodes = 1;
    builtins::visit(node, &mut |_| nodes += 1);
    builtins::number(nodes)
}
