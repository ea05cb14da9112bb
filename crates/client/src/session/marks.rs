//! What people note on a node: favourite, label, description, tags (`protocol-auth.md` 5.3).

use std::fmt;
use std::str::FromStr;

use supermega_crypto::Attributes;

use super::{Session, change};
use crate::error::{Error, Result};
use crate::tree::Node;

/// Longest description and list of tags, in bytes.
const LONGEST: usize = 3000;
/// Most tags.
const MOST: usize = 10;

macro_rules! labels {
    ($($(#[doc = $doc:literal])+ $variant:ident = $number:literal, $name:literal;)*) => {
        /// A colour.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Label {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Label {
            const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)* }
            }

            const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }

        impl fmt::Display for Label {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $name,)* })
            }
        }

        impl FromStr for Label {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                match text {
                    $($name => Ok(Self::$variant),)*
                    _ => Err(Error::Input(format!(
                        "{text:?} is none of {}", [$($name),*].join(", ")
                    ))),
                }
            }
        }
    };
}

labels! {
    /// Red.
    Red = 1, "red";
    /// Orange.
    Orange = 2, "orange";
    /// Yellow.
    Yellow = 3, "yellow";
    /// Green.
    Green = 4, "green";
    /// Blue.
    Blue = 5, "blue";
    /// Purple.
    Purple = 6, "purple";
    /// Grey.
    Grey = 7, "grey";
}

/// What is noted on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Whether it is a favourite.
    pub favourite: bool,
    /// Its colour.
    pub label: Option<Label>,
    /// Its description; empty if there is none.
    pub description: String,
    /// Its tags.
    pub tags: Vec<String>,
}

impl Marks {
    /// Those of a node; none if it cannot be read.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        node.attributes().map_or_else(Self::default, Self::read)
    }

    fn read(attributes: &Attributes) -> Self {
        let number = |name| {
            let value = attributes.get(name)?;
            let number = value.as_u64().or_else(|| value.as_bool().map(u64::from));
            u8::try_from(number.or_else(|| value.as_str()?.parse().ok())?).ok()
        };
        let text = |name| text_of(attributes, name).unwrap_or_default();
        Self {
            favourite: number("fav") == Some(1),
            label: number("lbl").and_then(Label::from_number),
            description: text("des").to_owned(),
            // Other clients keep a time there.
            tags: Some(text("t"))
                .filter(|text| !text.is_empty() && !is_time(text))
                .map_or_else(Vec::new, |text| text.split(',').map(str::to_owned).collect()),
        }
    }

    fn write(&self, attributes: &mut Attributes) {
        let mut set = |name: &str, value: Option<String>| match value {
            Some(value) => attributes.set(name, value.into()),
            None => {
                attributes.remove(name);
            }
        };
        set("fav", self.favourite.then(|| "1".into()));
        set("lbl", self.label.map(|label| label.number().to_string()));
        set("des", Some(self.description.clone()).filter(|text| !text.is_empty()));
        let tags = self.tags.join(",");
        if !tags.is_empty() {
            attributes.set("t", tags.into());
        } else if text_of(attributes, "t").is_some_and(|text| !is_time(text)) {
            attributes.remove("t");
        }
    }

    fn check(&self) -> Result<()> {
        let bad = |tag: &String| tag.is_empty() || tag.contains(',');
        let tags = self.tags.join(",");
        let what = if self.description.len() > LONGEST {
            "a description has at most 3000 bytes"
        } else if self.tags.len() > MOST || tags.len() > LONGEST {
            "a node has at most 10 tags of 3000 bytes together"
        } else if self.tags.iter().any(bad) || is_time(&tags) {
            "a tag is no number, not empty, and holds no comma"
        } else {
            return Ok(());
        };
        Err(Error::Input(what.into()))
    }
}

fn text_of<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes.get(name)?.as_str()
}

fn is_time(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Session {
    /// Notes something on a node. Read what there is with [`Marks::of`], change that and give it back: whatever
    /// else other clients noted stays.
    pub async fn set_marks(&self, node: &Node, marks: &Marks) -> Result<Node> {
        marks.check()?;
        let mut attributes = node.attributes().ok_or_else(|| change::unreadable(node))?.clone();
        marks.write(&mut attributes);
        self.set_attributes(node, attributes).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_all_clients_are_read_and_the_rest_is_kept() {
        for text in [r#"{"n":"x","fav":1,"lbl":3}"#, r#"{"n":"x","fav":true,"lbl":"3"}"#] {
            let marks = Marks::read(&Attributes::parse_json(text).unwrap());
            assert_eq!((marks.favourite, marks.label), (true, Some(Label::Yellow)));
        }
        let mut attributes =
            Attributes::parse_json(r#"{"n":"x","t":"1700000000","zz":1}"#).unwrap();
        let mut marks = Marks::read(&attributes);
        assert_eq!(marks, Marks::default());
        marks.favourite = true;
        marks.write(&mut attributes);
        assert_eq!(attributes.to_json(), r#"{"n":"x","t":"1700000000","zz":1,"fav":"1"}"#);
        marks.tags = vec!["a".into(), "b c".into()];
        marks.write(&mut attributes);
        assert_eq!(Marks::read(&attributes), marks);
        Marks::default().write(&mut attributes);
        assert_eq!(attributes.to_json(), r#"{"n":"x","zz":1}"#);
        for tags in [vec!["1".to_owned()], vec![String::new()], vec!["a,b".into()]] {
            assert!(Marks { tags, ..Marks::default() }.check().is_err());
        }
    }
}
