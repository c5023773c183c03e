//! What the program says about its commands.

use clap::CommandFactory;

use super::*;

fn help(of: &[&str]) -> String {
    let mut command = Cli::command().term_width(80);
    command.build();
    let mut command = &mut command;
    for name in of {
        command = command.find_subcommand_mut(name).unwrap();
    }
    let help = command
        .clone()
        .term_width(80)
        .render_long_help()
        .to_string();
    let lines: Vec<_> = help.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// The commands of a command, a line each.
fn commands(of: &[&str]) -> String {
    let help = help(of);
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty()).map(str::trim);
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_help_says_what_there_is() {
    insta::assert_snapshot!(help(&[]), @r#"
    A guardrail gateway for the Model Context Protocol

    It stands between an MCP client and its servers and passes every message, both
    ways, through guardrails: sandboxed components that mask secrets, block attacks
    and keep a record. Clients start it in place of their servers.

    Usage: mcp-gateway [OPTIONS] [COMMAND]

    Commands (none: run the gateway on stdio):
      wrap         Guard one server, whose tools keep their names
      serve        Serve many clients over HTTP, each with servers of its own
      install      Put the gateway before the servers of your clients
      uninstall    Take the gateway away again, and leave their files as they were
      import       Print a gateway.toml with the servers of a client's file
      status       Show what runs, and how it is: clients, servers, guardrails, what
                   they did
      doctor       Try everything once, and say what is wrong and what mends it
      audit        Read the record of all calls: find, follow, show, count, export
      scan         Say what the servers of your clients are: where they come from,
                   what they keep in the open, what is wrong with their tools
      pin          Approve of tools that servers have defined anew, or look at them
                   first
      approve      Approve of a single call that a guardrail asks a person about
      secret       Keep secrets in the system's keyring, which servers get by
                   `${keyring:SERVICE/NAME}`
      login        Log in to a server over HTTP, in a browser
      logout       Forget the log-in to a server
      demo         See guardrails at work in front of a real server (needs Node.js)
      plugin       Look at guardrail components, and try and measure them
      replay       Show message by message what would become of a captured session
      completions  Print what completes this command line in your shell
      man          Print the manual page

    Options:
          --mcp-json-path <FILE>
              The client's mcp.json; the servers are those nested in the gateway's
              own entry

          --config <FILE>
              The gateway's own configuration, which names servers and guardrails

      -p, --plugin <NAME>
              A guardrail to run, by name or as a path to a .wasm file; may be
              repeated

          --scan
              Start no server whose package has little reputation before you have
              let it

          --capture <FILE>
              Write messages into this file as the guardrails leave them, for
              `replay` and `plugin diff`

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Log (on stderr):
          --log <LEVEL>
              The least severe messages to log

              Possible values:
              - error: What did not work
              - warn:  What may not be as intended
              - info:  What happens
              - debug: What led to it
              - trace: Everything

              [env: LOGLEVEL]
              [default: info]

          --log-format <FORMAT>
              How to write them

              Possible values:
              - text: Lines for a person
              - json: An object a line

              [default: text]
    "#);
    insta::assert_snapshot!(help(&["wrap"]), @r#"
    Guard one server, whose tools keep their names

    Usage: mcp-gateway wrap [OPTIONS] -- <COMMAND>...

    Arguments:
      <COMMAND>...
              The program that starts the server, and its arguments

    Options:
      -p, --plugin <NAME>
              A guardrail to run, by name or as a path to a .wasm file; may be
              repeated

          --name <NAME>
              What to call the server; by default after the program

          --env <NAME>
              A variable of the gateway's environment that the server gets, too; may
              be repeated

      -h, --help
              Print help (see a summary with '-h')

    Log (on stderr):
          --log <LEVEL>
              The least severe messages to log

              Possible values:
              - error: What did not work
              - warn:  What may not be as intended
              - info:  What happens
              - debug: What led to it
              - trace: Everything

              [env: LOGLEVEL]
              [default: info]

          --log-format <FORMAT>
              How to write them

              Possible values:
              - text: Lines for a person
              - json: An object a line

              [default: text]
    "#);
    insta::assert_snapshot!(help(&["serve"]), @r#"
    Serve many clients over HTTP, each with servers of its own

    Usage: mcp-gateway serve [OPTIONS]

    Options:
          --mcp-json-path <FILE>
              The client's mcp.json; the servers are those nested in the gateway's
              own entry

          --config <FILE>
              The gateway's own configuration, which names servers and guardrails

      -p, --plugin <NAME>
              A guardrail to run, by name or as a path to a .wasm file; may be
              repeated

          --scan
              Start no server whose package has little reputation before you have
              let it

          --capture <FILE>
              Write messages into this file as the guardrails leave them, for
              `replay` and `plugin diff`

          --listen <ADDRESS:PORT>
              Where to listen; the system chooses the port if it is 0

              [default: 127.0.0.1:8808]

          --token-file <FILE>
              The file that holds the bearer token which clients must have; by
              default what MCP_GATEWAY_TOKEN holds, if anything

          --allow-host <HOST>
              A name by which clients may call the gateway besides localhost; may be
              repeated

          --allow-origin <ORIGIN>
              A web page that may use the gateway besides those of localhost, such
              as https://app.example; may be repeated

          --max-sessions <NUMBER>
              The most sessions at a time

              [default: 100]

          --session-idle <DURATION>
              How long a session may be unused before it ends

              [default: 30m]

      -h, --help
              Print help (see a summary with '-h')

    Log (on stderr):
          --log <LEVEL>
              The least severe messages to log

              Possible values:
              - error: What did not work
              - warn:  What may not be as intended
              - info:  What happens
              - debug: What led to it
              - trace: Everything

              [env: LOGLEVEL]
              [default: info]

          --log-format <FORMAT>
              How to write them

              Possible values:
              - text: Lines for a person
              - json: An object a line

              [default: text]
    "#);
    insta::assert_snapshot!(commands(&["plugin"]), @r"
    new      Make the project of a new guardrail, in the language of your choice
    build    Build a guardrail with its language's own tools, and check it
    inspect  Show what a component is and what it can do
    score    Measure what a guardrail finds in labelled texts
    test     Run a guardrail's own examples, and cases of yours
    fuzz     Show a guardrail messages of all sorts: odd, huge, empty, cut
    bench    Measure what a guardrail costs, and which limits it breaks
    diff     Hold a build against another, on canary texts, examples and captures
    keygen   Make a key that signs components, and print what others trust
    sign     Sign a component: the signature stands beside it, in FILE.sig
    push     Push a component to a registry, with its signature if there is one
    update   Take what references stand for now, and write it into the lock file
    ");
    insta::assert_snapshot!(help(&["plugin", "inspect"]), @r#"
    Show what a component is and what it can do

    Exit code: 0 the gateway would take it, 1 it would refuse it, or the
    configuration does not grant what it uses, 2 it is no component of a guardrail.

    Usage: mcp-gateway plugin inspect [OPTIONS] <FILE>

    Arguments:
      <FILE>
              A .wasm file, or the name of a bundled guardrail

    Options:
          --config <FILE>
              A gateway.toml: is the component granted there what it uses?

          --wit
              Show its world in WIT instead

          --json
              Answer in JSON, for scripts

      -h, --help
              Print help (see a summary with '-h')

    Log (on stderr):
          --log <LEVEL>
              The least severe messages to log

              Possible values:
              - error: What did not work
              - warn:  What may not be as intended
              - info:  What happens
              - debug: What led to it
              - trace: Everything

              [env: LOGLEVEL]
              [default: info]

          --log-format <FORMAT>
              How to write them

              Possible values:
              - text: Lines for a person
              - json: An object a line

              [default: text]
    "#);
}
