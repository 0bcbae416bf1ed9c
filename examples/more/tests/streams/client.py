"""Plays Twilio: calls over WebSockets, as the library `websockets` makes them, among them slow, broken and hostile ones.

    client.py media URL SIGNATURE     calls of Media Streams to an app that echoes
    client.py relay URL SIGNATURE     calls of ConversationRelay to an app that repeats what is said
    client.py load URL SIGNATURE PID  many streams at once, and the memory of the app's process meanwhile
"""

import asyncio
import base64
import json
import os
import sys
import time

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

SID = "MZ00000000000000000000000000000001"
CALL = "CA00000000000000000000000000000001"
# The streams at once, for how long in seconds, and the seconds between two pieces of audio: Twilio sends one each 0.02.
STREAMS = int(os.environ.get("STREAMS", 50))
SECONDS = float(os.environ.get("STREAMS_SECONDS", 20))
PACE = float(os.environ.get("STREAMS_PACE", 0.01))
# How much the memory may grow after the first part of the time, in KiB: the allocator does not give all back.
GROWTH = 2048


def opened(url, signature, **options):
    headers = {"X-Twilio-Signature": signature}
    return connect(url, additional_headers=headers, proxy=None, **options)


def start():
    return {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": SID,
        "start": {
            "accountSid": "AC00000000000000000000000000000001",
            "streamSid": SID,
            "callSid": CALL,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"room": "7"},
        },
    }


def media(number, audio):
    return {
        "event": "media",
        "sequenceNumber": str(number + 2),
        "streamSid": SID,
        "media": {
            "track": "inbound",
            "chunk": str(number + 1),
            "timestamp": str(number * 20),
            "payload": base64.b64encode(audio).decode(),
        },
    }


async def send(socket, message):
    await socket.send(json.dumps(message))


async def receive(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), 10))


async def begin(socket):
    await send(socket, {"event": "connected", "protocol": "Call", "version": "1.0.0"})
    await send(socket, start())


async def echoed(socket, number, size=160):
    """Sends a piece of audio and expects it back."""
    audio = bytes((number + i) % 256 for i in range(size))
    await send(socket, media(number, audio))
    answer = await receive(socket)
    assert answer["event"] == "media" and answer["streamSid"] == SID, answer
    assert base64.b64decode(answer["media"]["payload"]) == audio, answer


async def closes(socket, code):
    """Expects a close from the app."""
    try:
        while True:
            await asyncio.wait_for(socket.recv(), 20)
    except ConnectionClosed as closed:
        assert closed.rcvd and closed.rcvd.code == code, closed


async def whole_call(url, signature):
    async with opened(url, signature) as socket:
        await begin(socket)
        for number in range(200):
            await echoed(socket, number)
        await send(socket, {"event": "dtmf", "streamSid": SID, "dtmf": {"track": "inbound_track", "digit": "1"}})
        await send(socket, {"event": "mark", "streamSid": SID, "mark": {"name": "m"}})
        await send(socket, {"event": "stop", "streamSid": SID, "stop": {"callSid": CALL}})
        assert await asyncio.wait_for(await socket.ping(), 10) >= 0
    assert socket.close_code == 1000, socket.close_code


async def forged(url, signature):
    wrong = ("A" if signature[0] != "A" else "B") + signature[1:]
    try:
        async with opened(url, wrong):
            raise AssertionError("a forgery was let in")
    except InvalidStatus as refused:
        assert refused.response.status_code == 403, refused


async def garbage(url, signature):
    async with opened(url, signature) as socket:
        await begin(socket)
        for rubbish in ("", "rubbish", "[" * 10_000, '{"event": "media"}', b"\0\xff", '{"event": "new"}'):
            await socket.send(rubbish)
        await echoed(socket, 1)


async def slow_sender(url, signature):
    async def pieces():
        text = json.dumps(media(1, b"slow" * 40))
        for at in range(0, len(text), 7):
            yield text[at : at + 7]
            await asyncio.sleep(0.002)

    async with opened(url, signature) as socket:
        await begin(socket)
        await socket.send(pieces())
        answer = await receive(socket)
        assert base64.b64decode(answer["media"]["payload"]) == b"slow" * 40


