//! Spoils recorded bodies in every place there is, and sees that the types notice: a client that
//! reads a changed protocol as if nothing had happened would lose data in silence.

mod common;

use std::collections::BTreeSet;
use std::fmt;

use Change::{Missing, ToList, ToNumber, ToObject, ToText, Unknown};
use common::{Body, Reading, bodies, command_names};
use jsonschema::Validator;
use serde_json::{Value, json};
use supermega_protocol::{DriftKind, schema};

/// Places where a change is not noticed as elsewhere, by intention: the body's label (a trailing `*`
/// stands for any number), the place (a trailing `/` stands for all that is below it too), what
/// changes there, and why that is right.
const OPEN: &[(&str, &str, &[Change], &str)] = &[
    // What this project does not look into is kept as it comes.
    ("result f 0", "aesp/", ANY, "albums are not read"),
    ("result f 0", "mcf/", ANY, "chats are not read"),
    ("result f 0", "mcna/", ANY, "chats are not read"),
    ("result f 0", "mcpna/", ANY, "chats are not read"),
    ("result f 0", "mcsm/", ANY, "chats are not read"),
    ("result f 0", "u[1].b/", ANY, "business roles are not read"),
    ("result ug 0", "flags/", ANY, "service flags come and go, of any type"),
    ("result ug 0", "b/", ANY, "business accounts are not read"),
    ("result ug 0", "pf/", ANY, "business accounts are not read"),
    ("result ug 0", "uspw/", ANY, "the paywall is not read"),
    ("result ug 0", "notifs/", ANY, "settings are not read"),
    ("result ug 0", "mkt/", ANY, "settings are not read"),
    ("result uq 0", "balance/", ANY, "money is not read"),
    ("result uq 0", "subs/", ANY, "money is not read"),
    ("result uq 0", "plans/", ANY, "money is not read"),
    ("result uq 0", "features/", ANY, "money is not read"),
    ("packet k 0", "cr[2]/", &[ToText], "a schema cannot count in threes; the types do"),
    ("packet k 1", "h/", ANY, "what asks for keys is passed over"),
    ("packet k 1", "n/", ANY, "what asks for keys is passed over"),
    ("packet k 1", "sr/", ANY, "what asks for keys is passed over"),
    ("packet u 0", "cr/", ANY, "keys come with the nodes; no client here reads them there"),
    // Where two forms are right, one may stand for the other.
    ("result a *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result d *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result m *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result sml *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result usr *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result avu *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result sphb *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result sr *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result upr *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result upca *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result uc2 *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result ucr *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result mfad *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result erm *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result se *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result sec *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result cld *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result dv *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result dr *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result k *", ".", &[ToText, ToObject], "so is a tag or an object success"),
    ("result erx *", ".", &[ToText], "a sequence tag stands for success"),
    ("result erx *", "(wrapper)", &[ToText], "the text stands bare for older clients"),
    ("result mfas *", ".", &[ToText], "a sequence tag stands for success"),
    ("result mfas *", "(wrapper)", &[ToText], "the text stands bare for older clients"),
    ("result upc *", ".", &[ToText], "a sequence tag stands for success"),
    ("result upc *", "(wrapper)", &[ToText], "a sequence tag stands for success"),
    ("result uge *", "(wrapper)", &[ToText], "the address stands bare for older clients"),
    ("result pk *", "ESIzRFVmd4g/", ANY, "users and shares are no fixed names"),
    ("result pk *", ".", &[Unknown], "users and shares are no fixed names"),
    ("result l *", ".", &[ToText], "a sequence tag stands for success"),
    ("result l *", "(wrapper)", &[ToText], "a sequence tag stands for success"),
    ("result *", "(tag)", &[ToText], "tags are opaque"),
    ("result g *", "g", &[ToText], "one address stands bare or in a list"),
    ("request u *", "t", &[ToText, ToList], "one tree stands bare or in a list"),
    ("result p *", "e", &[ToObject, ToList], "refusals by index are a map or a list"),
    ("result ug 0", "^!keys", &[ToText], "clients without versions get the value bare"),
    ("result ug 0", "*keyring", &[ToText], "clients without versions get the value bare"),
    ("result ug 0", "+puEd255", &[ToText], "clients without versions get the value bare"),
    ("result ug 0", "+puCu255", &[ToText], "clients without versions get the value bare"),
    ("result uga 0", ".", &[ToText], "clients without versions get the value bare"),
    ("result p *", "(wrapper)", &[ToObject], "no member is required: see PutNodesReply::outcomes"),
    ("result up2 *", "(wrapper)", &[ToObject], "a list of new versions may be empty"),
    ("result upv *", "(wrapper)", &[ToObject], "a list of new versions may be empty"),
    // Where the members are no fixed names, another one is an error rather than drift.
    ("result up2 *", ".", &[Unknown], "only the attributes that were sent can come back"),
    ("result upv *", ".", &[Unknown], "only the attributes that were sent can come back"),
    ("result uq *", "cstrgn", &[Unknown], "the names are handles of roots"),
    ("result p *", "e", &[Unknown], "the names are numbers of elements"),
    // Where the error names the list, not the element.
    ("result g *", "g/", TO_ANY, "an address has no place that a caller could use"),
    ("result p *", "e/", TO_ANY, "map and list are told apart by trying"),
    ("request u *", "t/", TO_ANY, "one and list are told apart by trying"),
    // Where a schema cannot say it.
    ("request *", "cr[2]/", &[ToText], "a schema cannot count in threes; the types do"),
];

