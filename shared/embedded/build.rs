//! A new migration file must rebuild the crate, which the macro that embeds them can't ask for by itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
