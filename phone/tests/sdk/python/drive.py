"""Vonage's own SDK drives the double, unchanged: only its host is set, as its options let one do.

    drive.py HOST KEY_FILE APPLICATION SIGNATURE_SECRET NUMBER AGENT

`GET /told` is the test's own: the webhooks since the last time, with their tokens.
"""

import os
import sys
import tempfile
import time

import requests
from vonage_http_client import Auth, HttpClient, HttpClientOptions
from vonage_http_client.errors import (
    FileStreamingError,
    HttpRequestError,
    NotFoundError,
    RateLimitedError,
)
from vonage_voice import Voice
from vonage_voice.models import (
    AudioStreamOptions,
    Conversation,
    CreateCallRequest,
    ListCallsFilter,
    Phone,
    Record,
    Talk,
    ToPhone,
    TtsStreamOptions,
)

host, key_file, application, secret, number, agent = sys.argv[1:]
with open(key_file) as file:
    auth = Auth(application_id=application, private_key=file.read())
voice = Voice(HttpClient(auth, HttpClientOptions(api_host=host)))


def ask(what, *arguments):
    """Fifteen requests a second are taken; who asks for more waits, as anybody has to."""
    while True:
        try:
            return what(*arguments)
        except RateLimitedError:
            pass
        except FileStreamingError as error:
            if not isinstance(error.__cause__, RateLimitedError):
                raise
        time.sleep(1)


def refused(error, what, *arguments):
    try:
        ask(what, *arguments)
    except error:
        return
    raise AssertionError(f'{what.__name__} was to be refused with {error.__name__}')


def told():
    events = requests.get(f'https://{host}/told').json()
    for event in events:
        token = event['authorization'].removeprefix('Bearer ')
        assert voice.verify_signature(token, secret), event
        assert not voice.verify_signature(token, secret + '?'), event
    # What was asked by GET has none.
    return [event['body'] for event in events if event['body']]


made = ask(
    voice.create_call,
    CreateCallRequest(
        to=[ToPhone(number=agent, dtmf_answer='p1#')],
        from_=Phone(number=number),
        ncco=[
            Record(format='wav', eventUrl=['https://server.test/recording']),
            Talk(text='Good morning.', language='en-GB', loop=1, level=0.5),
            Conversation(name='room'),
        ],
        event_url=['https://server.test/event'],
        event_method='POST',
        length_timer=3600,
        ringing_timer=30,
    ),
)
assert (made.status, made.direction) == ('started', 'outbound'), made
call = made.uuid

calls, more = ask(voice.list_calls, ListCallsFilter(page_size=10, order='desc'))
assert [one.uuid for one in calls] == [call] and more is None, calls
shown = ask(voice.get_call, call)
assert (shown.status, shown.to.number, shown.from_.number) == ('answered', agent, number), shown
assert shown.conversation_uuid.startswith('CON-'), shown
assert shown.link.endswith(call), shown

for change in (voice.mute, voice.unmute, voice.earmuff, voice.unearmuff):
    ask(change, call)

options = AudioStreamOptions(stream_url=['https://server.test/a.mp3'], loop=0, level=-0.5)
assert ask(voice.play_audio_into_call, call, options).message == 'Stream started'
assert ask(voice.stop_audio_stream, call).message == 'Stream stopped'
options = TtsStreamOptions(text='One minute left.', language='en-GB', style=1, loop=2, level=0.3)
assert ask(voice.play_tts_into_call, call, options).message == 'Talk started'
assert ask(voice.stop_tts, call).uuid == call
assert ask(voice.play_dtmf_into_call, call, '12p#').message == 'DTMF sent'

ask(voice.transfer_call_ncco, call, [Talk(text='You are moved.'), Conversation(name='other')])
moved = ask(voice.get_call, call)
assert moved.conversation_uuid != shown.conversation_uuid, moved
ask(voice.transfer_call_answer_url, call, 'https://server.test/answer')
ask(voice.hangup, call)
refused(NotFoundError, voice.hangup, call)
refused(NotFoundError, voice.get_call, 'no-such-call')
refused(HttpRequestError, voice.transfer_call_ncco, call, [])

over = ask(voice.get_call, call)
assert over.status == 'completed' and float(over.price) > 0 and int(over.duration) > 0, over

events = told()
statuses = [event['status'] for event in events if event.get('uuid') == call and 'status' in event]
assert statuses == ['started', 'ringing', 'answered', 'completed'], statuses
recordings = [event for event in events if 'recording_url' in event]
assert len(recordings) == 1, recordings
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, 'recording.wav')
    # The SDK looks for Vonage's name in the address; what follows the # is sent to nobody.
    ask(voice.download_recording, recordings[0]['recording_url'] + '#vonage.com', path)
    with open(path, 'rb') as file:
        audio = file.read()
assert audio.startswith(b'RIFF') and len(audio) == recordings[0]['size'], len(audio)