const TO_ANY: &[Change] = &[ToObject, ToList, ToText, ToNumber];
const ANY: &[Change] = &[Missing, Unknown, ToObject, ToList, ToText, ToNumber];

/// How a body is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// A member goes.
    Missing,
    /// An object gets a member that nobody knows.
    Unknown,
    /// A value becomes an object.
    ToObject,
    /// A value becomes a list.
    ToList,
    /// A value becomes a text.
    ToText,
    /// A value becomes a number with a fraction.
    ToNumber,
}

#[test]
fn every_command_and_packet_is_recorded() {
    let bodies = bodies();
    let has = |label: &str| bodies.iter().any(|body| body.label == label);
    for name in command_names() {
        for label in
            [format!("request {name} 0"), format!("result {name} 0"), format!("result {name} 1")]
        {
            assert!(has(&label), "tests/bodies/{name}.json lacks: {label}");
        }
    }
    for path in schema::files().keys() {
        if let Some(name) = path.strip_prefix("packets/") {
            let name = name.trim_end_matches(".json");
            let label = format!("packet {name} 0");
            assert!(has(&label), "tests/bodies/packet-{name}.json lacks: {label}");
        }
    }
}

#[test]
fn every_recorded_body_is_read_without_drift() {
    for body in bodies() {
        match body.read(&body.json) {
            Reading::Read(drift) if drift.is_empty() => {}
            other => panic!("{}: {other:?}", body.label),
        }
    }
}

#[test]
fn a_missing_member_is_an_error_that_names_its_place() {
    let mut report = Report::default();
    for body in bodies() {
        let validator = validator(&body);
        for place in places(&body) {
            let Some(Step::Member(name)) = place.0.last() else { continue };
            let mut spoilt = body.json.clone();
            let parent = place.parent();
            let Some(Value::Object(members)) = parent.find(&mut spoilt) else { continue };
            members.shift_remove(name);
            let required = !validator.is_valid(body.described(&spoilt));
            match (required, notice(&body, &spoilt, &place)) {
                (true, Ok(notice)) if notice.path == parent.shown(&body) => {}
                (false, Err(text)) if text == SILENT => {}
                (true, Ok(Notice { text, .. }) | Err(text)) => {
                    report.fault(&body, &place, Missing, &text);
                }
                (false, Ok(Notice { text, .. }) | Err(text)) => {
                    let text = format!("not required, but {text}");
                    report.fault(&body, &place, Missing, &text);
                }
            }
        }
    }
    report.end(&[Missing]);
}

