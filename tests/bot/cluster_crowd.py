"""A hundred people who write to a cluster of bots, and the books that are kept of it."""

import asyncio
import random
from collections import Counter

import httpx
from telegram import Message

from tests import tiny
from tests.bot.cluster import PATIENCE, Cluster
from tests.bot.local_client import Person
from tests.bot.talking import buttons_of, rating_data

PEOPLE = range(5001, 5101)
EACH = 6  # reviews
MOST_WAITING = 90  # of the updates: more would make a test no harder
TAPPING, EDITING, FORGETTING, SPLITTING = PEOPLE[:8], PEOPLE[8:16], PEOPLE[16:24], PEOPLE[24:32]
"""What some do besides."""

Key = tuple[int, int]  # chat and message


class Crowd:
    """A hundred people who write reviews; some rate, edit or erase them meanwhile."""

    def __init__(self, http: httpx.AsyncClient, bots: Cluster) -> None:
        self.people = {user: Person(http, user) for user in PEOPLE}
        self.sent: dict[Key, str] = {}  # what is to be stored and answered
        self.forgotten: set[Key] = set()
        self.edited: dict[Key, str] = {}
        self.rated: dict[Key, int] = {}
        self.updates = 0  # how many the bots have been sent
        self._bots = bots
        rows = tiny.make_rows(3 * EACH * len(PEOPLE), seed=random.randrange(10**6))
        self._texts = iter(str(row["content"]) for row in rows)

    async def write(self, user: int) -> Key:
        """One review."""
        text = next(self._texts)
        (message,) = await self.people[user].send(text)
        self.updates += 1
        key = message.chat_id, message.message_id
        self.sent[key] = text
        return key

    async def write_all(self) -> None:
        """EACH reviews of everybody, as fast as they are answered."""
        users = [user for user in PEOPLE for _ in range(EACH) if user not in FORGETTING]
        random.shuffle(users)
        done = 0
        for user in users:
            if self.updates - done > MOST_WAITING:
                done = await self.wait_until_done(self.updates - MOST_WAITING)
            await self.write(user)

    async def wait_until_done(self, count: int) -> int:
        """Until the bots have handled so many updates; how many they have."""
        async with asyncio.timeout(PATIENCE):
            while (done := await self.done()) < count:
                self._bots.check()
                await asyncio.sleep(0.1)
        return done

    async def done(self) -> int:
        sql = "SELECT count(*) FROM updates WHERE done_at IS NOT NULL"
        return int((await self._bots.query(sql))[0])

    async def answer(self, key: Key) -> Message:
        """The bot's reply to a review."""
        person = self.people[key[0]]
        async with asyncio.timeout(PATIENCE):
            while True:
                for message in await person.from_bot():
                    replied = message.reply_to_message
                    if replied is not None and replied.message_id == key[1]:
                        return message
                await asyncio.sleep(0.3)

    async def rate(self, user: int) -> None:
        """Two taps in a row: the last one counts."""
        key = await self.write(user)
        answer = await self.answer(key)
        for rating in (3, 9):
            await self.people[user].tap(answer.message_id, rating_data(answer, rating))
            self.updates += 1
            self.rated[key] = rating

    async def edit(self, user: int) -> None:
        """One that is not answered yet, perhaps."""
        key = await self.write(user)
        await asyncio.sleep(random.uniform(0, 1))
        self.edited[key] = next(self._texts)
        await self.people[user].edit(key[1], self.edited[key])
        self.updates += 1

    async def forget(self, user: int) -> None:
        """Everything, while reviews wait to be answered; then write again."""
        person = self.people[user]
        await self.answer(await self.write(user))
        self.forgotten |= {key for key in self.sent if key[0] == user}
        self.forgotten |= {await self.write(user) for _ in range(EACH // 2)}
        await person.send("/forget")
        self.updates += 1
        question = await self._asked(person)
        await person.tap(question.message_id, "forget:yes")
        self.updates += 1
        async with asyncio.timeout(PATIENCE):
            while await self._bots.query("SELECT 1 FROM users WHERE id = $1", user):
                await asyncio.sleep(0.1)
        for _ in range(EACH // 2):
            await self.write(user)

    async def _asked(self, person: Person) -> Message:
        async with asyncio.timeout(PATIENCE):
            while True:
                for message in await person.from_bot():
                    if message.reply_markup is not None and any(
                        data == "forget:yes" for row in buttons_of(message) for _, data in row
                    ):
                        return message
                await asyncio.sleep(0.3)

    async def split(self, user: int) -> None:
        """A long one, which the client splits."""
        rows = tiny.make_rows(70, seed=user)
        text = " ".join(str(row["content"]) for row in rows)[:9000]
        parts = await self.people[user].send(text)
        assert len(parts) == 3
        self.updates += len(parts)
        self.sent[parts[0].chat_id, parts[0].message_id] = text

    async def check(self) -> int:
        """What is stored and what was answered; how many answers were repeated."""
        sql = """SELECT (chat_id, message_id, text, reply_message_id IS NOT NULL) FROM reviews"""
        rows = await self._bots.query(sql)
        stored = Counter((chat, message, "".join(text.split())) for chat, message, text, _ in rows)
        expected = Counter(
            (*key, "".join(text.split()))
            for texts in (self.sent, self.edited)
            for key, text in texts.items()
            if key not in self.forgotten
        )
        assert stored == expected
        assert all(answered for *_, answered in rows)
        answers = Counter[Key]()
        for person in self.people.values():
            for message in await person.from_bot():
                if message.reply_to_message is not None:
                    answers[message.chat_id, message.reply_to_message.message_id] += 1
        repeated = 0
        for key in self.sent:
            wanted = 2 if key in self.edited else 1
            assert answers[key] >= (0 if key in self.forgotten else wanted), key
            repeated += max(0, answers[key] - wanted)
        ratings = """SELECT (chat_id, message_id, rating) FROM feedback
            JOIN reviews ON reviews.id = review_id"""
        found = {
            (chat, message): rating for chat, message, rating in await self._bots.query(ratings)
        }
        assert found == self.rated
        return repeated
