"""Conversations as ChatGPT exports them: trees of messages, and the one that was shown last."""

from collections.abc import Mapping
from typing import Any

from personaagent.memory.exchange.chatgpt_markup import without_markup
from personaagent.memory.exchange.json_values import Json, as_id, as_list, as_object, as_text
from personaagent.memory.exchange.message_tree import TreeNode, standing_paths
from personaagent.memory.exchange.messages import ChatMessage, Conversation, Speaker, joined
from personaagent.memory.exchange.moments import moment_of

BETWEEN = ("system", "developer", "tool", "critic", "function")
"""Authors whose messages do not end an exchange: they stand between a question and its answer."""
CONTEXTS = ("user_editable_context", "model_editable_context")
CONTEXT_FIELDS = ("user_profile", "user_instructions", "model_set_context")
NOTES = "custom instructions or memories: `personaagent profile import` reads them"
TEXTS = ("text", "multimodal_text")


class ChatGPT:
    """ChatGPT's ``conversations.json``, whole or in numbered parts."""

    source = "chatgpt"
    program = "ChatGPT"

    def recognises(self, item: Json) -> bool:
        """Whether it has the tree that only ChatGPT calls so."""
        return "mapping" in item

    def conversation(self, item: Json) -> Conversation:
        """The path to ``current_node``, or else to the newest message, without the branches that
        were edited away or regenerated.

        Raises:
            ValueError: it has no messages.
        """
        nodes = _nodes(item.get("mapping"))
        tree = {id: _tree_node(node) for id, node in nodes.items()}
        if not any(node.spoken for node in tree.values()):
            raise ValueError("it has no messages")
        paths = standing_paths(tree, as_id(item.get("current_node")))
        return Conversation(
            id=as_id(item.get("conversation_id")) or as_id(item.get("id")),
            source=self.source,
            at=moment_of(item.get("create_time")) or moment_of(item.get("update_time")),
            messages=joined([_messages(path, nodes) for path in paths]),
            title=as_text(item.get("title")),
            omitted=[NOTES] if any(_is_context(node) for node in nodes.values()) else [],
        )


def _nodes(mapping: Any) -> dict[str, Json]:
    """The nodes by their ids; some exporters write a list of them."""
    if isinstance(mapping, list):
        return {as_id(as_object(node).get("id")): as_object(node) for node in mapping}
    return {id: as_object(node) for id, node in as_object(mapping).items()}


def _tree_node(node: Json) -> TreeNode:
    message = as_object(node.get("message"))
    return TreeNode(
        parent=as_id(node.get("parent")) or None,
        children=[as_id(child) for child in as_list(node.get("children"))],
        at=moment_of(message.get("create_time")),
        spoken=bool(message) and not _is_hidden(message) and _role(message) not in BETWEEN,
    )


def _is_context(node: Json) -> bool:
    """Whether it says something of the user in general."""
    content = as_object(as_object(node.get("message")).get("content"))
    is_context = content.get("content_type") in CONTEXTS
    return is_context and any(as_text(content.get(field)) for field in CONTEXT_FIELDS)


def _messages(path: list[str], nodes: Mapping[str, Json]) -> list[ChatMessage]:
    messages = [_message(id, as_object(nodes[id].get("message"))) for id in path]
    return [message for message in messages if message is not None]


def _message(node_id: str, message: Json) -> ChatMessage | None:
    """The message; None if it is between the program, the model and its tools."""
    content = as_object(message.get("content"))
    if not message or _role(message) in BETWEEN or content.get("content_type") in CONTEXTS:
        return None
    speaker = _speaker(message)
    if speaker == "assistant" and (_is_hidden(message) or _is_for_a_tool(message)):
        return None
    text = _text(message.get("content"))
    return ChatMessage(
        id=as_id(message.get("id")) or node_id,
        speaker=speaker,
        text=without_markup(text) if speaker == "assistant" else text,
        at=moment_of(message.get("create_time")),
    )


def _role(message: Json) -> str:
    author = message.get("author")
    return as_text(as_object(author).get("role")) or as_text(author) or as_text(message.get("role"))


def _speaker(message: Json) -> Speaker:
    """Who says it; a task that the program sets in the user's name, unseen, is nobody's."""
    role = _role(message)
    if role == "user":
        return "hidden" if _is_hidden(message) else "user"
    return "assistant" if role == "assistant" else "unknown"


def _is_hidden(message: Json) -> bool:
    return bool(as_object(message.get("metadata")).get("is_visually_hidden_from_conversation"))


def _is_for_a_tool(message: Json) -> bool:
    """Whether it is a call, or a thought, rather than an answer."""
    return message.get("recipient") not in (None, "", "all") or message.get("channel") == "analysis"


def _text(content: Any) -> str:
    """The texts of the parts, transcripts of speech among them; none of a picture."""
    if isinstance(content, str):
        return content
    fields = as_object(content)
    if fields.get("content_type", "text") not in TEXTS:
        return ""
    parts = fields.get("parts")
    texts = [_part_text(part) for part in (as_list(parts) or [parts, fields.get("text")])]
    return "\n".join(text for text in texts if text)


def _part_text(part: Any) -> str:
    return as_text(part.get("text")) if isinstance(part, dict) else as_text(part)
