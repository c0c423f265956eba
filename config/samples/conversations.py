#!/usr/bin/env python3
"""Prints the sample conversations of one tenant: payloads of `conversation.log`, one a line.

Conversations are put together from the tenant's dialogues (dialogues/<tenant>.json): an opening, some topics, a closing.
Everything but the times follows from the tenant and the conversation's number alone, so that a second run prints the same ids, and a
longer one begins with the shorter one's conversations. Times lie in the current month up to now, never ahead.
"""

import argparse
import json
import pathlib
import random
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

DIALOGUES = pathlib.Path(__file__).resolve().parent / "dialogues"
LENGTHS = range(12, 21, 2)  # the most messages of a conversation; topics that would make it longer are left out
MODELS = ["demo-1", "demo-1", "demo-1", "demo-1-mini"]
# How often people write at each hour of the day, from midnight.
HOURLY_WEIGHTS = [1, 0, 0, 0, 0, 1, 2, 5, 9, 12, 13, 12, 11, 10, 10, 11, 12, 12, 11, 10, 9, 7, 4, 2]


def talk(dialogues, chance):
    """One conversation's language and its turns: user, assistant, user, …"""
    voices = dialogues["voices"]
    voice = chance.choices(voices, [len(voice["topics"]) for voice in voices])[0]
    length = chance.choice(LENGTHS)
    opening, closing = chance.choice(voice["openings"]), chance.choice(voice["closings"])
    turns = list(opening)
    for topic in chance.sample(voice["topics"], len(voice["topics"])):
        if len(turns) + len(topic) + len(closing) > length:
            continue
        # One word for each slot in a topic, so that the answer speaks of what was asked.
        words = {name: chance.choice(choices) for name, choices in dialogues["slots"].items()}
        turns += [turn.format(**words) for turn in topic]
    return voice["language"], turns + list(closing)


def moments(turns, share, start, now, chance):
    """When each turn was said. `share`, 0 to 1, is how far the conversation lies between the period's start and now."""
    pauses = [chance.uniform(8, 60) if index % 2 == 0 else chance.uniform(1, 4) for index in range(len(turns))]
    span = (now - start).total_seconds()
    length = min(sum(pauses), span / 2)  # in the first minutes of a month everybody talks fast
    pace = length / sum(pauses)
    begin = start + timedelta(seconds=share * (span - length))
    hour = chance.choices(range(24), HOURLY_WEIGHTS)[0]
    by_day = begin.replace(hour=hour, minute=chance.randrange(60), second=chance.randrange(60))
    if start <= by_day <= now - timedelta(seconds=length):
        begin = by_day
    times = []
    for pause in pauses:
        begin += timedelta(seconds=pause * pace)
        times.append(min(begin, now))
    return times


def message(tenant, number, turn, text, said, user, chance, history_characters):
    """One message of the payload. Of tokens it takes four characters each, as a bill would come out roughly."""
    is_user = turn % 2 == 0
    result = {
        "id": f"{tenant}-m{number:06d}",
        "role": "user" if is_user else "assistant",
        "content": text,
        "sent_at": said.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if is_user:
        result["user_id"] = user
    else:
        # What the model read: its instructions, passages of the corpus, and the conversation so far.
        result["tokens_in"] = 180 + chance.randrange(120, 420) + history_characters // 4
        result["tokens_out"] = max(1, len(text) // 4)
        result["model"] = chance.choice(MODELS)
    return result


def conversations(tenant, dialogues, count, start, now):
    """Payloads that together hold `count` messages."""
    number, talks = 0, []
    while number < count:
        chance = random.Random(f"{tenant}/{len(talks)}")
        language, turns = talk(dialogues, chance)
        turns = turns[: count - number]
        talks.append((chance, language, turns, number))
        number += len(turns)
    for index, (chance, language, turns, first) in enumerate(talks):
        user = f"visitor-{chance.randrange(dialogues['users']):04d}"
        times = moments(turns, (index + 1) / (len(talks) + 1), start, now, chance)
        messages = []
        for turn, (text, said) in enumerate(zip(turns, times)):
            history = sum(len(earlier) for earlier in turns[:turn])
            messages.append(message(tenant, first + turn, turn, text, said, user, chance, history))
        yield {
            "conversation_id": f"{tenant}-c{index:05d}",
            "channel": dialogues["channel"],
            "metadata": {"language": language},
            "messages": messages,
        }


def moment(text):
    said = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if said.tzinfo is None:
        raise argparse.ArgumentTypeError("needs a zone, such as Z")
    return said


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--tenant", required=True, choices=sorted(path.stem for path in DIALOGUES.glob("*.json")), help="whose dialogues")
    options.add_argument("--messages", type=int, required=True, help="how many messages, in conversations of 10 to 20")
    options.add_argument("--as", dest="prefix", metavar="TENANT", help="the tenant to make ids for, if it is another one")
    options.add_argument("--timezone", type=ZoneInfo, default=timezone.utc, help="where the month begins at midnight (default: UTC)")
    options.add_argument("--now", type=moment, default=datetime.now(timezone.utc), help="the end of it all, RFC 3339 (default: now)")
    arguments = options.parse_args()

    dialogues = json.loads((DIALOGUES / f"{arguments.tenant}.json").read_text(encoding="utf-8"))
    now = arguments.now.astimezone(arguments.timezone)
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for payload in conversations(arguments.prefix or arguments.tenant, dialogues, arguments.messages, start, now):
        json.dump(payload, sys.stdout, ensure_ascii=False, separators=(",", ":"))
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
