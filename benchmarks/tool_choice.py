"""How well a model chooses between its tools: `python benchmarks/tool_choice.py [--check]`.

Prints each question, the wanted choice, the model's choice, and the counts. Model and tools are those
of the settings; no tool is called. `--check` runs the second list, which was written in advance and
never used for tuning.
"""

import argparse
import asyncio
import time
from typing import NoReturn

from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.tools import BaseTool

from personaagent.core.settings import load_settings
from personaagent.models.chat import Models
from personaagent.models.tool_choice import ANSWER
from personaagent.prompts.render import render
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


async def main() -> None:
    """Run one list and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="run the list never tuned on")
    questions = NEVER_TUNED_ON if options.parse_args().check else TUNED_ON
    settings = load_settings()
    models = Models(settings)
    tools = [search_wikipedia_tool(Wikipedia(settings)), recall_tool(_no_memory, settings)]
    print(f"{models.describe('actor')}\n")
    correct: dict[str, int] = dict.fromkeys((WIKIPEDIA, RECALL, ANSWER), 0)
    for question, wanted in questions:
        started = time.perf_counter()
        chosen, arguments = await choose(models, tools, question)
        correct[wanted] += chosen == wanted
        mark = " " if chosen == wanted else "x"
        seconds = time.perf_counter() - started
        print(f"{mark} {wanted:16} {chosen:16} {seconds:4.1f} s  {question}  {arguments or ''}")
    print(f"\ntools {correct[WIKIPEDIA] + correct[RECALL]}/10, answer {correct[ANSWER]}/5")
    await models.aclose()


async def choose(
    models: Models, tools: list[BaseTool], question: str
) -> tuple[str, dict[str, object]]:
    """The tool (or ANSWER) that the actor chooses for ``question``, and its arguments."""
    actor = (await models.chat("actor")).bind_tools(tools)
    persona = render("persona_initial")
    system = render("system", persona=persona, profile="", memories="")
    async for chunk in actor.astream([SystemMessage(system), HumanMessage(question)]):
        assert isinstance(chunk, AIMessageChunk)
        call = next(iter(chunk.tool_calls), None)
        return (call["name"], call["args"]) if call else (ANSWER, {})
    raise AssertionError("the model said nothing")


def _no_memory(runtime: object) -> NoReturn:
    raise AssertionError("a tool was called")


if __name__ == "__main__":
    asyncio.run(main())
