//! Command lines that cannot be read, and the help.

use std::io::Write;

use serde_json::json;

use crate::exit_code::Exit;

/// Prints what clap has to say: the help on standard output, a complaint on standard error.
pub fn report(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        // Whoever closed the pipe has read enough.
        let _ = error.print();
        return Exit::Done;
    }
    if wants_json() {
        let object = json!({
            "type": "error",
            "error": sentence(&error.to_string()),
            "exit": Exit::Usage.code(),
            "hint": "supermega help shows what there is",
        });
        let _ = writeln!(std::io::stderr(), "{object}");
    } else {
        let _ = error.print();
    }
    Exit::Usage
}

/// The command line was not read, so that its `--json` must be looked for.
fn wants_json() -> bool {
    let named =
        std::env::args().skip(1).take_while(|word| word != "--").any(|word| word == "--json");
    let variable = std::env::var("SUPERMEGA_JSON").unwrap_or_default().to_lowercase();
    named || !matches!(variable.as_str(), "" | "0" | "n" | "no" | "f" | "false" | "off")
}

/// The complaint without what stands around it.
fn sentence(text: &str) -> String {
    let complaint = text.split("\n\n").next().unwrap_or_default();
    let complaint = complaint.strip_prefix("error: ").unwrap_or(complaint);
    complaint.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn a_complaint_is_one_line() {
        let text = "error: missing:\n  <PATH>\n\nUsage: supermega get\n\nFor more, try '--help'.\n";
        assert_eq!(sentence(text), "missing: <PATH>");
    }
}
