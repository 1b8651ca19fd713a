//! Tones: making one, and hearing whether it is there.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Samples a second: what G.711 carries.
const RATE: u32 = 8_000;
/// Samples that are judged together: 100 ms.
const WINDOW: usize = 800;
/// A window has the tone if at least this part of its energy is there.
const ENOUGH: f64 = 0.7;
/// Mean square of the samples below which a window is silence.
const SILENCE: f64 = 1e4;

/// A WAV file (16 bit, mono) of a pure tone.
pub(super) fn write(path: &Path, hertz: u32, seconds: u32) -> Result<()> {
    let samples = (0..RATE * seconds).flat_map(|at| {
        let angle = TAU * f64::from(hertz) * f64::from(at) / f64::from(RATE);
        ((angle.sin() * 8_000.0) as i16).to_le_bytes()
    });
    let data: Vec<u8> = samples.collect();
    let length = data.len() as u32;
    let mut file = Vec::with_capacity(data.len() + 44);
    file.extend(b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1_u16, 1].iter().flat_map(|number| number.to_le_bytes()));
    file.extend([RATE, RATE * 2].iter().flat_map(|number| number.to_le_bytes()));
    file.extend([2_u16, 16].iter().flat_map(|number| number.to_le_bytes()));
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    fs::write(path, file).with_context(|| format!("cannot write {}", path.display()))
}

/// Which windows of a recording have the tone, one after the other.
pub(super) fn heard(path: &Path, hertz: u32) -> Result<Vec<bool>> {
    let file = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let samples = samples(&file).with_context(|| format!("{} is not a recording", path.display()))?;
    Ok(samples.chunks_exact(WINDOW).map(|window| has_tone(window, hertz)).collect())
}

/// The samples of a WAV file of this rate, 16 bit and mono. The lengths in its heads are not looked at: the
/// file may still be written to.
fn samples(file: &[u8]) -> Result<Vec<f64>> {
    let number = |at: usize| {
        file.get(at..at + 4).map_or(0, |bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    ensure!(file.starts_with(b"RIFF") && number(24) == RATE, "not a WAV file of {RATE} samples a second");
    let data = file.windows(4).position(|window| window == b"data").context("no samples")? + 8;
    let bytes = file.get(data..).unwrap_or_default();
    Ok(bytes.chunks_exact(2).map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]]))).collect())
}

/// Goertzel's algorithm: the part of the energy that lies at one frequency.
fn has_tone(window: &[f64], hertz: u32) -> bool {
    let coefficient = 2.0 * (TAU * f64::from(hertz) / f64::from(RATE)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in window {
        (last, before) = (sample + coefficient * last - before, last);
    }
    let at_tone = last * last + before * before - coefficient * last * before;
    let energy: f64 = window.iter().map(|sample| sample * sample).sum();
    let length = window.len() as f64;
    energy / length > SILENCE && at_tone > ENOUGH * energy * length / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hertz: f64, loudness: f64) -> Vec<f64> {
        (0..WINDOW).map(|at| loudness * (TAU * hertz * at as f64 / f64::from(RATE)).sin()).collect()
    }

    #[test]
    fn a_tone_is_heard_and_no_other() {
        assert!(has_tone(&sine(700.0, 8_000.0), 700));
        assert!(!has_tone(&sine(1_100.0, 8_000.0), 700));
        assert!(!has_tone(&sine(700.0, 10.0), 700), "that is silence");
        assert!(!has_tone(&[0.0; WINDOW], 700));
    }

    #[test]
    fn a_tone_under_a_louder_one_is_not_enough() {
        let both: Vec<f64> = sine(700.0, 4_000.0).iter().zip(sine(1_100.0, 8_000.0)).map(|(a, b)| a + b).collect();
        assert!(!has_tone(&both, 700));
        assert!(has_tone(&both, 1_100));
    }
}
