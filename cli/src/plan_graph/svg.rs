//! The plan as SVG: boxes laid out in layers from left to right, text as text, light and dark.
//!
//! `graphlay` finds the places; what is drawn there is written here, so that a screen reader finds the
//! whole plan in sentences, and nothing is left to whoever shows it: no script, no font, no file.

use super::card::Card;
use super::lettering::Xml;
use super::{ARROWS_MAX, BOXES_MAX, PASSED_MAX, PlanGraph, Way, arrow};
use graphlay::geometry::Rect;
use graphlay::options::MergeEdges;
use graphlay::{Edge, GraphBuilder, Layout, LayoutError, LayoutOptions, Node, NodeId};

/// Pixels around the drawing.
const MARGIN: f64 = 24.0;

/// Pixels between boxes of one layer.
const BETWEEN: f64 = 24.0;

/// Draws a graph, unless it is too large.
pub(super) fn draw(graph: &PlanGraph<'_>, name: &str) -> Option<String> {
    let cards = Card::of(graph);
    let layout = places(graph, &cards)?;
    let mut svg = head(graph, name, layout.bounds);
    // Arrows first, so that no line lies over a box.
    for (route, arrow) in layout.edges.iter().zip(&graph.arrows) {
        arrow::draw(&mut svg, &route.points, &arrow.way);
    }
    for (card, placed) in cards.iter().zip(&layout.nodes) {
        card.draw(&mut svg, placed.center);
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

/// Where everything goes; nowhere if it is too much.
fn places(graph: &PlanGraph<'_>, cards: &[Card<'_>]) -> Option<Layout> {
    let mut builder = GraphBuilder::new();
    let nodes: Vec<NodeId> = cards
        .iter()
        .map(|card| {
            builder.add_node(Node {
                size: card.size(),
                ..Node::default()
            })
        })
        .collect();
    for arrow in &graph.arrows {
        builder.add_edge(Edge {
            // The way of a call is drawn straight before that of a ring.
            weight: if arrow.way == Way::Rings { 1.0 } else { 2.0 },
            thickness: 1.5,
            source_port: cards[arrow.from].door(&arrow.way),
            ..Edge::new(nodes[arrow.from], nodes[arrow.to])
        });
    }
    let mut options = LayoutOptions::layered_default();
    options.spacing.node_gap = BETWEEN;
    options.spacing.isolated_gap = BETWEEN;
    options.routing.merge_edges = MergeEdges::Joins;
    options.limits.max_nodes = Some(BOXES_MAX);
    options.limits.max_edges = Some(ARROWS_MAX);
    options.limits.max_dummies = Some(PASSED_MAX);
    match graphlay::layout(&builder.build(), &options) {
        Ok(layout) => Some(layout),
        Err(LayoutError::TooLarge { .. }) => None,
        Err(error) => panic!("each box has a size, each arrow runs between two of them: {error}"),
    }
}

/// A coordinate: a tenth of a pixel is finer than anybody sees.
pub(super) fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    let short = text.strip_suffix(".0").unwrap_or(&text);
    if short == "-0" {
        "0".to_owned()
    } else {
        short.to_owned()
    }
}

/// The beginning: size, words for those who cannot see it, colours, the ground.
fn head(graph: &PlanGraph<'_>, name: &str, bounds: Rect) -> String {
    let (left, top) = (bounds.min.x - MARGIN, bounds.min.y - MARGIN);
    let (width, height) = (
        bounds.max.x - bounds.min.x + 2.0 * MARGIN,
        bounds.max.y - bounds.min.y + 2.0 * MARGIN,
    );
    let (left, top, width, height) = (
        px(left.floor()),
        px(top.floor()),
        px(width.ceil()),
        px(height.ceil()),
    );
    let id = graph.plan.version();
    let title = format!("{name}: {}", graph.count());
    let (title, told) = (Xml(&title), graph.told());
    let told = Xml(&told);
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" class="switchboard-plan" viewBox="{left} {top} {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="title-{id} desc-{id}">
<title id="title-{id}">{title}</title>
<desc id="desc-{id}">{told}</desc>
<style>
{STYLE}</style>
<rect class="ground" x="{left}" y="{top}" width="{width}" height="{height}" rx="8"/>
"#
    )
}

/// Every rule begins with the drawing's class: inside a page, a style sheet is the whole page's.
const STYLE: &str = r#".switchboard-plan{font-family:system-ui,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","DejaVu Sans",sans-serif;font-size:14px;max-width:100%;height:auto}
.switchboard-plan text{fill:#1f2328;text-anchor:middle}
.switchboard-plan .title{font-weight:600}
.switchboard-plan .code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-weight:600}
.switchboard-plan .small{font-size:12px;fill:#57606a}
.switchboard-plan .key{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px;text-anchor:end}
.switchboard-plan .seam{fill:none;stroke:#d0d7de}
.switchboard-plan .over .small{text-anchor:start}
.switchboard-plan .ground{fill:#fff}
.switchboard-plan .line rect{fill:#e3effc;stroke:#2f6fb0;stroke-width:1.5}
.switchboard-plan .flow rect{fill:#f6f8fa;stroke:#7d8590;stroke-width:1.5}
.switchboard-plan .agents rect{fill:#e4f5e9;stroke:#2d7a46;stroke-width:1.5}
.switchboard-plan .ring{fill:none;stroke:#b3404f;stroke-width:1.5}
.switchboard-plan .core{fill:#b3404f}
.switchboard-plan .leads{fill:none;stroke:#6e7781;stroke-width:1.5}
.switchboard-plan .rings{fill:none;stroke:#2d7a46;stroke-width:1.5}
.switchboard-plan .head{fill:#6e7781}
.switchboard-plan .rings+.head{fill:#2d7a46}
@media (prefers-color-scheme:dark){
.switchboard-plan text{fill:#e6edf3}
.switchboard-plan .small{fill:#9da7b3}
.switchboard-plan .seam{stroke:#373e47}
.switchboard-plan .ground{fill:#0d1117}
.switchboard-plan .line rect{fill:#10253d;stroke:#58a6ff}
.switchboard-plan .flow rect{fill:#1c2128;stroke:#8b949e}
.switchboard-plan .agents rect{fill:#0f2a18;stroke:#56d364}
.switchboard-plan .ring{stroke:#ff7b89}
.switchboard-plan .core{fill:#ff7b89}
.switchboard-plan .leads{stroke:#8b949e}
.switchboard-plan .rings{stroke:#56d364}
.switchboard-plan .head{fill:#8b949e}
.switchboard-plan .rings+.head{fill:#56d364}
}
"#;