#[test]
fn a_value_of_another_type_is_noticed() {
    let mut report = Report::default();
    for body in bodies() {
        let validator = validator(&body);
        for place in places(&body) {
            // The schema does not describe the wrapper with the sequence tag.
            let wrapper = body.wrapped && matches!(place.0.as_slice(), [] | [Step::Element(0)]);
            for (change, other) in others(place.value(&body)) {
                let mut spoilt = body.json.clone();
                *place.find(&mut spoilt).unwrap() = other.clone();
                if !wrapper && validator.is_valid(body.described(&spoilt)) {
                    let text = format!("the schema allows {other}");
                    report.fault(&body, &place, change, &text);
                }
                match notice(&body, &spoilt, &place) {
                    // A list in place of a struct fails at its first element.
                    Ok(notice) if wrapper || is_at(&notice.path, &place.shown(&body)) => {}
                    Ok(Notice { text, .. }) | Err(text) => {
                        report.fault(&body, &place, change, &format!("{other}: {text}"));
                    }
                }
            }
        }
    }
    report.end(TO_ANY);
}

#[test]
fn an_unknown_member_is_reported_with_its_place() {
    let mut report = Report::default();
    for body in bodies() {
        let validator = validator(&body);
        for place in places(&body) {
            let mut spoilt = body.json.clone();
            let Some(Value::Object(members)) = place.find(&mut spoilt) else { continue };
            members.insert("nobody_knows".into(), json!([1]));
            if validator.is_valid(body.described(&spoilt)) {
                report.fault(&body, &place, Unknown, "the schema allows it");
            }
            let expected = match place.shown(&body).as_str() {
                "." => "nobody_knows".to_owned(),
                path => format!("{path}.nobody_knows"),
            };
            match body.read(&spoilt) {
                Reading::Read(drift)
                    if drift.len() == 1
                        && drift[0].what == DriftKind::UnknownField
                        && drift[0].command == body.name
                        && drift[0].path == expected => {}
                other => report.fault(&body, &place, Unknown, &format!("{other:?}")),
            }
        }
    }
    report.end(&[Unknown]);
}

/// That a spoilt body was noticed.
struct Notice {
    path: String,
    text: String,
}

const SILENT: &str = "read as if nothing were wrong";

/// Reads a body that was spoilt at `place`: one error, or one element of a list that was left out,
/// either with the name of the command.
fn notice(body: &Body, spoilt: &Value, place: &Place) -> Result<Notice, String> {
    let (command, path, text) = match body.read(spoilt) {
        Reading::Malformed(error) => {
            let text = error.to_string();
            (error.command, error.path, text)
        }
        Reading::Read(mut drift) => match (drift.pop(), drift.as_slice()) {
            (None, _) => return Err(SILENT.into()),
            (Some(only), []) if matches!(only.what, DriftKind::Skipped(_)) => {
                let text = only.to_string();
                (only.command, only.path, text)
            }
            (Some(last), others) => return Err(format!("{last:?} after {others:?}")),
        },
        Reading::Refused => return Err("read as a refusal".into()),
    };
    // What lost its name is called by the kind of thing it is.
    let nameless = match place.shown(body).as_str() {
        "." | "a" => ["command", "packet"].contains(&command.as_str()),
        _ => false,
    };
    if nameless || command == body.name {
        Ok(Notice { path, text })
    } else {
        Err(format!("under the name {command}: {text}"))
    }
}

/// Values of other types than the given one's: numbers that are no whole ones, texts that no
/// encoding allows, lists and objects, empty ones too.
fn others(value: &Value) -> Vec<(Change, Value)> {
    let all = [
        (ToObject, value.is_object(), json!({})),
        (ToObject, value.is_object(), json!({ "nobody_knows": 1 })),
        (ToList, value.is_array(), json!([])),
        (ToList, value.is_array(), json!([true])),
        (ToText, value.is_string(), json!("no such text!")),
        (ToNumber, value.is_number(), json!(1.5)),
    ];
    all.into_iter().filter(|(_, same, _)| !same).map(|(change, _, value)| (change, value)).collect()
}

