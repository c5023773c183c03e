//! A raw MCP server over stdio that does what a test tells it, well or badly:
//! it answers byte for byte what it is told to, and keeps a diary of what it
//! receives.
//!
//! Tools: `echo` (text), `mirror` (the request line as it came), `odd` (a result
//! of things that no model knows), `raw` (any result), `say` (any lines, `$id`
//! standing for the request's id), `whisper` and `fail` (a line as text or as an
//! error), `progress`, `hold` and `release` (a call that lasts as long as a test
//! wants), `ask` (a request to the client, and lines to say once that is answered, `$token`
//! standing for the request's progress token), `grow` (one more tool), `big`, `flood` (notifications),
//! `complain` (a line on stderr), `crash`. A `~` in what it is to say is left
//! out, so that an answer can hold a word which its request does not.
//!
//! Environment: `MIRROR_LOG` the diary; `MIRROR_PAGE` tools on a page;
//! `MIRROR_DESCRIPTION` of `echo`; `MIRROR_INSTRUCTIONS`; `MIRROR_ANSWERS` to methods, an
//! object; `MIRROR_GROWN` tools more; `MIRROR_TOOLS` some
//! more, as JSON; `MIRROR_RESOURCES`, `MIRROR_TEMPLATES` and `MIRROR_TASKS` what there is, separated by
//! spaces; `MIRROR_READS` what the URIs start with that it can read; `MIRROR_GATE` a file that has to be
//! there before `initialize` is answered; `MIRROR_BEHAVIOUR` any of `hang` (never answer
//! `initialize`), `mute` (never list tools), `chatter` (nonsense on both streams, all the time), `deaf`
//! (ignore the end of standard input), `parent` (have a child that is deaf, too).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod messages;

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{BufRead, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use messages::{
    Arguments, CAPABILITIES, Line, ODD, Params, TASKS, TOOLS, arguments, params, quote, spoken,
};
use serde_json::value::RawValue;

#[derive(Default)]
struct Mirror {
    out: Mutex<()>,
    diary: Option<Mutex<std::fs::File>>,
    behaviour: String,
    grown: Mutex<usize>,
    /// Calls that are held, by their key; and who waits to be told of a
    /// cancellation or an answer, by an id.
    held: Mutex<HashMap<String, Sender<Event>>>,
    waiting: Mutex<HashMap<String, Waiting>>,
}

/// Who waits for news of an id, or news that nobody has waited for yet.
enum Waiting {
    Somebody(Sender<Event>),
    News(Event),
}

enum Event {
    Released,
    Cancelled,
    Answered(String),
}

fn main() {
    let behaviour = std::env::var("MIRROR_BEHAVIOUR").unwrap_or_default();
    if behaviour == "linger" {
        linger();
    }
    let diary = std::env::var("MIRROR_LOG").ok().map(|path| {
        Mutex::new(
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .unwrap(),
        )
    });
    let grown = std::env::var("MIRROR_GROWN").map_or(0, |grown| grown.parse().unwrap());
    let mirror = Arc::new(Mirror {
        diary,
        behaviour,
        grown: Mutex::new(grown),
        ..Mirror::default()
    });
    mirror.note(&format!("process {}", std::process::id()));
    let variables: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
    mirror.note(&format!("variables {}", variables.join(" ")));
    mirror.misbehave();
    eprintln!("mirror is up");
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if line.trim().is_empty() {
            continue;
        }
        mirror.note(&format!("< {line}"));
        mirror.receive(line);
    }
    mirror.note("end of standard input");
    if mirror.has("deaf") {
        linger();
    }
}

/// The words of a variable.
fn words(variable: &str, otherwise: &str) -> Vec<String> {
    let text = std::env::var(variable).unwrap_or_else(|_| otherwise.to_owned());
    text.split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn linger() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(60));
    }
}

impl Mirror {
    fn has(&self, behaviour: &str) -> bool {
        self.behaviour.split(' ').any(|one| one == behaviour)
    }

