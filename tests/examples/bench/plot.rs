//! The bars of `docs/performance.svg`: how many times as much as a bare Lambda, on a logarithmic
//! scale. The colours are readable on white and on black.

use super::report::Bar;
use std::fmt::Write;

const WIDTH: f64 = 760.0;
/// Where the bars begin: names stand before it.
const LEFT: f64 = 150.0;
/// Room for a figure behind the longest bar.
const RIGHT: f64 = 80.0;
const BAR: f64 = 18.0;
const STEP: f64 = 24.0;
const HEAD: f64 = 30.0;
/// Grey with a contrast of 4.5 on white and on black alike.
const INK: &str = "#767d86";

pub(crate) fn svg<'a>(bars: impl Iterator<Item = &'a Bar>) -> String {
    let bars: Vec<_> = bars.collect();
    let most = bars.iter().map(|bar| bar.ratio).fold(10.0, f64::max);
    let decades = most.log10().ceil();
    let x = |ratio: f64| LEFT + ratio.max(1.0).log10() / decades * (WIDTH - LEFT - RIGHT);
    let mut body = String::new();
    let mut y = 10.0;
    let mut group = "";
    for bar in &bars {
        if bar.group != group {
            group = bar.group;
            y += HEAD;
            let baseline = y - 8.0;
            let _ = writeln!(
                body,
                r#"<text x="0" y="{baseline:.0}" font-weight="600">{group}</text>"#
            );
        }
        let (end, text) = (x(bar.ratio), y + BAR - 5.0);
        let width = (end - LEFT).max(2.0);
        let colour = if bar.name.starts_with("Python") {
            "#b7791f"
        } else {
            "#2f81c7"
        };
        let _ = writeln!(
            body,
            r#"<text x="{:.0}" y="{text:.0}" text-anchor="end">{}</text><rect x="{LEFT}" y="{y:.0}" width="{width:.1}" height="{BAR}" rx="2" fill="{colour}"/><text x="{:.1}" y="{text:.0}">{}</text>"#,
            LEFT - 8.0,
            bar.name,
            bar.aim.map_or(LEFT + 2.0, x).max(end) + 8.0,
            super::report::times(bar.ratio),
        );
        if let Some(aim) = bar.aim {
            let _ = writeln!(
                body,
                r##"<path d="M{:.1} {:.0}v{:.0}" stroke="#d1495b" stroke-width="2.5"/>"##,
                x(aim),
                y - 3.0,
                BAR + 6.0
            );
        }
        y += STEP;
    }
    let mut grid = String::new();
    for decade in 0..=(decades as i32) {
        let at = x(10_f64.powi(decade));
        let _ = writeln!(
            grid,
            r#"<path d="M{at:.1} 24V{y:.0}" stroke="{INK}" stroke-opacity=".35"/><text x="{at:.1}" y="14" text-anchor="middle">{} ×</text>"#,
            10_u64.pow(decade.unsigned_abs())
        );
    }
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {:.0}" font-family="system-ui, sans-serif" font-size="13" fill="{INK}" role="img" aria-label="Times the figure of a bare Lambda; a red stroke marks an aim">
{grid}{body}</svg>
"#,
        y + 6.0
    )
}
