"""Small conversations in the formats of Open WebUI's and LibreChat's exports."""

from typing import Any


def owui_message(
    id: str, role: str, content: Any, parent: str | None = None, **more: Any
) -> dict[str, Any]:
    """A message of Open WebUI, a second after the one that it answers."""
    fields = {"id": id, "parentId": parent, "childrenIds": [], "role": role, "content": content}
    return fields | {"timestamp": 1_700_000_000} | more


def open_webui(*messages: dict[str, Any], current: str | None = None) -> dict[str, Any]:
    """A chat as "Export All Chats" has it; ``current`` None: the last message."""
    for message in messages:
        message["childrenIds"] = [
            each["id"] for each in messages if each["parentId"] == message["id"]
        ]
    return {
        "id": "chat-1",
        "user_id": "user-1",
        "title": "A title",
        "chat": {
            "id": "",
            "title": "A title",
            "models": ["llama3.1:8b"],
            "history": {
                "messages": {message["id"]: message for message in messages},
                "currentId": current or messages[-1]["id"],
            },
            "messages": [],
            "tags": [],
            "timestamp": 1_700_000_000_123,
        },
        "updated_at": 1_700_000_100,
        "created_at": 1_699_999_999,
        "share_id": None,
        "archived": False,
        "pinned": False,
        "meta": {},
        "folder_id": None,
    }


def librechat_message(
    id: str, text: Any, parent: str | None = None, *, by_user: bool, minute: int = 0, **more: Any
) -> dict[str, Any]:
    return {
        "messageId": id,
        "parentMessageId": parent or "00000000-0000-0000-0000-000000000000",
        "conversationId": "convo-1",
        "createdAt": f"2025-03-01T10:{minute:02d}:00.123Z",
        "endpoint": "openAI",
        "error": False,
        "isCreatedByUser": by_user,
        "model": None if by_user else "gpt-4o",
        "sender": "User" if by_user else "GPT-4o",
        "text": text,
        "unfinished": False,
    } | more


def librechat(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "conversationId": "convo-1",
        "endpoint": "openAI",
        "title": "A title",
        "exportAt": "10:33:32 GMT+0200 (Central European Summer Time)",
        "branches": True,
        "recursive": False,
        "options": {"model": "gpt-4o"},
        "messages": list(messages),
    } | more
