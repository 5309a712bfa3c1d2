"""How well a model chooses between its tools: `python benchmarks/tool_choice.py [--check | --recalled]`.

Prints each question, the wanted choice, the model's choice, and the counts. Model and tools are those
of the settings; no tool is called. `--check` runs the second list, which was written in advance and
never used for tuning. `--recalled` asks what `tool_choice_questions.py` holds, with the memories of
its history that are nearest by the embedding model, and prints the table of confusions.
"""

import argparse
import asyncio
import time
from collections import Counter
from typing import NoReturn

import numpy as np
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.tools import BaseTool
from tool_choice_questions import HELD, HISTORY, NEITHER, OLDER, WORLD

from personaagent.core.settings import Settings, load_settings
from personaagent.models.chat import Models
from personaagent.models.embeddings import make_embedder
from personaagent.models.tool_choice import ANSWER, RECALLED, RECALLED_MEMORIES, TOLD
from personaagent.nodes.agent.told_before import is_told
from personaagent.tools.recall_episodes import recall_tool
from personaagent.tools.wikipedia import Wikipedia, search_wikipedia_tool

WIKIPEDIA, RECALL = "search_wikipedia", "recall_episodes"

TUNED_ON = [
    ("Who wrote the novel Middlemarch?", WIKIPEDIA),
    ("In which year was the Eiffel Tower finished?", WIKIPEDIA),
    ("What is photosynthesis?", WIKIPEDIA),
    ("Tell me about the history of Iceland.", WIKIPEDIA),
    ("How high is Mount Kilimanjaro?", WIKIPEDIA),
    ("What did I ask you about last week?", RECALL),
    ("Which restaurant did I like so much in Lisbon?", RECALL),
    ("What title did I choose for my paper on sleep?", RECALL),
    ("Remind me what I told you about my sister.", RECALL),
    ("How did I rate the film we talked about?", RECALL),
    ("Hello! How are you today?", ANSWER),
    ("What is 17 times 6?", ANSWER),
    ("Rewrite this sentence politely: Send me the file now.", ANSWER),
    ("Thanks, that was very helpful!", ANSWER),
    ("Translate into French: Good morning, my friend.", ANSWER),
]

NEVER_TUNED_ON = [
    ("Who painted The Garden of Earthly Delights?", WIKIPEDIA),
    ("What is the capital of Burkina Faso?", WIKIPEDIA),
    ("When did the Berlin Wall fall?", WIKIPEDIA),
    ("Explain what a black hole is.", WIKIPEDIA),
    ("Which actors played in the film Casablanca?", WIKIPEDIA),
    ("What was the name of the wine I enjoyed at Christmas?", RECALL),
    ("Have I ever asked you for a bread recipe?", RECALL),
    ("What was my opinion of the last book I read?", RECALL),
    ("Where did I say that I want to go on holiday?", RECALL),
    ("Which category did I give the news about the elections?", RECALL),
    ("Good evening, nice to see you again.", ANSWER),
    ("If a shirt costs 40 euros and is 25% off, what do I pay?", ANSWER),
    ("Make this shorter: I am writing to you in order to ask whether you have time.", ANSWER),
    ("Write a two-line birthday greeting for a colleague.", ANSWER),
    ("Correct the spelling: I recieved you're letter yesturday.", ANSWER),
]


ON_MEMORIES = [
    *(("held", question, ANSWER) for question in HELD),
    *(("world", question, WIKIPEDIA) for question in WORLD),
    *(("older", question, RECALL) for question in OLDER),
    *(("neither", question, ANSWER) for question in NEITHER),
]
"""(kind, question, wanted action)"""


async def main() -> None:
    """Run one list and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="run the list never tuned on")
    options.add_argument("--recalled", action="store_true", help="run the questions on memories")
    chosen = options.parse_args()
    settings = load_settings()
    models = Models(settings)
    tools = [search_wikipedia_tool(Wikipedia(settings)), recall_tool(_no_memory, settings)]
    print(f"{models.describe('actor')}\n")
    if chosen.recalled:
        questions, recalled = ON_MEMORIES, await _nearest([q for _, q, _ in ON_MEMORIES], settings)
    else:
        plain = NEVER_TUNED_ON if chosen.check else TUNED_ON
        questions, recalled = [(wanted, text, wanted) for text, wanted in plain], [[]] * len(plain)
    confusions: Counter[tuple[str, str]] = Counter()
    for (kind, question, wanted), texts in zip(questions, recalled, strict=True):
        started = time.perf_counter()
        action, arguments = await choose(models, tools, question, texts)
        confusions[kind, action] += 1
        mark = " " if action == wanted else "x"
        seconds = time.perf_counter() - started
        print(f"{mark} {kind:16} {action:16} {seconds:4.1f} s  {question}  {arguments or ''}")
    for (kind, action), count in sorted(confusions.items()):
        print(f"{kind:16} {action:16} {count}")
    await models.aclose()


async def _nearest(questions: list[str], settings: Settings) -> list[list[str]]:
    """For each question the texts of the history, nearest first."""
    embedder = make_embedder(settings)
    vectors = np.array(await embedder.embed([said for said, _ in HISTORY]))
    asked = np.array(await embedder.embed(questions))
    texts = [" ".join(pair) for pair in HISTORY]
    return [[texts[i] for i in order] for order in np.argsort(-asked @ vectors.T, axis=1)]


async def choose(
    models: Models, tools: list[BaseTool], question: str, recalled: list[str]
) -> tuple[str, dict[str, object]]:
    """The tool (or ANSWER) that the actor chooses for ``question``, and its arguments."""
    actor = (await models.chat("actor")).bind_tools(tools)
    is_in_memory = is_told(
        question, [{"query": t, "ground_truth": t} for t in recalled[:RECALLED_MEMORIES]]
    )
    system = SystemMessage("", additional_kwargs={RECALLED: recalled, TOLD: is_in_memory})
    async for chunk in actor.astream([system, HumanMessage(question)]):
        assert isinstance(chunk, AIMessageChunk)
        call = next(iter(chunk.tool_calls), None)
        return (call["name"], call["args"]) if call else (ANSWER, {})
    raise AssertionError("the model said nothing")


async def _no_memory(runtime: object) -> NoReturn:
    raise AssertionError("a tool was called")


if __name__ == "__main__":
    asyncio.run(main())
