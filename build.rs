//! Links the program statically and at fixed addresses where the system has what that takes: `cargo build` alone is to
//! make the program that begins fast. A third of a short run would go by in the dynamic loader, and a sixth in fitting
//! the tables of a program without fixed addresses to where it was loaded.
//!
//! Cargo can't be told to link the program so and not the procedural macros it is built with, which
//! `-C target-feature=+crt-static` would rule out. So the linker is shown a directory in which the names of the shared
//! libraries lead to the static ones.
//!
//! Whoever says in RUSTFLAGS how to link gets what they say, and where a static library is missing everything is as Rust
//! has it: dynamic, and position-independent.

use std::env;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

/// What flags have in them that say how to link.
const DECISIONS: [&str; 5] = ["crt-static", "relocation-model", "link-arg", "linker", "sanitizer"];

/// The libraries that need one another, as Rust asks for them and as they are called where they are static.
const CORE: [&str; 2] = ["c", "gcc_s"];
const STATIC_CORE: [&str; 3] = ["libc.a", "libgcc_eh.a", "libgcc.a"];

/// What else Rust asks for. Of a recent glibc most are empty, or missing.
const OTHERS: [&str; 5] = ["m", "rt", "pthread", "util", "dl"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let of_target = |key: &str| env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    let has_glibc = of_target("OS") == "linux" && of_target("ENV") == "gnu";
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let is_decided = DECISIONS.iter().any(|decision| flags.contains(decision));
    let Some(out) = env::var_os("OUT_DIR").filter(|_| has_glibc && !is_decided) else { return Ok(()) };
    let directory = Path::new(&out).join("static");
    if lead_to_static(&directory)? {
        println!("cargo::rustc-link-arg-bins=-L{}", directory.display());
        println!("cargo::rustc-link-arg-bins=-static");
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    Ok(())
}

/// Fills a directory with linker scripts, which have the names of shared libraries; false if a static one is missing.
fn lead_to_static(directory: &Path) -> io::Result<bool> {
    let Some(core) = STATIC_CORE.into_iter().map(find).collect::<Option<Vec<_>>>() else { return Ok(false) };
    fs::create_dir_all(directory)?;
    let lead = |name: &str, script: String| fs::write(directory.join(format!("lib{name}.so")), script);
    for name in CORE {
        lead(name, format!("GROUP({})\n", core.join(" ")))?;
    }
    for name in OTHERS {
        if let Some(library) = find(&format!("lib{name}.a")) {
            lead(name, format!("INPUT({library})\n"))?;
        }
    }
    Ok(true)
}

/// Where the linker finds a library.
fn find(library: &str) -> Option<String> {
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let output = Command::new(linker).arg(format!("-print-file-name={library}")).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    // One that isn't there is answered with its name.
    if !Path::new(&path).is_absolute() {
        return None;
    }
    // A C library that was mended since is linked anew.
    println!("cargo::rerun-if-changed={path}");
    Some(path)
}
