// The `openai` Node SDK: chats, streams, tools, embeddings, responses and errors.
import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({ maxRetries: 0 });
const hello = [{ role: "user", content: "Grüße an 東京 👋" }];
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const tool = { type: "function", function: { name: "weather", parameters } };
const models = ["open", "claude"];

const checks = {
  async aChatIsAnswered() {
    for (const model of models) {
      const told = await client.chat.completions.create({ model, messages: hello });
      assert.equal(told.choices[0].message.content, "You said: Grüße an 東京 👋");
      assert.ok(told.usage.total_tokens > 0);
      assert.ok(told._request_id);
    }
  },

  async aStreamGivesTheSameWords() {
    for (const model of models) {
      const stream = await client.chat.completions.create({
        model,
        messages: hello,
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks = await Array.fromAsync(stream);
      const words = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "");
      assert.equal(words.join(""), "You said: Grüße an 東京 👋");
      assert.ok(chunks.at(-1).usage.total_tokens > 0);
      assert.equal(chunks.at(-2).choices[0].finish_reason, "stop");
    }
  },

  async aToolIsCalledAndItsResultTakenBack() {
    for (const model of models) {
      const ask = { model, tools: [tool] };
      const asked = await client.chat.completions.create({ ...ask, messages: hello });
      const message = asked.choices[0].message;
      const [call] = message.tool_calls;
      assert.deepEqual(JSON.parse(call.function.arguments), { city: "Zürich" });
      const result = { role: "tool", tool_call_id: call.id, content: "sunny" };
      const messages = [...hello, message, result];
      const told = await client.chat.completions.create({ ...ask, messages });
      assert.equal(told.choices[0].message.content, "The tools said: sunny");
    }
  },

  async callsInAStreamArePutTogether() {
    for (const model of models) {
      const stream = client.chat.completions.stream({
        model,
        messages: hello,
        tools: [tool],
      });
      const final = await stream.finalChatCompletion();
      const [call] = final.choices[0].message.tool_calls;
      assert.equal(call.function.name, "weather");
      assert.deepEqual(JSON.parse(call.function.arguments), { city: "Zürich" });
    }
  },

  async embeddingsArePackedByDefault() {
    const asked = { model: "open", input: ["a", "abc"] };
    for (const more of [{}, { encoding_format: "float" }]) {
      const told = await client.embeddings.create({ ...asked, ...more });
      const vectors = told.data.map((each) => [...each.embedding]);
      assert.deepEqual(vectors, [
        [1, -0.5, 0.25],
        [3, -0.5, 0.25],
      ]);
    }
  },

  async modelsAreListedAndFound() {
    const listed = await Array.fromAsync(client.models.list());
    const ids = listed.map((each) => each.id);
    assert.ok(ids.includes("open") && ids.includes("team/fast"));
    assert.equal((await client.models.retrieve("team/fast")).id, "team/fast");
  },

  async aResponseIsMadeReadAndDeleted() {
    const made = await client.responses.create({ model: "open", input: "Hallo" });
    assert.equal(made.output_text, "You said: Hallo");
    const found = await client.responses.retrieve(made.id);
    assert.equal(found.output[0].content[0].text, "You said: Hallo");
    await client.responses.delete(made.id);
    await assert.rejects(client.responses.retrieve(made.id), OpenAI.NotFoundError);
  },

  async aResponseIsStreamed() {
    for (const model of models) {
      const stream = client.responses.stream({ model, input: "Hallo" });
      const kinds = [];
      for await (const event of stream) kinds.push(event.type);
      assert.equal(kinds[0], "response.created");
      assert.equal(kinds.at(-1), "response.completed");
      const final = await stream.finalResponse();
      assert.equal(final.output_text, "You said: Hallo");
    }
  },

  async errorsAreTyped() {
    const ask = (fields, by = client) =>
      by.chat.completions.create({ model: "open", messages: hello, ...fields });
    const missing = await ask({ model: "opne" }).catch((error) => error);
    assert.ok(missing instanceof OpenAI.NotFoundError);
    assert.deepEqual([missing.code, missing.param], ["model_not_found", "model"]);
    await assert.rejects(ask({ n: 1e9 }), OpenAI.BadRequestError);
    const stranger = new OpenAI({ apiKey: "sk-nobody", maxRetries: 2 });
    await assert.rejects(ask({}, stranger), OpenAI.AuthenticationError);
    await assert.rejects(ask({ model: "limited-9@open" }), OpenAI.RateLimitError);
  },

  async theSdkComesBackWhenItIsToldTo() {
    const patient = new OpenAI({ maxRetries: 1 });
    const told = await patient.chat.completions.create({
      model: "limited-10@open",
      messages: hello,
    });
    assert.equal(told.choices[0].finish_reason, "stop");
  },

  async aStreamThatBreaksRejects() {
    for (const model of ["cut-9@open", "cut-9@claude"]) {
      const stream = await client.chat.completions.create({
        model,
        messages: hello,
        stream: true,
      });
      let text = "";
      const read = async () => {
        for await (const chunk of stream) text += chunk.choices[0].delta.content ?? "";
      };
      await assert.rejects(read, OpenAI.APIError);
      assert.ok(text.startsWith("This answer"));
    }
  },

  async aCallerMayHangUpInAStream() {
    const stream = await client.chat.completions.create({
      model: "open",
      messages: hello,
      stream: true,
    });
    for await (const _ of stream) break;
    assert.ok(stream.controller.signal.aborted);
  },
};

for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`FAILED ${name}\n${error.stack}`);
    process.exitCode = 1;
  }
}