async def slow_reader(url, signature):
    """Sends much more than it reads at first. Nothing is lost."""
    count = 3000
    async with opened(url, signature, max_queue=1) as socket:
        await begin(socket)

        async def speak():
            for number in range(count):
                await send(socket, media(number, number.to_bytes(2, "big") * 400))

        speaking = asyncio.create_task(speak())
        await asyncio.sleep(1)
        for number in range(count):
            answer = await receive(socket)
            assert base64.b64decode(answer["media"]["payload"]) == number.to_bytes(2, "big") * 400, number
        await speaking


async def too_large(url, signature):
    for message in ("x" * 70_000, ["x" * 10_000] * 7):
        async with opened(url, signature) as socket:
            await begin(socket)
            await socket.send(message)
            await closes(socket, 1009)


async def breaks_off(url, signature):
    for _ in range(20):
        socket = await opened(url, signature)
        await begin(socket)
        socket.transport.abort()
    await whole_call(url, signature)


async def relay_call(url, signature):
    async with opened(url, signature) as socket:
        await send(
            socket,
            {
                "type": "setup",
                "sessionId": "VX00000000000000000000000000000000",
                "callSid": CALL,
                "from": "+18005550100",
                "to": "+18005550101",
                "direction": "inbound",
                "customParameters": {"caller": "+18005550100"},
            },
        )
        await send(socket, {"type": "prompt", "voicePrompt": "Hello out", "lang": "en-US", "last": False})
        await send(socket, {"type": "prompt", "voicePrompt": "Hello out there", "lang": "en-US", "last": True})
        said = []
        while not said or not said[-1]["last"]:
            said.append(await receive(socket))
            assert said[-1]["type"] == "text", said
        assert "".join(text["token"] for text in said) == "You said: Hello out there", said
        await send(
            socket,
            {"type": "interrupt", "utteranceUntilInterrupt": "You said", "durationUntilInterruptMs": 460},
        )
        await send(socket, {"type": "info", "name": "agentSpeaking", "value": "off"})
        await send(socket, {"type": "error", "description": "Invalid message received"})
        await socket.send("rubbish")
        await send(socket, {"type": "dtmf", "digit": "5"})
        await send(socket, {"type": "dtmf", "digit": "0"})
        last = await receive(socket)
        assert last["type"] == "text" and last["last"] and last["interruptible"] is False, last
        end = await receive(socket)
        assert end["type"] == "end", end
        assert json.loads(end["handoffData"]) == {"reason": "agent", "turns": 1}, end
        await closes(socket, 1000)
    print(end["handoffData"])


async def too_large_text(url, signature):
    async with opened(url, signature) as socket:
        await socket.send(json.dumps({"type": "prompt", "voicePrompt": "x" * 70_000}))
        await closes(socket, 1009)


def resident(pid):
    """The memory of a process in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


async def load(url, signature, pid):
    """Holds many streams for a while. Each sends and gets back a piece of audio at a time."""
    ends = time.monotonic() + SECONDS
    pieces = 0

    async def stream():
        nonlocal pieces
        async with opened(url, signature) as socket:
            await begin(socket)
            at = time.monotonic()
            while time.monotonic() < ends:
                await echoed(socket, pieces)
                pieces += 1
                at += PACE
                await asyncio.sleep(max(0, at - time.monotonic()))

    streams = [asyncio.create_task(stream()) for _ in range(STREAMS)]
    await asyncio.sleep(SECONDS / 4)
    memory = [resident(pid)]
    while time.monotonic() < ends - 0.5:
        await asyncio.sleep(min(SECONDS / 20, 10))
        memory.append(resident(pid))
    await asyncio.gather(*streams)
    grown = max(memory) - memory[0]
    print(f"{STREAMS} streams, {SECONDS} s, {pieces} pieces: {memory[0]} KiB, at most {max(memory)} KiB, {memory[-1]} KiB at the end")
    assert pieces > STREAMS * SECONDS, pieces
    assert grown < GROWTH, f"{grown} KiB more"


async def main(what, url, signature, *rest):
    if what == "load":
        await load(url, signature, *rest)
        return
    calls = {
        "media": [whole_call, forged, garbage, slow_sender, slow_reader, too_large, breaks_off],
        "relay": [relay_call, forged, too_large_text, relay_call],
    }
    for call in calls[what]:
        await call(url, signature)
        print(call.__name__, file=sys.stderr)


asyncio.run(main(*sys.argv[1:]))
