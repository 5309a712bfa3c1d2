"""Forgetting a statement of the profile, and every conversation that has its text."""

from personaagent.memory.conversations import statement_key
from personaagent.memory.forget import DeleteThreads, Receipt
from personaagent.memory.user import UserMemory


async def forget_statement(
    memory: UserMemory, statement_id: str, delete_threads: DeleteThreads
) -> Receipt:
    """Forget a statement for good; the episodes that it rests on stay.

    The statement is deleted last, so that you can repeat what was interrupted.

    Raises:
        Unknown: there is no such statement; nothing was forgotten.
    """
    statement = await memory.profile.statements.get(statement_id)
    memory.turns.drop_all_of(memory.store.key)
    labels = await memory.profile.nameable_labels()
    threads = await memory.conversations.threads_with([statement_key(statement.id)], labels)
    await delete_threads(threads)
    await memory.conversations.delete(threads)
    simulations = await memory.simulations.clear()  # any answer may repeat the statement
    await memory.profile.statements.forget(statement.id)
    receipt = Receipt(
        episodes=[],
        embeddings=0,
        statements=[statement],
        rules=[],
        threads=sorted(threads),
        simulations=simulations,
    )
    await memory.store.write([receipt.listed("statement").write()])
    return receipt
