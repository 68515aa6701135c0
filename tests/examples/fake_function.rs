//! A function that speaks the Runtime API over plain TCP and does what its event asks for: the
//! other side of the tests of `lambda.rs`.

use serde_json::{Map, Value, json};
use std::{
    env,
    io::{Read, Write},
    net::TcpStream,
    process, thread,
};

fn main() {
    if let Ok(message) = env::var("FAIL_INIT") {
        let error = json!({"errorType": "Init", "errorMessage": message});
        request("POST", "init/error", &error.to_string());
        process::exit(1);
    }
    loop {
        let (headers, body) = request("GET", "invocation/next", "");
        let event: Value = serde_json::from_str(&body).expect("an event is JSON");
        let id = headers["lambda-runtime-aws-request-id"]
            .as_str()
            .expect("an id is text");
        if event.get("exit").is_some() {
            eprintln!("about to exit");
            process::exit(event["exit"].as_i64().map_or(1, |code| code as i32));
        }
        if event.get("hang").is_some() {
            eprintln!("about to hang");
            loop {
                thread::park();
            }
        }
        if let Some(message) = event["fail"].as_str() {
            eprintln!("about to fail");
            let error = json!({"errorType": "Fake", "errorMessage": message});
            request(
                "POST",
                &format!("invocation/{id}/error"),
                &error.to_string(),
            );
            continue;
        }
        let answer = match event["raw"].as_str() {
            Some(raw) => raw.to_owned(),
            None => {
                let environment: Map<String, Value> = env::vars()
                    .map(|(name, value)| (name, value.into()))
                    .collect();
                json!({"event": event, "headers": headers, "environment": environment}).to_string()
            }
        };
        request("POST", &format!("invocation/{id}/response"), &answer);
    }
}

/// One request on a connection of its own. Gives the reply's headers, in lower case, and its body.
fn request(method: &str, path: &str, body: &str) -> (Map<String, Value>, String) {
    let address = env::var("AWS_LAMBDA_RUNTIME_API").expect("Lambda names its API");
    let mut stream = TcpStream::connect(&address).expect("the API can be reached");
    write!(
        stream,
        "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the API reads");
    let mut reply = String::new();
    stream
        .read_to_string(&mut reply)
        .expect("the API answers with text");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a reply has a head");
    let headers = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.into()))
        .collect();
    (headers, body.to_owned())
}
