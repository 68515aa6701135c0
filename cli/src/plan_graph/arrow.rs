//! An arrow on its way: rounded corners, and a head.

use super::svg::px;
use super::{TAKES_TEXT, Way};
use graphlay::Point;
use std::fmt::Write as _;

/// Pixels by which a corner is rounded.
const BEND: f64 = 7.0;

/// Pixels of the head: length, and half its width.
const HEAD: (f64, f64) = (9.0, 4.0);

/// Draws the way from one box to another.
pub(super) fn draw(svg: &mut String, points: &[Point], way: &Way) {
    let [.., before, tip] = points else { return };
    let class = match way {
        Way::On | Way::By(_) => "leads",
        Way::Rings => "rings",
    };
    let foot = towards(*tip, *before, HEAD.0);
    let mut path = format!("M{} {}", px(points[0].x), px(points[0].y));
    for corner in points.windows(3) {
        let (into, turn, out) = (corner[0], corner[1], corner[2]);
        let bend = BEND
            .min(distance(into, turn) / 2.0)
            .min(distance(turn, out) / 2.0);
        let (start, end) = (towards(turn, into, bend), towards(turn, out, bend));
        write!(
            path,
            "L{} {}Q{} {} {} {}",
            px(start.x),
            px(start.y),
            px(turn.x),
            px(turn.y),
            px(end.x),
            px(end.y)
        )
        .expect(TAKES_TEXT);
    }
    write!(path, "L{} {}", px(foot.x), px(foot.y)).expect(TAKES_TEXT);
    let aside = Point::new(
        (tip.y - foot.y) / HEAD.0 * HEAD.1,
        (foot.x - tip.x) / HEAD.0 * HEAD.1,
    );
    writeln!(
        svg,
        r#"<path class="{class}" d="{path}"/><path class="head" d="M{} {}L{} {}L{} {}Z"/>"#,
        px(tip.x),
        px(tip.y),
        px(foot.x + aside.x),
        px(foot.y + aside.y),
        px(foot.x - aside.x),
        px(foot.y - aside.y),
    )
    .expect(TAKES_TEXT);
}

fn distance(from: Point, to: Point) -> f64 {
    (to.x - from.x).hypot(to.y - from.y)
}

/// The point so many pixels from one on the way to another.
fn towards(from: Point, to: Point, pixels: f64) -> Point {
    let whole = distance(from, to);
    if whole == 0.0 {
        return from;
    }
    let part = pixels / whole;
    Point::new(
        from.x + (to.x - from.x) * part,
        from.y + (to.y - from.y) * part,
    )
}
