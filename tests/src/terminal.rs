//! A command in a terminal, and somebody who answers what it asks.

use std::process::{Command, Output};

use crate::real;

/// Answers each question once it is asked; ends as the command does.
const PERSON: &str = "\
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
said, answered = b'', 0
try:
    while more := os.read(terminal, 1000):
        said += more
        while said.count(b'[y/N]') > answered:
            os.write(terminal, sys.argv[1].encode() + b'\\n')
            answered += 1
except OSError:
    pass
sys.stdout.buffer.write(said.replace(b'\\r\\n', b'\\n'))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

/// Runs a command for a person who types this whenever they are asked.
///
/// # Panics
/// When it cannot be started.
pub fn in_a_terminal(command: &Command, types: &str) -> Output {
    let mut person = Command::new(real::python());
    person
        .args(["-c", PERSON, types])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => person.env(name, value),
            None => person.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        person.current_dir(folder);
    }
    person.output().unwrap()
}
