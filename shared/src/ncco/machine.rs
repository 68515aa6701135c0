//! Telling an answering machine from a person.

use super::wire;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What happens when a machine answers.
///
/// See [Vonage/Voice API/NCCO reference/Connect](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MachineDetection {
    /// An event tells of it and the call goes on.
    Continue,
    /// The leg is hung up.
    Hangup,
}

/// Machine detection with more choice.
///
/// See [Vonage/Voice API/Advanced machine detection](https://developer.vonage.com/en/voice/voice-api/concepts/advanced-machine-detection).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvancedMachineDetection {
    /// What happens when a machine answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behavior: Option<MachineDetection>,
    /// What is listened for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<MachineMode>,
    /// How long the beep is waited for, 45 to 120 s. In snake case on the wire, unlike its
    /// neighbours.
    #[serde(
        default,
        alias = "beepTimeout",
        skip_serializing_if = "Option::is_none",
        with = "wire::whole_seconds"
    )]
    pub beep_timeout: Option<Duration>,
}

/// What machine detection listens for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineMode {
    /// Vonage's choice.
    Default,
    /// Person or machine.
    Detect,
    /// Person or machine, and the machine's beep.
    DetectBeep,
}
