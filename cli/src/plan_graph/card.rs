//! A box: what it stands for, and by which keys a call leaves it.

use super::lettering::{Xml, broken, code_width, width};
use super::svg::px;
use super::{Place, PlanGraph, TAKES_TEXT, Way};
use graphlay::{Point, PortHint, Side, Size};
use std::fmt::Write as _;
use switchboard_shared::plan::AgentName;

/// Pixels of a letter.
const LETTER: f64 = 14.0;

/// Pixels of a letter of a key, of a number and of a word of ours.
const SMALL_LETTER: f64 = 12.0;

/// Pixels from one line of text to the next.
const LEADING: f64 = 18.0;

/// Pixels between text and border, at the sides and above.
const PADDING: (f64, f64) = (14.0, 9.0);

/// Pixels between a key and the border through which its arrow leaves.
const KEY_ROOM: f64 = 8.0;

/// Pixels from one arrow that comes in to the next.
const ARRIVAL: f64 = 9.0;

/// Pixels from the middle of the mark where a call ends to its edge.
const END: f64 = 8.0;

/// Agents named in one box; the others are counted, and named where the box is pointed at.
const AGENTS_SHOWN_MAX: usize = 12;

/// A box with its text, line by line, and below it a door for each way out.
pub(super) struct Card<'g> {
    place: &'g Place<'g>,
    lines: Vec<(Style, String)>,
    doors: Vec<Door>,
    size: Size,
}

/// A way out with a name.
struct Door {
    way: Way,
    text: String,
}

/// How a line of text is written.
#[derive(Clone, Copy)]
enum Style {
    /// A name that the plan's author chose for people.
    Title,
    /// A name as the plan writes it.
    Code,
    /// A word of ours, a number.
    Small,
}

impl Style {
    fn class(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Code => "code",
            Self::Small => "small",
        }
    }

    fn width(self, text: &str) -> f64 {
        match self {
            Self::Title => width(text, LETTER),
            Self::Code => code_width(text, LETTER),
            Self::Small => width(text, SMALL_LETTER),
        }
    }
}

impl<'g> Card<'g> {
    /// A box for each place, in their order.
    pub(super) fn of(graph: &'g PlanGraph<'g>) -> Vec<Self> {
        let mut cards: Vec<Self> = graph.boxes.iter().map(Self::new).collect();
        let mut arrivals = vec![0_u16; cards.len()];
        for arrow in &graph.arrows {
            cards[arrow.from].opens(&arrow.way);
            arrivals[arrow.to] = arrivals[arrow.to].saturating_add(1);
        }
        for (card, arrivals) in cards.iter_mut().zip(arrivals) {
            card.measure(arrivals);
        }
        cards
    }

    fn new(place: &'g Place<'g>) -> Self {
        let mut lines: Vec<(Style, String)> = Vec::new();
        let mut add =
            |style, text: &str| lines.extend(broken(text).into_iter().map(|line| (style, line)));
        match place {
            Place::Line(line) => {
                add(Style::Title, &line.name);
                add(Style::Small, line.number.as_str());
            }
            Place::Flow(flow) => {
                add(Style::Code, flow.name.as_str());
                add(Style::Small, flow.kind.word());
            }
            Place::Agents(agents) => {
                for agent in agents.iter().take(AGENTS_SHOWN_MAX) {
                    add(Style::Code, agent.as_str());
                }
                let more = agents.len().saturating_sub(AGENTS_SHOWN_MAX);
                match (more, agents.len()) {
                    (0, 1) => add(Style::Small, "agent"),
                    (0, _) => add(Style::Small, "agents"),
                    _ => add(Style::Small, &format!("and {more} more agents")),
                }
            }
            Place::End => add(Style::Small, "hangs up"),
        }
        Self {
            place,
            lines,
            doors: Vec::new(),
            size: Size::default(),
        }
    }

    /// One more way out, the ringing first. All who are rung are rung through one door.
    fn opens(&mut self, way: &Way) {
        let (at, text) = match way {
            Way::On => return,
            Way::By(keys) => (self.doors.len(), keys.join(", ")),
            Way::Rings => (0, "rings".to_owned()),
        };
        if !self.doors.iter().any(|door| door.way == *way) {
            let way = way.clone();
            self.doors.insert(at, Door { way, text });
        }
    }

