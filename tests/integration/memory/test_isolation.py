"""Isolation: nothing that one user's run sends, says, exports or stores holds the other's secret.

The model repeats all it is told, as answer and as profile, and looks into memory whenever it can:
what reaches it for one user and is the other's would be seen in a request, a result or the store.
"""

import asyncio
import json
import tempfile
import unicodedata
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from personaagent.core.errors import PersonaAgentError
from personaagent.core.records import Episode, Rule
from personaagent.core.settings import load_settings
from personaagent.core.users import user_key
from personaagent.local.agent import LocalAgent, open_local
from personaagent.memory.exchange.exporter import export_blocks
from tests.support.endpoint import Endpoint, Reply, ToolCall, scripted_endpoint

SECRETS = ("quokka4711", "narwhal8822")
TOPICS = ("my secret word", "what do I like", "bread", "users", "quokka narwhal secret")


def repeat_everything(body: dict[str, Any]) -> Reply:
    messages = body["messages"]
    told = " ".join(str(message.get("content")) for message in messages)
    if "response_format" in body:
        said = told[-200:]
        point = {"given": "", "wanted": "", "point": said, "episodes": ["E1"]}
        edit = {"action": "add", "rule": "", "text": said, "evidence": ["E1"]}
        change = {"statement": "new", "text": said, "evidence": ["E1"]}
        forms = {
            "Changes": {"changes": [change]},
            "Critique": {"points": [point]},
            "Proposals": {"proposals": [edit]},
            "Verdict": {"score": 2, "why": said[-100:]},
        }
        return json.dumps(forms[body["response_format"]["json_schema"]["name"]])
    if body.get("tools") and messages[-1]["role"] == "user":
        return [ToolCall("recall_episodes", {"query": "my secret word", "k": 20})]
    return told[-3000:]


Operation = Callable[[LocalAgent, str, str, str], Awaitable[object]]


async def ask(agent: LocalAgent, user: str, secret: str, topic: str) -> object:
    return await agent.ask(f"{topic} {secret}", user, thread_id="the same name", task=topic)


async def ask_incognito(agent: LocalAgent, user: str, secret: str, topic: str) -> object:
    return await agent.ask(topic, user, thread_id="the same name", incognito=True, top_k=20)


async def add(agent: LocalAgent, user: str, secret: str, topic: str) -> object:
    known = Episode(
        id="the-same-id", user_id=user, query=f"{topic} {secret}", response=secret, task=topic
    )
    return await agent.memory(user).episodes.add([known])


async def feedback(agent: LocalAgent, user: str, secret: str, topic: str) -> object:
    return await agent.memory(user).episodes.give_feedback("the-same-id", "edit", f"not {secret}")


async def recall(agent: LocalAgent, user: str, secret: str, topic: str) -> object:
    return await agent.memory(user).recall(topic, 20)


async def forget(agent: LocalAgent, user: str, secret: str, topic: str) -> object:
    return await agent.forget(user, ["the-same-id"])


async def forget_all(agent: LocalAgent, user: str, secret: str, topic: str) -> object:
    return await agent.forget_all(user)


async def reindex(agent: LocalAgent, user: str, secret: str, topic: str) -> object:
    return await agent.memory(user).indexer.rebuild()


async def refresh(agent: LocalAgent, user: str, secret: str, topic: str) -> object:
    await agent.refresh_profile(user)
    return await agent.memory(user).profile.read()


async def align(agent: LocalAgent, user: str, secret: str, topic: str) -> object:
    labelled = [
        Episode(
            id=f"label{number}",
            user_id=user,
            query=f"{topic} {number} {secret}",
            response="",
            ground_truth=f"{secret} {number}",
        )
        for number in range(4)
    ]
    await agent.memory(user).episodes.add(labelled)
    result = await agent.align(user, rounds=1, batch=2, holdout=2)
    return result, await agent.memory(user).personas.history()


async def edit_persona(agent: LocalAgent, user: str, secret: str, topic: str) -> object:
    personas = agent.memory(user).personas
    current = await personas.current()
    rule = Rule(id=await personas.next_rule_id(), text=f"{topic}: {secret}")
    return await personas.publish(
        [*current.rules, rule], author="user", note=secret, parent=current.version
    )


