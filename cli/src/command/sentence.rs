//! What an operator writes down: a sentence, on one line.

/// Reads it; it has at most so many characters.
pub(super) fn sentence(text: &str, longest: usize) -> Result<String, String> {
    let text = text.trim();
    let count = text.chars().count();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("write a sentence on one line".to_owned());
    }
    if count > longest {
        return Err(format!(
            "it has {count} characters; write at most {longest}"
        ));
    }
    Ok(text.to_owned())
}
