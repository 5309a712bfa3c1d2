"""A reply is read however its stream is framed, and whole or streamed whatever was asked for."""

import json

from tests.support.endpoint import Raw
from tests.support.oslo_question import SAID, answer
from tests.support.replies import streamed, texts, whole


async def test_a_stream_is_read_however_it_is_framed() -> None:
    first = json.dumps(
        {"choices": [{"index": 0, "delta": {"content": "In\u2028"}}]}, ensure_ascii=False
    )
    last = json.dumps(
        {"choices": [{"delta": {"content": "Norway."}, "finish_reason": "stop"}]}, indent=1
    )
    framed = last.replace("\n", "\r\ndata: ")
    body = f": waiting\r\n\r\nevent: message\r\ndata:{first}\r\ndata: {framed}\r\n\r\n"

    assert (await answer(Raw(body, "text/event-stream"), stream=True)).text == "In\u2028Norway."


async def test_a_whole_reply_to_a_request_for_a_stream_is_read() -> None:
    assert (await answer(whole({"content": SAID}), stream=True)).text == SAID


async def test_a_stream_in_reply_to_a_request_for_a_whole_is_read() -> None:
    assert (await answer(streamed(*texts("In ", "Norway.")), stream=False)).text == SAID