async def export(agent: LocalAgent, user: str, secret: str, topic: str) -> object:
    memory = agent.memory(user)
    exported = b"".join([block async for block, _ in export_blocks(memory)])
    return exported.decode(), await memory.personas.history()


OPERATIONS: list[Operation] = [
    ask, ask, add, ask_incognito, feedback, recall, forget, forget_all, reindex, refresh,
    edit_persona, export, align,
]  # fmt: skip

odd_ids = st.text(
    st.sampled_from("aAbé中./\\:%_*?-' \u0301\u200b🍞"), min_size=1, max_size=12
).filter(str.strip)
near_ids = st.builds(
    lambda one, change: (one, change(one)),
    odd_ids,
    st.sampled_from(
        [
            lambda i: i + ".",
            lambda i: i + "/x",
            lambda i: i[:-1] or "q",
            lambda i: i.swapcase(),
            lambda i: unicodedata.normalize("NFD", i),
            lambda i: f" {i}",
            lambda i: user_key(i),
            lambda i: f"{user_key(i)}.episodes",
        ]
    ),
)
pairs = (st.tuples(odd_ids, odd_ids) | near_ids).filter(
    lambda pair: pair[0] != pair[1] and pair[1].strip()
)
steps = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(OPERATIONS), st.sampled_from(TOPICS)),
    min_size=5,
    max_size=10,
)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # an example takes a second: to shrink it would take minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(users=pairs, steps=steps)
def test_no_secret_crosses(users: tuple[str, str], steps: list[tuple[int, Operation, str]]) -> None:
    with scripted_endpoint(repeat_everything) as endpoint, tempfile.TemporaryDirectory() as home:
        asyncio.run(run(endpoint, Path(home), users, steps))


async def run(
    endpoint: Endpoint,
    home: Path,
    users: tuple[str, str],
    steps: list[tuple[int, Operation, str]],
) -> None:
    async with open_local(on(endpoint, home)) as agent:
        for who in (0, 1):
            await add(agent, users[who], SECRETS[who], "my secret word")
        for who, operation, topic in steps:
            before = len(endpoint.requests)
            try:
                result = await operation(agent, users[who], SECRETS[who], topic)
            except PersonaAgentError as error:
                result = str(error)
            sent = [(each.body, each.headers) for each in endpoint.requests[before:]]
            for seen in (str(sent), repr(result)):
                assert SECRETS[1 - who] not in seen, (operation.__name__, users)
        await stores_nothing_of_the_other(agent, users)


async def stores_nothing_of_the_other(agent: LocalAgent, users: tuple[str, str]) -> None:
    items = await agent.store.asearch((), limit=10_000)
    threads = await agent._files.saver.conn.execute_fetchall(
        "SELECT thread_id, checkpoint FROM checkpoints"
    )
    for who in (0, 1):
        key, other = user_key(users[who]), SECRETS[1 - who]
        own = [str(item.value) for item in items if key in item.namespace]
        own += [str(bytes(value)) for thread, value in threads if thread.startswith(key)]
        assert not any(other in text for text in own)
    keys = {user_key(user) for user in users}
    for item in items:
        of = item.key if item.namespace[0] == "spending" else item.namespace[1]
        assert of in keys, "and nothing stands elsewhere"


def on(endpoint: Endpoint, home: Path) -> Any:
    return load_settings(
        home=home,
        openai_base_url=endpoint.base_url,
        openai_api_key="a-key",
        model="scripted",
        embeddings="openai:words",
        summary_every=0,
        model_retries=0,
        prompt_tokens=4000,
    )


async def test_the_own_secret_is_seen(tmp_path: Path) -> None:
    """What the property rests on: the model does get, and repeat, what is the user's own."""
    with scripted_endpoint(repeat_everything) as endpoint:
        async with open_local(on(endpoint, tmp_path)) as agent:
            for who in (0, 1):
                await add(agent, f"user{who}", SECRETS[who], "my secret word")
                answer = await agent.ask("my secret word", f"user{who}")
                assert SECRETS[who] in answer.reply
                chats = [each.body for each in endpoint.requests if "messages" in each.body]
                assert SECRETS[who] in str(chats[-1]["messages"][0])
                assert SECRETS[who] in str(chats[-1]["messages"][-1]), "the tool's"
                assert SECRETS[who] in str(await refresh(agent, f"user{who}", "", ""))