fn validator(body: &Body) -> Validator {
    let files = schema::files();
    jsonschema::validator_for(&files[&body.schema]).unwrap()
}

/// A step down into a JSON value.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Member(String),
    Element(usize),
}

/// A place in a body.
#[derive(Clone, Debug)]
struct Place(Vec<Step>);

impl Place {
    fn parent(&self) -> Self {
        Self(self.0[..self.0.len() - 1].to_vec())
    }

    fn find<'a>(&self, json: &'a mut Value) -> Option<&'a mut Value> {
        self.0.iter().try_fold(json, |value, step| match step {
            Step::Member(name) => value.get_mut(name),
            Step::Element(index) => value.get_mut(*index),
        })
    }

    fn value<'a>(&self, body: &'a Body) -> &'a Value {
        self.0.iter().fold(&body.json, |value, step| match step {
            Step::Member(name) => &value[name],
            Step::Element(index) => &value[*index],
        })
    }

    /// The path as errors and drift give it: below a result's wrapper.
    fn shown(&self, body: &Body) -> String {
        match self.0.as_slice() {
            [] if body.wrapped => return "(wrapper)".into(),
            [Step::Element(0)] if body.wrapped => return "(tag)".into(),
            _ => {}
        }
        Self(self.0.iter().skip(usize::from(body.wrapped)).cloned().collect()).to_string()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        self.0.iter().enumerate().try_for_each(|(i, step)| match step {
            Step::Member(name) if i == 0 => f.write_str(name),
            Step::Member(name) => write!(f, ".{name}"),
            Step::Element(index) => write!(f, "[{index}]"),
        })
    }
}

/// Every place of a body, the whole first.
fn places(body: &Body) -> Vec<Place> {
    fn walk(value: &Value, here: &Place, all: &mut Vec<Place>) {
        all.push(here.clone());
        let steps: Vec<(Step, &Value)> = match value {
            Value::Object(members) => {
                members.iter().map(|(name, value)| (Step::Member(name.clone()), value)).collect()
            }
            Value::Array(list) => {
                list.iter().enumerate().map(|(i, value)| (Step::Element(i), value)).collect()
            }
            _ => Vec::new(),
        };
        for (step, value) in steps {
            let mut below = here.clone();
            below.0.push(step);
            walk(value, &below, all);
        }
    }
    let mut all = Vec::new();
    walk(&body.json, &Place(Vec::new()), &mut all);
    all
}

/// Collects what was not noticed, and which entries of [`OPEN`] were needed.
#[derive(Default)]
struct Report {
    faults: Vec<String>,
    used: BTreeSet<usize>,
}

impl Report {
    fn fault(&mut self, body: &Body, place: &Place, change: Change, text: &str) {
        let place = place.shown(body);
        let mut open = OPEN.iter().enumerate().filter(|(_, (label, path, changes, _))| {
            let here = match path.strip_suffix('/') {
                Some(path) => is_at(&place, path),
                None => place == *path,
            };
            here && changes.contains(&change)
                && match label.strip_suffix('*') {
                    Some(start) => body.label.starts_with(start),
                    None => body.label == *label,
                }
        });
        match open.next() {
            Some((i, _)) => {
                self.used.insert(i);
            }
            None => self.faults.push(format!("{} at {place}: {text}", body.label)),
        }
    }

    fn end(self, changes: &[Change]) {
        let mut faults = self.faults;
        for (i, (label, path, open, _)) in OPEN.iter().enumerate() {
            // An entry that holds for several tests shows its worth in the one of types.
            let here = open.iter().any(|change| changes.contains(change));
            let mixed = open.iter().any(|change| !changes.contains(change));
            let types = changes.contains(&ToObject);
            if here && (types || !mixed) && !self.used.contains(&i) {
                faults.push(format!("no longer open, so out of the table: {label} at {path}"));
            }
        }
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    }
}

/// Whether `path` is `place` or below it.
fn is_at(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
