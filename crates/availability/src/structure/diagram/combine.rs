//! Functions made of functions: if-then-else, and what follows from it.

use super::store::{Edge, Full, Store};

/// What remains to be done of an if-then-else; a stack of its own, so that a deep diagram cannot exhaust the thread's.
enum Task {
    Find([Edge; 3]),
    Decide { level: u32, of: [Edge; 3], negate: bool },
}

/// Arguments in the one form that all equal calls have, or the result itself.
enum Form {
    Known(Edge),
    Call { of: [Edge; 3], negate: bool },
}

impl Store {
    /// `f` and `g` or not `f` and `h` (Brace, Rudell and Bryant 1990, section 3).
    pub(crate) fn ite(&mut self, f: Edge, g: Edge, h: Edge) -> Result<Edge, Full> {
        let mut tasks = vec![Task::Find([f, g, h])];
        let mut results = Vec::new();
        while let Some(task) = tasks.pop() {
            match task {
                Task::Find(arguments) => self.find(arguments, &mut tasks, &mut results),
                Task::Decide { level, of, negate } => {
                    let low = results.pop().unwrap_or(Edge::FALSE);
                    let high = results.pop().unwrap_or(Edge::FALSE);
                    let result = self.decide(level, high, low)?;
                    self.remember(of[0], of[1], of[2], result);
                    results.push(result.negate_if(negate));
                }
            }
        }
        Ok(results.pop().unwrap_or(Edge::FALSE))
    }

    /// The result, if it is known; else the tasks that lead to it.
    fn find(&self, arguments: [Edge; 3], tasks: &mut Vec<Task>, results: &mut Vec<Edge>) {
        match self.form(arguments) {
            Form::Known(result) => results.push(result),
            Form::Call { of, negate } => {
                let [f, g, h] = of;
                if let Some(result) = self.remembered(f, g, h) {
                    results.push(result.negate_if(negate));
                    return;
                }
                let level = self.level(f).min(self.level(g)).min(self.level(h));
                let [f, g, h] = [f, g, h].map(|edge| self.cofactors(edge, level));
                tasks.push(Task::Decide { level, of, negate });
                tasks.push(Task::Find([f.1, g.1, h.1]));
                tasks.push(Task::Find([f.0, g.0, h.0]));
            }
        }
    }

    fn form(&self, [mut f, mut g, mut h]: [Edge; 3]) -> Form {
        // Below a branch the condition is known.
        if g.plain() == f.plain() {
            g = Edge::TRUE.negate_if(g != f);
        }
        if h.plain() == f.plain() {
            h = Edge::FALSE.negate_if(h != f);
        }
        if let Some(result) = known(f, g, h) {
            return Form::Known(result);
        }
        // Two arguments may change places where one of the branches is constant, or each the negation of the other.
        let before = |a: Edge, b: Edge| (self.level(a), a.plain()) < (self.level(b), b.plain());
        match (g, h) {
            (Edge::TRUE, _) if before(h, f) => (f, h) = (h, f),
            (_, Edge::FALSE) if before(g, f) => (f, g) = (g, f),
            (_, Edge::TRUE) if before(g, f) => (f, g) = (!g, !f),
            (Edge::FALSE, _) if before(h, f) => (f, h) = (!h, !f),
            _ if g == !h && before(g, f) => (f, g, h) = (g, f, !f),
            _ => {}
        }
        if f.is_negated() {
            (f, g, h) = (!f, h, g);
        }
        let negate = g.is_negated();
        Form::Call { of: [f, g.negate_if(negate), h.negate_if(negate)], negate }
    }

    pub(crate) fn and(&mut self, f: Edge, g: Edge) -> Result<Edge, Full> {
        self.ite(f, g, Edge::FALSE)
    }

    pub(crate) fn or(&mut self, f: Edge, g: Edge) -> Result<Edge, Full> {
        self.ite(f, Edge::TRUE, g)
    }

    pub(crate) fn xor(&mut self, f: Edge, g: Edge) -> Result<Edge, Full> {
        self.ite(f, !g, g)
    }

