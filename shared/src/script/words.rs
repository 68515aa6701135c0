//! Sentences of our own, in the languages that we have words for.

/// What Switchboard says by itself to a caller who is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    /// The language, as its codes begin.
    language: &'static str,
    /// Said before a recording begins.
    pub(super) announce: &'static str,
    /// Asked before a recording: 1 is yes.
    pub(super) ask: &'static str,
    /// Said to who does not want to be recorded, where there is nothing else to do.
    pub(super) refused: &'static str,
    /// Said behind a message.
    pub(super) thanks: &'static str,
}

const ENGLISH: Words = Words {
    language: "en",
    announce: "This call is recorded.",
    ask: "We would like to record this call. Press 1 if you agree, or any other key to go on \
          without a recording.",
    refused: "Without your consent no message can be recorded. Goodbye.",
    thanks: "Thank you for your message. Goodbye.",
};

const OTHERS: [Words; 10] = [
    Words {
        language: "de",
        announce: "Dieses Gespräch wird aufgezeichnet.",
        ask: "Wir möchten dieses Gespräch aufzeichnen. Drücken Sie die 1, wenn Sie einverstanden \
              sind, oder eine andere Taste, um ohne Aufzeichnung fortzufahren.",
        refused: "Ohne Ihre Zustimmung kann keine Nachricht aufgenommen werden. Auf Wiederhören.",
        thanks: "Vielen Dank für Ihre Nachricht. Auf Wiederhören.",
    },
    Words {
        language: "fr",
        announce: "Cet appel est enregistré.",
        ask: "Nous souhaitons enregistrer cet appel. Tapez 1 si vous êtes d'accord, ou une autre \
              touche pour continuer sans enregistrement.",
        refused: "Sans votre accord, aucun message ne peut être enregistré. Au revoir.",
        thanks: "Merci pour votre message. Au revoir.",
    },
    Words {
        language: "es",
        announce: "Esta llamada se está grabando.",
        ask: "Nos gustaría grabar esta llamada. Pulse 1 si está de acuerdo, u otra tecla para \
              continuar sin grabación.",
        refused: "Sin su consentimiento no se puede grabar ningún mensaje. Adiós.",
        thanks: "Gracias por su mensaje. Adiós.",
    },
    Words {
        language: "it",
        announce: "Questa chiamata viene registrata.",
        ask: "Vorremmo registrare questa chiamata. Prema 1 se è d'accordo, oppure un altro tasto \
              per continuare senza registrazione.",
        refused: "Senza il suo consenso non è possibile registrare un messaggio. Arrivederci.",
        thanks: "Grazie per il suo messaggio. Arrivederci.",
    },
    Words {
        language: "nl",
        announce: "Dit gesprek wordt opgenomen.",
        ask: "Wij willen dit gesprek graag opnemen. Druk op 1 als u akkoord gaat, of op een andere \
              toets om zonder opname verder te gaan.",
        refused: "Zonder uw toestemming kan er geen bericht worden opgenomen. Tot ziens.",
        thanks: "Bedankt voor uw bericht. Tot ziens.",
    },
    Words {
        language: "pt",
        announce: "Esta chamada é gravada.",
        ask: "Gostaríamos de gravar esta chamada. Digite 1 se concorda, ou outra tecla para \
              continuar sem gravação.",
        refused: "Sem o seu consentimento não é possível gravar uma mensagem. Adeus.",
        thanks: "Obrigado pela sua mensagem. Adeus.",
    },
    Words {
        language: "sv",
        announce: "Det här samtalet spelas in.",
        ask: "Vi vill gärna spela in det här samtalet. Tryck 1 om du samtycker, eller en annan \
              knapp för att fortsätta utan inspelning.",
        refused: "Utan ditt samtycke kan inget meddelande spelas in. Hej då.",
        thanks: "Tack för ditt meddelande. Hej då.",
    },
    Words {
        language: "da",
        announce: "Denne samtale bliver optaget.",
        ask: "Vi vil gerne optage denne samtale. Tryk 1, hvis du er indforstået, eller en anden \
              tast for at fortsætte uden optagelse.",
        refused: "Uden dit samtykke kan der ikke indtales en besked. Farvel.",
        thanks: "Tak for din besked. Farvel.",
    },
    Words {
        language: "no",
        announce: "Denne samtalen blir tatt opp.",
        ask: "Vi vil gjerne ta opp denne samtalen. Trykk 1 hvis du samtykker, eller en annen tast \
              for å fortsette uten opptak.",
        refused: "Uten ditt samtykke kan ingen beskjed tas opp. Ha det bra.",
        thanks: "Takk for beskjeden. Ha det bra.",
    },
    Words {
        language: "pl",
        announce: "Ta rozmowa jest nagrywana.",
        ask: "Chcielibyśmy nagrać tę rozmowę. Naciśnij 1, jeśli wyrażasz zgodę, lub inny klawisz, \
              aby kontynuować bez nagrywania.",
        refused: "Bez zgody nie można nagrać wiadomości. Do widzenia.",
        thanks: "Dziękujemy za wiadomość. Do widzenia.",
    },
];

impl Words {
    /// The words of a language, and the language they are in: English where we have none. `language`
    /// is BCP-47.
    pub(super) fn of(language: &str) -> (&'static Self, &str) {
        let main = language.split('-').next().unwrap_or_default();
        let main = if main == "nb" { "no" } else { main };
        if main == ENGLISH.language {
            return (&ENGLISH, language);
        }
        match OTHERS.iter().find(|words| words.language == main) {
            Some(words) => (words, language),
            None => (&ENGLISH, super::OWN_LANGUAGE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_the_flows_language_or_in_english() {
        for (language, announce, spoken) in [
            ("en-US", "This call is recorded.", "en-US"),
            ("de-DE", "Dieses Gespräch wird aufgezeichnet.", "de-DE"),
            ("nb-NO", "Denne samtalen blir tatt opp.", "nb-NO"),
            ("no-NO", "Denne samtalen blir tatt opp.", "no-NO"),
            ("pt-BR", "Esta chamada é gravada.", "pt-BR"),
            ("ja-JP", "This call is recorded.", "en-GB"),
            ("", "This call is recorded.", "en-GB"),
        ] {
            let (words, said_in) = Words::of(language);
            assert_eq!((words.announce, said_in), (announce, spoken), "{language}");
        }
    }
}
