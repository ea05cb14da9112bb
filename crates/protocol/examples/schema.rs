//! Writes the JSON Schema of the protocol to `schema/`, or, with `--check`, says what is out of date.

use std::path::Path;
use std::process::ExitCode;

fn main() -> std::io::Result<ExitCode> {
    let check = std::env::args().any(|arg| arg == "--check");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema");
    let mut stale = 0;
    for (path, schema) in supermega_protocol::schema::files() {
        let file = root.join(&path);
        let text = format!("{schema:#}\n");
        if std::fs::read_to_string(&file).ok().as_deref() == Some(text.as_str()) {
            continue;
        }
        stale += 1;
        if check {
            eprintln!("schema/{path} is out of date");
        } else {
            std::fs::create_dir_all(file.parent().unwrap_or(&root))?;
            std::fs::write(&file, text)?;
        }
    }
    if check && stale > 0 {
        eprintln!("run: cargo run -p supermega-protocol --example schema");
        return Ok(ExitCode::FAILURE);
    }
    println!("{stale} schemas {}", if check { "out of date" } else { "written" });
    Ok(ExitCode::SUCCESS)
}
