//! `mark`: favourite, label, description, tags.

use serde_json::json;
use supermega::Marks;
use supermega::name::for_terminal;

use crate::arguments::{Mark, YesNo};
use crate::context::{Context, Found};
use crate::error::Result;
use crate::exit_code::Exit;

/// Changes what is given, and shows what is noted then.
pub async fn run(arguments: Mark, context: &Context) -> Result<Exit> {
    let Found { session, node, .. } = context.find(&arguments.path).await?;
    let before = Marks::of(&node);
    let mut marks = before.clone();
    if let Some(favourite) = arguments.favourite {
        marks.favourite = favourite == YesNo::Yes;
    }
    match arguments.label.as_deref() {
        Some("none" | "") => marks.label = None,
        Some(label) => marks.label = Some(label.parse()?),
        None => {}
    }
    if let Some(description) = arguments.description {
        marks.description = description;
    }
    if let Some(tags) = arguments.tags {
        let tags = tags.split(',').map(str::trim).filter(|tag| !tag.is_empty());
        marks.tags = tags.map(str::to_owned).collect();
    }
    if marks != before {
        session.set_marks(&node, &marks).await?;
    }
    let label = marks.label.map(|label| label.to_string());
    let text = format!(
        "favourite {}  label {}  tags {}  description {}",
        if marks.favourite { "yes" } else { "no" },
        label.as_deref().unwrap_or("none"),
        if marks.tags.is_empty() { "none".into() } else { marks.tags.join(",") },
        if marks.description.is_empty() { "none" } else { &marks.description },
    );
    context.output.data(&for_terminal(&text), || {
        json!({
            "type": "marks", "path": arguments.path, "favourite": marks.favourite, "label": label,
            "description": marks.description, "tags": marks.tags,
        })
    })?;
    Ok(Exit::Done)
}