    fn measure(&mut self, arrivals: u16) {
        let lines = self.lines.iter().map(|(style, text)| style.width(text));
        let widest = lines.fold(0.0, f64::max);
        let doors = self
            .doors
            .iter()
            .map(|door| code_width(&door.text, SMALL_LETTER));
        let widest_door = doors.fold(0.0, f64::max);
        let arrivals = ARRIVAL * f64::from(arrivals.saturating_add(1));
        let doors = rows(self.doors.len());
        self.size = match self.place {
            Place::End => Size::new(2.0 * END + 8.0 + widest, self.text_height() + 4.0),
            _ => Size::new(
                (widest + 2.0 * PADDING.0).max(widest_door + KEY_ROOM + PADDING.0),
                (self.text_height()
                    + 2.0 * PADDING.1
                    + doors
                    + if doors > 0.0 { PADDING.1 } else { 0.0 })
                .max(arrivals),
            ),
        };
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Where on the border an arrow of that kind leaves.
    pub(super) fn door(&self, way: &Way) -> Option<PortHint> {
        let at = self.doors.iter().position(|door| door.way == *way)?;
        let half = self.size.height / 2.0;
        Some(PortHint::Offset {
            side: Side::Right,
            t: (self.door_middle(at) - half) / half,
        })
    }

    /// Pixels from the top of the box to the middle of a door. Doors stand at the bottom.
    fn door_middle(&self, at: usize) -> f64 {
        let below = rows(self.doors.len() - at) - LEADING / 2.0;
        self.size.height - PADDING.1 / 2.0 - below
    }

    fn text_height(&self) -> f64 {
        rows(self.lines.len())
    }

    pub(super) fn draw(&self, svg: &mut String, center: Point) {
        let Size { width, height } = self.size;
        let (left, top) = (center.x - width / 2.0, center.y - height / 2.0);
        let (class, round) = match self.place {
            Place::Line(_) => ("line", height.min(60.0) / 2.0),
            Place::Flow(_) => ("flow", 6.0),
            Place::Agents(_) => ("agents", 14.0),
            Place::End => ("over", 0.0),
        };
        writeln!(svg, r#"<g class="{class}">"#).expect(TAKES_TEXT);
        if let Place::Agents(agents) = self.place
            && agents.len() > AGENTS_SHOWN_MAX
        {
            let names: Vec<&str> = agents.iter().copied().map(AgentName::as_str).collect();
            writeln!(svg, "<title>{}</title>", Xml(&names.join(", "))).expect(TAKES_TEXT);
        }
        let mut x = center.x;
        if matches!(self.place, Place::End) {
            let (middle, y) = (px(left + END), px(center.y));
            for (class, radius) in [("ring", END - 1.0), ("core", END / 2.0)] {
                let radius = px(radius);
                writeln!(
                    svg,
                    r#"<circle class="{class}" cx="{middle}" cy="{y}" r="{radius}"/>"#
                )
                .expect(TAKES_TEXT);
            }
            x = left + 2.0 * END + 8.0;
        } else {
            let [x, y, width, height, round] = [left, top, width, height, round].map(px);
            writeln!(
                svg,
                r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{round}"/>"#
            )
            .expect(TAKES_TEXT);
        }
        let doors = rows(self.doors.len());
        let above = height - doors - if doors > 0.0 { PADDING.1 } else { 0.0 };
        let mut middle = top + (above - self.text_height() + LEADING) / 2.0;
        for (style, text) in &self.lines {
            write_text(svg, style.class(), x, middle, LETTER, text);
            middle += LEADING;
        }
        if !self.doors.is_empty() {
            let (left, right, y) = (px(left), px(left + width), px(top + above));
            writeln!(svg, r#"<path class="seam" d="M{left} {y}H{right}"/>"#).expect(TAKES_TEXT);
        }
        for (at, door) in self.doors.iter().enumerate() {
            let (x, y) = (left + width - KEY_ROOM, top + self.door_middle(at));
            write_text(svg, "key", x, y, SMALL_LETTER, &door.text);
        }
        svg.push_str("</g>\n");
    }
}

/// Pixels of so many lines of text.
fn rows(count: usize) -> f64 {
    LEADING * f64::from(u16::try_from(count).unwrap_or(u16::MAX))
}

/// Writes a line of text whose small letters have their middle at `y`.
fn write_text(svg: &mut String, class: &str, x: f64, y: f64, letter: f64, text: &str) {
    let (x, y, text) = (px(x), px(y + letter * 0.35), Xml(text));
    writeln!(
        svg,
        r#"<text class="{class}" x="{x}" y="{y}">{text}</text>"#
    )
    .expect(TAKES_TEXT);
}
