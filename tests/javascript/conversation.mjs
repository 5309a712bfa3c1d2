// A conversation as a chat page has it, by LangGraph's SDK alone: says as one line of JSON what it saw.
// The environment names the server (SERVER) and who asks (TOKEN).
import { Client } from "@langchain/langgraph-sdk";
import { MessageTupleManager } from "@langchain/langgraph-sdk/ui";

const client = new Client({
  apiUrl: process.env.SERVER,
  apiKey: null,
  defaultHeaders: { Authorization: `Bearer ${process.env.TOKEN}` },
});
const human = (content) => ({ messages: [{ type: "human", content }] });

/** Ask on the thread; the answer as it was streamed in pieces, and the messages of the last state. */
async function ask(thread, content, options = {}) {
  const pieces = new MessageTupleManager();
  let last, messages;
  const stream = client.runs.stream(thread, "agent", {
    input: human(content),
    streamMode: ["messages-tuple", "values"],
    ...options,
  });
  for await (const { event, data } of stream) {
    if (event === "messages") last = pieces.add(...data) ?? last;
    else if (event === "values") messages = data.messages;
    else if (event === "error") throw new Error(JSON.stringify(data));
  }
  const { chunk } = pieces.get(last);
  return {
    streamed: { text: chunk.text, episode: chunk.additional_kwargs.episode_id ?? null },
    answers: messages
      .filter((message) => message.type === "ai")
      .map(({ content, additional_kwargs }) => ({
        text: content,
        episode: additional_kwargs.episode_id ?? null,
      })),
  };
}

/** Say of an answer what was wanted: fetch() of any client of the SDK reaches our routes too. */
const giveFeedback = (episode, feedback) =>
  client.threads["fetch"](`/me/episodes/${encodeURIComponent(episode)}/feedback`, {
    method: "PUT",
    json: feedback,
  });

/** Ask on a new thread by the newer protocol, whose stream has no more of messages than their texts. */
async function askAnew(content) {
  const { thread_id: id } = await client.threads.create();
  const stream = client.threads.stream(id, { assistantId: "agent" });
  await stream.run.start({ input: human(content) });
  const { episode_id: streamed } = await stream.output;
  await stream.close();
  const { values } = await client.threads.getState(id);
  return { streamed, stored: values.messages.at(-1).additional_kwargs.episode_id ?? null };
}

const { thread_id: thread } = await client.threads.create();
const title = async () => (await client.threads.get(thread)).metadata.title ?? null;

const told = await ask(thread, "My dog is called Rex.");
const titled = await title();
const asked = await ask(thread, "What is my dog called?");
const chosen = await ask(thread, "What is my dog called?", {
  context: { answers: ["Fido", "Rex"] },
});
const secret = await ask(thread, "This stays between us.", { context: { incognito: true } });

await client.threads.update(thread, { metadata: { title: "My dog" } });
const renamed = await title();
const found = await client.threads.search({ metadata: { title: "My dog" } });

const anew = await askAnew("What is my dog called?");
const corrected = await giveFeedback(asked.streamed.episode, {
  signal: "edit",
  text: "Rex, of course.",
});
const refused = await giveFeedback("no-such-episode", { signal: "accept" }).catch(
  (error) => error.message,
);

console.log(
  JSON.stringify({
    told,
    titled,
    asked,
    chosen,
    secret,
    anew,
    renamed,
    found: found.map((each) => each.thread_id === thread),
    corrected,
    refused,
  }),
);
