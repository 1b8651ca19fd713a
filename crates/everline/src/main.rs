//! x
mod settings;
mod config;
fn main() {
 let t=std::time::Instant::now();
 let o=config::read(std::path::Path::new(&std::env::args().nth(1).unwrap())).unwrap();
 let e=t.elapsed();
 print!("{}", o.report.render(false));
 eprintln!("{:?} {:?} settings {}", e, t.elapsed(), o.settings.is_some());
}
