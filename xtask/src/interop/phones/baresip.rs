//! A headless baresip: no sound card, no terminal, commands by UDP.

use std::fs::{self, File};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::tone;
use crate::lab::child::Guard;

/// How long the tone file lasts; a phone that has played it to its end falls silent.
const TONE_SECONDS: u32 = 300;
/// How often the log is read.
const GLANCE: Duration = Duration::from_millis(50);
/// The modules that Debian's build needs for this.
const MODULES: [&str; 8] = ["account", "menu", "cons", "g711", "aubridge", "aufile", "sndfile", "uuid"];
/// Where Debian puts modules, below `/usr/lib` or below the folder of the architecture.
const MODULE_FOLDERS: [&str; 3] = [
    "/usr/lib/baresip/modules",
    "/usr/lib/x86_64-linux-gnu/baresip/modules",
    "/usr/lib/aarch64-linux-gnu/baresip/modules",
];

/// Who the phone is.
pub(super) struct Account<'a> {
    pub(super) number: &'a str,
    pub(super) password: &'a str,
    pub(super) server: SocketAddr,
    pub(super) transport: &'a str,
    /// What it says into every call, in hertz.
    pub(super) tone: u32,
}

/// A running phone.
pub(super) struct Phone {
    folder: PathBuf,
    guard: Guard,
    commands: UdpSocket,
    /// How much of the log was read by earlier waits.
    read: usize,
}

impl Phone {
    /// Starts it at these two free addresses, one for SIP and one for its commands.
    pub(super) fn start(account: &Account<'_>, own: SocketAddr, control: SocketAddr, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let tone_file = folder.join("tone.wav");
        tone::write(&tone_file, account.tone, TONE_SECONDS)?;
        fs::write(folder.join("config"), configuration(own, control, &tone_file, folder)?)?;
        let Account { number, password, server, transport, .. } = account;
        fs::write(
            folder.join("accounts"),
            format!(
                "<sip:{number}@{server};transport={transport}>;auth_user={number};auth_pass={password};answermode=auto;\
                 regint=600;audio_codecs=PCMA/8000/1\n"
            ),
        )?;
        fs::write(folder.join("contacts"), "")?;
        let log = File::create(folder.join("log"))?;
        let mut command = Command::new("baresip");
        command.arg("-f").arg(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let guard = Guard::start("baresip (package baresip-core)", &mut command)?;
        let commands = UdpSocket::bind((own.ip(), 0))?;
        commands.connect(control)?;
        Ok(Self { folder: folder.to_owned(), guard, commands, read: 0 })
    }

    /// Gives a command as if typed, such as `/dial sip:9000@...`.
    pub(super) fn command(&mut self, line: &str) -> Result<()> {
        self.guard.check_alive()?;
        self.commands.send(format!("{line}\n").as_bytes()).context("baresip takes no commands")?;
        Ok(())
    }

    /// Waits until the log says this, in what it has said since the last wait.
    pub(super) fn wait_for(&mut self, words: &str, limit: Duration) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.guard.check_alive()?;
            let log = fs::read(self.folder.join("log"))?;
            let fresh = String::from_utf8_lossy(log.get(self.read..).unwrap_or_default()).into_owned();
            if let Some(at) = fresh.find(words) {
                self.read += at + words.len();
                return Ok(());
            }
            ensure!(
                begun.elapsed() < limit,
                "baresip did not say `{words}` within {} s; log: {}",
                limit.as_secs(),
                self.folder.join("log").display()
            );
            sleep(GLANCE);
        }
    }

    /// Which tenths of a second of all that it has heard in this call have the tone. Recordings of earlier
    /// calls are to be removed by [`Phone::forget_recordings`].
    pub(super) fn heard(&self, hertz: u32) -> Result<Vec<bool>> {
        let recordings = self.recordings()?;
        let recording = recordings.iter().find(|path| path.to_string_lossy().ends_with("-dec.wav"));
        tone::heard(recording.with_context(|| format!("no recording in {}", self.folder.display()))?, hertz)
    }

    /// Removes what was recorded so far.
    pub(super) fn forget_recordings(&self) -> Result<()> {
        for path in self.recordings()? {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    fn recordings(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("dump-")) {
                found.push(path);
            }
        }
        Ok(found)
    }
}

fn configuration(own: SocketAddr, control: SocketAddr, tone: &Path, folder: &Path) -> Result<String> {
    let modules = MODULE_FOLDERS.iter().find(|folder| Path::new(folder).is_dir());
    let modules = modules.context("baresip's modules are not where Debian puts them: run `cargo xtask setup`")?;
    let mut lines = vec![
        "poll_method epoll".to_owned(),
        format!("sip_listen {own}"),
        format!("net_interface {}", own.ip()),
        format!("cons_listen {control}"),
        format!("module_path {modules}"),
        format!("audio_source aufile,{}", tone.display()),
        "audio_player aubridge,nil".to_owned(),
        "audio_alert aubridge,nil".to_owned(),
        "audio_level no".to_owned(),
        format!("snd_path {}", folder.display()),
        "rtp_timeout 0".to_owned(),
    ];
    for module in MODULES {
        let kind = if ["account", "menu"].contains(&module) { "module_app" } else { "module" };
        lines.push(format!("{kind} {module}.so"));
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}
