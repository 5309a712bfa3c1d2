"""The shortest useful program: tell the agent something, ask about it, correct an answer.

    python examples/quickstart.py

It asks the model that the environment names (``OPENAI_API_KEY``, ``OPENAI_BASE_URL``,
``PERSONAAGENT_MODEL``), else the embedded one.
"""

import asyncio

from personaagent import PersonaAgent

USER = "example-ana"


async def main() -> None:
    """Remember a fact in one turn, and use it in the next."""
    async with PersonaAgent() as agent:
        await agent.ask("My dog is called Rex and hates rain.", user=USER)
        answer = await agent.ask("What is my dog called?", user=USER)
        print(answer.reply, answer.recalled)
        if answer.episode_id:
            await agent.feedback(answer.episode_id, user=USER, edit="Rex")
        for episode in await agent.memory(USER).list(limit=2):
            print(f"{episode.query} -> {episode.ground_truth or episode.response}")
        await agent.memory(USER).forget_all()


if __name__ == "__main__":
    asyncio.run(main())