    /// At least `k` of these functions.
    pub(crate) fn at_least(&mut self, k: usize, functions: &[Edge]) -> Result<Edge, Full> {
        if k > functions.len() {
            return Ok(Edge::FALSE);
        }
        // counts[j]: at least j of the functions seen. From the lowest to the highest in the order, so that each step
        // puts new nodes on top.
        let mut counts = vec![Edge::FALSE; k + 1];
        counts[0] = Edge::TRUE;
        for function in self.lowest_first(functions) {
            for j in (1..=k).rev() {
                counts[j] = self.ite(function, counts[j - 1], counts[j])?;
            }
        }
        Ok(counts[k])
    }

    /// All of these functions (`all`), or any of them.
    pub(crate) fn fold(&mut self, all: bool, functions: &[Edge]) -> Result<Edge, Full> {
        let mut result = Edge::TRUE.negate_if(!all);
        for function in self.lowest_first(functions) {
            result = if all { self.and(function, result)? } else { self.or(function, result)? };
        }
        Ok(result)
    }

    fn lowest_first(&self, functions: &[Edge]) -> Vec<Edge> {
        let mut sorted = functions.to_vec();
        sorted.sort_by_key(|&edge| std::cmp::Reverse(self.level(edge)));
        sorted
    }
}

/// The results that need no diagram.
fn known(f: Edge, g: Edge, h: Edge) -> Option<Edge> {
    match (f, g, h) {
        (Edge::TRUE, ..) => Some(g),
        (Edge::FALSE, ..) => Some(h),
        _ if g == h => Some(g),
        (_, Edge::TRUE, Edge::FALSE) => Some(f),
        (_, Edge::FALSE, Edge::TRUE) => Some(!f),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::BOTTOM;
    use super::*;

    fn value(store: &Store, mut edge: Edge, assignment: u32) -> bool {
        while store.level(edge) != BOTTOM {
            let level = store.level(edge);
            let (high, low) = store.cofactors(edge, level);
            edge = if assignment >> level & 1 == 1 { high } else { low };
        }
        edge == Edge::TRUE
    }

    #[test]
    fn equal_functions_are_one_edge() {
        let mut store = Store::new(1 << 20);
        let [a, b, c] = [0, 1, 2].map(|level| store.variable(level).unwrap());
        let left = store.and(a, b).unwrap();
        let distributed = store.or(left, c).unwrap();
        let (ac, bc) = (store.or(a, c).unwrap(), store.or(b, c).unwrap());
        assert_eq!(distributed, store.and(ac, bc).unwrap());
        let not_and = !store.and(!a, !b).unwrap();
        assert_eq!(store.or(a, b).unwrap(), not_and);
        assert_eq!(store.xor(a, b).unwrap(), !store.xor(!a, b).unwrap());
        let majority = store.at_least(2, &[a, b, c]).unwrap();
        assert_eq!(majority, !store.at_least(2, &[!a, !b, !c]).unwrap());
    }

    #[test]
    fn every_if_then_else_of_three_variables_is_right() {
        let mut store = Store::new(1 << 20);
        let [a, b, c] = [0, 1, 2].map(|level| store.variable(level).unwrap());
        let mut functions = vec![a, b, c, Edge::TRUE];
        functions.extend([store.and(a, b).unwrap(), store.xor(b, c).unwrap(), store.at_least(2, &[a, b, c]).unwrap()]);
        functions.extend(functions.clone().into_iter().map(|f| !f));
        for &f in &functions {
            for &g in &functions {
                for &h in &functions {
                    let result = store.ite(f, g, h).unwrap();
                    for assignment in 0..8 {
                        let [f, g, h, result] = [f, g, h, result].map(|edge| value(&store, edge, assignment));
                        assert_eq!(result, if f { g } else { h });
                    }
                }
            }
        }
    }

    #[test]
    fn a_collected_store_goes_on_with_the_same_functions() {
        let mut store = Store::new(1 << 20);
        let variables: Vec<_> = (0..12).map(|level| store.variable(level).unwrap()).collect();
        for k in 1..12 {
            store.at_least(k, &variables).unwrap();
        }
        let mut kept = [store.at_least(5, &variables).unwrap(), !variables[3]];
        let before = store.len();
        store.collect(&mut kept);
        assert!(store.len() < before);
        assert_eq!(store.variable(3).unwrap(), !kept[1]);
        let variables: Vec<_> = (0..12).map(|level| store.variable(level).unwrap()).collect();
        assert_eq!(store.at_least(5, &variables).unwrap(), kept[0]);
    }
}