    fn misbehave(self: &Arc<Self>) {
        if self.has("parent") {
            #[expect(clippy::zombie_processes, reason = "it is to outlive this process")]
            let child = Command::new(std::env::current_exe().unwrap())
                .env("MIRROR_BEHAVIOUR", "linger")
                .stdin(Stdio::null())
                .spawn()
                .unwrap();
            self.note(&format!("child {}", child.id()));
        }
        if self.has("chatter") {
            let mirror = Arc::clone(self);
            std::thread::spawn(move || {
                loop {
                    mirror.write("npm WARN this is { no JSON \u{1b}[31m");
                    eprintln!("chatter on stderr");
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        }
    }

    fn note(&self, line: &str) {
        if let Some(diary) = &self.diary {
            let mut diary = diary.lock().unwrap();
            diary.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
    }

    fn write(&self, line: &str) {
        let _whole = self.out.lock().unwrap();
        let mut out = std::io::stdout().lock();
        // The gateway may be gone.
        let _ = out.write_all(line.as_bytes());
        let _ = out.write_all(b"\n");
        let _ = out.flush();
    }

    fn answer(&self, id: &str, result: &str) {
        self.write(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#
        ));
    }

    fn fail(&self, id: &str, code: i64, message: &str) {
        self.write(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{},"data":{{"x-data":[1]}}}}}}"#,
            quote(message)
        ));
    }

    fn receive(self: &Arc<Self>, line: String) {
        let Ok(head) = serde_json::from_str::<Line<'_>>(&line) else {
            return self.fail("null", -32700, "Parse error");
        };
        let id = head.id.map(|id| id.get().to_owned());
        match (head.method, id) {
            (Some(method), Some(id)) => {
                let (mirror, line) = (Arc::clone(self), line.clone());
                if method == "tools/call" && (line.contains("hold") || line.contains("ask")) {
                    std::thread::spawn(move || mirror.request(&method, &id, &line));
                } else {
                    mirror.request(&method, &id, &line);
                }
            }
            (Some(method), None) if method == "notifications/cancelled" => {
                let params = params(&head.params);
                let id = params
                    .request_id
                    .map(|id| id.get().to_owned())
                    .unwrap_or_default();
                self.tell(&id, Event::Cancelled);
            }
            (None, Some(id)) => self.tell(&id, Event::Answered(line.clone())),
            _ => {}
        }
    }

    fn tell(&self, id: &str, event: Event) {
        let mut waiting = self.waiting.lock().unwrap();
        match waiting.remove(id) {
            // Whoever waited may have given up.
            Some(Waiting::Somebody(sender)) => drop(sender.send(event)),
            _ => drop(waiting.insert(id.to_owned(), Waiting::News(event))),
        }
    }

    fn wait_as(&self, id: &str) -> (Sender<Event>, Receiver<Event>) {
        let (sender, receiver) = channel();
        let mut waiting = self.waiting.lock().unwrap();
        match waiting.remove(id) {
            Some(Waiting::News(event)) => drop(sender.send(event)),
            _ => drop(waiting.insert(id.to_owned(), Waiting::Somebody(sender.clone()))),
        }
        (sender, receiver)
    }

    fn request(&self, method: &str, id: &str, line: &str) {
        let head: Line<'_> = serde_json::from_str(line).unwrap();
        let params = params(&head.params);
        if let Ok(answers) = std::env::var("MIRROR_ANSWERS") {
            let answers: HashMap<String, Box<RawValue>> = serde_json::from_str(&answers).unwrap();
            if let Some(answer) = answers.get(method) {
                return self.answer(id, answer.get());
            }
        }
        match method {
            "initialize" if self.has("hang") => {}
            "initialize" => {
                if let Ok(gate) = std::env::var("MIRROR_GATE") {
                    while !std::path::Path::new(&gate).exists() {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
                let version = quote(params.version.as_deref().unwrap_or("2025-06-18"));
                let instructions = std::env::var("MIRROR_INSTRUCTIONS");
                let instructions = quote(instructions.as_deref().unwrap_or("mirror instructions"));
                let capabilities = if words("MIRROR_TASKS", "").is_empty() {
                    CAPABILITIES.to_owned()
                } else {
                    CAPABILITIES.replacen('{', &format!("{{{TASKS},"), 1)
                };
                self.answer(id, &format!(
                    r#"{{"protocolVersion":{version},"capabilities":{capabilities},"serverInfo":{{"name":"mirror","version":"1","x-si":1}},"instructions":{instructions},"x-init":1}}"#
                ));
            }
            "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => {
                self.answer(id, "{}");
            }
            "tools/list" if self.has("mute") => {}
            "tools/list" => self.list_tools(id, params.cursor.as_deref()),
            "tools/call" => self.call(id, line, &params),
            "prompts/list" => self.answer(id, r#"{"prompts":[{"name":"say","description":"says it","arguments":[{"name":"text"}],"x-p":1}]}"#),
            "prompts/get" => {
                let text = spoken(arguments(&params).text.map_or("\"\"", RawValue::get));
                self.answer(id, &format!(r#"{{"messages":[{{"role":"user","content":{{"type":"text","text":{text}}}}}]}}"#));
            }
            "resources/list" => {
                let uris = words("MIRROR_RESOURCES", "mirror://note");
                let items = uris.iter().map(|uri| format!(r#"{{"uri":{},"name":"note","x-r":1}}"#, quote(uri)));
                self.answer(id, &format!(r#"{{"resources":[{}]}}"#, items.collect::<Vec<_>>().join(",")));
            }
            "resources/templates/list" => {
                let uris = words("MIRROR_TEMPLATES", "mirror://{text}");
                let items = uris.iter().map(|uri| format!(r#"{{"uriTemplate":{},"name":"any"}}"#, quote(uri)));
                self.answer(id, &format!(r#"{{"resourceTemplates":[{}]}}"#, items.collect::<Vec<_>>().join(",")));
            }
            "resources/read" if line.contains("mirror://silence") => {}
            "resources/read" => {
                let uri = params.uri.unwrap_or_default();
                if !words("MIRROR_READS", "mirror:").iter().any(|start| uri.starts_with(start)) {
                    return self.fail(id, -32002, "Resource not found");
                }
                let text = uri.strip_prefix("mirror://").unwrap_or_default();
                self.answer(id, &format!(r#"{{"contents":[{{"uri":{},"mimeType":"text/plain","text":{}}}]}}"#, quote(&uri), quote(&spoken(text))));
            }
            "tasks/list" if !words("MIRROR_TASKS", "").is_empty() => {
                let tasks = words("MIRROR_TASKS", "");
                let items = tasks.iter().map(|task| format!(r#"{{"taskId":{},"status":"working"}}"#, quote(task)));
                self.answer(id, &format!(r#"{{"tasks":[{}]}}"#, items.collect::<Vec<_>>().join(",")));
            }
            "tasks/get" | "tasks/cancel" | "tasks/result" => {
                let task = params.task_id.unwrap_or_default();
                if !words("MIRROR_TASKS", "").contains(&task) {
                    return self.fail(id, -32602, "Unknown task");
                }
                self.answer(id, &format!(r#"{{"taskId":{},"status":"working"}}"#, quote(&task)));
            }
            "com.example/custom" => {
                let got = head.params.map_or("null", RawValue::get);
                self.answer(id, &format!(r#"{{"x":1,"got":{got}}}"#));
            }
            _ => self.fail(id, -32601, "Method not found"),
        }
    }

    fn list_tools(&self, id: &str, cursor: Option<&str>) {
        let description =
            std::env::var("MIRROR_DESCRIPTION").unwrap_or_else(|_| "says it back".to_owned());
        let mut tools: Vec<String> = TOOLS
            .iter()
            .map(|name| {
                let description = quote(if *name == "echo" { &description } else { "a tool" });
                format!(r#"{{"name":"{name}","description":{description},"inputSchema":{{"type":"object","x-order":{{"b":1.0,"a":12345678901234567890}}}},"x-vendor":{{"z":1,"y":[1e2]}},"execution":{{"taskSupport":"optional"}}}}"#)
            })
            .collect();
        let grown = *self.grown.lock().unwrap();
        tools.extend(
            (1..=grown)
                .map(|n| format!(r#"{{"name":"grown_{n}","inputSchema":{{"type":"object"}}}}"#)),
        );
        tools.extend(std::env::var("MIRROR_TOOLS"));
        let page: usize =
            std::env::var("MIRROR_PAGE").map_or(usize::MAX, |page| page.parse().unwrap());
        let start: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        let end = start.saturating_add(page).min(tools.len());
        let next = if end < tools.len() {
            format!(r#","nextCursor":"{end}""#)
        } else {
            String::new()
        };
        self.answer(
            id,
            &format!(
                r#"{{"tools":[{}],"x-list":1{next}}}"#,
                tools[start..end].join(",")
            ),
        );
    }

    fn call(&self, id: &str, line: &str, params: &Params<'_>) {
        let arguments = arguments(params);
        let name = params.name.as_deref().unwrap_or_default();
        match name {
            "echo" => self.say_text(id, arguments.text.map_or("\"\"", RawValue::get)),
            "mirror" => self.say_text(id, &quote(line)),
            "odd" => self.answer(id, ODD),
            "raw" => self.answer(id, arguments.result.map_or("null", RawValue::get)),
            "say" => {
                for line in arguments.lines.unwrap_or_default() {
                    self.write(&spoken(&line.replace("$id", id)));
                }
            }
            "whisper" => self.say_text(id, &quote(&spoken(&arguments.line.unwrap_or_default()))),
            "fail" => self.fail(id, -32050, &spoken(&arguments.line.unwrap_or_default())),
            "progress" => {
                let steps = arguments.steps.unwrap_or(3);
                let token = params.meta.as_ref().and_then(|meta| meta.progress_token);
                for step in token.into_iter().flat_map(|_| 1..=steps) {
                    let token = token.map_or("null", RawValue::get);
                    self.write(&format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{step},"total":{steps},"message":"step {step}","x-extra":1.0}}}}"#));
                }
                self.say_text(id, r#""done""#);
            }
            "hold" => self.hold(
                id,
                &arguments.key.unwrap_or_default(),
                arguments.text.map(RawValue::get),
            ),
            "release" => {
                let key = arguments.key.unwrap_or_default();
                let held = self.held.lock().unwrap().remove(&key);
                let known = held.is_some_and(|held| held.send(Event::Released).is_ok());
                self.say_text(
                    id,
                    if known {
                        r#""ok""#
                    } else {
                        r#""nothing is held""#
                    },
                );
            }
            "ask" => {
                let token = params.meta.as_ref().and_then(|meta| meta.progress_token);
                self.ask(id, token.map_or("null", RawValue::get), &arguments);
            }
            "grow" => {
                *self.grown.lock().unwrap() += 1;
                self.write(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#);
                self.say_text(id, r#""grown""#);
            }
            "big" => self.say_text(id, &quote(&"x".repeat(arguments.bytes.unwrap_or_default()))),
            "flood" => {
                let text = "x".repeat(arguments.bytes.unwrap_or_default());
                for step in 1..=arguments.steps.unwrap_or_default() {
                    self.write(&format!(r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"level":"info","logger":"{step}","data":"{text}"}}}}"#));
                }
                self.say_text(id, r#""done""#);
            }
            "complain" => {
                eprintln!("{}", spoken(&arguments.line.unwrap_or_default()));
                self.say_text(id, r#""complained""#);
            }
            "crash" => std::process::exit(3),
            _ => self.fail(id, -32602, &format!("Unknown tool: {name}")),
        }
    }

    fn say_text(&self, id: &str, text: &str) {
        self.answer(
            id,
            &format!(r#"{{"content":[{{"type":"text","text":{text}}}]}}"#),
        );
    }

    fn hold(&self, id: &str, key: &str, text: Option<&str>) {
        let (sender, receiver) = self.wait_as(id);
        self.held.lock().unwrap().insert(key.to_owned(), sender);
        self.note(&format!("holding {key}"));
        match receiver.recv() {
            Ok(Event::Cancelled) => self.note(&format!("cancelled {key}")),
            _ => self.say_text(id, text.unwrap_or(r#""released""#)),
        }
    }

    fn ask(&self, id: &str, token: &str, arguments: &Arguments<'_>) {
        let number = format!("\"asked-{}\"", id.trim_matches('"'));
        let (_, receiver) = self.wait_as(&number);
        let method = quote(arguments.method.as_deref().unwrap_or("roots/list"));
        let params = arguments.params.map_or(String::new(), |params| {
            spoken(&format!(r#","params":{params}"#))
        });
        self.write(&format!(
            r#"{{"jsonrpc":"2.0","id":{number},"method":{method}{params}}}"#
        ));
        if let Ok(Event::Answered(line)) = receiver.recv() {
            for line in arguments.lines.iter().flatten() {
                self.write(&spoken(&line.replace("$token", token)));
            }
            self.say_text(id, &quote(&line));
        }
    }
}
