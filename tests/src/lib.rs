//! Whole calls; everything is in `it/`.
