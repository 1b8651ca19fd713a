//! The crash-point table: every call state, every point of a step, everybody who may be struck there.

use std::fmt::{self, Display};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde::Serialize;

use crate::outcome;
use crate::plan::{Layout, Moment, Point, Scene, Victims};

/// The points of a step, in their order.
pub const POINTS: [(&str, Moment, Point); 4] = [
    ("before the checkpoint", Moment::Before, Point::Checkpoint),
    ("after it is sent", Moment::After, Point::Checkpoint),
    ("after it is acknowledged", Moment::Before, Point::Release),
    ("after the output", Moment::After, Point::Release),
];

/// One cell: where, what, who.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// On one host or two.
    pub layout: Layout,
    /// The state of the call.
    pub scene: Scene,
    /// Index of [`POINTS`].
    pub point: usize,
    /// At the how-manieth such step.
    pub count: u32,
    /// Who is struck.
    pub victims: Victims,
}

/// What came of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// Every promise was kept.
    Kept,
    /// The step did not happen: the scene is over before.
    NotReached,
    /// What was broken.
    Broken(String),
}

/// The whole table.
#[derive(Debug)]
pub struct Table {
    cells: Vec<(Cell, Came)>,
}

impl Cell {
    /// Every cell for the first `counts` steps after the state is reached.
    #[must_use]
    pub fn all(counts: u32) -> Vec<Self> {
        let mut cells = Vec::new();
        for layout in [Layout::OneHost, Layout::TwoHosts] {
            for scene in Scene::ALL {
                for victims in Victims::all() {
                    for point in 0..POINTS.len() {
                        cells.extend((1..=counts).map(|count| Self { layout, scene, point, count, victims }));
                    }
                }
            }
        }
        cells
    }

    /// Runs the cell.
    #[must_use]
    pub fn run(&self) -> Came {
        let (_, moment, point) = POINTS[self.point];
        let plan = self.scene.plan(self.layout, (moment, point, self.count), self.victims);
        let outcome = outcome::run(&plan, false);
        match outcome.violation {
            Some(violation) => Came::Broken(violation.to_string()),
            None if !outcome.signalled => Came::NotReached,
            None if outcome.cold_starts > 1 => Came::Broken("the SIP Server began from cold".to_owned()),
            None => Came::Kept,
        }
    }
}

impl Table {
    /// Runs every cell on `jobs` threads.
    #[must_use]
    pub fn run(counts: u32, jobs: usize) -> Self {
        let cells = Cell::all(counts);
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                done.push((*cell, cell.run()));
            }
            done
        };
        let cells = thread::scope(|scope| {
            let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
            let join = |thread: thread::ScopedJoinHandle<'_, Vec<(Cell, Came)>>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().flat_map(join).collect()
        });
        Self { cells }
    }

    /// How many cells there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// True if there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The cells in which a promise was broken.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let text = |(cell, came): &(Cell, Came)| match came {
            Came::Broken(what) => {
                let (point, ..) = POINTS[cell.point];
                let Cell { layout, count, .. } = cell;
                Some(format!(
                    "{layout:?}, {}, step {count}, {point}, {}: {what}",
                    cell.scene.name(),
                    cell.victims.name()
                ))
            }
            Came::Kept | Came::NotReached => None,
        };
        self.cells.iter().filter_map(text).collect()
    }

    /// The states in which some victims were never struck at a point: a hole in the table.
    #[must_use]
    pub fn holes(&self) -> Vec<String> {
        let mut holes = Vec::new();
        for layout in [Layout::OneHost, Layout::TwoHosts] {
            for scene in Scene::ALL {
                for (point, (name, ..)) in POINTS.iter().enumerate() {
                    let mut here = self.cells.iter().filter(|(cell, _)| {
                        cell.layout == layout && cell.scene == scene && cell.point == point && cell.count == 1
                    });
                    if here.any(|(_, came)| *came == Came::NotReached) {
                        holes.push(format!("{layout:?}, {}, {name}", scene.name()));
                    }
                }
            }
        }
        holes
    }

    /// What a cell shows: one letter for each point, `.` for kept, `x` for broken, `-` for not reached.
    fn letters(&self, layout: Layout, scene: Scene, victims: Victims) -> String {
        let letter = |point: usize| {
            let mut here = self.cells.iter().filter(|(cell, _)| {
                cell.layout == layout && cell.scene == scene && cell.victims == victims && cell.point == point
            });
            let worst = here.clone().any(|(_, came)| matches!(came, Came::Broken(_)));
            match (worst, here.any(|(_, came)| *came == Came::Kept)) {
                (true, _) => 'x',
                (false, true) => '.',
                (false, false) => '-',
            }
        };
        (0..POINTS.len()).map(letter).collect()
    }
}

/// One state of a call in the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Where the pairs run.
    pub layout: String,
    /// The state of the call.
    pub state: &'static str,
    /// For each who is struck, a letter for each point: `.` kept, `x` broken, `-` not reached.
    pub cells: Vec<(String, String)>,
}

impl Table {
    /// The cells as rows for people.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let states =
            [Layout::OneHost, Layout::TwoHosts].into_iter().flat_map(|layout| Scene::ALL.map(|scene| (layout, scene)));
        let row = |(layout, scene): (Layout, Scene)| {
            let cells =
                Victims::all().into_iter().map(|victims| (victims.name(), self.letters(layout, scene, victims)));
            Row { layout: format!("{layout:?}"), state: scene.name(), cells: cells.collect() }
        };
        states.map(row).collect()
    }

    /// How many cells were reached with every promise kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.cells.iter().filter(|(_, came)| *came == Came::Kept).count()
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = POINTS.iter().map(|(name, ..)| *name).collect();
        writeln!(f, "struck {}", names.join(", "))?;
        writeln!(f, "P, B: primary, backup of the SIP Server; p, b: of the Routing Server; C: the coordinator")?;
        let mut layout = String::new();
        for row in self.rows() {
            if row.layout != layout {
                let names: Vec<String> = row.cells.iter().map(|(name, _)| format!("{name:<4}")).collect();
                writeln!(f, "\n{:<28} {}", row.layout, names.join(" "))?;
                layout.clone_from(&row.layout);
            }
            let letters: Vec<&str> = row.cells.iter().map(|(_, letters)| letters.as_str()).collect();
            writeln!(f, "{:<28} {}", row.state, letters.join(" "))?;
        }
        writeln!(f, "\n{} cells, {} kept, {} broken", self.len(), self.kept(), self.broken().len())
    }
}
