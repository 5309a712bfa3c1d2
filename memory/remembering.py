"""Whether what the user says is remembered: they can pause that."""

from dataclasses import dataclass

from personaagent.memory.user_store import UserStore

KEY = "remembering"


@dataclass(frozen=True)
class Remembering:
    """The user's own switch, for turns wherever they are asked; what is remembered stays recalled.

    Forgetting everything resets it.
    """

    store: UserStore

    async def is_paused(self) -> bool:
        """Whether turns are not remembered now."""
        [value] = await self.store.get("preferences", KEY)
        return bool(value and value["paused"])

    async def pause(self, *, paused: bool) -> None:
        """Stop remembering turns, or go on with it."""
        await self.store.put("preferences", KEY, {"paused": paused})
