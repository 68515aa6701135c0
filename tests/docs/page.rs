//! Pages, as they are kept and as they would be written.

use crate::{names, place};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Stands first in each page: somebody will try to change it by hand.
pub(crate) fn note(sources: &str) -> String {
    format!("<!-- Written by `make docs` from {sources}. Change those, and run it again. -->\n\n")
}

/// Compares pages with those that are kept, or writes them where `SWITCHBOARD_DOCS=write` says so. In
/// a folder of such pages nothing else ends as they do.
pub(crate) fn keep(pages: &BTreeMap<String, String>, folder: Option<&str>) {
    let writes = std::env::var("SWITCHBOARD_DOCS").is_ok_and(|word| word == "write");
    let mut differ = String::new();
    for (path, page) in pages {
        let kept = std::fs::read_to_string(place(path)).unwrap_or_default();
        if kept == *page {
            continue;
        }
        if writes {
            std::fs::write(place(path), page).unwrap();
            continue;
        }
        let (number, (was, would_be)) = kept
            .lines()
            .zip(page.lines())
            .enumerate()
            .find(|(_, (was, would_be))| was != would_be)
            .unwrap_or((0, ("(another length)", "")));
        writeln!(
            differ,
            "{path}:{}\n  kept:  {was}\n  would: {would_be}",
            number + 1
        )
        .unwrap();
    }
    for ending in [".md", ".svg"] {
        for name in folder
            .map(|folder| names(folder, ending))
            .unwrap_or_default()
        {
            let path = format!("{}/{name}{ending}", folder.unwrap_or_default());
            if pages.contains_key(&path) {
                continue;
            }
            if writes {
                std::fs::remove_file(place(&path)).unwrap();
            } else {
                writeln!(differ, "{path} is the page of nothing").unwrap();
            }
        }
    }
    assert!(
        differ.is_empty(),
        "pages differ; `make docs` writes them anew\n{differ}"
    );
}

/// Text between fences that it does not end by itself.
pub(crate) fn fenced(language: &str, text: &str) -> String {
    let mut fence = String::from("```");
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{}\n{fence}\n\n", text.trim_end())
}

/// A name of a file as words: the first letter large, spaces for dashes.
pub(crate) fn sentence(name: &str) -> String {
    let words = name.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
